"""Pictures made worse in steps: what each check of the quality gate (`wasm_src/core/view/quality.h`) is there to
notice.

Amounts are in units that do not depend on a picture's size: blur in per cent of the shorter side (1 % is 1.9 pixels of
a 192-pixel view), exposure in stops of linear light, contrast as a share, noise in levels of 255, displacement as a
share of the shorter side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from ..contract import QUALITY_CHECKS

Change = Callable[[Image.Image, float, np.random.Generator], Image.Image]


def blur(picture: Image.Image, per_cent: float, _rng: np.random.Generator) -> Image.Image:
    """Gaussian, standard deviation in per cent of the shorter side: out of focus."""
    return picture.filter(ImageFilter.GaussianBlur(per_cent / 100 * min(picture.size)))


def expose(picture: Image.Image, stops: float, _rng: np.random.Generator) -> Image.Image:
    """Light times 2^stops, in linear sRGB (IEC 61966-2-1), rounded and clipped to 8 bits as a camera does."""
    x = np.arange(256) / 255
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4) * 2.0**stops
    linear = np.clip(linear, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return picture.point([int(v) for v in np.rint(encoded * 255)] * 3)


def shrink_contrast(picture: Image.Image, share: float, _rng: np.random.Generator) -> Image.Image:
    """Differences from the mean colour times `share`: haze, a smeared lens."""
    pixels = np.asarray(picture, np.float64)
    mean = pixels.mean((0, 1))
    return _picture((pixels - mean) * share + mean)


def add_noise(picture: Image.Image, levels: float, rng: np.random.Generator) -> Image.Image:
    """White Gaussian noise of this standard deviation in each channel."""
    pixels = np.asarray(picture, np.float64)
    return _picture(pixels + rng.normal(0, levels, pixels.shape))


def shrink(picture: Image.Image, side: float, _rng: np.random.Generator) -> Image.Image:
    """A shorter side of `side` pixels, bicubic; unchanged if it is no longer than that."""
    scale = side / min(picture.size)
    return (
        picture
        if scale >= 1
        else picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BICUBIC)
    )


def displace(picture: Image.Image, share: float, _rng: np.random.Generator) -> Image.Image:
    """A square of two fifths of the shorter side, its centre `share` of the shorter side right of and below the
    picture's: at 0.2 the picture's centre is in its corner, at 0.3 out of it by a quarter of its side."""
    side = min(picture.size)
    window = side * 2 // 5
    left, top = (round((length - window) / 2 + share * side) for length in picture.size)
    return picture.crop((left, top, left + window, top + window))


def empty(picture: Image.Image, levels: float, rng: np.random.Generator) -> Image.Image:
    """The picture's mean colour with noise and nothing else."""
    pixels = np.asarray(picture, np.float64)
    return _picture(pixels.mean((0, 1)) + rng.normal(0, levels, pixels.shape))


def fade(picture: Image.Image, share: float, _rng: np.random.Generator) -> Image.Image:
    """Differences of each pixel's channels from its luma times `share`: at 0 a grey picture."""
    return Image.blend(picture.convert("L").convert("RGB"), picture, share)


def assemble(picture: Image.Image, panels: float, _rng: np.random.Generator) -> Image.Image:
    """Two takes of it beside one another, or four: each turned or reflected in another way, and every second half a
    stop darker, as takes are.
    """
    darker = expose(picture, -0.5, _rng)
    takes = [picture, darker.transpose(Image.Transpose.ROTATE_180)]
    if panels > 2:
        takes += [darker.transpose(Image.Transpose.FLIP_LEFT_RIGHT), picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)]
    width, height = picture.size
    whole = Image.new("RGB", (2 * width, height * (len(takes) // 2)))
    for i, take in enumerate(takes):
        whole.paste(take, (i % 2 * width, i // 2 * height))
    return whole


def _picture(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


@dataclass(frozen=True)
class Degradation:
    """One check, the change that it is to notice, and the steps, mildest first."""

    check: str  # id, as of the contract's QUALITY_CHECKS
    unit: str  # of the steps
    change: Change
    steps: tuple[float, ...]
    reference: float | None = None  # the step that harm is measured from; None: the undegraded picture
    hopeless: bool = False  # no step leaves anything of the lesion: the network is not run

    @property
    def key(self) -> str:
        """Of the limit in the manifest."""
        return QUALITY_CHECKS[self.check].key

    @property
    def highest(self) -> bool:
        """Whether the limit is one that must not be passed (else one that must be reached)."""
        return QUALITY_CHECKS[self.check].limit == "most"

    def names(self) -> list[str]:
        return [self.name(step) for step in (*([] if self.reference is None else [self.reference]), *self.steps)]

    def name(self, step: float) -> str:
        return f"{self.check}={step:g}"

    def apply(self, picture: Image.Image, step: float, identity: str) -> Image.Image:
        """The same change of the same picture whenever it is made."""
        seed = int.from_bytes(hashlib.sha256(f"{self.name(step)} {identity}".encode()).digest()[:8], "big")
        return self.change(picture, step, np.random.default_rng(seed))


DEGRADATIONS = (
    Degradation("too_small", "pixels of the shorter side", shrink, (128, 96, 64, 48, 32)),
    Degradation("blurred", "% of the shorter side", blur, (0.5, 1, 1.5, 2, 3)),
    Degradation("dark", "stops", expose, (-1.5, -2.5, -3.5, -4.5)),
    Degradation("bright", "stops", expose, (0.75, 1.25, 1.75, 2.5)),
    Degradation("low_contrast", "of the contrast left", shrink_contrast, (0.5, 0.3, 0.2, 0.1)),
    Degradation("flat", "levels of noise alone", empty, (0, 10, 40, 80), hopeless=True),
    Degradation("noisy", "levels of noise", add_noise, (10, 20, 40, 80)),
    Degradation("out_of_frame", "of the shorter side off centre", displace, (0.1, 0.2, 0.25, 0.3), reference=0),
    Degradation("grey", "of the colour left", fade, (0.5, 0.25, 0.1, 0)),
    Degradation("collage", "pictures in one", assemble, (2, 4)),
)
