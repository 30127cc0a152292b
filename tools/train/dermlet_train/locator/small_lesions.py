"""Draws the finder's test set: lesions of a part that was not trained on, at known places and widths, in frames as
large as phones' photos.

Every lesion appears once at each width, on the same skin, so that what differs between the sets is the width alone.
Nothing drawn here may be published: it holds other people's pictures.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .extent import Box, Extent, Extents, extent_of
from .install import LIMITS
from .scenes import Sources, blend, clipped, skin_canvas

# A set `small-N` each: the lesion (or its picture) at 1/N of the frame's width; `small-1` is the picture as it is.
WIDTHS = (2, 4, 8, 12)
SHAPES = (4 / 3, 4 / 3, 16 / 9, 3 / 4, 3 / 4, 1.0)  # width / height of the frames
# Pixels, longer side of the frames: at an eighth of it a picture still has more of them than the network is shown.
SIDE = 2400
COLUMNS = (
    "set",
    "image",
    "label",
    "group",
    "split",
    "modality",
    "source_label",
    "skin_tone",
    "x",
    "y",
    "width",
    "height",
    "x2",
    "y2",
    "width2",
    "height2",
)
QUALITY = 88  # of the JPEGs
TALLEST = 0.92  # a lesion's height, as a share of the frame's: taller ones are drawn smaller than their set says


@dataclass(frozen=True)
class _Folder:
    """Pictures by number, read from files."""

    paths: Sequence[Path]

    def picture(self, i: int) -> np.ndarray:
        with Image.open(self.paths[i]) as image:
            return np.asarray(image.convert("RGB"))


def draw(
    images: Path,
    labels: Sequence[Path],
    split: str,
    out: Path,
    lesions: int = 200,
    paste: str = "lesion",
    seed: int = 1,
    side: int = SIDE,
) -> list[dict[str, str]]:
    """Writes `out/<set>/<image>` and `out/labels.csv`, and returns its rows.

    `small-N-framed` holds the frames of a finder without fault, to be classified as they are.
    Columns are those of shared labels, and the truth box's left, top, width and height in pixels (`x2` and so on: the
    second spot of `small-two`). `paste`: `lesion`, and the lesion itself is 1/N of the frame wide, cut out along its
    outline; or `picture`, and all of its picture is, faded at the rim. `side`: longer side of the frames, pixels. The
    skin around takes the colour of the lesion's own, so that the sets differ in width alone. Raises
    ValueError where the labels hold no photo of a lesion whose extent is plain, or `out` lies in a working copy of a
    repository.
    """
    if any((folder / ".git").exists() for folder in (out.resolve(), *out.resolve().parents)):
        raise ValueError(f"{out} lies in a repository: choose a folder outside it")
    rows = [row for path in labels for row in csv.DictReader(path.open(newline="")) if row["split"] == split]
    spots = [row for row in rows if row["label"] not in ("none", "other") and row["modality"] == "photo"]
    skins = [row for row in rows if row["label"] == "none" and row.get("source_label") == "healthy_skin"]
    rng = np.random.default_rng(seed)
    folder = _Folder([images / row["set"] / row["image"] for row in skins])
    none = Extents({}, np.zeros((0, 4)), np.zeros((0, 3)), np.zeros(0, bool), np.zeros((0, 2, 0), np.uint8))
    sources = Sources(folder, none, range(len(skins)), (), (), ())
    chosen: list[tuple[dict[str, str], np.ndarray, Extent]] = []
    for k in rng.permutation(len(spots)):
        if len(chosen) >= lesions:
            break
        pixels = _Folder([images / spots[k]["set"] / spots[k]["image"]]).picture(0)
        extent = extent_of(pixels)
        if extent.plausible:
            chosen.append((spots[k], pixels, extent))
    if not chosen:
        raise ValueError(f"the labels hold no photo of the split {split!r} whose lesion stands out plainly")
    written: list[dict[str, str]] = []

    def write(name: str, image: str, pixels: np.ndarray, row: dict[str, str], boxes: Sequence[Box]) -> None:
        (out / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(out / name / image, "JPEG", quality=QUALITY)
        height, width = pixels.shape[:2]
        entry = {key: row.get(key, "") for key in ("label", "group", "split", "modality", "skin_tone")}
        entry |= {"set": name, "image": image, "source_label": f"{row['set']}/{row['image']}"}
        for box, suffix in zip(boxes, ("", "2"), strict=False):
            values = ((box[0] - box[2] / 2) * width, (box[1] - box[3] / 2) * height, box[2] * width, box[3] * height)
            entry |= {
                key + suffix: f"{value:.1f}" for key, value in zip(("x", "y", "width", "height"), values, strict=True)
            }
        written.append({key: entry.get(key, "") for key in COLUMNS})

    for n, (row, pixels, extent) in enumerate(chosen):
        own = np.random.default_rng((seed, n))
        shape = SHAPES[int(own.integers(len(SHAPES)))]
        width, height = (side, round(side / shape)) if shape >= 1 else (round(side * shape), side)
        canvas = skin_canvas(sources, side, own)[:height, :width]
        canvas = canvas * (np.maximum(extent.skin, 8) / np.maximum(canvas.mean((0, 1)), 8)).astype(np.float32)
        name = f"{n:04}-{Path(row['image']).stem}.jpg"
        scale = width / pixels.shape[1]
        asis = Image.fromarray(pixels).resize((width, round(pixels.shape[0] * scale)), Image.Resampling.BICUBIC)
        write("small-1", name, np.asarray(asis), row, [extent.box])
        at = own.uniform(0, 1, 2)
        for share in WIDTHS:
            done = _placed(canvas, pixels, extent, 1 / share, paste, at)
            if done is not None:
                frame = _grained(done[0], own)
                write(f"small-{share}", name, frame, row, [done[1]])
                write(f"small-{share}-framed", name, _framed(frame, done[1]), row, [])
        second_row, second_pixels, second_extent = chosen[(n + 1) % len(chosen)]
        if second_row["group"] != row["group"]:
            two = _two(canvas, (pixels, extent), (second_pixels, second_extent), paste, own)
            if two is not None:
                write("small-two", name, _grained(two[0], own), row, two[1])
        if n < 2 * len(skins) or n < 60:
            write("small-none", name, _grained(canvas, own), {**row, "label": "none", "group": f"frame-{n}"}, [])
    for row, k in zip(skins, range(len(skins)), strict=True):
        write("healthy", row["image"], folder.picture(k), row, [])
    with (out / "labels.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS)
        writer.writeheader()
        writer.writerows(written)
    print(
        f"small-lesions: {len(chosen)} lesions, {len(written)} pictures in {len({row['set'] for row in written})} sets"
    )
    return written


def _framed(canvas: np.ndarray, box: Box) -> np.ndarray:
    """The square around a box that the core cuts out by default (`frameScale`), moved into the picture."""
    rows, columns = canvas.shape[:2]
    side = min(round(LIMITS["frameScale"] * max(box[2] * columns, box[3] * rows)), rows, columns)
    left = min(max(round(box[0] * columns - side / 2), 0), columns - side)
    top = min(max(round(box[1] * rows - side / 2), 0), rows - side)
    return canvas[top : top + side, left : left + side]


def _grained(canvas: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A sensor's noise over all of it, so that enlarged parts do not stand out by their smoothness."""
    return canvas + rng.normal(0, 2.0, (*canvas.shape[:2], 1)).astype(np.float32)


def _placed(
    canvas: np.ndarray,
    pixels: np.ndarray,
    extent: Extent,
    share: float,
    paste: str,
    at: np.ndarray,
    inside: Box = (0.5, 0.5, 1.0, 1.0),
    match: float = 0.0,
) -> tuple[np.ndarray, Box] | None:
    """The lesion at a share of the frame's width. `at` (2,) 0..1 says where within what room there is in `inside`.
    `match`: as for `blend`.
    """
    rows, columns = canvas.shape[:2]
    height, width = pixels.shape[:2]
    x, y, w, h = extent.box
    across = share if paste == "lesion" else share * w
    down = across * columns / rows * (h * height) / (w * width)
    full = (across, down) if paste == "lesion" else (across / w, down / h)  # what has to lie in the frame
    shrink = min(1.0, TALLEST / max(full[1], 1e-6))
    across, down, full = across * shrink, down * shrink, (full[0] * shrink, full[1] * shrink)
    centre = []
    for axis in (0, 1):
        room = max(0.0, inside[axis + 2] - full[axis])
        start = inside[axis] - inside[axis + 2] / 2 + room * float(at[axis])
        offset = full[axis] / 2 if paste == "lesion" else full[axis] * (x, y)[axis]
        centre.append(start + offset)
    done = blend(
        canvas,
        pixels,
        extent,
        (centre[0], centre[1], across, down),
        paste == "picture",
        1.0,
        0.35 if paste == "picture" else 0.05,
        match,
    )
    return None if done is None else (done[0], clipped(done[1]))


def _two(
    canvas: np.ndarray,
    first: tuple[np.ndarray, Extent],
    second: tuple[np.ndarray, Extent],
    paste: str,
    rng: np.random.Generator,
) -> tuple[np.ndarray, list[Box]] | None:
    """Two spots of about one size, one in each half of the frame."""
    share = math.exp(rng.uniform(math.log(1 / 9), math.log(1 / 5)))
    boxes: list[Box] = []
    halves: list[Box] = [(0.25, 0.5, 0.46, 1.0), (0.75, 0.5, 0.46, 1.0)]
    for (pixels, extent), half in zip((first, second), halves if rng.random() < 0.5 else halves[::-1], strict=True):
        done = _placed(
            canvas, pixels, extent, share * rng.uniform(0.85, 1.15), paste, rng.uniform(0, 1, 2), half, match=1.0
        )
        if done is None:
            return None
        canvas = done[0]
        boxes.append(done[1])
    return canvas, boxes
