"""The documents' samples, of which tests/doc-samples.mjs says what runs each."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def sample(document: str, part: str) -> str:
    """The one sample of a document with this part, as it stands there."""
    words = ["node", ROOT / "tests" / "doc-samples.mjs", document, part]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout
