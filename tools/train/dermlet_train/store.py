"""Decoded pictures in one flat file, so that an epoch reads no JPEG.

Layout of a store folder: `pixels.u8` (all pictures one after the other, RGB rows), `index.npz` (offset, height, width per picture)
and `rows.csv` (the label rows in the same order, with a `part` column: train, calib or val).
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image


def part_of(row: dict[str, str], calibration_fraction: float) -> str:
    """train, calib or val. The calibration part is cut from the training groups in hash order, so a group never straddles two parts."""
    if row["split"] != "train":
        return row["split"]
    digest = hashlib.sha256(row["group"].encode()).digest()
    return "calib" if int.from_bytes(digest[:8], "big") / 2**64 < calibration_fraction else "train"


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

    def where(self, part: str) -> list[int]:
        return [i for i, row in enumerate(self.rows) if row["part"] == part]


def prepare(tables: list[Path], images: Path, out: Path, short_side: int, calibration_fraction: float) -> None:
    """Decodes every picture of the label tables (columns as in shared/data/README.md) into a store.

    Pictures whose shorter side exceeds `short_side` are shrunk to it; none is enlarged. Raises on an unreadable picture and on a group
    that the tables put into two splits: both would make every later figure wrong.
    """
    out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, str]] = []
    for table in tables:
        with table.open(newline="") as handle:
            rows += list(csv.DictReader(handle))
    split_of_group: dict[str, str] = {}
    for row in rows:
        if split_of_group.setdefault(row["group"], row["split"]) != row["split"]:
            raise ValueError(f"group {row['group']} is in two splits")
        row["part"] = part_of(row, calibration_fraction)

    offsets, heights, widths, end = [], [], [], 0
    with (out / "pixels.u8").open("wb") as sink:
        for number, row in enumerate(rows, 1):
            with Image.open(images / row["set"] / row["image"]) as opened:
                picture = opened.convert("RGB")
            scale = short_side / min(picture.size)
            if scale < 1:
                size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
                picture = picture.resize(size, Image.Resampling.BICUBIC)
            offsets.append(end)
            heights.append(picture.height)
            widths.append(picture.width)
            end += sink.write(picture.tobytes())
            if number % 1000 == 0 or number == len(rows):
                print(f"prepare: {number}/{len(rows)} pictures, {end / 1e6:.0f} MB", flush=True)
    np.savez(out / "index.npz", offset=np.array(offsets, np.int64), height=np.array(heights), width=np.array(widths))
    with (out / "rows.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
