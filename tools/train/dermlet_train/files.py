"""Files that are replaced in one step: a reader, or a run that was cut off, never sees half of one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path, writer: str = "") -> Iterator[Path]:
    """The path beside `path` to write to; it takes the place of `path` when the block ends, and is removed when the
    block fails. `writer` keeps apart processes that may write the same file at the same time.
    """
    part = path.with_name(f"{path.name}{'.' if writer else ''}{writer}.part")
    try:
        yield part
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    part.replace(path)


def write_text(path: Path, text: str) -> None:
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    write_text(path, json.dumps(value, indent=2) + "\n")
