"""Draws the pictures of formats that the core does not decode: python draw_foreign.py (Pillow with WebP and AVIF,
pillow-heif, NumPy).

They lie in foreign/. Each shows drawing.png beside them, or that drawing as the file's orientation and profile say, so
that every decoder can be held to one picture. No photo is involved; the results are committed.
"""

from __future__ import annotations

import struct
from pathlib import Path

import heif_boxes as heif
import pillow_heif
import profiles
from draw_pictures import STORED_AS, encoded, exif, spot
from PIL import Image

HERE = Path(__file__).parent / "foreign"


def save(name: str, data: bytes) -> None:
    (HERE / name).write_bytes(data)


def mpo(first: bytes, second: bytes) -> bytes:
    """Two JPEGs in one file: CIPA DC-007's index in APP2 of the first, as multi-picture and gain-map files have it."""
    entries = struct.pack("<IIIHH", 0x030000, 0, 0, 0, 0) + struct.pack("<IIIHH", 0, len(second), 0, 0, 0)
    index = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 3)
    index += (
        struct.pack("<HHI4s", 0xB000, 7, 4, b"0100")
        + struct.pack("<HHII", 0xB001, 4, 1, 2)
        + struct.pack("<HHII", 0xB002, 7, 32, 50)
    )
    payload = b"MPF\0" + index + struct.pack("<I", 0) + entries
    return first[:2] + b"\xff\xe2" + struct.pack(">H", len(payload) + 2) + payload + first[2:] + second


def with_xmp(jpeg: bytes, attributes: str) -> bytes:
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    description = f'<rdf:RDF xmlns:rdf="{rdf}"><rdf:Description {attributes}/></rdf:RDF>'
    packet = f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{description}</x:xmpmeta>'
    payload = b"http://ns.adobe.com/xap/1.0/\0" + packet.encode()
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + jpeg[2:]


def draw_first_pictures(picture: Image.Image) -> None:
    """JPEGs that hold more than one picture: the first is the photo."""
    jpeg, other = encoded(picture, "JPEG", quality=90), encoded(Image.new("L", (80, 60), 200), "JPEG")
    save("first.jpg", jpeg)
    save("first-multi-picture.jpg", mpo(jpeg, encoded(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "JPEG")))
    save(
        "first-gain-map.jpg",
        mpo(with_xmp(jpeg, 'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"'), other),
    )
    video = (
        struct.pack(">I", 24) + b"ftypmp42\0\0\0\0mp42isom" + struct.pack(">I", 2008) + b"mdat" + bytes(range(250)) * 8
    )
    save(
        "first-motion-photo.jpg",
        with_xmp(
            jpeg,
            'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1" '
            f'GCamera:MicroVideoOffset="{len(video)}"',
        )
        + video,
    )


TILE = 64  # pixels; the least that the standard allows in a grid


def tiles_of(picture: Image.Image, *properties: bytes) -> list[heif.Item]:
    """A picture in tiles, those at the edges filled up."""
    whole = Image.new("RGB", [-(-side // TILE) * TILE for side in picture.size])
    whole.paste(picture)
    return [
        heif.coded(
            encoded(whole.crop((x, y, x + TILE, y + TILE)), "HEIF", quality=90, chroma=444),
            *properties,
            width=TILE,
            height=TILE,
        )
        for y in range(0, whole.height, TILE)
        for x in range(0, whole.width, TILE)
    ]


def grid_of(tiles: list[heif.Item], width: int, height: int, *properties: bytes) -> heif.Item:
    rows, columns = -(-height // TILE), -(-width // TILE)
    return heif.grid(rows, columns, width, height, list(range(1, len(tiles) + 1)), *properties)


def draw_camera_files(picture: Image.Image) -> None:
    """HEIFs laid out as cameras do: early iPhones, Canon's and Sony's say of colours on the tiles of a grid alone."""
    brands = [b"heic", b"mif1"]
    width, height = picture.size
    swapped = heif.icc(profiles.CASES["swapped"])
    tiles = tiles_of(picture, swapped)
    save("tiles-profile.heic", heif.heif([*tiles, grid_of(tiles, width, height)], brands))
    tiles = tiles_of(picture, heif.codes(12, 13, 6))
    save("tiles-codes.heic", heif.heif([*tiles, grid_of(tiles, width, height)], brands))
    tiles = tiles_of(picture.transpose(STORED_AS[6]), swapped)
    turned = grid_of(tiles, height, width, heif.turned(3))
    save("tiles-several-ipma.heic", heif.heif([*tiles, turned], brands, several_ipma=True))
    # A grid that another item shows turned.
    whole = heif.Item(b"iden", b"", [heif.size(height, width), heif.turned(3)], [len(tiles) + 1])
    save("tiles-identity.heic", heif.heif([*tiles, grid_of(tiles, height, width), whole], brands))
    # Each tile turned by itself, which is the decoder's business.
    tiles = tiles_of(picture, swapped)
    for tile in tiles:
        tile.properties.append(heif.turned(2))
    upside_down = Image.new("RGB", (192, 128))
    for i in range(6):
        corner = (i % 3 * TILE, i // 3 * TILE)
        part = picture.crop((*corner, corner[0] + TILE, corner[1] + TILE))
        upside_down.paste(part.transpose(Image.Transpose.ROTATE_180), corner)
    for tile, other in zip(tiles, tiles_of(upside_down), strict=True):
        tile.data = other.data
    save("tiles-turned.heic", heif.heif([*tiles, grid_of(tiles, width, height)], brands))
    for kind, options in (("HEIF", {"chroma": 444}), ("AVIF", {"subsampling": "4:4:4"})):
        file = encoded(picture, kind, quality=90, **options)
        only = heif.coded(file, swapped, width=width, height=height)
        save("mif1.heic" if kind == "HEIF" else "mif1.avif", heif.heif([only], [b"mif1"]))


def draw_avif_colours(picture: Image.Image) -> None:
    """AVIFs that say nothing of their colours outside the coded picture, and that say BT.2020."""
    width, height = picture.size
    brands = [b"avif", b"mif1"]
    file = encoded(picture, "AVIF", quality=90, subsampling="4:2:0")
    save("no-colours.avif", heif.heif([heif.coded(file, width=width, height=height)], brands))
    save("bt2020.avif", heif.heif([heif.coded(file, heif.codes(9, 16, 9), width=width, height=height)], brands))
    save("subsampled-422.avif", encoded(picture, "AVIF", quality=90, subsampling="4:2:2"))


def main() -> None:
    HERE.mkdir(exist_ok=True)
    pillow_heif.register_heif_opener()
    picture = spot(160, 120, seed=7)
    draw_camera_files(picture)
    draw_avif_colours(picture)
    save("drawing.png", encoded(picture, "PNG"))
    seen = picture.convert("RGBA")
    alpha = Image.linear_gradient("L").resize(seen.size)
    seen.putalpha(alpha)
    save("alpha.png", encoded(seen, "PNG"))
    turned = picture.transpose(STORED_AS[6])
    swapped = profiles.CASES["swapped"]  # whether it was applied cannot be overlooked
    save("profile.png", encoded(picture, "PNG", icc_profile=swapped))
    save("lossy.webp", encoded(picture, "WEBP", quality=90))
    save("lossless.webp", encoded(picture, "WEBP", lossless=True, method=6))
    save("lossless-alpha.webp", encoded(seen, "WEBP", lossless=True, method=6, exact=True))
    save("orientation-6.webp", encoded(turned, "WEBP", quality=90, exif=exif(6, "<")))
    save("profile.webp", encoded(picture, "WEBP", lossless=True, method=6, icc_profile=swapped))
    save(
        "animated.webp",
        encoded(
            picture,
            "WEBP",
            quality=80,
            save_all=True,
            append_images=[Image.new("RGB", picture.size, (0, 0, 255))],
            duration=50,
        ),
    )
    save("lossy.avif", encoded(picture, "AVIF", quality=85))
    save("alpha.avif", encoded(seen, "AVIF", quality=90, subsampling="4:4:4"))
    save("profile.avif", encoded(picture, "AVIF", quality=90, subsampling="4:4:4", icc_profile=swapped))
    for orientation, way in STORED_AS.items():
        save(
            f"orientation-{orientation}.avif",
            encoded(picture.transpose(way), "AVIF", quality=85, exif=exif(orientation, "<")),
        )
    save(
        "animated.avif",
        encoded(
            picture,
            "AVIF",
            quality=80,
            save_all=True,
            append_images=[Image.new("RGB", picture.size, (0, 0, 255))],
            duration=50,
        ),
    )
    save("lossy.heic", encoded(picture, "HEIF", quality=85))
    save("orientation-6.heic", encoded(turned, "HEIF", quality=85, exif=exif(6, "<")))
    save("profile.heic", encoded(picture, "HEIF", quality=90, chroma=444, icc_profile=swapped))
    whole = (HERE / "lossy.webp").read_bytes()
    save("cut-off.webp", whole[: len(whole) * 2 // 3])
    for kind in ("avif", "heic"):
        whole = bytearray((HERE / f"lossy.{kind}").read_bytes())
        broken = whole.index(b"mdat") + 4
        save(f"corrupt.{kind}", bytes(whole[:broken]) + b"\xa5" * (len(whole) - broken))
        size = whole.index(b"ispe") + 8
        whole[size : size + 8] = struct.pack(">II", 50000, 50000)
        save(f"huge.{kind}", bytes(whole))
    head = struct.pack("<IIIBBB", 0, 0, 0, 0, 0, 0)  # 10 bytes are used: flags, then both sides less one, 24 bits each
    body = (
        b"VP8X"
        + struct.pack("<I", 10)
        + head[:4]
        + struct.pack("<I", 16000)[:3]
        + struct.pack("<I", 16000)[:3]
        + (HERE / "lossy.webp").read_bytes()[12:]
    )
    save("huge.webp", b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body)
    draw_first_pictures(picture)


if __name__ == "__main__":
    main()
