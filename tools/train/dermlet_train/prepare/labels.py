"""Unifies class names by a mapping file. A name that the file does not hold is reported and left out, never guessed."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from ..limits import MOST_TEXT_BYTES
from ..reading import read_bytes
from .rows import PrepareError

DEFAULT = Path(__file__).with_name("classes") / "skin-8.toml"
OTHER, NONE, SKIP = "other", "none", "-"  # another skin condition; no skin condition at all; left out on purpose


def _fold(name: str) -> str:
    """Spelling that does not matter: case, runs of spaces, underscores."""
    return " ".join(name.replace("_", " ").casefold().split())


@dataclass(frozen=True)
class ClassMap:
    """`names` applies to every set, `sets` to one set and goes first; the name `*` in a set stands for all others of
    that set.
    """

    path: Path
    classes: tuple[str, ...]
    names: dict[str, str]
    sets: dict[str, dict[str, str]]
    sha256: str

    @staticmethod
    def load(path: Path = DEFAULT) -> ClassMap:
        """Raises PrepareError on an unknown key, or on a target that is no class of the file."""
        try:
            data = read_bytes(path, MOST_TEXT_BYTES)
            values = tomllib.loads(data.decode())
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise PrepareError(f"{path}: {error}") from error
        unknown = set(values) - {"classes", "names", "sets"}
        if unknown or not values.get("classes"):
            raise PrepareError(
                f"{path}: needs the keys classes, names, sets (found {', '.join(sorted(values)) or 'none'})"
            )
        classes = tuple(values["classes"])
        targets = {*classes, OTHER, NONE, SKIP}

        def table(entries: dict[str, str], where: str) -> dict[str, str]:
            folded: dict[str, str] = {}
            for name, target in entries.items():
                if target not in targets:
                    raise PrepareError(
                        f"{path}, {where}: {name!r} is mapped to {target!r}, which is none of"
                        f" {', '.join(sorted(targets))}"
                    )
                if folded.setdefault(_fold(name), target) != target:
                    raise PrepareError(f"{path}, {where}: {name!r} is mapped twice, and differently")
            return folded

        names = table(values.get("names", {}), "names")
        for target in (*classes, OTHER, NONE):
            if names.setdefault(_fold(target), target) != target:
                raise PrepareError(f"{path}: the class {target!r} is mapped to another class")
        sets = {name: table(entries, f"sets.{name}") for name, entries in values.get("sets", {}).items()}
        return ClassMap(path, classes, names, sets, hashlib.sha256(data).hexdigest())

    def unify(self, set_name: str, name: str) -> str | None:
        """The class, OTHER, NONE or SKIP; None for a name that the file does not hold."""
        own = self.sets.get(set_name, {})
        folded = _fold(name)
        return own.get(folded) or self.names.get(folded) or own.get("*")
