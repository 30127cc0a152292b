"""A network's input: how pixels are normalised, and which part of the picture is cropped.

A network's `Preprocessing` is part of its registry entry (networks.py) and is used from there by training, evaluation
and the manifest's `input`, so that the page prepares pictures exactly as training did.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

CROPS = ("cover", "stretch")
MINKOWSKI = 6  # the norm of shades-of-grey that Finlayson and Trezzi found best


@dataclass(frozen=True)
class Preprocessing:
    """`(value - mean) / std` for values of 0 to 255, per channel in the order of `channels` (RGB or BGR)."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channels: str = "RGB"

    def normalise(self, batch: np.ndarray) -> np.ndarray:
        """(N, H, W, 3) uint8, RGB -> (N, 3, H, W) float32 in the network's channel order."""
        ordered = batch if self.channels == "RGB" else batch[..., ::-1]
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        return np.ascontiguousarray(((ordered.astype(np.float32) - mean) / std).transpose(0, 3, 1, 2))

    def normalise_on(self, batch: Tensor, device: torch.device) -> Tensor:
        """The same for a uint8 tensor that is sent to `device` first: a quarter of the bytes."""
        pixels = batch.to(device, non_blocking=True)
        pixels = (pixels if self.channels == "RGB" else pixels.flip(-1)).float()
        mean, std = (torch.tensor(values, dtype=torch.float32, device=device) for values in (self.mean, self.std))
        return ((pixels - mean) / std).permute(0, 3, 1, 2)

    def convert(self, pixels: Tensor, other: Preprocessing) -> Tensor:
        """Pixels that this preprocessing made -> what `other` would have made of the same picture. (N, 3, H, W)."""
        if self == other:
            return pixels

        def column(values: tuple[float, ...]) -> Tensor:
            return torch.tensor(values, dtype=pixels.dtype, device=pixels.device)[:, None, None]

        values = pixels * column(self.std) + column(self.mean)
        if self.channels != other.channels:
            values = values.flip(1)
        return (values - column(other.mean)) / column(other.std)

    def manifest(self) -> dict[str, object]:
        """Its part of the manifest's `input`."""
        return {"channels": self.channels, "mean": list(self.mean), "std": list(self.std)}


LITE = Preprocessing((127.0,) * 3, (128.0,) * 3)
IMAGENET = Preprocessing((0.485 * 255, 0.456 * 255, 0.406 * 255), (0.229 * 255, 0.224 * 255, 0.225 * 255))
CAFFE = Preprocessing((103.939, 116.779, 123.68), (1.0,) * 3, "BGR")  # Simonyan and Zisserman's own, kept by Keras


def frame_of(width: int, height: int, crop: str, crop_pct: float = 1.0) -> tuple[int, int, int, int]:
    """The part of a picture, in pixels (left, top, right, bottom), that the network gets; the core's
    `fitted_region` for a square input.

    `cover`: the centred square of the shorter side; `stretch`: everything, squashed into the square. Of that the
    middle, `crop_pct` of each side.
    """
    shorter = min(width, height)
    frame = (width, height) if crop == "stretch" else (shorter, shorter)
    left, top = (width - frame[0]) // 2, (height - frame[1]) // 2
    across, down = (min(side, max(1, int(side * crop_pct + 0.5))) for side in frame)
    left, top = left + (frame[0] - across) // 2, top + (frame[1] - down) // 2
    return left, top, left + across, top + down


def shades_of_grey(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 with the illuminant's colour taken out: each channel is divided by its Minkowski norm (Finlayson
    and Trezzi 2004), brightness kept.

    For ablations alone: the core does not do it.
    """
    values = pixels.reshape(-1, 3).astype(np.float64)
    norms = np.maximum((values**MINKOWSKI).mean(0) ** (1 / MINKOWSKI), 1e-6)
    gain = np.sqrt((norms**2).sum() / 3) / norms
    table = np.clip(np.rint(np.arange(256)[:, None] * gain), 0, 255).astype(np.uint8)
    return np.stack([table[pixels[..., c], c] for c in range(3)], -1)
