"""What a model's card measures and says: read from `<model>.card.toml`, or taken from the label tables when there is
none.

    [[part]]      name, title, sets; optional merge (`FROM:INTO`), degraded (measured on coarse copies too)
    [[target]]    title, at (where in the reports), figure; at_least and/or at_most; optional less (a report to take the
    difference with) [[published]] what, figure, caveat; optional about (`figures`, or `tiers`: which section it stands
    in) [words]       knows_not, skin_tones, data; limits (a list)
    degraded_side, test_time_augmentation, pairs, speed: see `Plan`

`at` is a path into the reports: `evaluation.parts.ham10000.lesions`, `degraded.parts...`,
`evaluation.refusal.byLabel.none`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..reading import read_toml, table_rows


@dataclass(frozen=True)
class Part:
    """Sets that are reported together, with classes of their own."""

    name: str
    title: str
    sets: tuple[str, ...]
    merge: tuple[str, ...] = ()
    degraded: bool = False

    def option(self) -> str:
        """As `evaluate --part` takes it."""
        return ":".join((self.name, ",".join(self.sets), *([",".join(self.merge)] if self.merge else [])))


@dataclass(frozen=True)
class Target:
    """A figure that the model has to reach. Bounds are inclusive."""

    title: str
    at: str
    figure: str
    at_least: float | None = None
    at_most: float | None = None
    less: str | None = None  # another place with the same figure, subtracted from it


@dataclass(frozen=True)
class Published:
    """A figure that others published, and why it is not the same thing."""

    what: str
    figure: str
    caveat: str
    about: str = "figures"


@dataclass(frozen=True)
class Plan:
    """What is specific to one model's card."""

    parts: tuple[Part, ...]
    targets: tuple[Target, ...] = ()
    published: tuple[Published, ...] = ()
    knows_not: str = "It knows nothing else."
    skin_tones: str = ""  # in which direction the labels' skin tone scales run
    data: str = ""
    limits: tuple[str, ...] = ()
    degraded_side: int = 150  # pixels, shorter side of the coarse copies
    pairs: bool = False  # also both pictures of one lesion together
    test_time_augmentation: bool = False  # also with eight views averaged
    speed: bool = False  # time in onnxruntime-web beside a yardstick's; for square NCHW inputs
    readme: bool = False  # the README's table is of this model

    @staticmethod
    def load(path: Path) -> Plan:
        """Raises ValueError for a key that is not known, or a part, target or published figure that lacks one."""
        values = read_toml(path)
        words = values.pop("words", {})
        plan: dict[str, Any] = {
            "parts": _all(Part, values.pop("part", []), path),
            "targets": _all(Target, values.pop("target", []), path),
        }
        plan |= {"published": _all(Published, values.pop("published", []), path)}
        known = {field.name for field in fields(Plan)} - set(plan)
        unknown = sorted((set(values) | set(words)) - known)
        if unknown:
            raise ValueError(f"{path}: unknown keys {unknown}")
        if not plan["parts"]:
            raise ValueError(f"{path}: no part")
        plan |= {key: tuple(word) if isinstance(word, list) else word for key, word in words.items()}
        return Plan(**plan, **values)

    @staticmethod
    def from_rows(rows: list[dict[str, str]], labels: set[str]) -> Plan:
        """A part for each set that holds a class of the model; pairs when some group has pictures of two modalities."""
        known_rows = [row for row in rows if row["label"] in labels]
        modalities_of: dict[str, set[str]] = {}
        for row in known_rows:
            modalities_of.setdefault(row.get("group") or row["image"], set()).add(row.get("modality", ""))
        parts = tuple(Part(name, name, (name,)) for name in sorted({row["set"] for row in known_rows}))
        return Plan(parts, pairs=any(len(kinds - {""}) == 2 for kinds in modalities_of.values()))

    @staticmethod
    def from_report(report: Mapping[str, Any]) -> Plan:
        """The parts that a report was made of."""
        parts = report["parts"].items()
        return Plan(tuple(Part(name, name, tuple(part["sets"]), tuple(part["merge"])) for name, part in parts))


def _all(kind: type[Any], entries: list[Mapping[str, Any]], path: Path) -> tuple[Any, ...]:
    made = []
    for entry in entries:
        try:
            made.append(
                kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()})
            )
        except TypeError as error:
            raise ValueError(
                f"{path}: {kind.__name__.lower()} {entry.get('title') or entry.get('name') or entry}: {error}"
            ) from error
    return tuple(made)


def read_rows(tables: list[Path], split: str) -> list[dict[str, str]]:
    """The split's rows of all label tables."""
    rows: list[dict[str, str]] = []
    for table in tables:
        rows += [row for row in table_rows(table) if row.get("split", split) == split]
    return rows
