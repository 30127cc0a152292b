"""Draws the photos beside this file: skin with no spot, a small one, two alike, and a large one. Needs Pillow and NumPy
(tools/train/requirements.txt).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 960, 720
SPOTS = {
    "none": [],
    "small": [(700, 200, 30)],
    "two": [(700, 200, 30), (240, 500, 30)],
    "large": [(480, 360, 150)],
}  # middle and radius, pixels


def skin(seed: int) -> Image.Image:
    """Shaded skin with grain, pores and soft blotches."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    base = np.stack([224 - x * 0.03 - y * 0.02, 178 - x * 0.02 - y * 0.03, 156 - x * 0.02 - y * 0.02], -1)
    patches = 0.06 * patched(rng, 24) + 0.12 * patched(rng, 8)
    return Image.fromarray(np.clip(base + patches + rng.normal(0, 4, (HEIGHT, WIDTH, 1)), 0, 255).astype(np.uint8))


def patched(rng: np.random.Generator, side: int) -> np.ndarray:
    """(HEIGHT, WIDTH, 1), -128 to 127: patches of about `side` pixels."""
    coarse = Image.fromarray(rng.integers(0, 256, (HEIGHT // side, WIDTH // side), np.uint8))
    return np.asarray(coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), np.float32)[..., None] - 128


def with_spot(picture: Image.Image, x: int, y: int, radius: int) -> Image.Image:
    """A brown spot with an uneven border."""
    mask = Image.new("L", picture.size, 0)
    pen = ImageDraw.Draw(mask)
    for dx, dy, share in ((0.0, 0.0, 1.0), (0.5, -0.3, 0.65), (-0.5, 0.4, 0.6)):
        cx, cy, r = x + dx * radius, y + dy * radius, share * radius
        pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=225)
    return Image.composite(
        Image.new("RGB", picture.size, (92, 54, 42)), picture, mask.filter(ImageFilter.GaussianBlur(radius / 24))
    )


def main() -> None:
    for name, spots in SPOTS.items():
        picture = skin(1)
        for spot in spots:
            picture = with_spot(picture, *spot)
        picture.save(Path(__file__).parent / f"{name}.jpg", quality=85)


if __name__ == "__main__":
    main()
