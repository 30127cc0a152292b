"""The card of a fine-tuned model: what it was made of, and how it does beside the model that it began with. Only what
is known is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .card.tables import markdown
from .config import Recipe
from .held_out import Figures, HeldOut
from .network import Classifier
from .store import Store


@dataclass(frozen=True)
class SmallClass:
    """A class with few pictures: how many to train on, to calibrate with, and to measure on (validation and test)."""

    name: str
    train: int
    calib: int
    measured: int

    @property
    def summary(self) -> str:
        return f"{self.name}: {self.train} to train on, {self.calib} to calibrate with, {self.measured} to measure on"


def few_means(few: Mapping[str, int]) -> str:
    """What follows from too few pictures."""
    return (
        f"With fewer than {few['train']} to train on, what is learnt of a class may be these pictures' accidents; with"
        f" fewer than {few['calib']} to calibrate with, how often it is in the set is taken from other classes; with"
        f" fewer than {few['measured']} to measure on, one picture moves its figure by 5 points or more."
    )


@dataclass(frozen=True)
class CardContent:
    """All that the card speaks of. `epoch`: which one was kept; `beaten`: whether one did better than the starting
    model, so that it was kept at all.
    """

    store: Store
    recipe: Recipe
    description: dict[str, Any]
    origin: str
    known: Sequence[str]
    small: Sequence[SmallClass]
    start: Classifier
    chosen: Classifier
    epoch: int
    beaten: bool


PARTS = {
    ("calib", "val"): "calibration and validation together: the epoch was chosen by these",
    ("val",): "validation",
    ("test",): "test: served for nothing else",
}

CARD = """# {name}

{title}. A research and teaching model, not a medical device. If a spot or rash is new, changing, bleeding or worries you, see a doctor whatever this
page shows.

{how}

| id | category | concern | training pictures | calibration | validation | test |
|---|---|---|---|---|---|---|
{rows}
{small}
## Figures

{measured}

{figures}

{recalls}

Temperatures, limits of sets and the limit of refusal were fitted on the calibration pictures. Whether {origin} had been trained on some of these pictures
itself is not known here; where it was, both figures flatter. `npm run evaluate -- --model` this folder measures the model through the code that runs in the
page.
"""


def _cells(figures: Figures | None) -> list[str]:
    if figures is None:
        return ["-", "-"]
    return [f"{figures.balanced_accuracy:.3f}", "-" if figures.macro_auc is None else f"{figures.macro_auc:.3f}"]


def figures_table(content: CardContent) -> tuple[str, list[str]]:
    """The comparison as a table, and a line a part for the terminal."""
    rows, lines = [], []
    for parts, title in PARTS.items():
        held = HeldOut.of(content.store, content.recipe, *parts)
        if not held.indices:
            rows.append([title, "0", "-", "-", "-", "-", "-"])
            continue
        before, after = (held.logits(network) for network in (content.start, content.chosen))
        low, high = held.gain(before, after)
        old, new = held.figures(before), held.figures(after)
        rows.append([title, str(len(held.indices)), *_cells(old), *_cells(new), f"{low:+.3f} to {high:+.3f}"])
        lines.append(
            f"{title.split(':')[0]}, {len(held.indices)} pictures: balanced accuracy {_cells(new)[0]}, {content.origin}"
            f" {_cells(old)[0]}"
        )
        if len(content.known) > 1 and len(content.known) < len(content.recipe.classes):
            old, new = held.figures(before, content.known), held.figures(after, content.known)
            rows.append(
                [
                    f"... of classes that {content.origin} knew",
                    str(old.pictures if old else 0),
                    *_cells(old),
                    *_cells(new),
                    "",
                ]
            )
    start = f"{content.origin} as it was"
    header = [
        "pictures",
        "number",
        f"balanced accuracy, {start}",
        f"macro AUC, {start}",
        "balanced accuracy, this model",
        "macro AUC, this model",
        "gain",
    ]
    return markdown(header, rows), lines


def recalls_table(content: CardContent) -> str:
    """Of each class how many were named right, of how many: a share would hide how few they are."""
    rows = []
    for name in content.recipe.classes:
        cells = []
        for parts in (("val",), ("test",)):
            held = HeldOut.of(content.store, content.recipe, *parts)
            for network in (content.start, content.chosen):
                right, count = (
                    figures.recalls.get(name, (0, 0))
                    if held.indices and (figures := held.figures(held.logits(network)))
                    else (0, 0)
                )
                cells.append(f"{right} of {count}" if count else "-")
        rows.append([name, *cells])
    origin = content.origin
    header = ["named right", f"validation, {origin}", "validation, this model", f"test, {origin}", "test, this model"]
    return markdown(header, rows)


def _how(content: CardContent) -> str:
    knew = f"It knew {', '.join(content.known) or 'none'} of the categories"
    new = [name for name in content.recipe.classes if name not in content.known]
    if new:
        knew += (
            f"; the rows of its head for {', '.join(new)} were fitted on its frozen features before anything else"
            " learnt"
        )
    if content.beaten:
        pictures = len(content.store.where("train"))
        kept = (
            f"All layers were then trained on {pictures} pictures for {content.recipe.epochs} epochs; epoch"
            f" {content.epoch}, the best one, was kept."
        )
    elif new:
        kept = (
            "No epoch of training all layers did better on pictures not trained on, so that nothing else was changed."
        )
    else:
        kept = (
            f"No epoch of training did better on pictures not trained on: these are the weights of {content.origin}, cut"
            " down to these categories."
        )
    return f"Training began with {content.origin}. {knew}. {kept}"


def write_card(out: Path, content: CardContent, few: Mapping[str, int]) -> list[str]:
    """Writes MODEL_CARD.md; returns what is worth saying in the terminal."""
    counts = Counter((row["part"], row["label"]) for row in content.store.rows)
    rows = []
    for k in content.recipe.classes:
        words = content.description["classes"][k]
        rows.append(
            f"| {k} | {words['name']} | {words['concern']} | "
            + " | ".join(str(counts[p, k]) for p in ("train", "calib", "val", "test"))
            + " |"
        )
    table, lines = figures_table(content)
    small = "".join(f"\n- {one.summary}" for one in content.small)
    groups = (
        "Groups (a patient, a lesion, copies of one picture; each picture by itself where nothing tells) are never in"
        " two parts."
    )
    beside = (
        f"{content.origin} as it was, its scores renormalised to these categories, answers for the same pictures beside"
        " this model."
    )
    text = CARD.format(
        name=content.description["name"],
        title=content.description["title"],
        how=_how(content),
        rows="\n".join(rows),
        small=f"\nToo few pictures to rely on. {few_means(few)}\n{small}\n" if small else "",
        measured=(
            f"{groups} {beside} Gain: 95 % interval of the difference in balanced accuracy, bootstrapped by group."
        ),
        figures=table,
        recalls=recalls_table(content),
        origin=content.origin,
    )
    (out / "MODEL_CARD.md").write_text(text)
    return lines


def write_license(out: Path, name: str, folder: Path | None) -> None:
    """LICENSE: the starting model's terms go on to apply; of a checkpoint nothing is known."""
    text = "Licence of these weights: not stated. Ask whoever trained them before passing them on.\n"
    if folder and (folder / "LICENSE").exists():
        text = (
            f"These weights were trained on from {name}, and its terms go on to"
            f" apply:\n\n{(folder / 'LICENSE').read_text()}"
        )
    (out / "LICENSE").write_text(text)
