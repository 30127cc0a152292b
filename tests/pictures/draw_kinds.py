"""Draws one small picture for every kind of file that the core reads: python draw_kinds.py (Pillow, NumPy, and cjpeg of
libjpeg-turbo). Results are committed.

They lie in kinds/, named after what is special about them; tests/exactness/make_manifest.mjs writes down what the core
makes of each. PNG and BMP are written by hand, since no library writes every kind. A newer libjpeg may write other
bytes: then the tensors are to be made again.
"""

from __future__ import annotations

import io
import re
import struct
import subprocess
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import profiles
from draw_pictures import STORED_AS, chunk, colourful, encoded, exif, with_chunks
from PIL import Image

KINDS = Path(__file__).parent / "kinds"
ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)  # x, y, step across, step down
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
# What cjpeg calls the sampling factors of luma and chroma, by the name in use for each.
SAMPLINGS = {
    "444": "1x1",
    "422": "2x1",
    "420": "2x2",
    "440": "1x2",
    "411": "4x1",
    "410": "4x2",
    "1x4": "1x4",
    "2x4": "2x4",
    "3x1": "3x1",
    "3x2": "3x2",
    "chroma-fuller": "1x1,2x2,1x1",
    "chroma-unlike": "2x2,2x1,1x2",
    "luma-wide": "2x1,2x2,1x2",
}
NON_INTERLEAVED = "0;\n1;\n2;\n"
SPECTRAL_ONLY = "0,1,2: 0-0, 0, 0;\n0: 1-9, 0, 0;\n2: 1-63, 0, 0;\n1: 1-63, 0, 0;\n0: 10-63, 0, 0;\n"
MANY_BITS = "0: 0-0, 0, 3;\n1,2: 0-0, 0, 3;\n0: 1-63, 0, 3;\n1: 1-63, 0, 2;\n2: 1-63, 0, 2;\n" + "".join(
    [
        *(f"0,1,2: 0-0, {n}, {n - 1};\n" for n in (3, 2, 1)),
        *(f"0: 1-63, {n}, {n - 1};\n" for n in (3, 2, 1)),
        *(f"{c}: 1-63, {n}, {n - 1};\n" for c in (1, 2) for n in (2, 1)),
    ]
)


def save(name: str, data: bytes) -> None:
    (KINDS / name).write_bytes(data)


def packed(row: np.ndarray, depth: int) -> np.ndarray:
    """One row of samples as a PNG's or BMP's bytes, the first sample in the highest bits."""
    flat = row.reshape(-1)
    if depth == 16:
        return flat.astype(">u2").view(np.uint8)
    if depth == 8:
        return flat.astype(np.uint8)
    bits = (flat[:, None].astype(np.uint8) >> np.arange(depth - 1, -1, -1, dtype=np.uint8)) & 1
    return np.packbits(bits.reshape(-1))


def filtered(rows: Sequence[np.ndarray], step: int) -> bytes:
    """PNG's five filters in turn. `step` is how many bytes back the left neighbour lies."""
    out, above = b"", np.zeros(len(rows[0]), np.int32)
    for y, row in enumerate(rows):
        now = row.astype(np.int32)
        left, corner = (np.concatenate([np.zeros(step, np.int32), line])[: len(now)] for line in (now, above))
        estimate = left + above - corner
        by_left, by_above, by_corner = abs(estimate - left), abs(estimate - above), abs(estimate - corner)
        paeth = np.where(
            (by_left <= by_above) & (by_left <= by_corner), left, np.where(by_above <= by_corner, above, corner)
        )
        kind = y % 5
        guess = (np.zeros_like(now), left, above, (left + above) // 2, paeth)[kind]
        out, above = out + bytes([kind]) + ((now - guess) % 256).astype(np.uint8).tobytes(), now
    return out


def png(
    samples: np.ndarray, depth: int, colour: int, *extra: bytes, interlaced: bool = False, cut: int = 1 << 30
) -> bytes:
    """`samples` is height x width x channels; `extra` are chunks before the data; the data is cut into chunks of `cut`
    bytes.
    """
    height, width, channels = samples.shape
    step = max(1, channels * depth // 8)
    parts = [samples[y::down, x::across] for x, y, across, down in ADAM7] if interlaced else [samples]
    data = zlib.compress(
        b"".join(filtered([packed(row, depth) for row in part], step) for part in parts if part.size > 0), 9
    )
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    pieces = b"".join(chunk(b"IDAT", data[at : at + cut]) for at in range(0, len(data), cut))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(extra) + pieces + chunk(b"IEND", b"")


def indexed(picture: Image.Image, colours: int) -> tuple[np.ndarray, bytes]:
    """Indices, height x width x 1, and the RGB palette."""
    quantized = picture.quantize(colours)
    return np.asarray(quantized)[..., None], bytes(quantized.getpalette()[: 3 * colours])


def draw_png(picture: Image.Image) -> None:
    rgb = np.asarray(picture).astype(np.uint16)
    grey = np.asarray(picture.convert("L"))[..., None].astype(np.uint16)
    ramp = np.tile(np.linspace(0, 255, picture.width).round().astype(np.uint16), (picture.height, 1))[..., None]

    # Low bytes that are not the high ones again: what is done with them must show.
    def deep(v: np.ndarray) -> np.ndarray:
        return v * 256 + (v * 37 + 11) % 256

    kinds: dict[str, tuple[np.ndarray, int, int, tuple[bytes, ...]]] = {}
    for depth in (1, 2, 4, 8):
        level = grey >> (8 - depth)
        kinds[f"grey-{depth}"] = (level, depth, GREY, ())
        kinds[f"grey-{depth}-trns"] = (
            level,
            depth,
            GREY,
            (chunk(b"tRNS", struct.pack(">H", int(np.percentile(level, 20)))),),
        )
        indices, palette = indexed(picture, 2**depth)
        kinds[f"palette-{depth}"] = (indices, depth, PALETTE, (chunk(b"PLTE", palette),))
        kinds[f"palette-{depth}-trns"] = (
            indices,
            depth,
            PALETTE,
            (chunk(b"PLTE", palette), chunk(b"tRNS", bytes([0, 128, 77][: 2**depth]))),
        )
    one = rgb[0, 0]  # black, as the whole first row is
    kinds["grey-16"] = (deep(grey), 16, GREY, ())
    kinds["grey-16-trns"] = (deep(grey), 16, GREY, (chunk(b"tRNS", struct.pack(">H", int(deep(grey)[0, 0, 0]))),))
    kinds["rgb-8"] = (rgb, 8, RGB, ())
    kinds["rgb-8-trns"] = (rgb, 8, RGB, (chunk(b"tRNS", struct.pack(">3H", *(int(v) for v in one))),))
    kinds["rgb-16"] = (deep(rgb), 16, RGB, ())
    kinds["rgb-16-trns"] = (deep(rgb), 16, RGB, (chunk(b"tRNS", struct.pack(">3H", *(int(v) for v in deep(one)))),))
    kinds["grey-alpha-8"] = (np.concatenate([grey, ramp], -1), 8, GREY_ALPHA, ())
    kinds["grey-alpha-16"] = (deep(np.concatenate([grey, ramp], -1)), 16, GREY_ALPHA, ())
    kinds["rgba-8"] = (np.concatenate([rgb, ramp], -1), 8, RGBA, ())
    kinds["rgba-16"] = (deep(np.concatenate([rgb, ramp], -1)), 16, RGBA, ())
    for name, (samples, depth, colour, extra) in kinds.items():
        save(f"png-{name}.png", png(samples, depth, colour, *extra))
        save(f"png-{name}-interlaced.png", png(samples, depth, colour, *extra, interlaced=True))
    # Pixels that name colours which the palette lacks.
    indices, palette = indexed(picture, 256)
    save("png-palette-8-short.png", png(indices, 8, PALETTE, chunk(b"PLTE", palette[:300])))
    save(
        "png-palette-4-short-interlaced.png",
        png(indices % 16, 4, PALETTE, chunk(b"PLTE", palette[:15]), interlaced=True),
    )
    save("png-many-chunks.png", png(rgb, 8, RGB, chunk(b"tEXt", b"Comment\0drawn"), cut=97))
    for size in ((1, 1), (1, 9), (9, 1), (3, 5)):
        save(f"png-{size[0]}x{size[1]}-interlaced.png", png(rgb[: size[1], : size[0]], 8, RGB, interlaced=True))


def mask_header(
    width: int, height: int, masks: Sequence[int], bits: int, size: int, rows: bytes, compression: int = 3
) -> bytes:
    """BMP with channel masks: behind a 40-byte header, or within a longer one."""
    inside = struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, compression, len(rows), 2835, 2835, 0, 0)
    fields = struct.pack(f"<{len(masks)}I", *masks)
    head = inside + (fields if size == 40 else (fields + bytes(size))[: size - 40])
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(rows), 0, 0, 14 + len(head)) + head + rows


def bmp(width: int, height: int, bits: int, rows: bytes, palette: bytes = b"") -> bytes:
    head = (
        struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 0, len(rows), 2835, 2835, len(palette) // 4, 0)
        + palette
    )
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(rows), 0, 0, 14 + len(head)) + head + rows


def bmp_rows(lines: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\0" * (-len(line) % 4) for line in lines)


def draw_bmp(picture: Image.Image) -> None:
    width, height = picture.size
    rgb = np.asarray(picture).astype(np.uint32)
    upwards = rgb[::-1]
    for bits in (1, 4, 8):
        indices, palette = indexed(picture, 2**bits)
        quads = b"".join(bytes([palette[i + 2], palette[i + 1], palette[i], 0]) for i in range(0, len(palette), 3))
        rows = bmp_rows([packed(row, bits).tobytes() for row in indices[::-1]])
        save(f"bmp-{bits}.bmp", bmp(width, height, bits, rows, quads))
        save(f"bmp-{bits}-short.bmp", bmp(width, height, bits, rows, quads[: len(quads) // 8 * 4]))
        triples = b"".join(bytes([palette[i + 2], palette[i + 1], palette[i]]) for i in range(0, len(palette), 3))
        at = 26 + len(triples)
        save(
            f"bmp-{bits}-os2.bmp",
            b"BM" + struct.pack("<IHHIIHHHH", at + len(rows), 0, 0, at, 12, width, height, 1, bits) + triples + rows,
        )
    bgr = bmp_rows([row[:, ::-1].astype(np.uint8).tobytes() for row in upwards])
    save("bmp-24.bmp", bmp(width, height, 24, bgr))
    save(
        "bmp-24-top-down.bmp",
        bmp(width, -height, 24, bmp_rows([row[:, ::-1].astype(np.uint8).tobytes() for row in rgb])),
    )
    save("bmp-24-os2.bmp", b"BM" + struct.pack("<IHHIIHHHH", 26 + len(bgr), 0, 0, 26, 12, width, height, 1, 24) + bgr)
    fives = (upwards[..., 0] >> 3 << 10) | (upwards[..., 1] >> 3 << 5) | (upwards[..., 2] >> 3)
    sixes = (upwards[..., 0] >> 3 << 11) | (upwards[..., 1] >> 2 << 5) | (upwards[..., 2] >> 3)
    save("bmp-16-555.bmp", bmp(width, height, 16, bmp_rows([row.astype("<u2").tobytes() for row in fives])))
    save(
        "bmp-16-565.bmp",
        mask_header(
            width, height, (0xF800, 0x07E0, 0x001F), 16, 40, bmp_rows([row.astype("<u2").tobytes() for row in sixes])
        ),
    )
    alpha = np.linspace(0, 255, width).round().astype(np.uint32)[None, :]
    words = (alpha << 24) | (upwards[..., 0] << 16) | (upwards[..., 1] << 8) | upwards[..., 2]
    save("bmp-32.bmp", bmp(width, height, 32, b"".join((row & 0xFFFFFF).astype("<u4").tobytes() for row in words)))
    save(
        "bmp-32-masks.bmp",
        mask_header(
            width,
            height,
            (0xFF, 0xFF00, 0xFF0000),
            32,
            40,
            b"".join(
                ((row & 0xFF00) | (row >> 16 & 0xFF) | ((row & 0xFF) << 16)).astype("<u4").tobytes() for row in words
            ),
        ),
    )
    for name, size in (("v4", 108), ("v5", 124)):
        save(
            f"bmp-32-alpha-{name}.bmp",
            mask_header(
                width,
                height,
                (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
                32,
                size,
                b"".join(row.astype("<u4").tobytes() for row in words),
            ),
        )
    save("bmp-run-lengths.bmp", mask_header(width, height, (), 8, 40, b"\0\1", compression=1))


def bmp_file(head: bytes, rows: bytes, data_at: int | None = None) -> bytes:
    """`head` is the information header and all that stands before the rows."""
    at = 14 + len(head) if data_at is None else data_at
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(rows), 0, 0, at) + head + rows


def info_header(width: int, height: int, bits: int, colours: int = 0, size: int = 40, compression: int = 0) -> bytes:
    return (
        struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, compression, 0, 2835, 2835, colours, 0) + bytes(size)
    )[:size]


def run_lengths(line: np.ndarray, bits: int, absolute: bool) -> bytes:
    """One row and its end. Runs of one colour, or the colours as they are, 200 at a time."""
    out = b""
    if absolute:
        for at in range(0, len(line), 200):
            part = line[at : at + 200]
            data = packed(part, bits).tobytes()
            out += bytes([0, len(part)]) + data + b"\0" * (len(data) % 2) if len(part) > 2 else b""
            if len(part) <= 2:
                out += b"".join(bytes([1, int(v) * (17 if bits == 4 else 1)]) for v in part)
        return out + b"\0\0"
    at = 0
    while at < len(line):
        count = 1
        while at + count < len(line) and line[at + count] == line[at] and count < 255:
            count += 1
        out += bytes([count, int(line[at]) * (17 if bits == 4 else 1)])
        at += count
    return out + b"\0\0"


def draw_odd_bmp(picture: Image.Image) -> None:
    """What the descriptions allow and few write, and what they do not allow and some write."""
    width, height = picture.size
    rgb = np.asarray(picture).astype(np.uint32)
    upwards = rgb[::-1]
    noise = (np.arange(width * height, dtype=np.uint32).reshape(height, width) * 151 + 7) % 256
    words = (noise << 24) | (upwards[..., 0] << 16) | (upwards[..., 1] << 8) | upwards[..., 2]
    junk = b"".join(row.astype("<u4").tobytes() for row in words)
    bgr = bmp_rows([row[:, ::-1].astype(np.uint8).tobytes() for row in upwards])
    fives = (upwards[..., 0] >> 3 << 10) | (upwards[..., 1] >> 3 << 5) | (upwards[..., 2] >> 3)
    rows_16 = bmp_rows([row.astype("<u2").tobytes() for row in fives])
    colours = bytes(range(240))  # 60 of them, which no pixel means
    save("bmp-24-palette.bmp", bmp_file(info_header(width, height, 24, 60) + colours, bgr))
    save("bmp-16-palette.bmp", bmp_file(info_header(width, height, 16, 60) + colours, rows_16))
    save("bmp-24-no-offset.bmp", bmp_file(info_header(width, height, 24), bgr, 0))
    save("bmp-24-masks.bmp", mask_header(width, height, (0xFF0000, 0xFF00, 0xFF), 24, 40, bgr))
    save("bmp-16-os2.bmp", bmp_file(struct.pack("<IHHHH", 12, width, height, 1, 16), rows_16))
    save("bmp-32-junk.bmp", bmp_file(info_header(width, height, 32), junk))
    save("bmp-32-junk-masks.bmp", mask_header(width, height, (0xFF0000, 0xFF00, 0xFF), 32, 40, junk))
    for name, size in (("v2", 52), ("v3", 56), ("v4", 108), ("v5", 124)):
        # Masks stand in the header; only where it says so they count.
        masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
        save(f"bmp-32-junk-{name}.bmp", mask_header(width, height, masks, 32, size, junk, compression=0))
    save("bmp-32-masks-v2.bmp", mask_header(width, height, (0xFF0000, 0xFF00, 0xFF), 32, 52, junk))
    save("bmp-32-alpha-v3.bmp", mask_header(width, height, (0xFF0000, 0xFF00, 0xFF, 0xFF000000), 32, 56, junk))
    turned = b"".join(((row << 8 & 0xFFFFFFFF) | (row >> 24)).astype("<u4").tobytes() for row in words)
    save("bmp-32-alpha-low.bmp", mask_header(width, height, (0xFF000000, 0xFF0000, 0xFF00, 0xFF), 32, 124, turned))
    save("bmp-32-alpha-zero.bmp", mask_header(width, height, (0, 0, 0, 0), 32, 124, junk))
    save("bmp-32-junk-top-down.bmp", bmp_file(info_header(width, -height, 32), junk))
    tens = (
        (upwards[..., 0] * 1023 // 255 << 20) | (upwards[..., 1] * 1023 // 255 << 10) | (upwards[..., 2] * 1023 // 255)
    )
    rows_30 = b"".join(row.astype("<u4").tobytes() for row in tens)
    save("bmp-32-ten-bits.bmp", mask_header(width, height, (0x3FF00000, 0xFFC00, 0x3FF), 32, 40, rows_30))
    for bits in (4, 8):
        indices, palette = indexed(picture, 2**bits)
        quads = b"".join(bytes([palette[i + 2], palette[i + 1], palette[i], 0]) for i in range(0, len(palette), 3))
        lines = [row[:, 0] for row in indices[::-1]]
        rows = bmp_rows([packed(line, bits).tobytes() for line in lines])
        save(f"bmp-{bits}-os2-2.bmp", bmp_file(info_header(width, height, bits, 0, 64) + quads, rows))
        short = struct.pack("<IiiHH", 16, width, height, 1, bits)
        save(f"bmp-{bits}-os2-2-short.bmp", bmp_file(short + quads, rows))
        save(f"bmp-{bits}-forgotten-palette.bmp", bmp_file(info_header(width, height, bits) + quads, rows, 54))
        code = {4: 2, 8: 1}[bits]
        head = info_header(width, height, bits, 0, 40, code) + quads
        runs = b"".join(run_lengths(line, bits, y % 2 == 1) for y, line in enumerate(lines))
        save(f"bmp-{bits}-run-lengths.bmp", bmp_file(head, runs + b"\0\1"))
        save(f"bmp-{bits}-run-lengths-no-end.bmp", bmp_file(head, runs[:-2]))
        # A row too long, then three whole rows and some columns left out.
        skipping = bytes([255, 3]) + b"\0\0" + run_lengths(lines[1], bits, False) + b"\0\2\7\3"
        skipping += run_lengths(lines[5][7:], bits, True)
        skipping += b"".join(run_lengths(line, bits, False) for line in lines[6:])
        save(f"bmp-{bits}-run-lengths-skipping.bmp", bmp_file(head, skipping + b"\0\1"))
        save(f"bmp-{bits}-run-lengths-cut-off.bmp", bmp_file(head, runs[: len(runs) // 2]))
    save("bmp-jpeg.bmp", mask_header(width, height, (), 24, 40, encoded(picture, "JPEG"), compression=4))


def cjpeg(picture: Image.Image, *options: str, scans: str | None = None) -> bytes:
    with tempfile.NamedTemporaryFile("w", suffix=".scans") as script:
        if scans is not None:
            script.write(scans)
            script.flush()
            options = (*options, "-scans", script.name)
        return subprocess.run(
            ["cjpeg", "-dct", "int", *options], input=encoded(picture, "PPM"), stdout=subprocess.PIPE, check=True
        ).stdout


def patched(whole: bytes, marker: bytes, offset: int, value: int) -> bytes:
    """One byte of the first segment of a kind changed; `offset` counts from behind the marker."""
    at = whole.index(marker) + 2 + offset
    return whole[:at] + bytes([value]) + whole[at + 1 :]


def in_segments(whole: bytes, profile: bytes, size: int) -> bytes:
    """An ICC profile in several APP2 segments, the last one first, as the standard allows."""
    parts = [profile[at : at + size] for at in range(0, len(profile), size)]
    segments = [
        b"\xff\xe2" + struct.pack(">H", 16 + len(part)) + b"ICC_PROFILE\0" + bytes([i + 1, len(parts)]) + part
        for i, part in enumerate(parts)
    ]
    return whole[:2] + b"".join(reversed(segments)) + whole[2:]


def draw_jpeg(picture: Image.Image) -> None:
    for name, factors in SAMPLINGS.items():
        save(f"jpeg-{name}.jpg", cjpeg(picture, "-quality", "80", "-sample", factors))
        save(f"jpeg-{name}-progressive.jpg", cjpeg(picture, "-quality", "80", "-sample", factors, "-progressive"))
    for name, factors in (("444", "1x1"), ("420", "2x2"), ("411", "4x1"), ("440", "1x2")):
        save(f"jpeg-{name}-scans.jpg", cjpeg(picture, "-quality", "70", "-sample", factors, scans=NON_INTERLEAVED))
        save(
            f"jpeg-{name}-scans-restart.jpg",
            cjpeg(picture, "-quality", "70", "-sample", factors, "-restart", "7B", scans=NON_INTERLEAVED),
        )
        save(f"jpeg-{name}-restart-row.jpg", cjpeg(picture, "-quality", "70", "-sample", factors, "-restart", "1"))
    for factors in ("3x3", "4x4"):  # too many blocks for one interleaved scan
        save(f"jpeg-{factors}-scans.jpg", cjpeg(picture, "-quality", "70", "-sample", factors, scans=NON_INTERLEAVED))
    save("jpeg-spectral-only.jpg", cjpeg(picture, "-quality", "75", scans=SPECTRAL_ONLY))
    save("jpeg-many-bits.jpg", cjpeg(picture, "-quality", "90", "-restart", "5B", scans=MANY_BITS))
    save("jpeg-quality-100.jpg", cjpeg(picture.crop((0, 0, 61, 43)), "-quality", "100", "-sample", "1x1", "-optimize"))
    save("jpeg-16-bit-tables.jpg", cjpeg(picture, "-quality", "3"))
    save("jpeg-grey.jpg", cjpeg(picture, "-quality", "75", "-grayscale"))
    save("jpeg-grey-progressive.jpg", cjpeg(picture, "-quality", "75", "-grayscale", "-progressive"))
    save("jpeg-rgb.jpg", cjpeg(picture, "-quality", "75", "-rgb"))
    inks = encoded(picture.convert("CMYK"), "JPEG", quality=75)
    save("jpeg-cmyk.jpg", inks)
    save(
        "jpeg-ycck.jpg", patched(inks, b"\xff\xee", 13, 2)
    )  # the same numbers called luma and chroma: odd colours, which is all the same here
    save("jpeg-arithmetic.jpg", cjpeg(picture, "-quality", "75", "-arithmetic"))
    save("jpeg-12-bit.jpg", patched(cjpeg(picture, "-quality", "50"), b"\xff\xc0", 2, 12))
    save("jpeg-lossless.jpg", patched(cjpeg(picture, "-quality", "50"), b"\xff\xc0", -1, 0xC3))
    for size in ((1, 1), (8, 8), (17, 9), (16, 1), (3, 150)):
        save(f"jpeg-{size[0]}x{size[1]}.jpg", cjpeg(picture.resize(size), "-quality", "80"))
        save(f"jpeg-{size[0]}x{size[1]}-progressive.jpg", cjpeg(picture.resize(size), "-quality", "80", "-progressive"))
    two = io.BytesIO()
    picture.save(two, "MPO", save_all=True, append_images=[picture.rotate(180)], quality=75)
    save("jpeg-two-pictures.jpg", two.getvalue())
    plain = cjpeg(picture, "-quality", "80")
    save("jpeg-profile-in-segments.jpg", in_segments(plain, profiles.CASES["table-1024"], 900))
    save(
        "jpeg-profile-lacks-segment.jpg",
        in_segments(plain, profiles.CASES["table-1024"], 900).replace(b"ICC_PROFILE\0\2", b"ICC_PROFILE\0\1"),
    )
    save("jpeg-cut-off-progressive.jpg", (whole := cjpeg(picture, "-quality", "80", "-progressive"))[: len(whole) // 2])
    large = colourful(1800, 1350)  # for a network of 224 pixels a side: read at half its size
    save("jpeg-large-half.jpg", cjpeg(large, "-quality", "8", "-sample", "1x1"))
    save("jpeg-large-half-440.jpg", cjpeg(large, "-quality", "8", "-sample", "1x2"))
    largest = colourful(4800, 3600)  # at an eighth
    save("jpeg-large-eighth.jpg", cjpeg(largest, "-quality", "2", "-optimize"))
    save("jpeg-large-eighth-progressive.jpg", cjpeg(largest, "-quality", "2", "-progressive"))


def parts(whole: bytes) -> list[tuple[int, bytes]]:
    """A JPEG of one scan as its markers with all that belongs to each: a segment, a scan's data."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(whole):
        marker = whole[at + 1]
        length = 0 if marker in (0xD8, 0xD9) else struct.unpack_from(">H", whole, at + 2)[0]
        end = at + 2 + length
        if marker == 0xDA:
            end = len(whole) - 2
        found.append((marker, whole[at:end]))
        at = end
    return found


def joined(segments: Sequence[tuple[int, bytes]], *without: int) -> bytes:
    return b"".join(data for marker, data in segments if marker not in without)


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def renamed(whole: bytes, ids: bytes) -> bytes:
    """With other names for its channels, in the frame and in the scan."""
    out = bytearray(whole)
    frame, scan = whole.index(b"\xff\xc0"), whole.index(b"\xff\xda")
    for i, name in enumerate(ids):
        out[frame + 10 + 3 * i] = name
        out[scan + 5 + 2 * i] = name
    return bytes(out)


def draw_odd_jpeg(picture: Image.Image) -> None:
    """What libjpeg-turbo forgives, and how it decides what the channels are."""
    plain = encoded(picture, "JPEG", quality=80)
    split = parts(plain)
    head, rest = split[:1], split[1:]
    adobe = {i: segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([i])) for i in (0, 1, 2, 7)}
    no_jfif = [part for part in rest if part[0] != 0xE0]
    avi1 = segment(0xE0, b"AVI1\0\0" + bytes(8))

    save("jpeg-no-huffman.jpg", joined(split, 0xC4))
    wide = parts(encoded(picture, "JPEG", quality=80, subsampling=1))
    save("jpeg-no-huffman-avi1.jpg", joined(wide[:1]) + avi1 + joined(wide[1:], 0xC4, 0xE0))
    save("jpeg-no-huffman-grey.jpg", joined(parts(encoded(picture.convert("L"), "JPEG")), 0xC4))
    luma = [part for part in split if part[0] != 0xC4 or part[1][4] & 15 == 0]
    save("jpeg-no-huffman-chroma.jpg", joined(luma))
    save("jpeg-same-ids.jpg", renamed(plain, b"\1\1\1"))
    save("jpeg-ids-from-zero.jpg", renamed(joined(head) + joined(no_jfif), b"\0\1\2"))
    save("jpeg-rgb-ids-jfif.jpg", renamed(plain, b"RGB"))
    save("jpeg-rgb-ids.jpg", renamed(joined(head) + joined(no_jfif), b"RGB"))
    save("jpeg-stray-bytes.jpg", joined(split[:2]) + b"".join(b"\0\1stray" + data for _, data in split[2:]))
    save("jpeg-fill-bytes.jpg", joined(head) + b"".join(b"\xff" * 3 + data for _, data in rest))
    save("jpeg-fill-before-zero.jpg", plain.replace(b"\xff\0", b"\xff\xff\xff\0"))
    restarts = parts(encoded(picture, "JPEG", quality=80, restart_marker_blocks=5))
    for name, before in (("fill", b"\xff\xff"), ("stray", b"\x12\x34")):
        changed = b"".join(
            data if marker != 0xDA else re.sub(rb"(?=\xff[\xd0-\xd7])", before, data) for marker, data in restarts
        )
        save(f"jpeg-{name}-before-restart.jpg", changed)
    save("jpeg-empty-segments.jpg", joined(head) + b"\xff\xfe\0\0\xff\xe5\0\1" + joined(rest))
    broken = segment(0xC4, b"\3" + bytes([3] + [0] * 15) + b"\0\1\2")  # three codes of one bit
    save("jpeg-broken-unused-table.jpg", joined(head) + broken + joined(rest))
    tables = b"".join(
        segment(0xDB, bytes([0x30 | data[4]]) + b"".join(struct.pack(">H", v) for v in data[5:69]))
        for marker, data in rest
        if marker == 0xDB
    )
    save("jpeg-wide-tables.jpg", joined(head) + tables + joined(rest, 0xDB))
    for i in (0, 1, 2, 7):
        save(f"jpeg-adobe-{i}.jpg", joined(head) + adobe[i] + joined(no_jfif))
        save(f"jpeg-adobe-{i}-jfif.jpg", joined(head) + adobe[i] + joined(rest))
    save("jpeg-adobe-short.jpg", joined(head) + segment(0xEE, b"Adobe\0\x64") + joined(no_jfif))
    save("jpeg-adobe-late.jpg", joined(head) + joined(no_jfif[:-1]) + adobe[0] + joined(no_jfif[-1:]))
    save("jpeg-jfif-short.jpg", joined(head) + segment(0xE0, b"JFIF\0\1\1") + adobe[0] + joined(no_jfif))
    save("jpeg-height-again.jpg", joined(split[:-1]) + segment(0xDC, struct.pack(">H", picture.height)) + b"\xff\xd9")
    save("jpeg-no-end.jpg", joined(split[:-1]))
    save("jpeg-more-after-end.jpg", plain + b"\0more\xff\xd8\xff\xee")
    inks = parts(encoded(picture.convert("CMYK"), "JPEG", quality=75))
    save("jpeg-cmyk-unmarked.jpg", joined(inks, 0xEE))
    described = encoded(picture.convert("CMYK"), "JPEG", quality=75, icc_profile=profiles.CASES["cmyk-lut16"])
    save("jpeg-cmyk-profile.jpg", described)
    save("jpeg-ycck-profile.jpg", patched(described, b"\xff\xee", 13, 2))
    xyb = parts(encoded(picture, "JPEG", quality=80, subsampling=0, icc_profile=profiles.CASES["table-xyb"]))
    save("jpeg-xyb.jpg", renamed(joined(xyb, 0xE0), b"RGB"))  # stored as RGB, as encoders of XYB do
    save("jpeg-cmyk-adobe-1.jpg", joined(inks[:1]) + adobe[1] + joined(inks[1:], 0xEE))


def draw_turned(picture: Image.Image) -> None:
    for orientation in range(1, 9):
        stored = picture.transpose(STORED_AS[orientation]) if orientation in STORED_AS else picture
        tiff = exif(orientation, "<" if orientation % 2 else ">")[6:]
        save(f"png-orientation-{orientation}.png", with_chunks(encoded(stored, "PNG"), chunk(b"eXIf", tiff)))
        stored.save(
            KINDS / f"jpeg-orientation-{orientation}.jpg",
            quality=80,
            subsampling=1,
            progressive=orientation % 2 == 0,
            exif=exif(orientation, "<"),
        )


def draw_colours(picture: Image.Image) -> None:
    grey = picture.convert("L")
    for name, profile in profiles.CASES.items():
        save(f"colour-{name}.png", encoded(grey if name.startswith("gray") else picture, "PNG", icc_profile=profile))
    plain = encoded(picture, "PNG")
    save("colour-srgb-chunk.png", with_chunks(plain, chunk(b"sRGB", b"\0")))
    save("colour-cicp-srgb.png", with_chunks(plain, chunk(b"cICP", bytes([1, 13, 0, 1]))))
    save("colour-cicp-p3.png", with_chunks(plain, chunk(b"cICP", bytes([12, 13, 0, 1]))))
    save("colour-cicp-2020.png", with_chunks(plain, chunk(b"cICP", bytes([9, 13, 0, 1]))))
    save("colour-cicp-hlg.png", with_chunks(plain, chunk(b"cICP", bytes([9, 18, 0, 1]))))
    save("colour-broken-profile.png", encoded(picture, "PNG", icc_profile=profiles.CASES["display-p3"][:200]))
    save(
        "colour-p3-progressive-gray.jpg",
        encoded(grey, "JPEG", quality=80, progressive=True, icc_profile=profiles.CASES["gray-table"]),
    )


def main() -> None:
    KINDS.mkdir(exist_ok=True)
    for old in KINDS.iterdir():
        old.unlink()
    draw_png(colourful(61, 43))
    draw_bmp(colourful(61, 43))
    draw_odd_bmp(colourful(61, 43))
    draw_jpeg(colourful(181, 131))
    draw_odd_jpeg(colourful(91, 66))
    draw_turned(colourful(181, 131).resize((91, 66)))
    draw_colours(colourful(64, 48))


if __name__ == "__main__":
    main()
