"""One thread a process: the tests' networks are tiny, and threads that wait for each other on busy cores take many
times as long as one.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
