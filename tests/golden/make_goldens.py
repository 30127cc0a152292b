"""Writes what Pillow answers, for the core to equal: python make_goldens.py (Pillow and NumPy). Results are committed;
tests need no Python.

resample.golden   one case a line: filter, source width and height, region x y width height, target width and height,
seed, expected RGB bytes in hex.
                  The source is noise that the test makes again from the seed.
views.golden      one picture a line: file in tests/pictures, side, FNV-1a hash of the RGB bytes of the square view.
icc.golden        one profile a line: name, the profile in hex, what LittleCMS makes of all greys (grey profiles) or of
a lattice of colours, red fastest, in hex. colours.golden    one picture a line: file in tests/pictures, what is said
about its colours, side, RGB bytes of the square view in hex.

LittleCMS runs relative colorimetric without black point compensation. For grey profiles and those with tables its
optimiser is off: its table of 33 points (17 a side for four inks) is wrong by up to 10 levels in the darks of steep
curves. `make_goldens.py optimiser` prints by how much it is off for each profile.
"""

from __future__ import annotations

import io
import itertools
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

HERE = Path(__file__).parent
PICTURES = HERE.parent / "pictures"
sys.path.insert(0, str(PICTURES))

import profiles  # noqa: E402

FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

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
# Those that Pillow reads, and of a short palette not: it makes grey of what is missing, browsers make black.
BMPS = [
    *("1", "1-os2", "4", "4-os2", "8", "8-os2", "16-555", "16-565", "24", "24-os2", "24-top-down", "32"),
    *("32-alpha-v4", "32-alpha-v5", "24-palette", "16-palette", "24-no-offset", "24-masks", "16-os2", "32-junk"),
    *("32-junk-masks", "32-junk-v2", "32-junk-v3", "32-junk-v4", "32-junk-v5", "32-masks-v2", "32-alpha-v3"),
    *("32-alpha-low", "32-alpha-zero", "32-junk-top-down"),
    *(f"{bits}-{kind}" for bits in (4, 8) for kind in ("os2-2", "forgotten-palette", "run-lengths")),
    *(f"{bits}-run-lengths-{kind}" for bits in (4, 8) for kind in ("no-end", "skipping")),
]
JPEGS = [
    *("no-huffman", "no-huffman-avi1", "no-huffman-grey", "no-huffman-chroma", "same-ids", "ids-from-zero", "rgb-ids"),
    *("rgb-ids-jfif", "stray-bytes", "fill-bytes", "fill-before-zero", "fill-before-restart", "stray-before-restart"),
    *("empty-segments", "broken-unused-table", "wide-tables", "adobe-short", "adobe-late", "jfif-short"),
    *("height-again", "more-after-end", "cmyk-unmarked", "cmyk-adobe-1"),
    *(f"adobe-{i}{jfif}" for i in (0, 1, 2, 7) for jfif in ("", "-jfif")),
]
VIEWS = [
    *(
        "spot.png",
        "spot-palette.png",
        "spot-gray.png",
        "spot.bmp",
        "spot-gray.bmp",
        "spot-alpha.png",
        "spot-16bit.png",
        "orientation-6.png",
        "flat.png",
        "tiny.png",
    ),
    *(
        "spot.jpg",
        "spot-progressive.jpg",
        "spot-444.jpg",
        "spot-422.jpg",
        "spot-restart.jpg",
        "spot-gray.jpg",
        "spot-cmyk.jpg",
        "spot-odd.jpg",
        "spot-odd-progressive.jpg",
    ),
    *(f"orientation-{i}.jpg" for i in range(1, 9)),
    *(f"kinds/bmp-{kind}.bmp" for kind in BMPS),
    *(f"kinds/jpeg-{kind}.jpg" for kind in JPEGS),
]

# What Pillow does not read from the file is given here.
COLOURS: dict[str, tuple[str, bytes | None]] = {
    "p3.jpg": ("converted", None),
    "adobe-rgb.png": ("converted", None),
    "adobe-rgb-alpha.png": ("converted", None),
    "gray-gamma.png": ("converted", None),
    "gray-gamma.jpg": ("converted", None),
    "swapped-channels.png": ("converted", None),
    "srgb-profile.jpg": ("srgb", None),
    "gama-chrm.png": ("converted", profiles.rgb(profiles.ADOBE_RGB, profiles.para(0, 100_000 / 55_556))),
    "gama.png": ("converted", profiles.rgb(profiles.SRGB, profiles.linear())),
    "gama-srgb.png": ("srgb", profiles.CASES["srgb-para"]),
    "lut-profile.jpg": ("converted", None),
    "kinds/colour-cicp-p3.png": ("converted", profiles.CASES["display-p3"]),
    "kinds/colour-cicp-2020.png": ("converted", profiles.rgb(profiles.BT_2020, profiles.para(*profiles.SRGB_CURVE))),
    "kinds/jpeg-cmyk-profile.jpg": ("converted", None),
    "kinds/jpeg-ycck-profile.jpg": ("converted", None),
    "kinds/jpeg-xyb.jpg": ("converted", None),
    "spot-444.jpg": ("assumed-srgb", profiles.CASES["srgb-para"]),
}
COLOUR_SIDE = 48
INKS = [0, 40, 100, 160, 215, 255]  # levels of each ink, the last ink fastest
LATTICE = [*range(0, 256, 36), 255]  # levels a side


def noise(width: int, height: int, seed: int) -> np.ndarray:
    """The high bytes of a linear congruential generator (Numerical Recipes' constants), with runs of black and white:
    overshoot must clip.
    """
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


def is_matrix(icc: bytes) -> bool:
    return b"A2B0" not in icc[128:400]


def to_srgb(picture: Image.Image, icc: bytes) -> Image.Image:
    flags = 0 if is_matrix(icc) and picture.mode == "RGB" else ImageCms.Flags.NOOPTIMIZE
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    read = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    return ImageCms.profileToProfile(
        picture, read, ImageCms.createProfile("sRGB"), renderingIntent=intent, outputMode="RGB", flags=flags
    )


def coloured_rgb(path: Path, icc: bytes | None) -> Image.Image:
    """Converted as stored, then laid over white."""
    picture = Image.open(path)
    icc = icc or picture.info["icc_profile"]
    if picture.mode != "RGBA":
        return to_srgb(picture, icc)
    colours = to_srgb(picture.convert("RGB"), icc)
    colours.putalpha(picture.getchannel("A"))
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), colours).convert("RGB")


def profile_samples(icc: bytes) -> Image.Image:
    if icc[16:20] == b"GRAY":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    if icc[16:20] == b"CMYK":
        inks = np.array([*itertools.product(INKS, repeat=4)], np.uint8)
        return Image.frombytes("CMYK", (len(inks), 1), inks.tobytes())
    colours = [(red, green, blue) for blue in LATTICE for green in LATTICE for red in LATTICE]
    return Image.fromarray(np.array(colours, np.uint8)[None])


def square_view(picture: Image.Image, side: int) -> bytes:
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
            print(name, 224, fnv1a(square_view(upright_rgb(PICTURES / name), 224)), file=out)
    with (HERE / "icc.golden").open("w") as out:
        for name, icc in profiles.CASES.items():
            print(name, icc.hex(), to_srgb(profile_samples(icc), icc).tobytes().hex(), file=out)
    with (HERE / "colours.golden").open("w") as out:
        for name, (said, icc) in COLOURS.items():
            print(name, said, COLOUR_SIDE, square_view(coloured_rgb(PICTURES / name, icc), COLOUR_SIDE).hex(), file=out)


def show_optimiser() -> None:
    for name, icc in profiles.CASES.items():
        read = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        samples, srgb = profile_samples(icc), ImageCms.createProfile("sRGB")
        intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
        with_it, without = (
            np.asarray(
                ImageCms.profileToProfile(samples, read, srgb, renderingIntent=intent, outputMode="RGB", flags=flags)
            ).astype(int)
            for flags in (0, ImageCms.Flags.NOOPTIMIZE)
        )
        off = abs(with_it - without)
        print(f"{name:20} greatest {off.max():3} levels, mean {off.mean():.2f}")


if __name__ == "__main__":
    if sys.argv[1:] == ["optimiser"]:
        show_optimiser()
    else:
        main()
