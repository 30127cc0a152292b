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
