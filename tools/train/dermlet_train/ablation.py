"""Runs a list of short training runs that differ in one thing each, and tables their figures.

A plan is a TOML file: `[base]` holds a recipe's keys, each `[[rows]]` a `name` and, under `set`, the keys that differ.
Every run has a folder of its own and is resumed or passed over when the command is given again. Figures are of the
calib part, which no run trains on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .config import Recipe
from .reading import read_toml
from .store import Store
from .training import Options, train


@dataclass(frozen=True)
class Row:
    """One run."""

    name: str
    recipe: Recipe

    @property
    def folder(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.name.casefold()).strip("-")


def load_plan(path: Path, overrides: Sequence[str] = ()) -> list[Row]:
    """`overrides` (key=value) go over every row's own keys. Raises ValueError on unknown keys, a row without a name, or
    two rows that would share a folder.
    """
    plan = read_toml(path)
    if unknown := set(plan) - {"base", "rows"}:
        raise ValueError(f"{path}: unknown keys {sorted(unknown)}")
    rows = []
    for row in plan.get("rows", []):
        if set(row) - {"name", "set"} or not row.get("name"):
            raise ValueError(f"{path}: a row has a name and, if it differs from the base, set")
        rows.append(
            Row(row["name"], Recipe.of(plan["base"] | row.get("set", {}), f"{path}, {row['name']}").override(overrides))
        )
    if len({row.folder for row in rows}) != len(rows) or not rows:
        raise ValueError(f"{path}: every row needs a name of its own")
    return rows


def _result(folder: Path, row: Row) -> dict[str, Any] | None:
    """What a finished run of this very recipe left, or None."""
    try:
        summary = json.loads((folder / "run.json").read_text())
    except (OSError, json.JSONDecodeError):
        return None
    same = summary["recipe"] == json.loads(json.dumps(row.recipe.to_dict()))
    return summary if summary["finished"] and same else None


def table(results: dict[str, dict[str, Any]]) -> str:
    """Markdown: a row a run; in brackets the difference to the first."""
    columns = list(
        dict.fromkeys(key for summary in results.values() for key in summary["figures"] if key.startswith("calib "))
    )
    columns.sort(key=lambda key: (key != "calib mean", "auc" in key))
    lines = [
        "| run | " + " | ".join(key.removeprefix("calib ") for key in columns) + " | minutes |",
        "|---" * (len(columns) + 2) + "|",
    ]
    first = next(iter(results.values()))["figures"]
    for name, summary in results.items():
        cells = []
        for key in columns:
            value = summary["figures"].get(key)
            change = (
                f" ({value - first[key]:+.3f})"
                if value is not None and key in first and summary["figures"] is not first
                else ""
            )
            cells.append("-" if value is None else f"{value:.3f}{change}")
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {summary['seconds'] / 60:.1f} |")
    return "\n".join(lines)


def ablate(
    plan: Path, store: Store, out: Path, options: Options, only: Collection[str] = (), overrides: Sequence[str] = ()
) -> dict[str, dict[str, Any]]:
    """Runs what is not finished yet (of `only`, if names are given); writes table.md and table.json after every run and
    returns the results by name.
    """
    rows = load_plan(plan, overrides)
    if unknown := set(only) - {row.name for row in rows}:
        raise ValueError(
            f"{plan}: no row {', '.join(sorted(unknown))}; there are {', '.join(row.name for row in rows)}"
        )
    for number, row in enumerate(rows, 1):
        folder = out / row.folder
        if (not only or row.name in only) and _result(folder, row) is None:
            print(f"ablate: {number}/{len(rows)} {row.name}", flush=True)
            recipes = out / "ablations"  # what `runs` makes its table of ablations from
            recipes.mkdir(parents=True, exist_ok=True)
            (recipes / f"{row.folder}.toml").write_text(f"# {row.name}\n{row.recipe.to_toml()}")
            train(row.recipe, store, folder, options)
        _write(rows, out)
    results = {row.name: summary for row in rows if (summary := _result(out / row.folder, row)) is not None}
    print(table(results) if results else "ablate: nothing is finished yet", flush=True)
    return results


def _write(rows: list[Row], out: Path) -> None:
    results = {row.name: summary for row in rows if (summary := _result(out / row.folder, row)) is not None}
    if results:
        (out / "table.json").write_text(json.dumps(results, indent=2) + "\n")
        (out / "table.md").write_text(table(results) + "\n")
