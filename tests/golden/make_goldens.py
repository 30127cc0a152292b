"""Writes what Pillow answers, for the core to equal: python make_goldens.py (Pillow and NumPy). Results are committed; tests need no Python.

resample.golden   one case a line: filter, source width and height, region x y width height, target width and height, seed, expected RGB bytes in hex.
                  The source is noise that the test makes again from the seed.
views.golden      one picture a line: file in tests/pictures, side, FNV-1a hash of the RGB bytes of the square view.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

HERE = Path(__file__).parent
PICTURES = HERE.parent / "pictures"
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}

# source size, region, target size
SHAPES = [
    ((8, 8), (0, 0, 8, 8), (8, 8)),
    ((37, 23), (0, 0, 37, 23), (13, 17)),
    ((37, 23), (0, 0, 37, 23), (37, 9)),
    ((37, 23), (0, 0, 37, 23), (11, 23)),
    ((37, 23), (5, 3, 20, 18), (7, 9)),
    ((37, 23), (5, 3, 20, 18), (20, 18)),
    ((37, 23), (5, 3, 20, 18), (33, 29)),
    ((5, 3), (0, 0, 5, 3), (16, 12)),
    ((1, 1), (0, 0, 1, 1), (4, 5)),
    ((64, 1), (0, 0, 64, 1), (9, 3)),
    ((1, 64), (0, 0, 1, 64), (3, 9)),
    ((301, 203), (0, 0, 301, 203), (16, 16)),
    ((301, 203), (49, 0, 203, 203), (12, 12)),
    ((999, 700), (1, 2, 997, 697), (5, 4)),
    ((40, 40), (0, 0, 40, 40), (20, 20)),
    ((31, 47), (0, 0, 31, 47), (1, 1)),
]
VIEWS = [
    *("spot.png", "spot-palette.png", "spot-gray.png", "spot.bmp", "spot-gray.bmp", "spot-alpha.png", "spot-16bit.png", "orientation-6.png", "flat.png", "tiny.png"),
    *("spot.jpg", "spot-progressive.jpg", "spot-444.jpg", "spot-422.jpg", "spot-restart.jpg", "spot-gray.jpg", "spot-cmyk.jpg", "spot-odd.jpg", "spot-odd-progressive.jpg"),
    *(f"orientation-{i}.jpg" for i in range(1, 9)),
]


def noise(width: int, height: int, seed: int) -> np.ndarray:
    """The high bytes of a linear congruential generator (Numerical Recipes' constants), with runs of black and white: overshoot must clip."""
    state = seed
    values = bytearray()
    for _ in range(width * height * 3):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        byte = state >> 24
        values.append(0 if byte < 48 else 255 if byte > 208 else byte)
    return np.frombuffer(bytes(values), np.uint8).reshape(height, width, 3)


def upright_rgb(path: Path) -> Image.Image:
    picture = ImageOps.exif_transpose(Image.open(path))
    if picture.mode in ("RGBA", "LA"):
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("RGB")


def square_view(path: Path, side: int) -> bytes:
    picture = upright_rgb(path)
    cut = min(picture.size)
    left, top = (picture.width - cut) // 2, (picture.height - cut) // 2
    return picture.crop((left, top, left + cut, top + cut)).resize((side, side), Image.Resampling.BICUBIC).tobytes()


def fnv1a(data: bytes) -> str:
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def main() -> None:
    with (HERE / "resample.golden").open("w") as out:
        for seed, ((width, height), (x, y, w, h), target) in enumerate(SHAPES, 1):
            source = Image.fromarray(noise(width, height, seed))
            for name, kind in FILTERS.items():
                result = source.crop((x, y, x + w, y + h)).resize(target, kind)
                print(name, width, height, x, y, w, h, *target, seed, result.tobytes().hex(), file=out)
    with (HERE / "views.golden").open("w") as out:
        for name in VIEWS:
            print(name, 224, fnv1a(square_view(PICTURES / name, 224)), file=out)


if __name__ == "__main__":
    main()
