"""Reading files that somebody else made: regular ones only, no larger than stated, and no key that stands twice.

A path may name a pipe that never answers, a device that never ends, or a file larger than the memory. So a file is
opened without waiting, looked at through the open handle (it cannot be exchanged in between) and then read up to its
limit and not a byte further.
"""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from .limits import MOST_TABLE_BYTES, MOST_TEXT_BYTES

_MOST_FIELD = 1 << 20  # characters of a table's cell: SCIN's lists of labels exceed csv's own limit
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


class Told(Exception):
    """An error whose message is a sentence for the user: shown as it is, without a traceback."""


class FileRefused(Told, OSError):
    """A file that is not read, or whose text is not what it should be."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(errno.EINVAL, why, str(path))

    def __reduce__(self) -> tuple[type[FileRefused], tuple[Path, str]]:
        return FileRefused, (Path(self.filename), self.strerror or "")

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


def plain(text: object, most: int = 2_000) -> str:
    """Strangers' words for a terminal: control, direction and zero-width characters as escapes, cut after `most`."""
    words = _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", str(text))
    return words if len(words) <= most else f"{words[:most]} ..."


def plain_lines(text: object) -> str:
    """As `plain`, line by line: for messages of several lines whose parts were made plain when they were put in."""
    return "\n".join(plain(line) for line in str(text).split("\n"))


def shown(value: object, most: int = 60) -> str:
    """A stranger's value in a message: text and small numbers as they are, of anything else its type. The text of
    nested values may be exponentially long, that of whole numbers too long for Python to write.
    """
    if isinstance(value, str | bytes):
        return plain(repr(value[:most]) + ("..." if len(value) > most else ""))
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and value.bit_length() <= 64):
        return repr(value)
    return "a number of many digits" if isinstance(value, int) else f"a {type(value).__name__}"


def open_regular(path: Path, most: int) -> BinaryIO:
    """The file, open for reading. Raises FileRefused when it is no regular file or has more than `most` bytes,
    OSError."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise FileRefused(path, f"is {_kind(found.st_mode)}, not a file that can be read: give a regular file")
        if found.st_size > most:
            raise FileRefused(path, f"has {found.st_size} bytes, more than the {most} that such a file may have")
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISDIR, "a folder"),
    )
    return next((name for test, name in kinds if test(mode)), "a socket or the like")


def check_regular(path: Path, most: int) -> None:
    """For readers that open the path themselves. Raises as open_regular()."""
    if path.is_dir():  # cannot be opened on Windows
        raise FileRefused(path, "is a folder, not a file that can be read: give a regular file")
    open_regular(path, most).close()


def read_bytes(path: Path, most: int) -> bytes:
    """The whole file. Raises as open_regular(), and FileRefused when it grows over `most` meanwhile."""
    with open_regular(path, most) as handle:
        data = handle.read(most + 1)
    if len(data) > most:
        raise FileRefused(path, f"has more than the {most} bytes that such a file may have")
    return data


def read_text(path: Path, most: int = MOST_TEXT_BYTES) -> str:
    """UTF-8, with or without a mark. Raises as read_bytes(), and FileRefused when it is no text."""
    try:
        return read_bytes(path, most).decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise FileRefused(path, f"is not UTF-8 text: {problem.reason} at byte {problem.start}") from problem


class KeyTwice(Told, ValueError):
    """A JSON object names a key twice: readers differ in which of the two they take."""


def no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """For json's object_pairs_hook. Raises KeyTwice."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise KeyTwice(f"the key {shown(key)} stands twice")
        found[key] = value
    return found


def read_json(path: Path, most: int = MOST_TEXT_BYTES) -> Any:
    """Raises as read_text(), and FileRefused when it is no JSON, nests too deeply or names a key twice."""
    try:
        return json.loads(read_text(path, most), object_pairs_hook=no_key_twice)
    except KeyTwice as problem:
        raise FileRefused(path, str(problem)) from problem
    except RecursionError as problem:
        raise FileRefused(path, "is nested too deeply") from problem
    except ValueError as problem:
        raise FileRefused(path, f"is not JSON: {plain(problem, 200)}") from problem


def read_toml(path: Path, most: int = MOST_TEXT_BYTES) -> dict[str, Any]:
    """Raises as read_text(), and FileRefused when it is no TOML (which has no key twice) or nests too deeply."""
    try:
        return tomllib.loads(read_text(path, most))
    except RecursionError as problem:
        raise FileRefused(path, "is nested too deeply") from problem
    except ValueError as problem:
        raise FileRefused(path, plain(problem, 200)) from problem


def table_rows(path: Path, columns: Sequence[str] = (), most: int = MOST_TABLE_BYTES) -> Iterator[dict[str, str]]:
    """Rows of a comma-separated table by its header. Raises FileRefused when it lacks a column, has one twice, or a row
    has not as many cells as the header; and as open_regular().
    """
    csv.field_size_limit(_MOST_FIELD)
    with open_regular(path, most) as handle, io.TextIOWrapper(handle, "utf-8-sig", newline="") as text:
        reader = csv.reader(text)
        try:
            header = next(reader, [])
            if missing := [column for column in columns if column not in header]:
                raise FileRefused(path, f"lacks the columns {', '.join(missing)}")
            if len(set(header)) != len(header):
                twice = next(column for column in header if header.count(column) > 1)
                raise FileRefused(path, f"has the column {shown(twice)} twice")
            for cells in reader:
                if cells and len(cells) != len(header):
                    raise FileRefused(
                        path, f"line {reader.line_num} has {len(cells)} cells where the header has {len(header)}"
                    )
                if cells:
                    yield dict(zip(header, cells, strict=True))
        except (csv.Error, UnicodeDecodeError) as problem:
            raise FileRefused(path, f"is no table, near line {reader.line_num}: {plain(problem, 200)}") from problem
