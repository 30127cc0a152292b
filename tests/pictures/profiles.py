"""ICC profiles for tests, written by hand from ICC.1:2022: no profile file is needed or copied. Used by
draw_pictures.py and ../golden/make_goldens.py.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import numpy as np

D50 = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
D65 = (0.3127, 0.3290)

Primaries = Sequence[tuple[float, float]]  # white, red, green, blue
SRGB: Primaries = (D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
DISPLAY_P3: Primaries = (D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_RGB: Primaries = (D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
BT_2020: Primaries = (D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
PROPHOTO: Primaries = ((0.3457, 0.3585), (0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))
SRGB_CURVE = (3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(v * 65536)) for v in values)


def xyz(values: Sequence[float]) -> bytes:
    return b"XYZ \0\0\0\0" + fixed(*values)


def gamma(exponent: float) -> bytes:
    return struct.pack(">4sIIH", b"curv", 0, 1, round(exponent * 256))


def linear() -> bytes:
    return struct.pack(">4sII", b"curv", 0, 0)


def table(curve: Callable[[np.ndarray], np.ndarray], points: int) -> bytes:
    values = np.round(np.clip(curve(np.linspace(0, 1, points)), 0, 1) * 65535).astype(">u2")
    return struct.pack(">4sII", b"curv", 0, points) + values.tobytes()


def para(kind: int, *parameters: float) -> bytes:
    return struct.pack(">4sIHH", b"para", 0, kind, 0) + fixed(*parameters)


def colorants(primaries: Primaries) -> np.ndarray:
    """Columns: red, green and blue in XYZ, seen under D50."""
    white, *rest = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in primaries)
    unscaled = np.stack(rest, 1)
    scaled = unscaled * np.linalg.solve(unscaled, white)
    ratio = (BRADFORD @ D50) / (BRADFORD @ white)
    return np.linalg.inv(BRADFORD) @ np.diag(ratio) @ BRADFORD @ scaled


def profile(
    space: bytes, tags: dict[bytes, bytes], version: int = 4, pcs: bytes = b"XYZ ", kind: bytes = b"mntr"
) -> bytes:
    name = "test".encode("utf-16-be")
    described = {
        b"desc": struct.pack(">4sIII2s2sII", b"mluc", 0, 1, 12, b"en", b"US", len(name), 28) + name,
        b"wtpt": xyz(D50),
        **tags,
    }
    at = 128 + 4 + 12 * len(described)
    places, data = b"", b""
    known: dict[bytes, int] = {}  # tags of the same content share it
    for tag, content in described.items():
        if content not in known:
            known[content] = at + len(data)
            data += content + b"\0" * (-len(content) % 4)
        places += struct.pack(">4sII", tag, known[content], len(content))
    head = bytearray(128)
    struct.pack_into(">I4sI4s4s4s", head, 0, at + len(data), b"\0\0\0\0", version << 24, kind, space, pcs)
    head[36:40] = b"acsp"
    head[68:80] = fixed(*D50)
    return bytes(head) + struct.pack(">I", len(described)) + places + data


def rgb(primaries: Primaries, *curves: bytes, version: int = 4) -> bytes:
    """One curve for all channels or three."""
    columns = colorants(primaries)
    red, green, blue = curves * 3 if len(curves) == 1 else curves
    tags = {
        b"rXYZ": xyz(columns[:, 0]),
        b"gXYZ": xyz(columns[:, 1]),
        b"bXYZ": xyz(columns[:, 2]),
        b"rTRC": red,
        b"gTRC": green,
        b"bTRC": blue,
    }
    return profile(b"RGB ", tags, version)


def gray(curve: bytes, version: int = 4) -> bytes:
    return profile(b"GRAY", {b"kTRC": curve}, version)


def with_table() -> bytes:
    """Display P3's matrix beside a look-up table that says something else, which a reader must then use (lut8Type, two
    grid points a side).
    """
    ramp = bytes(range(256)) * 3
    grid = bytes([0, 0, 0, 20, 10, 90, 40, 90, 10, 60, 100, 100, 60, 30, 5, 80, 40, 95, 100, 120, 15, 123, 128, 105])
    lut = struct.pack(">4sIBBBB", b"mft1", 0, 3, 3, 2, 0) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + ramp + grid + ramp
    columns = colorants(DISPLAY_P3)
    curve = para(*SRGB_CURVE)
    tags = {
        b"rXYZ": xyz(columns[:, 0]),
        b"gXYZ": xyz(columns[:, 1]),
        b"bXYZ": xyz(columns[:, 2]),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
        b"A2B0": lut,
    }
    return profile(b"RGB ", tags, 2)


def srgb_to_linear(v: np.ndarray) -> np.ndarray:
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def lab_of(values: np.ndarray) -> np.ndarray:
    """CIELAB of XYZ relative to D50, the last axis."""
    ratio = np.clip(values, 0, None) / D50
    f = np.where(ratio > (24 / 116) ** 3, np.cbrt(ratio), ratio * 841 / 108 + 16 / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def grid_of(channels: int, points: Sequence[int]) -> np.ndarray:
    """All points of a table, the last channel fastest: rows of `channels` values from 0 to 1."""
    axes = np.meshgrid(*(np.linspace(0, 1, n) for n in points), indexing="ij")
    return np.stack([axis.reshape(-1) for axis in axes], -1)


def xyz_of_rgb(values: np.ndarray, primaries: Primaries = DISPLAY_P3) -> np.ndarray:
    return srgb_to_linear(values) @ colorants(primaries).T


def xyz_of_inks(values: np.ndarray) -> np.ndarray:
    """Inks that are neither pure nor black: cyan is bluish, black is dark grey."""
    inks, black = values[..., :3], values[..., 3:]
    light = (1 - 0.93 * inks * np.array([1, 0.96, 0.9])) * (1 - 0.9 * black)
    mixed = light @ np.array([[0.9, 0.06, 0.04], [0.08, 0.86, 0.06], [0.02, 0.08, 0.9]])
    return xyz_of_rgb(np.clip(mixed, 0, 1) ** 1.2, SRGB)


def stored_lab(values: np.ndarray, most: int) -> np.ndarray:
    """As lut16Type (most 0xFF00) or everything else (0xFFFF, 0xFF) has it."""
    low, span = np.array([0, -128, -128]), np.array([100, 255, 255])
    return np.clip(np.round((values - low) / span * most), 0, 0xFFFF if most > 255 else 255)


def stored_xyz(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values / (1 + 32767 / 32768) * 65535), 0, 65535)


def lut8(nodes: np.ndarray, channels: int, points: int, curve: Callable[[np.ndarray], np.ndarray]) -> bytes:
    ramp = np.linspace(0, 1, 256)
    before = np.round(curve(ramp) * 255).astype(np.uint8).tobytes() * channels
    after = np.arange(256, dtype=np.uint8).tobytes() * 3
    head = struct.pack(">4sIBBBB", b"mft1", 0, channels, 3, points, 0) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    return head + before + nodes.astype(np.uint8).tobytes() + after


def lut16(
    nodes: np.ndarray,
    channels: int,
    points: int,
    before: Callable[[np.ndarray], np.ndarray] = lambda v: v,
    after: Callable[[np.ndarray], np.ndarray] = lambda v: v,
    entries: tuple[int, int] = (2, 2),
) -> bytes:
    first, last = (
        np.round(np.clip(curve(np.linspace(0, 1, n)), 0, 1) * 65535).astype(">u2").tobytes()
        for curve, n in zip((before, after), entries, strict=True)
    )
    head = struct.pack(">4sIBBBB", b"mft2", 0, channels, 3, points, 0) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    return head + struct.pack(">HH", *entries) + first * channels + nodes.astype(">u2").tobytes() + last * 3


def stages(
    channels: int,
    last: Sequence[bytes],
    matrix: Sequence[float] = (),
    middle: Sequence[bytes] = (),
    table: bytes = b"",
    first: Sequence[bytes] = (),
) -> bytes:
    """lutAToBType."""
    body, places = b"", []
    for part in (last, fixed(*matrix), middle, table, first):
        data = part if isinstance(part, bytes) else b"".join(curve + b"\0" * (-len(curve) % 4) for curve in part)
        places.append(32 + len(body) if data else 0)
        body += data + b"\0" * (-len(data) % 4)
    return struct.pack(">4sIBBH5I", b"mAB ", 0, channels, 3, 0, *places) + body


def table_of(points: Sequence[int], nodes: np.ndarray, width: int) -> bytes:
    head = bytes(points) + bytes(16 - len(points)) + bytes([width, 0, 0, 0])
    return head + nodes.astype(np.uint8 if width == 1 else ">u2").tobytes()


def xyb() -> bytes:
    """As encoders of XYB make one: a small table undoes the opponent colours, then cubes, then a matrix to XYZ."""
    cubes = para(3, 3, 0.97, 0.03, 0, 0)
    corners = grid_of(3, (2, 2, 2))
    opponent = np.array([[0.8, 0.5, -0.3], [0.9, -0.3, 0.4], [0.5, 0.1, 0.4]])
    nodes = np.round(np.clip(corners @ opponent.T, 0, 1) * 65535)
    matrix = [*(colorants(SRGB) @ np.array([[1.4, -0.3, -0.1], [-0.2, 1.3, -0.1], [0.0, -0.2, 1.2]])).reshape(-1)]
    scaled = [v * 32768 / 65535 for v in matrix]
    first = [para(0, 1)] * 3
    return stages(3, first, [*scaled, 0, 0, 0.001], [cubes] * 3, table_of((2, 2, 2), nodes, 2), first)


def with_tables(space: bytes, pcs: bytes, version: int, **tables: bytes) -> bytes:
    kind = b"prtr" if space == b"CMYK" else b"scnr"
    return profile(space, {name.encode(): table for name, table in tables.items()}, version, pcs, kind)


def table_cases() -> dict[str, bytes]:
    nine, five = grid_of(3, (9, 9, 9)), grid_of(4, (5, 5, 5, 5))
    uneven = grid_of(3, (5, 7, 9))
    p3, inks = lab_of(xyz_of_rgb(nine)), lab_of(xyz_of_inks(five))
    old, new = stored_lab(p3, 0xFF00), stored_lab(lab_of(xyz_of_rgb(uneven)), 0xFFFF)
    lighter = stored_lab(p3 * [0.5, 1, 1] + [50, 0, 0], 0xFF00)
    gray_nodes = stored_lab(np.linspace(0, 1, 17)[:, None] ** 0.8 * [100, 0, 0], 0xFF00)
    straight = [linear()] * 3
    bent = [gamma(1.1), para(*SRGB_CURVE), table(lambda v: v**1.3, 33)]
    soft = [para(0, 1.02), gamma(1.016), table(lambda v: v**1.01, 100)]
    turned = [0.9, 0.02, 0.01, 0.03, 0.95, -0.02, 0.0, 0.01, 0.97, 0.01, 0.005, -0.002]
    ink_table = table_of((5, 5, 5, 5), stored_lab(inks, 0xFFFF), 2)
    narrow = table_of((5, 5, 5, 5), stored_lab(inks, 0xFF), 1)
    linear_light = stored_xyz(nine @ colorants(ADOBE_RGB).T)
    dark = stored_xyz(xyz_of_rgb(nine))
    return {
        "table-lut8": with_tables(b"RGB ", b"Lab ", 2, A2B0=lut8(stored_lab(p3, 255), 3, 9, lambda v: v)),
        "table-lut8-curves": with_tables(b"RGB ", b"Lab ", 2, A2B0=lut8(stored_lab(p3, 255), 3, 9, lambda v: v**1.2)),
        "table-lut16": with_tables(b"RGB ", b"Lab ", 2, A2B0=lut16(old, 3, 9)),
        "table-lut16-curves": with_tables(
            b"RGB ", b"Lab ", 2, A2B0=lut16(old, 3, 9, lambda v: v**1.3, lambda v: v**1.05, (64, 300))
        ),
        "table-lut16-xyz": with_tables(
            b"RGB ", b"XYZ ", 2, A2B0=lut16(linear_light, 3, 9, lambda v: v**2.2, entries=(256, 2))
        ),
        "table-lut16-dark": with_tables(b"RGB ", b"XYZ ", 4, A2B0=lut16(dark, 3, 9)),
        "table-two": with_tables(b"RGB ", b"Lab ", 2, A2B0=lut16(lighter, 3, 9), A2B1=lut16(old, 3, 9)),
        "table-stages": with_tables(
            b"RGB ", b"Lab ", 4, A2B0=stages(3, straight, table=table_of((5, 7, 9), new, 2), first=bent)
        ),
        "table-all-stages": with_tables(
            b"RGB ", b"Lab ", 4, A2B0=stages(3, soft, turned, soft, table_of((5, 7, 9), new, 2), bent)
        ),
        "table-no-table": with_tables(
            b"RGB ",
            b"XYZ ",
            4,
            A2B0=stages(3, straight, [*(colorants(DISPLAY_P3) / 2).reshape(-1), 0, 0, 0], [para(*SRGB_CURVE)] * 3),
        ),
        "table-xyb": with_tables(b"RGB ", b"XYZ ", 4, A2B0=xyb()),
        "table-and-matrix": with_table(),
        "gray-table-lut16": with_tables(b"GRAY", b"Lab ", 2, A2B0=lut16(gray_nodes, 1, 17)),
        "cmyk-lut8": with_tables(b"CMYK", b"Lab ", 2, A2B0=lut8(stored_lab(inks, 255), 4, 5, lambda v: v**0.9)),
        "cmyk-lut16": with_tables(
            b"CMYK", b"Lab ", 2, A2B0=lut16(stored_lab(inks, 0xFF00), 4, 5, lambda v: v**0.9, entries=(50, 2))
        ),
        "cmyk-stages": with_tables(
            b"CMYK", b"Lab ", 4, A2B0=stages(4, straight, table=ink_table, first=[gamma(1.1)] * 4)
        ),
        "cmyk-stages-8": with_tables(b"CMYK", b"Lab ", 4, A2B0=stages(4, straight, table=narrow)),
    }


# One line of icc.golden each.
CASES: dict[str, bytes] = {
    "display-p3": rgb(DISPLAY_P3, para(*SRGB_CURVE)),
    "adobe-rgb": rgb(ADOBE_RGB, gamma(2.19921875), version=2),
    "prophoto": rgb(PROPHOTO, para(3, 1.8, 1, 0, 1 / 16, 0.031248)),
    "linear": rgb(SRGB, linear()),
    "swapped": rgb((SRGB[0], SRGB[2], SRGB[3], SRGB[1]), para(*SRGB_CURVE)),
    "gamma-1.8": rgb(SRGB, gamma(1.8), version=2),
    "power": rgb(DISPLAY_P3, para(0, 2.2)),
    "cie-122": rgb(ADOBE_RGB, para(1, 2.4, 1.1, -0.1)),
    "iec-61966-3": rgb(ADOBE_RGB, para(2, 2.2, 0.95, -0.05, 0.03)),
    "offset": rgb(SRGB, para(4, 2.4, 0.9479, 0.0521, 0.0774, 0.0405, 0.002, 0.002)),
    "table-17": rgb(DISPLAY_P3, table(lambda v: v**2.0, 17), version=2),
    "table-1024": rgb(PROPHOTO, table(lambda v: v**1.8, 1024), version=2),
    "table-2": rgb(SRGB, table(lambda v: 0.1 + 0.9 * v, 2), version=2),
    "three-curves": rgb(DISPLAY_P3, gamma(2.0), para(*SRGB_CURVE), table(lambda v: v**2.4, 256)),
    "srgb-table": rgb(SRGB, table(srgb_to_linear, 512), version=2),
    "srgb-para": rgb(SRGB, para(*SRGB_CURVE)),
    "gray-1.8": gray(gamma(1.8), version=2),
    "gray-2.2": gray(gamma(2.2)),
    "gray-linear": gray(linear()),
    "gray-table": gray(table(lambda v: 0.7 * v**2.6 + 0.3 * v, 256), version=2),
    "gray-srgb": gray(para(*SRGB_CURVE)),
}
CASES |= table_cases()
