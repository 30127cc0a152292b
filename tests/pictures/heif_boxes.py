"""HEIF files put together from coded pictures, in the ways in which cameras lay out their boxes and encoders do not
(ISO/IEC 14496-12, 23008-12). Used by draw_foreign.py.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, bytes([version]), flags.to_bytes(3, "big"), *parts)


def size(width: int, height: int) -> bytes:
    return full(b"ispe", 0, 0, struct.pack(">II", width, height))


def turned(quarters: int) -> bytes:
    """Anticlockwise."""
    return box(b"irot", bytes([quarters]))


def icc(profile: bytes) -> bytes:
    return box(b"colr", b"prof", profile)


def codes(primaries: int, transfer: int, matrix: int) -> bytes:
    """H.273; full range."""
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, transfer, matrix, 0x80))


def find(data: bytes, *path: bytes) -> bytes:
    """The payload of the first box on a path."""
    kind, *rest = path
    at = 0
    while at < len(data):
        length, found = struct.unpack_from(">I4s", data, at)
        length = length or len(data) - at
        if found == kind:
            payload = data[at + 8 : at + length]
            return find(payload[4:] if kind == b"meta" else payload, *rest) if rest else payload
        at += length
    raise KeyError(kind)


PIXI = full(b"pixi", 0, 0, bytes([3, 8, 8, 8]))  # eight bits each of three channels


@dataclass
class Item:
    """One picture. `sources` are numbers, from 1, of the items that it is derived from."""

    kind: bytes
    data: bytes
    properties: list[bytes]
    sources: list[int] = field(default_factory=list)


def coded(file: bytes, *properties: bytes, width: int, height: int) -> Item:
    """The one picture of an encoder's HEIC or AVIF, with other properties than the encoder gave it."""
    for kind, configuration in ((b"hvc1", b"hvcC"), (b"av01", b"av1C")):
        try:
            own = box(configuration, find(file, b"meta", b"iprp", b"ipco", configuration))
        except KeyError:
            continue
        return Item(kind, find(file, b"mdat"), [size(width, height), PIXI, own, *properties])
    raise ValueError("neither HEIC nor AVIF")


def grid(rows: int, columns: int, width: int, height: int, sources: list[int], *properties: bytes) -> Item:
    data = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)
    return Item(b"grid", data, [size(width, height), *properties], sources)


def heif(items: list[Item], brands: list[bytes], several_ipma: bool = False) -> bytes:
    """The last item is the primary one. Equal properties are stored once, as encoders do."""
    stored = list(dict.fromkeys(each for item in items for each in item.properties))
    places = [[stored.index(each) + 1 for each in item.properties] for item in items]
    narrow = [struct.pack(">HB", i + 1, len(own)) + bytes(own) for i, own in enumerate(places)]
    wide = struct.pack(f">IB{len(places[-1])}H", len(items), len(places[-1]), *places[-1])
    ipma = (
        full(b"ipma", 0, 0, struct.pack(">I", len(narrow) - 1), *narrow[:-1])
        + full(b"ipma", 1, 1, struct.pack(">I", 1), wide)
        if several_ipma
        else full(b"ipma", 0, 0, struct.pack(">I", len(narrow)), *narrow)
    )
    entries = b"".join(
        full(b"infe", 2, 0, struct.pack(">HH4s", i + 1, 0, item.kind), b"\0") for i, item in enumerate(items)
    )
    references = b"".join(
        box(b"dimg", struct.pack(f">HH{len(item.sources)}H", i + 1, len(item.sources), *item.sources))
        for i, item in enumerate(items)
        if item.sources
    )
    # Derived pictures' data lie in idat, all others' in mdat.
    idat = b"".join(item.data for item in items if item.sources)

    def head(mdat_at: int) -> bytes:
        located, in_idat, in_mdat = b"", 0, mdat_at
        for i, item in enumerate(items):
            at = in_idat if item.sources else in_mdat
            located += struct.pack(">HHHHII", i + 1, 1 if item.sources else 0, 0, 1, at, len(item.data))
            in_idat, in_mdat = (
                (in_idat + len(item.data), in_mdat) if item.sources else (in_idat, in_mdat + len(item.data))
            )
        meta = [
            full(b"hdlr", 0, 0, struct.pack(">I4s12s", 0, b"pict", b""), b"\0"),
            full(b"pitm", 0, 0, struct.pack(">H", len(items))),
            full(b"iinf", 0, 0, struct.pack(">H", len(items)), entries),
            full(b"iref", 0, 0, references) if references else b"",
            box(b"iprp", box(b"ipco", *stored), ipma),
            box(b"idat", idat) if idat else b"",
            full(b"iloc", 1, 0, struct.pack(">HH", 0x4400, len(items)), located),
        ]
        return box(b"ftyp", brands[0], b"\0\0\0\0", *brands) + full(b"meta", 0, 0, *meta)

    data = b"".join(item.data for item in items if not item.sources)
    return head(len(head(0)) + 8) + box(b"mdat", data)
