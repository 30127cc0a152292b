"""Pictures in, training tensors out: augmentation that hides which set a picture came from.

The sets differ in sharpness, crop, JPEG quality and shape, and the classes are spread unevenly over them; a network that could read the
set would learn the set. Hence zoom, aspect, resolution loss, blur, JPEG and colour, each drawn for every picture anew.
"""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image, ImageFilter

MEAN, SCALE = 127.0, 128.0  # the input of the ImageNet weights: (value - 127) / 128


def square_of(picture: Image.Image) -> tuple[float, float, float, float]:
    """The centred square of the shorter side: what the shipped `cover` fit shows the network."""
    width, height = picture.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def evaluation_view(pixels: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3) uint8: centred square, antialiased bicubic, as the C++ core makes it."""
    picture = Image.fromarray(pixels)
    left, top, right, bottom = square_of(picture)
    # Cut first: resize(box=...) lets the filter read beyond the square, the core does not.
    return np.asarray(picture.crop((int(left), int(top), int(right), int(bottom))).resize((size, size), Image.Resampling.BICUBIC))


def _random_crop(picture: Image.Image, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """A box of 40-100 % of the centred square's area, aspect 0.75-1.33, near the middle more often than at the edges."""
    left, top, right, bottom = square_of(picture)
    side = right - left
    area = side * side * rng.uniform(0.4, 1.0)
    aspect = math.exp(rng.uniform(-0.29, 0.29))
    width, height = min(picture.width, math.sqrt(area * aspect)), min(picture.height, math.sqrt(area / aspect))
    x = np.clip((left + right) / 2 + (side - width) * rng.uniform(-0.5, 0.5) - width / 2, 0, picture.width - width)
    y = np.clip((top + bottom) / 2 + (side - height) * rng.uniform(-0.5, 0.5) - height / 2, 0, picture.height - height)
    return x, y, x + width, y + height


def training_view(pixels: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """(size, size, 3) uint8, augmented."""
    picture = Image.fromarray(pixels)
    box = _random_crop(picture, rng)
    if rng.random() < 0.3:  # lose resolution first, so that sharpness tells nothing of the source
        low = int(size * rng.uniform(0.4, 0.9))
        picture = picture.resize((low, low), Image.Resampling.BICUBIC, box=box)
        box = (0, 0, low, low)
    picture = picture.resize((size, size), Image.Resampling.BICUBIC, box=box)
    if rng.random() < 0.2:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2)))
    if rng.random() < 0.25:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(rng.uniform(35, 90)))
        picture = Image.open(buffer)
    if rng.random() < 0.3:
        picture = picture.rotate(rng.uniform(-30, 30), Image.Resampling.BILINEAR, fillcolor=tuple(rng.integers(0, 256, 3)))
    view = np.asarray(picture)
    turn = int(rng.integers(8))
    view = np.rot90(view, turn % 4)
    if turn >= 4:
        view = view[:, ::-1]
    # Illuminant (a gain per channel), exposure, contrast and gamma in one look-up table per channel.
    gain = np.exp(rng.normal(0, 0.08, 3)) * math.exp(rng.normal(0, 0.12))
    gamma = math.exp(rng.normal(0, 0.12))
    contrast = math.exp(rng.normal(0, 0.12))
    ramp = np.arange(256, dtype=np.float32) / 255
    table = (np.clip(ramp[:, None] ** gamma * gain, 0, 1.4) - 0.5) * contrast + 0.5
    table = (np.clip(table, 0, 1) * 255).astype(np.uint8)
    return np.stack([table[view[..., c], c] for c in range(3)], -1)


def normalise(batch: np.ndarray) -> np.ndarray:
    """(N, H, W, 3) uint8 -> (N, 3, H, W) float32."""
    return np.ascontiguousarray(((batch.astype(np.float32) - MEAN) / SCALE).transpose(0, 3, 1, 2))
