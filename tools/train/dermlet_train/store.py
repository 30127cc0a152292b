"""Decoded pictures in one flat file, so that an epoch reads no JPEG.

Layout of a store folder: `pixels.u8` (pictures one after the other, RGB rows; it may hold more than the index names),
`index.npz` (offset, height, width per picture) and `rows.csv` (the label rows in the same order, with a `part` column:
train, calib, val or test). `prepare` writes it.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .files import replacing


def place_of(group: str) -> float:
    """0..1, by its hash: the groups below x are a share x of all, and belong to every larger share."""
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big") / 2**64


def part_of(row: dict[str, str], calibration_fraction: float) -> str:
    """train, calib, val or test. The calibration part is cut from the training groups in hash order, so a group never
    straddles two parts.
    """
    if row["split"] != "train":
        return row["split"]
    return "calib" if place_of(row["group"]) < calibration_fraction else "train"


@dataclass(frozen=True)
class Store:
    """Read access to a prepared store. `picture(i)` is an (H, W, 3) uint8 view into the mapped file."""

    rows: list[dict[str, str]]
    offsets: np.ndarray
    heights: np.ndarray
    widths: np.ndarray
    pixels: np.ndarray

    @staticmethod
    def open(folder: Path) -> Store:
        with (folder / "rows.csv").open(newline="") as handle:
            rows = list(csv.DictReader(handle))
        index = np.load(folder / "index.npz")
        pixels = np.memmap(folder / "pixels.u8", np.uint8, "r")
        return Store(rows, index["offset"], index["height"], index["width"], pixels)

    def picture(self, i: int) -> np.ndarray:
        height, width = int(self.heights[i]), int(self.widths[i])
        start = int(self.offsets[i])
        return self.pixels[start : start + height * width * 3].reshape(height, width, 3)

    def fingerprint(self) -> str:
        """SHA-256 of which pictures there are, of what class and in which part. Pixels only ever grow (`prepare`), so
        that another place is another picture.
        """
        digest = hashlib.sha256()
        for row, offset, height, width in zip(
            self.rows, self.offsets.tolist(), self.heights.tolist(), self.widths.tolist(), strict=True
        ):
            digest.update(
                "\t".join(
                    (row["set"], row["image"], row["label"], row["part"], f"{offset} {height} {width}\n")
                ).encode()
            )
        return digest.hexdigest()

    def where(self, part: str) -> list[int]:
        return [i for i, row in enumerate(self.rows) if row["part"] == part]


def write_store(
    folder: Path,
    rows: Sequence[Mapping[str, str]],
    offsets: Sequence[int],
    heights: Sequence[int],
    widths: Sequence[int],
) -> None:
    """Writes index and rows over a `pixels.u8` that is already there. Each file is replaced in one step, so a reader
    never sees half of one.
    """
    # Both are written before the first is replaced; the index goes first.
    with replacing(folder / "rows.csv") as table, replacing(folder / "index.npz") as index:
        with table.open("w", newline="") as handle:
            writer = csv.DictWriter(handle, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        with index.open("wb") as sink:
            np.savez(
                sink,
                offset=np.array(offsets, np.int64),
                height=np.array(heights, np.int64),
                width=np.array(widths, np.int64),
            )
