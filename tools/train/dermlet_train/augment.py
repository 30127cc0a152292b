"""Pictures in, training tensors out: augmentation that hides which set a picture came from.

The sets differ in sharpness, crop, JPEG quality and shape, and the classes are spread unevenly over them; a network
that could read the set would learn the set. Hence zoom, aspect, resolution loss, blur, JPEG and colour, each drawn for
every picture anew.
"""

from __future__ import annotations

import io
import math
from collections.abc import Collection

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .config import AUGMENTATIONS, Recipe
from .preprocessing import LITE, Preprocessing, frame_of, shades_of_grey

MEAN, SCALE = 127.0, 128.0  # the input of EfficientNet-Lite's ImageNet weights: (value - 127) / 128


def evaluation_view(
    pixels: np.ndarray, size: int, crop: str = "cover", crop_pct: float = 1.0, constancy: bool = False
) -> np.ndarray:
    """(size, size, 3) uint8: the frame of `frame_of`, antialiased bicubic, as the C++ core makes it. `constancy`:
    shades of grey, for ablations.
    """
    picture = Image.fromarray(shades_of_grey(pixels) if constancy else pixels)
    # Cut first: resize(box=...) lets the filter read beyond the square, the core does not.
    return np.asarray(
        picture.crop(frame_of(*picture.size, crop, crop_pct)).resize((size, size), Image.Resampling.BICUBIC)
    )


def recipe_view(pixels: np.ndarray, recipe: Recipe) -> np.ndarray:
    """The evaluation view under a recipe's settings."""
    return evaluation_view(pixels, recipe.input_size, recipe.crop, recipe.crop_pct, recipe.colour_constancy)


def _random_crop(
    picture: Image.Image, crop: str, rng: np.random.Generator, smallest: float
) -> tuple[float, float, float, float]:
    """A box of `smallest` to 1 of the frame's area, aspect 0.75-1.33 as the network sees it; pictures wider than it a
    little beyond.

    The frame's centre, where lesions are, lies within the middle 70 % of the box's sides, so that a close crop does not
    lose what the label speaks of.
    """
    left, top, right, bottom = frame_of(*picture.size, crop)
    area = (right - left) * (bottom - top) * math.exp(rng.uniform(math.log(smallest), 0))
    aspect = math.exp(rng.uniform(-0.29, 0.29)) * ((right - left) / (bottom - top))
    width, height = min(picture.width, math.sqrt(area * aspect)), min(picture.height, math.sqrt(area / aspect))

    def start(low: float, high: float, side: float, limit: int) -> float:
        away = (high - low - side) * rng.uniform(-0.5, 0.5)
        return float(np.clip((low + high) / 2 + np.clip(away, -0.35 * side, 0.35 * side) - side / 2, 0, limit - side))

    x, y = start(left, right, width, picture.width), start(top, bottom, height, picture.height)
    return x, y, x + width, y + height


def _curve(rng: np.random.Generator, size: int, length: float) -> list[tuple[float, float]]:
    """A smooth random stroke: a walk whose direction turns steadily."""
    x, y = rng.uniform(0, size, 2)
    angle, bend = rng.uniform(0, 2 * math.pi), rng.normal(0, 0.12)
    points = [(x, y)]
    for _ in range(10):
        x, y, angle = x + length / 10 * math.cos(angle), y + length / 10 * math.sin(angle), angle + bend
        points.append((x, y))
    return points


def draw_hairs(pen: ImageDraw.ImageDraw, size: int, rng: np.random.Generator) -> None:
    """Hairs: many thin curves of about one colour, dark more often than light."""
    colour = np.array((60, 42, 32) if rng.random() < 0.8 else (205, 190, 170)) + rng.integers(-30, 30)
    for _ in range(int(rng.integers(2, 22))):
        pen.line(
            _curve(rng, size, size * rng.uniform(0.2, 1.0)),
            tuple(np.clip(colour + rng.integers(-15, 16), 0, 255)),
            1 if rng.random() < 0.75 else 2,
        )


def draw_ruler(pen: ImageDraw.ImageDraw, size: int, rng: np.random.Generator) -> None:
    """A ruler's ticks along one side."""
    step, at, shade = rng.uniform(0.03, 0.1) * size, rng.uniform(0.0, 0.15) * size, int(rng.integers(0, 110))
    flipped = rng.random() < 0.5
    for n in range(int(size / step) + 1):
        reach = size * (0.07 if n % 5 == 0 else 0.035)
        line = [(n * step, at), (n * step, at + reach)]
        pen.line([(size - x, size - y) for x, y in line] if flipped else line, (shade,) * 3, 1)


def draw_pen_marks(pen: ImageDraw.ImageDraw, size: int, rng: np.random.Generator) -> None:
    """A surgeon's pen: part of a ring about the lesion, or strokes, in violet, blue, green or black."""
    colour = ((96, 60, 140), (52, 66, 140), (40, 110, 90), (40, 40, 48))[int(rng.integers(4))]
    width = max(1, int(size * rng.uniform(0.008, 0.03)))
    if rng.random() < 0.5:
        cx, cy, rx, ry = (
            size * rng.uniform(0.35, 0.65),
            size * rng.uniform(0.35, 0.65),
            size * rng.uniform(0.25, 0.5),
            size * rng.uniform(0.25, 0.5),
        )
        start = rng.uniform(0, 360)
        pen.arc((cx - rx, cy - ry, cx + rx, cy + ry), start, start + rng.uniform(60, 360), colour, width)
        return
    for _ in range(int(rng.integers(1, 4))):
        pen.line(_curve(rng, size, size * rng.uniform(0.2, 0.6)), colour, width)


def _vignette(pen: ImageDraw.ImageDraw, size: int, rng: np.random.Generator) -> None:
    """The dark rim of a dermatoscope: everything beyond a circle."""
    radius, rim = size * rng.uniform(0.48, 0.7), size
    cx, cy = size / 2 + size * rng.normal(0, 0.03), size / 2 + size * rng.normal(0, 0.03)
    shade = int(rng.integers(0, 40))
    outer = radius + rim
    pen.ellipse((cx - outer, cy - outer, cx + outer, cy + outer), None, (shade,) * 3, rim)


OVERLAYS = (
    (draw_hairs, 0.15),
    (draw_ruler, 0.06),
    (draw_pen_marks, 0.08),
    (_vignette, 0.08),
)  # each with the share of pictures that get it


def overlay(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Draws hairs, rulers and pen marks, which lie over lesions in some sets and not in others, so that they carry no
    information on the class."""
    for draw, share in OVERLAYS:
        if rng.random() < share:
            draw(ImageDraw.Draw(picture), picture.width, rng)
    return picture


def training_view(
    pixels: np.ndarray,
    size: int,
    rng: np.random.Generator,
    families: Collection[str] = AUGMENTATIONS,
    crop: str = "cover",
    smallest: float = 0.3,
) -> np.ndarray:
    """(size, size, 3) uint8, augmented by the given families: geometry, colour, degrade, overlays. `smallest`: area of
    the closest crop, of the frame's.
    """
    picture = Image.fromarray(pixels)
    geometry, degrade = "geometry" in families, "degrade" in families
    box = _random_crop(picture, crop, rng, smallest) if geometry else frame_of(*picture.size, crop)
    if degrade and rng.random() < 0.3:  # lose resolution first, so that sharpness does not reveal the source
        low = int(size * rng.uniform(0.35, 0.9))
        picture = picture.resize((low, low), Image.Resampling.BICUBIC, box=box)
        box = (0, 0, low, low)
    picture = picture.resize((size, size), Image.Resampling.BICUBIC, box=box)
    if "overlays" in families:
        picture = overlay(picture, rng)
    if degrade:
        picture = _degraded(picture, rng)
    if geometry and rng.random() < 0.3:
        picture = picture.rotate(
            rng.uniform(-30, 30), Image.Resampling.BILINEAR, fillcolor=tuple(rng.integers(0, 256, 3))
        )
    view = np.asarray(picture)
    if geometry:
        turn = int(rng.integers(8))
        view = np.rot90(view, turn % 4)
        if turn >= 4:
            view = view[:, ::-1]
    return _recoloured(view, rng) if "colour" in families else np.ascontiguousarray(view)


def _degraded(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Blur and JPEG, each for a share of the pictures."""
    if rng.random() < 0.2:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2)))
    if rng.random() < 0.25:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(rng.uniform(35, 90)))
        picture = Image.open(buffer)
    return picture


def _recoloured(view: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Illuminant (a gain per channel), exposure, contrast and gamma in one look-up table per channel."""
    gain = np.exp(rng.normal(0, 0.06, 3)) * math.exp(rng.normal(0, 0.1))
    gamma = math.exp(rng.normal(0, 0.12))
    contrast = math.exp(rng.normal(0, 0.12))
    ramp = np.arange(256, dtype=np.float32) / 255
    table = (np.clip(ramp[:, None] ** gamma * gain, 0, 1.4) - 0.5) * contrast + 0.5
    table = (np.clip(table, 0, 1) * 255).astype(np.uint8)
    return np.stack([table[view[..., c], c] for c in range(3)], -1)


def normalise(batch: np.ndarray, preprocessing: Preprocessing = LITE) -> np.ndarray:
    """(N, H, W, 3) uint8 -> (N, 3, H, W) float32."""
    return preprocessing.normalise(batch)
