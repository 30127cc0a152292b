"""Training scenes whose spots have known places: lesions blended into real skin, and pictures as they are.

Most sets show one lesion in the middle of the frame; people's photos do not. Hence most scenes are composed: skin from
healthy-skin pictures and from the margins of photos, up to three lesions of any width anywhere on it, what else lies
about (hair, rulers, pens, clothes, shadows, coins, freckles), and then a camera's faults. Everything happens on the
square that the network sees, so that a frame's shape is only a pair of scales. A scene is decided by its random
generator alone.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ..augment import draw_hairs, draw_pen_marks, draw_ruler
from ..store import Store
from .extent import SIDE, Box, Extent, Extents, box_of

STRIDE = 8  # pixels of the input a cell of the output stands for
SHAPES = (4 / 3, 4 / 3, 3 / 4, 3 / 4, 16 / 9, 9 / 16, 1.0)  # width / height of the frames people take
WIDEST, NARROWEST = 0.95, 1 / 40  # widths of blended lesions, as shares of the frame's
FAINTEST = 7.0  # levels by which a blended lesion changes the skin under it
CLEAR = 0.12  # a blended lesion covers at most this share of one that is there already


@dataclass
class Scene:
    """`pixels`: (S, S, 3) uint8. `boxes`: the spots. `unsure`: (S/8, S/8) bool, cells where a spot may or may not be
    and nothing is learnt.
    """

    pixels: np.ndarray
    boxes: list[Box] = field(default_factory=list)
    unsure: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), bool))


class Pictures(Protocol):
    """Whatever gives pictures by number, such as a store: (H, W, 3) uint8."""

    def picture(self, i: int) -> np.ndarray: ...


@dataclass(frozen=True)
class Sources:
    """What scenes are made of: numbers of pictures. `photos` and `close` are lesions whose extent is known."""

    store: Pictures
    extents: Extents
    skins: Sequence[int]
    photos: Sequence[int]
    close: Sequence[int]
    others: Sequence[int]

    @staticmethod
    def of(store: Store, extents: Extents, part: str = "train") -> Sources:
        """All of a part. Raises ValueError where there is no lesion with a known place."""
        rows, inside = store.rows, store.where(part)
        healthy = [i for i in inside if rows[i]["label"] == "none"]
        known = [i for i in inside if extents.known(i)]
        if not known:
            raise ValueError(f"the part {part!r} has no lesion whose place could be found")
        return Sources(
            store,
            extents,
            [i for i in healthy if rows[i]["source_label"] == "healthy_skin"],
            [i for i in known if rows[i]["modality"] == "photo"],
            [i for i in known if rows[i]["modality"] != "photo"],
            [i for i in healthy if rows[i]["source_label"] != "healthy_skin"],
        )


def _chance(rng: np.random.Generator, share: float) -> bool:
    return bool(rng.random() < share)


def _one(rng: np.random.Generator, choices: Sequence[int]) -> int:
    return int(choices[int(rng.integers(len(choices)))])


def _flipped(pixels: np.ndarray, turn: int) -> np.ndarray:
    """One of the square's eight symmetries."""
    turned = np.rot90(pixels, turn % 4)
    return turned[:, ::-1] if turn >= 4 else turned


def _waves(size: int, rng: np.random.Generator, cells: int) -> np.ndarray:
    """(size, size) float32 of about -1 to 1: noise that changes over 1/cells of the side."""
    coarse = Image.fromarray(rng.integers(0, 256, (cells + 1, cells + 1), np.uint8))
    return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC), np.float32) / 127.5 - 1


def _drawn_skin(size: int, rng: np.random.Generator) -> np.ndarray:
    """Skin from nothing but a colour, blotches and grain."""
    depth = rng.uniform(0, 1) ** 1.3
    colour = np.array((236, 196, 172)) * (1 - depth) + np.array((96, 62, 46)) * depth
    colour = colour * np.exp(rng.normal(0, 0.05, 3))
    skin = (
        1
        + rng.uniform(0, 0.05) * _waves(size, rng, int(rng.integers(2, 12)))
        + rng.uniform(0, 0.04) * _waves(size, rng, int(rng.integers(20, 60)))
    )
    return (colour * skin[..., None]).astype(np.float32)


def _margin(pixels: np.ndarray, extent: Extent, rng: np.random.Generator) -> Image.Image:
    """A rectangle of a photo beside its lesion: of the four strips a large one."""
    height, width = pixels.shape[:2]
    x, y, w, h = extent.box
    left, right, top, bottom = x - 0.6 * w, x + 0.6 * w, y - 0.6 * h, y + 0.6 * h
    strips = [(0.0, 0.0, left, 1.0), (right, 0.0, 1.0, 1.0), (0.0, 0.0, 1.0, top), (0.0, bottom, 1.0, 1.0)]
    areas = np.array([max(0.0, a[2] - a[0]) * max(0.0, a[3] - a[1]) for a in strips]) ** 2 + 1e-6
    x0, y0, x1, y1 = strips[int(rng.choice(4, p=areas / areas.sum()))]
    x0, y0 = min(max(x0, 0.0), 0.9), min(max(y0, 0.0), 0.9)
    box = (
        int(x0 * width),
        int(y0 * height),
        max(int(x0 * width) + 8, int(x1 * width)),
        max(int(y0 * height) + 8, int(y1 * height)),
    )
    return Image.fromarray(pixels).crop(box)


def skin_canvas(sources: Sources, size: int, rng: np.random.Generator) -> np.ndarray:
    """(size, size, 3) float32: a canvas of skin without a spot."""
    kind = rng.random()
    if kind < 0.12 or not (sources.skins or sources.photos):
        canvas = _drawn_skin(size, rng)
    else:
        if sources.skins and (kind < 0.6 or not sources.photos):
            piece = Image.fromarray(sources.store.picture(_one(rng, sources.skins)))
        else:
            i = _one(rng, sources.photos)
            piece = _margin(sources.store.picture(i), sources.extents.get(i), rng)
        share_x, share_y = rng.uniform(0.5, 1, 2)
        across, down = max(4.0, piece.width * share_x), max(4.0, piece.height * share_y)
        x, y = rng.uniform(0, max(0.0, piece.width - across)), rng.uniform(0, max(0.0, piece.height - down))
        tiles = int(rng.choice((1, 1, 2, 3)))
        side = -(-size // tiles)
        box = (x, y, min(piece.width, x + across), min(piece.height, y + down))
        tile = _flipped(
            np.asarray(piece.resize((side, side), Image.Resampling.BILINEAR, box=box)), int(rng.integers(8))
        )
        if tiles > 1:  # mirrored, so that edges meet
            pair = np.concatenate([tile, tile[:, ::-1]], 1)
            block = np.concatenate([pair, pair[::-1]], 0)
            tile = np.tile(block, (2, 2, 1))[:size, :size]
        canvas = tile.astype(np.float32)
        if _chance(rng, 0.25):  # its blotches alone, under grain of its own
            canvas = np.asarray(Image.fromarray(tile).filter(ImageFilter.GaussianBlur(rng.uniform(1, 8))), np.float32)
            canvas = canvas * (1 + rng.uniform(0, 0.03) * _waves(size, rng, int(rng.integers(30, 90))))[..., None]
    return canvas * _light(size, rng)


def _light(size: int, rng: np.random.Generator) -> np.ndarray:
    """(size, size, 1 or 3) float32 factors: light from a side, a bent surface, warm here and cold there."""
    ramp = np.linspace(-1, 1, size, dtype=np.float32)
    x, y = ramp[None, :, None], ramp[:, None, None]
    angle, slope = rng.uniform(0, 2 * math.pi), abs(rng.normal(0, 0.14))
    along = x * math.cos(angle) + y * math.sin(angle)
    light = 1 + slope * along
    if _chance(rng, 0.3):  # round, such as an arm
        light = light - rng.uniform(0, 0.3) * np.square(-x * math.sin(angle) + y * math.cos(angle) + rng.normal(0, 0.3))
    if _chance(rng, 0.3):
        light = light + rng.normal(0, 0.05, 3).astype(np.float32) * along
    if _chance(rng, 0.3):
        light = light * (1 + rng.uniform(0.02, 0.12) * _waves(size, rng, int(rng.integers(1, 5))))[..., None]
    return np.maximum(light, 0.15).astype(np.float32)


def _shadow(canvas: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A soft shadow of something out of view."""
    size = len(canvas)
    shape = Image.new("L", (size, size), 0)
    pen = ImageDraw.Draw(shape)
    if _chance(rng, 0.5):
        centre, reach = rng.uniform(-0.2, 1.2, 2) * size, rng.uniform(0.2, 0.7, 2) * size
        pen.ellipse((*(centre - reach), *(centre + reach)), fill=255)
    else:
        pen.polygon([tuple(point) for point in rng.uniform(-0.4, 1.4, (3, 2)) * size], fill=255)
    soft = np.asarray(shape.filter(ImageFilter.GaussianBlur(size * rng.uniform(0.03, 0.12))), np.float32) / 255
    return canvas * (1 - rng.uniform(0.15, 0.55) * soft)[..., None]


def _freckles(canvas: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Dots too small to be looked at one by one."""
    size = len(canvas)
    dots = Image.new("L", (size, size), 0)
    pen = ImageDraw.Draw(dots)
    for _ in range(int(rng.integers(4, 70))):
        x, y = rng.uniform(0, size, 2)
        r = size * rng.uniform(0.002, 0.009)
        pen.ellipse((x - r, y - r * rng.uniform(0.6, 1.4), x + r, y + r), fill=int(rng.integers(60, 255)))
    soft = np.asarray(dots.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 1.2))), np.float32)[..., None] / 255
    return canvas * (1 - soft * np.array((0.18, 0.26, 0.30), np.float32) * rng.uniform(0.3, 1.3))


def _overlaps(box: Box, others: Sequence[Box]) -> bool:
    """Whether a box, a little enlarged, covers more than `CLEAR` of the smaller of it and another."""
    for other in others:
        shared = 1.0
        for a in (0, 1):
            shared *= max(
                0.0,
                min(box[a] + box[a + 2] * 0.6, other[a] + other[a + 2] * 0.6)
                - max(box[a] - box[a + 2] * 0.6, other[a] - other[a + 2] * 0.6),
            )
        if shared > CLEAR * min(box[2] * box[3], other[2] * other[3]):
            return True
    return False


def blend(
    canvas: np.ndarray,
    pixels: np.ndarray,
    extent: Extent,
    span: Box,
    whole: bool,
    strength: float,
    softness: float,
    match: float,
) -> tuple[np.ndarray, Box] | None:
    """Blends a lesion into a canvas so that its box becomes `span` (centre and sides as shares of the canvas): the
    canvas anew, and the box as it lies there.

    canvas (H, W, 3) float32; pixels (h, w, 3) uint8 with their extent. `whole`: with all of its picture, faded out at
    the picture's rim; else cut out along its outline. `strength` 0..1: how much of it is laid on. `softness`: width of
    the outline's fade, as a share of the lesion's side. `match` 0..1: how far the skin's colour is turned into the
    canvas's. None where nothing of it would lie on the canvas.
    """
    rows, columns = canvas.shape[:2]
    height, width = pixels.shape[:2]
    x, y, w, h = extent.box
    margin = 0.0 if whole else 0.35
    left, top = (0.0, 0.0) if whole else (max(0.0, x - w * (0.5 + margin)), max(0.0, y - h * (0.5 + margin)))
    right, bottom = (1.0, 1.0) if whole else (min(1.0, x + w * (0.5 + margin)), min(1.0, y + h * (0.5 + margin)))
    scale_x, scale_y = span[2] * columns / w, span[3] * rows / h  # canvas pixels for the whole picture's side
    across, down = max(2, round((right - left) * scale_x)), max(2, round((bottom - top) * scale_y))
    x0, y0 = round(span[0] * columns - (x - left) * scale_x), round(span[1] * rows - (y - top) * scale_y)
    u0, v0, u1, v1 = max(0, x0), max(0, y0), min(columns, x0 + across), min(rows, y0 + down)
    if u1 - u0 < 2 or v1 - v0 < 2:
        return None
    # Of large ones only what lies on the canvas is made.
    part = tuple(
        (left + (u - x0) / across * (right - left), top + (v - y0) / down * (bottom - top))
        for u, v in ((u0, v0), (u1, v1))
    )
    inside = (max(0.0, part[0][0]), max(0.0, part[0][1]), min(1.0, part[1][0]), min(1.0, part[1][1]))
    target = (u1 - u0, v1 - v0)
    piece = np.asarray(
        Image.fromarray(pixels).resize(
            target, Image.Resampling.BICUBIC, box=tuple(s * n for s, n in zip(inside, (width, height) * 2, strict=True))
        ),
        np.float32,
    )
    outline = Image.fromarray(extent.mask.astype(np.uint8) * 255).resize(
        target, Image.Resampling.BILINEAR, box=tuple(s * SIDE for s in inside)
    )
    hard = np.asarray(outline) > 127
    if not hard.any():
        return None
    found = box_of(hard)
    box = (
        (u0 + found[0] * target[0]) / columns,
        (v0 + found[1] * target[1]) / rows,
        found[2] * target[0] / columns,
        found[3] * target[1] / rows,
    )
    if whole:
        # An ellipse-like fade towards the picture's rim, softer than a straight cut.
        ramp_x = np.linspace(inside[0], inside[2], target[0]) * 2 - 1
        ramp_y = np.linspace(inside[1], inside[3], target[1]) * 2 - 1
        radius = (np.abs(ramp_x[None]) ** 4 + np.abs(ramp_y[:, None]) ** 4) ** 0.25
        alpha = np.clip((1 - radius) / max(0.08, softness), 0, 1)
        alpha = alpha * alpha * (3 - 2 * alpha)
    else:
        blur = max(0.4, softness * math.sqrt(span[2] * columns * span[3] * rows))
        alpha = np.clip(
            (np.asarray(outline.filter(ImageFilter.GaussianBlur(blur)), np.float32) / 255 - 0.08) / 0.45, 0, 1
        )
        for axis, (first, last) in (
            (1, (x0 >= 0, x0 + across <= columns)),
            (0, (y0 >= 0, y0 + down <= rows)),
        ):  # never a straight cut at the piece's rim
            length = alpha.shape[axis]
            rise = np.minimum(1, np.arange(length) / max(1.0, 0.12 * length))
            fade = np.where(first, rise, 1) * np.where(last, rise[::-1], 1)
            alpha = alpha * (fade[None] if axis == 1 else fade[:, None])
    ground = canvas[v0:v1, u0:u1]
    ratio = np.clip(ground.mean((0, 1)) / np.maximum(extent.skin, 8), 0.3, 3.0) ** match
    alpha = (alpha * strength).astype(np.float32)[..., None]
    out = canvas.copy()
    out[v0:v1, u0:u1] = ground * (1 - alpha) + np.clip(piece * ratio.astype(np.float32), 0, 255) * alpha
    return out, box


def turned(pixels: np.ndarray, extent: Extent, turn: int) -> tuple[np.ndarray, Extent]:
    """A picture and its extent under one of the square's eight symmetries."""
    mask = _flipped(extent.mask, turn)
    return _flipped(pixels, turn), Extent(
        box_of(mask), mask, _flipped(extent.others, turn), extent.skin, extent.plausible
    )


def _lesion(
    canvas: np.ndarray,
    sources: Sources,
    shape: float,
    boxes: list[Box],
    widths: tuple[float, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """Blends one lesion into the canvas, where there is room for it; its box is added to `boxes`."""
    pool = sources.photos if sources.photos and (not sources.close or _chance(rng, 0.65)) else sources.close
    i = _one(rng, pool)
    pixels, extent = turned(sources.store.picture(i), sources.extents.get(i), int(rng.integers(8)))
    height, width = pixels.shape[:2]
    across = math.exp(rng.uniform(math.log(widths[0]), math.log(widths[1])))
    down = across * shape * (extent.box[3] * height) / (extent.box[2] * width) * math.exp(rng.normal(0, 0.1))
    shrink = min(1.0, 0.95 / down)
    across, down = across * shrink, down * shrink
    whole = _chance(rng, 0.35) and across / extent.box[2] < 1.3
    for _ in range(6):
        slack = 0.0 if _chance(rng, 0.85) else 0.25  # some reach beyond the frame
        centre = [rng.uniform((0.5 - slack) * side, 1 - (0.5 - slack) * side) for side in (across, down)]
        box = (centre[0], centre[1], across, down)
        if _overlaps(box, boxes):
            continue
        strength = 1.0 if _chance(rng, 0.6) else rng.uniform(0.5, 1)
        softness = rng.uniform(0.02, 0.07) if not whole else rng.uniform(0.15, 0.6)
        match = 1.0 if _chance(rng, 0.7) else rng.uniform(0.6, 1)
        done = blend(canvas, pixels, extent, box, whole, strength, softness, match)
        if done is not None and _visible(done[0] - canvas, done[1]):
            boxes.append(clipped(done[1]))
            return done[0]
    return canvas


def _visible(change: np.ndarray, box: Box) -> bool:
    """Whether a lesion changed the canvas by enough to be seen: in the middle of its box, apart from what became
    lighter or darker all over.
    """
    rows, columns = _cells((box[0], box[1], box[2] * 0.6, box[3] * 0.6), len(change))
    inside = change[rows, columns]
    return inside.size > 0 and float(np.abs(inside).mean()) > FAINTEST


def clipped(box: Box) -> Box:
    """The part of a box that lies in the frame."""
    left, right = max(0.0, box[0] - box[2] / 2), min(1.0, box[0] + box[2] / 2)
    top, bottom = max(0.0, box[1] - box[3] / 2), min(1.0, box[1] + box[3] / 2)
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top


def _beside(canvas: np.ndarray, sources: Sources, boxes: Sequence[Box], rng: np.random.Generator) -> np.ndarray:
    """Lays cloth or whatever lies about along a wavy edge, where no spot is."""
    size = len(canvas)
    ramp = np.linspace(0, 1, size, dtype=np.float32)
    for _ in range(6):
        angle = rng.uniform(0, 2 * math.pi)
        normal = np.array((math.cos(angle), math.sin(angle)), np.float32)
        at = rng.uniform(0.1, 0.45)
        apart = (ramp[None] - 0.5) * normal[0] + (ramp[:, None] - 0.5) * normal[1] - at
        bend = rng.uniform(0, 0.06) * np.sin(
            rng.uniform(2, 9) * ((ramp[None] - 0.5) * normal[1] - (ramp[:, None] - 0.5) * normal[0]) + rng.uniform(0, 6)
        )
        over = np.clip((apart + bend) * size / rng.uniform(1, 3) + 0.5, 0, 1)
        if any(over[_cells(box, size)].max(initial=0) > 0 for box in boxes):
            continue
        if sources.others and _chance(rng, 0.6):
            stuff = Image.fromarray(sources.store.picture(_one(rng, sources.others))).resize(
                (size, size), Image.Resampling.BILINEAR
            )
            beyond = np.asarray(stuff, np.float32)
        else:
            colour = rng.uniform(10, 245, 3) if _chance(rng, 0.5) else np.full(3, rng.uniform(10, 245))
            weave = 1 + rng.uniform(0, 0.15) * _waves(size, rng, int(rng.integers(2, 90)))
            beyond = (colour * weave[..., None]).astype(np.float32)
        dark = 1 - rng.uniform(0, 0.5) * np.exp(-np.maximum(-(apart + bend), 0) / rng.uniform(0.01, 0.06))
        return (canvas * dark[..., None] * (1 - over)[..., None] + beyond * over[..., None]).astype(np.float32)
    return canvas


def _cells(box: Box, size: int) -> tuple[slice, slice]:
    """The part of a (size, size) array that a box covers, one more each way."""
    left, right = int((box[0] - box[2] / 2) * size) - 1, int((box[0] + box[2] / 2) * size) + 2
    top, bottom = int((box[1] - box[3] / 2) * size) - 1, int((box[1] + box[3] / 2) * size) + 2
    return slice(max(0, top), max(0, bottom)), slice(max(0, left), max(0, right))


def _coin(picture: Image.Image, boxes: Sequence[Box], rng: np.random.Generator) -> None:
    """A coin or a sticker, for scale."""
    size = picture.width
    r = rng.uniform(0.03, 0.14)
    x, y = rng.uniform(0, 1, 2)
    if _overlaps((x, y, 2 * r, 2 * r), boxes):
        return
    colour = np.array(
        ((184, 150, 80), (170, 170, 172), (150, 88, 56), (235, 235, 235), (40, 90, 180))[int(rng.integers(5))]
    ) * rng.uniform(0.7, 1.1)
    pen = ImageDraw.Draw(picture)
    for share, light in ((1.0, 0.8), (0.88, 1.0), (0.5, 0.9)):
        reach = r * share * size
        centre = (x * size, y * size)
        fill = tuple(int(v) for v in np.clip(colour * light * rng.uniform(0.95, 1.05), 0, 255))
        pen.ellipse((centre[0] - reach, centre[1] - reach, centre[0] + reach, centre[1] + reach), fill)


def _composed(sources: Sources, size: int, rng: np.random.Generator) -> Scene:
    """Skin, none to three lesions, and what lies about."""
    shape = SHAPES[int(rng.integers(len(SHAPES)))]
    canvas = skin_canvas(sources, size, rng)
    if _chance(rng, 0.25):
        canvas = _freckles(canvas, rng)
    boxes: list[Box] = []
    count = int(rng.choice(4, p=(0.24, 0.48, 0.19, 0.09)))
    for _ in range(count):
        widest = WIDEST if count == 1 else 0.4
        canvas = _lesion(canvas, sources, shape, boxes, (NARROWEST, widest), rng)
    if _chance(rng, 0.2):
        canvas = _shadow(canvas, rng)
    for _ in range(int(rng.choice(3, p=(0.65, 0.25, 0.1)))):
        canvas = _beside(canvas, sources, boxes, rng)
    picture = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for draw, share in ((draw_hairs, 0.22), (draw_ruler, 0.06), (draw_pen_marks, 0.07)):
        if _chance(rng, share):
            draw(pen, size, rng)
    if _chance(rng, 0.05):
        _coin(picture, boxes, rng)
    return Scene(np.asarray(picture), boxes, np.zeros((size // STRIDE,) * 2, bool))


def _as_it_is(sources: Sources, pool: Sequence[int], size: int, rng: np.random.Generator) -> Scene:
    """A lesion's picture itself: a random part of it that shows all of the lesion."""
    i = _one(rng, pool)
    pixels, extent = turned(sources.store.picture(i), sources.extents.get(i), int(rng.integers(8)))
    height, width = pixels.shape[:2]
    x, y, w, h = extent.box
    frame = [0.0, 0.0, 1.0, 1.0]
    if _chance(rng, 0.75):
        for axis, (centre, side) in enumerate(((x, w), (y, h))):
            frame[axis] = rng.uniform(0, max(0.0, centre - side * 0.6)) * rng.uniform(0, 1)
            frame[axis + 2] = 1 - rng.uniform(0, max(0.0, 1 - centre - side * 0.6)) * rng.uniform(0, 1)
    across, down = frame[2] - frame[0], frame[3] - frame[1]
    box = ((x - frame[0]) / across, (y - frame[1]) / down, w / across, h / down)
    left, top, right, bottom = frame
    part = (left * width, top * height, right * width, bottom * height)
    picture = Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC, box=part)
    grid = size // STRIDE
    cells = (left * SIDE, top * SIDE, right * SIDE, bottom * SIDE)
    others = (
        Image.fromarray(extent.others.astype(np.uint8) * 255)
        .filter(ImageFilter.MedianFilter(3))
        .resize((grid, grid), Image.Resampling.BOX, box=cells)
    )
    if _chance(rng, 0.15):
        draw_hairs(ImageDraw.Draw(picture), size, rng)
    return Scene(np.asarray(picture), [clipped(box)], np.asarray(others) > 40)


def _without(sources: Sources, size: int, rng: np.random.Generator) -> Scene:
    """A picture of something else, or a part of it."""
    pixels = sources.store.picture(_one(rng, sources.others))
    height, width = pixels.shape[:2]
    share = rng.uniform(0.4, 1)
    x, y = rng.uniform(0, width * (1 - share)), rng.uniform(0, height * (1 - share))
    box = (x, y, x + width * share, y + height * share)
    picture = np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC, box=box))
    return Scene(picture[:, ::-1] if _chance(rng, 0.5) else picture, [], np.zeros((size // STRIDE,) * 2, bool))


def _taken(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a camera does to a scene: resolution, blur, colour, noise, JPEG."""
    size = len(pixels)
    picture = Image.fromarray(pixels)
    if _chance(rng, 0.2):
        low = int(size * rng.uniform(0.4, 0.9))
        picture = picture.resize((low, low), Image.Resampling.BILINEAR).resize((size, size), Image.Resampling.BICUBIC)
    if _chance(rng, 0.25):
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.6)))
    gain = np.exp(rng.normal(0, 0.08, 3)) * math.exp(rng.normal(0, 0.15))
    ramp = np.linspace(0, 1, 256)[:, None] ** math.exp(rng.normal(0, 0.15))
    table = (np.clip(ramp * gain, 0, 1.3) - 0.5) * math.exp(rng.normal(0, 0.15)) + 0.5
    picture = picture.point(np.clip(table.T * 255, 0, 255).astype(np.uint8).ravel().tolist())
    if _chance(rng, 0.3):
        noise = rng.integers(-128, 128, (size, size, 3), np.int16) * int(rng.integers(1, 24)) // 256
        picture = Image.fromarray(np.clip(np.asarray(picture, np.int16) + noise, 0, 255).astype(np.uint8))
    if _chance(rng, 0.25):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(rng.uniform(30, 90)))
        picture = Image.open(buffer).convert("RGB")
    return np.asarray(picture)


def scene(sources: Sources, size: int, rng: np.random.Generator) -> Scene:
    """One scene of (size, size) pixels; a multiple of `STRIDE`."""
    kind = rng.random()
    if kind < 0.26 and sources.photos:
        made = _as_it_is(sources, sources.photos, size, rng)
    elif kind < 0.34 and sources.close:
        made = _as_it_is(sources, sources.close, size, rng)
    elif kind < 0.45 and sources.others:
        made = _without(sources, size, rng)
    else:
        made = _composed(sources, size, rng)
    made.pixels = _taken(made.pixels, rng)
    return made
