"""Finds label tables by their header, since people rename files but not columns, and pictures by their stem."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ..limits import MOST_TABLE_BYTES
from ..reading import FileRefused, open_regular, plain, shown
from .rows import PrepareError

PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".webp", ".tif", ".tiff", ".heic", ".heif", ".hif", ".avif"}
)
# Files that are not expected to be pictures; a file of any other kind among pictures is reported, never dropped
# without a word.
NOT_PICTURES = frozenset(
    {".csv", ".tab", ".tsv", ".txt", ".json", ".md", ".ini", ".db", ".pdf", ".html", ".xlsx", ".ods", ".docx"}
)
TABLE_SUFFIXES = frozenset({".csv", ".tab", ".tsv", ".txt"})
_NOT_A_PICTURE = re.compile(r"(_superpixels|_segmentation|_attribute_\w+)$", re.IGNORECASE)
_MAX_FIELD = 1 << 20  # bytes; SCIN's label lists exceed no common limit, but a binary file renamed .csv would


@dataclass(frozen=True)
class Table:
    """A delimited text file with its header. `header` is empty when the first line is data already (ISIC 2016)."""

    path: Path
    delimiter: str
    header: tuple[str, ...]
    first: tuple[str, ...]

    @staticmethod
    def open(path: Path) -> Table | None:
        """None when the file is no text table."""
        try:
            with _text(path) as handle:
                line = handle.readline(_MAX_FIELD)
        except FileRefused as error:  # a pipe, a device or a file without end is not passed over in silence
            raise PrepareError(str(error)) from error
        except (UnicodeDecodeError, OSError):
            return None
        delimiter = max("\t,;", key=line.count)
        csv.field_size_limit(_MAX_FIELD)
        cells = tuple(cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), []))
        if len(cells) < 2:
            return None
        headless = len(cells) == 2 and re.fullmatch(r"ISIC_\d+", cells[0]) is not None
        return Table(path, delimiter, () if headless else cells, cells)

    def has(self, *columns: str) -> bool:
        return set(columns) <= set(self.header)

    def __iter__(self) -> Iterator[dict[str, str]]:
        """Rows as dictionaries of stripped strings; a line with too few cells is an error that names it."""
        with _text(self.path) as handle:
            csv.field_size_limit(_MAX_FIELD)
            reader = csv.reader(handle, delimiter=self.delimiter)
            header = self.header or tuple(str(i) for i in range(len(self.first)))
            named = [name for name in header if name]
            if len(set(named)) != len(named):
                twice = next(name for name in named if named.count(name) > 1)
                raise PrepareError(f"{self.path.name} has the column {shown(twice)} twice: which counts cannot be told")
            if self.header:
                next(reader)
            for cells in _cells(reader, self.path):
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise PrepareError(
                        f"{self.path.name}, line {reader.line_num}: {len(cells)} cells where the header has"
                        f" {len(header)}"
                    )
                yield {name: cell.strip() for name, cell in zip(header, cells, strict=True)}


def _text(path: Path) -> io.TextIOWrapper:
    return io.TextIOWrapper(open_regular(path, MOST_TABLE_BYTES), encoding="utf-8-sig", newline="")


def _cells(reader: Any, path: Path) -> Iterator[list[str]]:
    """Raises PrepareError where the table turns into something else."""
    try:
        yield from reader
    except (csv.Error, UnicodeDecodeError) as error:
        raise PrepareError(f"{path.name}, near line {reader.line_num}: {plain(error, 200)}") from error


@dataclass
class Folder:
    """A source as a person points at it: a folder (or one table) with everything beneath it, listed once."""

    root: Path
    notes: list[str] = field(default_factory=list)

    @cached_property
    def base(self) -> Path:
        return self.root if self.root.is_dir() else self.root.parent

    @cached_property
    def files(self) -> list[Path]:
        """Every file, sorted; without hidden files and the shadow folder that macOS packs into archives."""
        found = (path for path in self.base.rglob("*") if path.is_file())
        return sorted(
            p
            for p in found
            if not any(part.startswith(".") or part == "__MACOSX" for part in p.relative_to(self.base).parts)
        )

    @cached_property
    def tables(self) -> list[Table]:
        paths = [p for p in self.files if p.suffix.lower() in TABLE_SUFFIXES] if self.root.is_dir() else [self.root]
        return [table for table in map(Table.open, paths) if table]

    @cached_property
    def pictures(self) -> list[Path]:
        return [p for p in self.files if p.suffix.lower() in PICTURE_SUFFIXES and not _NOT_A_PICTURE.search(p.stem)]

    @property
    def unread(self) -> list[Path]:
        """Files that may have been meant as pictures and are of no kind that is read: raw files, films, archives."""
        return [p for p in self.files if p.suffix.lower() not in PICTURE_SUFFIXES | NOT_PICTURES]

    @cached_property
    def _by_stem(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        twice = 0
        for path in self.pictures:  # sorted: the choice is the same on every machine
            if found.setdefault(path.stem, path) != path:
                twice += 1
        if twice:
            self.notes.append(
                f"{twice} picture files carry a name that another folder holds too; the first in alphabetical order is"
                " used"
            )
        return found

    def picture(self, stem: str) -> Path | None:
        """The picture of an id. ISIC 2019 names some files `<id>_downsampled` in one place and `<id>` in the other."""
        for name in (stem, stem.removesuffix("_downsampled"), f"{stem}_downsampled"):
            if name in self._by_stem:
                return self._by_stem[name]
        return None
