"""Draws the pictures that tests use: python draw_pictures.py (Pillow and NumPy). No photo is involved; the results are
committed.

Deterministic for one version of Pillow; a newer libjpeg may write other bytes, which tests do not depend on.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import profiles
from PIL import Image

HERE = Path(__file__).parent


def smooth_noise(rng: np.random.Generator, height: int, width: int, cell: int) -> np.ndarray:
    coarse = rng.standard_normal((height // cell + 2, width // cell + 2)).astype(np.float32)
    picture = Image.fromarray(coarse).resize((width + cell, height + cell), Image.Resampling.BICUBIC)
    return np.asarray(picture)[:height, :width]


def spot(width: int, height: int, seed: int = 1) -> Image.Image:
    """Skin-coloured ground with fine texture and one irregular brown spot somewhat off the centre."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    scale = min(width, height)
    angle = np.arctan2(y - 0.52 * height, x - 0.46 * width)
    radius = np.hypot((y - 0.52 * height) * 1.15, x - 0.46 * width) / scale
    edge = (
        0.22
        + 0.02 * np.sin(3 * angle + 0.4)
        + 0.012 * np.sin(7 * angle)
        + 0.01 * smooth_noise(rng, height, width, max(scale // 24, 4))
    )
    inside = 1 / (1 + np.exp((radius - edge) * 90))
    texture = 3.0 * smooth_noise(rng, height, width, 4) + 5.0 * smooth_noise(rng, height, width, max(scale // 10, 4))
    light = 1.04 - 0.16 * np.hypot(x / width - 0.4, y / height - 0.4)
    skin = np.array([222, 178, 152], np.float32) * light[..., None] + texture[..., None]
    brown = (
        np.array([112, 70, 50], np.float32)
        + 16 * smooth_noise(rng, height, width, max(scale // 40, 4))[..., None]
        + texture[..., None]
    )
    colour = skin * (1 - inside[..., None]) + brown * inside[..., None]
    return Image.fromarray(np.clip(colour + 0.5, 0, 255).astype(np.uint8))


def colourful(width: int, height: int) -> Image.Image:
    """A spot on skin below bands of every hue, from pale to full and from dark to light."""
    picture = np.asarray(spot(width, height, seed=4)).copy()
    y, x = np.mgrid[: height // 2, :width].astype(np.float32)
    hue, value = x / width * 6, y / (height // 2)
    ramp = [np.clip(np.abs((hue + shift) % 6 - 3) - 1, 0, 1) for shift in (0, 4, 2)]
    picture[: height // 2] = np.stack(
        [255 * np.clip(value * 1.5, 0, 1) * (c + (1 - c) * np.clip(value * 2 - 1, 0, 1)) for c in ramp], -1
    )
    return Image.fromarray(picture)


def save(name: str, data: bytes) -> None:
    (HERE / name).write_bytes(data)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour: int, idat: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", idat) + chunk(b"IEND", b"")


def with_chunks(whole: bytes, *chunks: bytes) -> bytes:
    """Further chunks right behind the header's."""
    return whole[:33] + b"".join(chunks) + whole[33:]


def exif(orientation: int, order: str) -> bytes:
    mark = b"II" if order == "<" else b"MM"
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return (
        b"Exif\0\0"
        + mark
        + struct.pack(order + "HI", 42, 8)
        + struct.pack(order + "H", 1)
        + entry
        + struct.pack(order + "I", 0)
    )


def adobe_rgb_exif() -> bytes:
    """What a camera writes that is set to Adobe RGB and attaches no profile: uncalibrated colours, interoperability
    index R03.
    """
    block = b"MM" + struct.pack(">HIH", 42, 8, 1) + struct.pack(">HHII", 0x8769, 4, 1, 26) + bytes(4)
    block += (
        struct.pack(">H", 2)
        + struct.pack(">HHIHH", 0xA001, 3, 1, 0xFFFF, 0)
        + struct.pack(">HHII", 0xA005, 4, 1, 56)
        + bytes(4)
    )
    return b"Exif\0\0" + block + struct.pack(">HHHI", 1, 1, 2, 4) + b"R03\0" + bytes(4)


# How an upright picture must be stored so that the orientation brings it back.
STORED_AS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def main() -> None:
    large, small = spot(1000, 750), spot(240, 180)
    save("spot.jpg", encoded(large, "JPEG", quality=88))
    save("spot-progressive.jpg", encoded(large, "JPEG", quality=85, progressive=True))
    save("spot-444.jpg", encoded(small, "JPEG", quality=92, subsampling=0))
    phone = spot(2400, 1800, seed=3)  # large enough to be reduced while it is decoded
    save("spot-large.jpg", encoded(phone, "JPEG", quality=45))
    save("spot-large-progressive.jpg", encoded(phone, "JPEG", quality=45, progressive=True))
    save("spot-422.jpg", encoded(small, "JPEG", quality=90, subsampling=1))
    odd = spot(131, 97, seed=2)
    save("spot-odd.jpg", encoded(odd, "JPEG", quality=75))
    save("spot-odd-progressive.jpg", encoded(odd, "JPEG", quality=75, progressive=True, restart_marker_blocks=5))
    save("spot-restart.jpg", encoded(small, "JPEG", quality=90, restart_marker_blocks=3))
    save("spot-gray.jpg", encoded(small.convert("L"), "JPEG", quality=90))
    save("spot-cmyk.jpg", encoded(small.convert("CMYK"), "JPEG", quality=90))
    save("spot.png", encoded(small, "PNG"))
    save("spot-palette.png", encoded(small.quantize(64), "PNG"))
    save("spot-gray.png", encoded(small.convert("L"), "PNG"))
    save("spot.bmp", encoded(spot(160, 120), "BMP"))
    save("spot-gray.bmp", encoded(spot(160, 120).convert("L"), "BMP"))

    see_through = small.convert("RGBA")
    ramp = np.tile(np.linspace(0, 255, small.width).round().astype(np.uint8), (small.height, 1))
    see_through.putalpha(Image.fromarray(ramp))
    save("spot-alpha.png", encoded(see_through, "PNG"))

    deep = np.asarray(spot(120, 90)).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    save("spot-16bit.png", png(120, 90, 16, 2, zlib.compress(rows, 9)))

    for orientation in range(1, 9):
        stored = small.transpose(STORED_AS[orientation]) if orientation in STORED_AS else small
        tiff = exif(orientation, "<" if orientation % 2 else ">")
        save(f"orientation-{orientation}.jpg", encoded(stored, "JPEG", quality=90, exif=tiff))
    save("orientation-6.png", encoded(small.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif(6, ">")))

    # Colours: the pixels are those of `coloured` as they stand, so each profile shows another picture.
    coloured = colourful(160, 120)
    save("p3.jpg", encoded(coloured, "JPEG", quality=90, icc_profile=profiles.CASES["display-p3"]))
    save("adobe-rgb-exif.jpg", encoded(coloured, "JPEG", quality=90, exif=adobe_rgb_exif()))
    save("adobe-rgb.png", encoded(coloured, "PNG", icc_profile=profiles.CASES["adobe-rgb"]))
    faded = coloured.convert("RGBA")
    faded.putalpha(
        Image.fromarray(np.tile(np.linspace(0, 255, coloured.width).round().astype(np.uint8), (coloured.height, 1)))
    )
    save("adobe-rgb-alpha.png", encoded(faded, "PNG", icc_profile=profiles.CASES["adobe-rgb"]))
    save("gray-gamma.png", encoded(coloured.convert("L"), "PNG", icc_profile=profiles.CASES["gray-1.8"]))
    save(
        "gray-gamma.jpg", encoded(coloured.convert("L"), "JPEG", quality=90, icc_profile=profiles.CASES["gray-linear"])
    )
    save("swapped-channels.png", encoded(coloured, "PNG", icc_profile=profiles.CASES["swapped"]))
    save("srgb-profile.jpg", encoded(coloured, "JPEG", quality=90, icc_profile=profiles.CASES["srgb-table"]))
    save("lut-profile.jpg", encoded(coloured, "JPEG", quality=90, icc_profile=profiles.with_table()))
    primaries = struct.pack(">8I", *(round(v * 100_000) for pair in profiles.ADOBE_RGB for v in pair))
    plain = encoded(coloured, "PNG")
    save("gama-chrm.png", with_chunks(plain, chunk(b"gAMA", struct.pack(">I", 55_556)), chunk(b"cHRM", primaries)))
    save("gama.png", with_chunks(plain, chunk(b"gAMA", struct.pack(">I", 100_000))))
    save("gama-srgb.png", with_chunks(plain, chunk(b"gAMA", struct.pack(">I", 45_455))))

    save("flat.png", encoded(Image.new("RGB", (300, 300), (200, 160, 140)), "PNG"))
    save("tiny.png", encoded(spot(20, 20), "PNG"))
    whole = (HERE / "spot.jpg").read_bytes()
    save("cut-off.jpg", whole[: len(whole) * 2 // 3])
    broken = bytearray((HERE / "spot-444.jpg").read_bytes())
    at = broken.index(b"\xff\xc4")  # the first Huffman table: more codes than there is room for
    broken[at + 5 : at + 21] = bytes([255] * 16)
    save("corrupt.jpg", bytes(broken))
    broken = bytearray((HERE / "spot.png").read_bytes())
    broken[len(broken) // 2] ^= 0x55
    save("corrupt.png", bytes(broken))
    save("huge.png", png(50_000, 50_000, 8, 2, zlib.compress(b"\0" * 1000)))
    # 60 million 16-bit RGBA pixels that really inflate to zeros, small on disk: 20 MB of rows are given, the rest is
    # missing.
    save("deep.png", png(7_746, 7_746, 16, 6, zlib.compress(b"\0" * (20 << 20), 9)))
    # Data far beyond what the header allows.
    save("bomb.png", png(16, 16, 8, 2, zlib.compress(b"\0" * (40 << 20), 9)))
    save("picture.gif", encoded(small.quantize(32), "GIF"))
    save("picture.webp", encoded(small, "WEBP", quality=60))
    save("document.pdf", b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")
    save("note.txt", b"This is a note and not a picture.\n")
    save(
        "drawing.svg",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><circle cx="5" cy="5" r="4"/></svg>\n',
    )
    save("empty.jpg", b"")


if __name__ == "__main__":
    main()
