"""Where the lesion lies inside its own picture, by colour alone: no outline is drawn in any of the sets.

The skin's colour is a smooth surface through the picture's rim (shading), what differs from it more than the rim itself
does stands out, Otsu's threshold (Otsu 1979) parts the two, and of the connected parts the one that weighs most near
the middle is the lesion. That fails on a share of pictures, so each outline has to look like a lesion's, or the picture
counts as one without a known place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from ..files import replacing
from ..store import Store

SIDE = 96  # pixels, side of the square that a picture is squashed to for this; masks have it
RIM = 0.1  # width of the rim whose colours are taken for skin, as a share of the side

Box = tuple[float, float, float, float]  # centre x, centre y, width, height as shares of the picture's sides


@dataclass(frozen=True)
class Extent:
    """A lesion's place. `mask`, `others`: (SIDE, SIDE) bool, the picture squashed; `others` is whatever else stands
    out. `skin`: RGB of the skin around.
    """

    box: Box
    mask: np.ndarray
    others: np.ndarray
    skin: np.ndarray
    plausible: bool


def box_of(mask: np.ndarray) -> Box:
    """The bounding box of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    height, width = mask.shape
    return (left + right) / 2 / width, (top + bottom) / 2 / height, (right - left) / width, (bottom - top) / height


def otsu(values: np.ndarray, bins: int = 128) -> float:
    """The threshold that parts `values` (any shape) into two groups of greatest variance between them."""
    counts, edges = np.histogram(values, bins)
    weight = np.cumsum(counts) / values.size
    middle = (edges[:-1] + edges[1:]) / 2
    mean = np.cumsum(counts * middle) / values.size
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mean[-1] * weight - mean) ** 2 / (weight * (1 - weight))
    return float(edges[1 + int(np.nanargmax(between[:-1]))])


def components(mask: np.ndarray) -> np.ndarray:
    """Labels of the parts of a bool mask that hang together by sides, 0 outside; int32, in no particular order."""
    labels = np.where(mask, np.arange(1, mask.size + 1, dtype=np.int32).reshape(mask.shape), 0)
    padded = np.pad(labels, 1)
    inside = padded[1:-1, 1:-1]
    while True:
        spread = (
            np.maximum.reduce([inside, padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]]) * mask
        )
        if np.array_equal(spread, inside):
            return inside.copy()
        inside[:] = spread


def filled(mask: np.ndarray) -> np.ndarray:
    """The mask with its holes: what does not reach the picture's border from outside belongs to it."""
    outside = components(np.pad(~mask, 1, constant_values=True))
    return (outside != outside[0, 0])[1:-1, 1:-1]


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Binomial smoothing over five pixels each way, of standard deviation 1."""
    for axis in (0, 1):
        padded = np.pad(values, [(2, 2) if axis == a else (0, 0) for a in (0, 1)], mode="edge")
        parts = [padded[k : k + SIDE] if axis == 0 else padded[:, k : k + SIDE] for k in range(5)]
        values = (parts[0] + parts[4] + 4 * (parts[1] + parts[3]) + 6 * parts[2]) / 16
    return values


def _surface(values: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A quadratic surface through the known pixels, those that fit worst left out in three rounds, and the inverse
    covariance of what remains of them.
    """
    ramp = np.linspace(-1, 1, SIDE)
    x, y = (grid.ravel() for grid in np.meshgrid(ramp, ramp))
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], 1)
    colours, chosen = values.reshape(-1, 3), np.flatnonzero(known.ravel())
    for _ in range(3):
        fit = np.linalg.lstsq(terms[chosen], colours[chosen], rcond=None)[0]
        apart = np.square(colours[chosen] - terms[chosen] @ fit).sum(1)
        chosen = chosen[apart <= np.quantile(apart, 0.85)]
    left = colours[chosen] - terms[chosen] @ fit
    covariance = left.T @ left / len(left) + 0.02**2 * np.eye(3)
    return (terms @ fit).reshape(SIDE, SIDE, 3), np.linalg.inv(covariance)


def extent_of(pixels: np.ndarray) -> Extent:
    """(H, W, 3) uint8 RGB -> the lesion's place."""
    small = np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
    logs = np.log(small + 12)  # light falls on skin as a factor
    ramp = np.linspace(-1, 1, SIDE)
    x, y = np.meshgrid(ramp, ramp)
    bright = small.mean(-1)
    dark_corner = (bright < 0.45 * np.median(bright)) & (np.hypot(x, y) > 0.85)  # a dermatoscope's rim
    dark_corner = np.asarray(Image.fromarray(dark_corner.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(7))) > 0
    rim = np.maximum(np.abs(x), np.abs(y)) > 1 - 2 * RIM
    known = rim & ~dark_corner
    if known.sum() < 0.25 * rim.sum():
        known = ~dark_corner & (np.hypot(x, y) > 0.6)
    if known.sum() < 200:
        return _unknown(small)
    skin, inverse = _surface(logs, known)
    apart = logs - skin
    distance = np.sqrt(np.einsum("yxc,cd,yxd->yx", apart, inverse, apart))
    distance = np.where(dark_corner, 0, _smoothed(np.minimum(distance, np.quantile(distance, 0.99))))
    limit = max(otsu(distance[~dark_corner]), 1.6)
    standing = distance > limit
    shape = (
        Image.fromarray(standing.astype(np.uint8) * 255)
        .filter(ImageFilter.MinFilter(3))
        .filter(ImageFilter.MaxFilter(3))
    )  # hairs go
    labels = components(np.asarray(shape) > 0)
    found = np.unique(labels[labels > 0])
    if not len(found):
        return _unknown(small)
    nearness = np.exp(-(x * x + y * y) / 0.5) * distance
    best = max(found, key=lambda label: float(nearness[labels == label].sum()))
    mask = filled(labels == best)
    others = standing & ~mask
    outer = np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(9))) > 0
    around = ~outer & ~dark_corner
    if around.sum() < 200:
        return _unknown(small)
    box = box_of(mask)
    share = float(mask.mean())
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).mean()
    contrast = float(distance[mask].mean() / (distance[around].mean() + 0.5))
    solid = share / (box[2] * box[3])
    plausible = (
        0.0015 < share < 0.6
        and border < 0.04
        and contrast > 1.8
        and solid > 0.45
        and max(abs(box[0] - 0.5), abs(box[1] - 0.5)) < 0.2
        and 0.4 < box[2] / box[3] < 2.5
        and others.sum() < 1.5 * mask.sum() + 40
    )
    return Extent(box, mask, others, np.median(small[around], 0).astype(np.float32), bool(plausible))


def _unknown(small: np.ndarray) -> Extent:
    nothing = np.zeros((SIDE, SIDE), bool)
    return Extent((0.5, 0.5, 1.0, 1.0), nothing, nothing, np.median(small.reshape(-1, 3), 0).astype(np.float32), False)


@dataclass(frozen=True)
class Extents:
    """Extents of many pictures of a store, kept in one file. `index`: store index -> row."""

    index: dict[int, int]
    boxes: np.ndarray  # (N, 4) float32
    skins: np.ndarray  # (N, 3) float32
    plausible: np.ndarray  # (N,) bool
    bits: np.ndarray  # (N, 2, SIDE * SIDE / 8) uint8: mask and others

    def get(self, picture: int) -> Extent:
        row = self.index[picture]
        mask, others = np.unpackbits(self.bits[row], axis=-1).reshape(2, SIDE, SIDE).astype(bool)
        x, y, width, height = self.boxes[row].tolist()
        return Extent((x, y, width, height), mask, others, self.skins[row], bool(self.plausible[row]))

    def known(self, picture: int) -> bool:
        return picture in self.index and bool(self.plausible[self.index[picture]])

    @staticmethod
    def read_or_make(path: Path, store: Store, pictures: Sequence[int]) -> Extents:
        """From `path` where it holds all of `pictures`; else made and written there (some 10 ms a picture)."""
        if path.exists():
            with np.load(path) as stored:
                index = {int(picture): row for row, picture in enumerate(stored["pictures"])}
                if set(pictures) <= set(index):
                    return Extents(index, stored["boxes"], stored["skins"], stored["plausible"], stored["bits"])
        extents = [extent_of(store.picture(i)) for i in pictures]
        made: dict[str, Any] = {
            "boxes": np.array([extent.box for extent in extents], np.float32).reshape(-1, 4),
            "skins": np.array([extent.skin for extent in extents], np.float32).reshape(-1, 3),
            "plausible": np.array([extent.plausible for extent in extents], bool),
            "bits": np.packbits(
                np.array([(extent.mask, extent.others) for extent in extents]).reshape(-1, 2, SIDE * SIDE), axis=-1
            ),
        }
        with replacing(path) as part, part.open("wb") as sink:
            np.savez_compressed(sink, pictures=np.array(pictures, np.int64), **made)
        return Extents({picture: row for row, picture in enumerate(pictures)}, **made)


def training_pictures(store: Store, dermoscopic: int = 1500) -> list[int]:
    """The training part's lesions whose place is looked for: all photos, and so many dermoscopic pictures, evenly over
    the store.
    """
    lesions = [
        i for i in store.where("train") if store.rows[i]["label"] != "none" and store.rows[i]["set"] != "other-skin"
    ]
    photos = [i for i in lesions if store.rows[i]["modality"] == "photo"]
    close = [i for i in lesions if store.rows[i]["modality"] == "dermoscopy"]
    step = max(1.0, len(close) / max(1, dermoscopic))
    return sorted(photos + [close[int(n * step)] for n in range(min(dermoscopic, len(close)))])
