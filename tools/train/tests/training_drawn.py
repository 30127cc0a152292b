"""Drawn pictures for the tests of training: classes that colour and shape tell apart, so that a few steps learn
something.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dermlet_train.config import Recipe
from dermlet_train.store import Store, write_store

CLASSES = ("bcc", "mel", "nv")
_COLOURS = {
    "bcc": (210, 120, 120),
    "mel": (60, 40, 40),
    "nv": (140, 90, 60),
    "other": (200, 60, 200),
    "none": (90, 160, 220),
}


def draw(label: str, number: int, side: int = 40) -> np.ndarray:
    """(side, side + 4, 3) uint8: a spot of the class's colour on skin."""
    rng = np.random.default_rng((number, len(label), ord(label[0])))
    y, x = np.mgrid[0:side, 0 : side + 4]
    picture = np.full((side, side + 4, 3), (225, 180, 160), np.float64) + rng.normal(0, 6, (side, side + 4, 1))
    radius = side * rng.uniform(0.2, 0.35)
    spot = (
        np.hypot(x - side / 2 - rng.normal(0, 2), (y - side / 2 - rng.normal(0, 2)) * (1.5 if label == "mel" else 1))
        < radius
    )
    picture[spot] = np.array(_COLOURS.get(label, (120, 120, 120))) + rng.normal(0, 8, 3)
    return np.clip(picture, 0, 255).astype(np.uint8)


def drawn_store(
    folder: Path, labels: Sequence[str] = CLASSES, train: int = 8, calib: int = 6, negatives: int = 4
) -> Store:
    """A store with `train` and `calib` pictures a class in each of two sets of two modalities, and `negatives` of no
    class.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows, offsets, heights, widths, end = [], [], [], [], 0
    plan = [
        (s, m, label, part)
        for s, m in (("ham10000", "dermoscopy"), ("pad-ufes-20", "photo"))
        for label in labels
        for part in ("train", "calib")
    ]
    plan = [(*cell, n) for cell in plan for n in range(train if cell[3] == "train" else calib)]
    plan += [("negatives", "photo", kind, "train", n) for kind in ("none", "other") for n in range(negatives)]
    with (folder / "pixels.u8").open("wb") as pixels:
        for k, (set_name, modality, label, part, _) in enumerate(plan):
            picture = draw(label, k)
            pixels.write(picture.tobytes())
            rows.append(
                {
                    "set": set_name,
                    "image": f"{k}.png",
                    "label": label,
                    "group": f"g{k}",
                    "split": "train",
                    "modality": modality,
                    "part": part,
                }
            )
            offsets.append(end)
            heights.append(picture.shape[0])
            widths.append(picture.shape[1])
            end += picture.size
    write_store(folder, rows, offsets, heights, widths)
    return Store.open(folder)


def tiny_recipe(**changes: object) -> Recipe:
    """EfficientNet-Lite0 at 32 px, three steps an epoch."""
    values = {
        "classes": CLASSES,
        "train_size": 32,
        "input_size": 32,
        "epochs": 2,
        "samples_per_epoch": 24,
        "batch_size": 8,
        "negatives_per_batch": 3,
    }
    return Recipe.of(values | changes, "test")
