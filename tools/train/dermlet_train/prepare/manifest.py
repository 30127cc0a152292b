"""What went into a store, in full: settings, sources with the hashes of their tables, counts, and one line a picture
with the hash of its file.

Nothing in it depends on the time, the machine or where the sources lie, so two runs over the same files give the same
bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..files import write_text

FORMAT = 1


def file_sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def write_manifest(path: Path, head: Mapping[str, Any], pictures: Sequence[Mapping[str, Any]]) -> None:
    """Indented head, then one picture a line: readable, and fit for a line-wise comparison of two stores."""
    text = json.dumps({"format": FORMAT} | dict(head), indent=2, ensure_ascii=False)
    lines = ",\n".join("    " + json.dumps(picture, ensure_ascii=False) for picture in pictures)
    write_text(path, f'{text[:-2]},\n  "pictures": [\n{lines}\n  ]\n}}\n')
