"""The one row that every importer yields, whatever the archive it read, and the errors a person can act on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..config import MODALITIES as MODALITIES

SPLITS = ("train", "val", "test")


class PrepareError(Exception):
    """Something the person at the keyboard must decide or repair; the message says what and how."""


@dataclass(frozen=True)
class Row:
    """One picture as its archive describes it, before class names are unified.

    `name` is the class name in the archive's own words. `links` are keys that this picture shares with others of the
    same lesion, patient or file (`HAM_0003350`, `PAT_46`, `ISIC_0024310`): rows that share a key end up in one group.
    `split` is empty where the archive states none.
    """

    set: str
    image: str
    path: Path
    name: str
    links: tuple[str, ...]
    split: str = ""
    modality: str = "photo"
    source_label: str = ""
    skin_tone: str = ""
    license: str = ""
    source_repo: str = ""


@dataclass(frozen=True)
class LeftOut:
    """A picture or table line that does not reach the store, and why."""

    set: str
    image: str
    reason: str
    detail: str = ""
