"""One thread a process: the tests' networks are tiny, and threads that wait for each other on busy cores take many
times as long as one. The files that take longest begin first, so that no process waits for the other at the end.
"""

import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

LONGEST = ("test_pipeline.py", "test_import_keras.py", "test_training.py", "test_finetune.py", "test_rashes.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> int:
        return LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST)

    items.sort(key=turn)
