"""The lesion finder's network: a small pyramid that answers on a grid at stride 8, its targets, its loss, and how its
answers are read.

A spot is a peak of a heat map (CenterNet: Zhou et al. 2019, arXiv:1904.07850), with the logarithms of its sides beside
it. Spots from a twentieth of the frame to all of it are found on one grid: the deep layers, which see the whole
frame, are added to the fine ones (feature pyramid, Lin et al. 2017).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..preprocessing import LITE
from .extent import Box

SIZE = 192  # pixels, side of the input
PREPROCESSING = LITE
SMALLEST = 0.012  # side of a spot, as a share of the frame's, below which its logarithm is not followed


class _Conv(nn.Sequential):
    """Convolution, batch norm and, if `active`, ReLU."""

    def __init__(
        self,
        before: int,
        after: int,
        kernel: int,
        stride: int = 1,
        pad: int | None = None,
        groups: int = 1,
        active: bool = True,
    ) -> None:
        conv = nn.Conv2d(before, after, kernel, stride, kernel // 2 if pad is None else pad, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(after, momentum=0.03), *([nn.ReLU()] if active else []))


class _Residual(nn.Module):
    """A depthwise layer with batch norm, then two pointwise ones, twice as wide between them; added to what came in
    (after Liu et al. 2022, ConvNeXt).

    One norm a block: on a CPU, norms take as long as the convolutions.
    """

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        spread = _Conv(width, width, kernel, groups=width, active=False)
        self.body = nn.Sequential(spread, nn.Conv2d(width, 2 * width, 1), nn.ReLU(), nn.Conv2d(2 * width, width, 1))
        narrow = self.body[3]
        assert isinstance(narrow, nn.Conv2d) and narrow.bias is not None
        nn.init.normal_(narrow.weight, std=0.02)
        nn.init.zeros_(narrow.bias)

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels + self.body(pixels)


class Locator(nn.Module):
    """(N, 3, S, S), as `PREPROCESSING` makes it, S a multiple of 32 -> (N, 3, S/8, S/8): logit, log2 of width, log2 of
    height, as shares of the sides.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Conv(3, 24, 6, 4, 1)
        self.fine = nn.Sequential(_Conv(24, 48, 3, 2), _Residual(48, 3), _Residual(48, 3))
        self.middle = nn.Sequential(
            _Conv(48, 48, 3, 2, groups=48, active=False), _Conv(48, 80, 1), _Residual(80, 5), _Residual(80, 5)
        )
        self.deep = nn.Sequential(
            _Conv(80, 80, 3, 2, groups=80, active=False), _Conv(80, 112, 1), _Residual(112, 5), _Residual(112, 5)
        )
        self.lateral_deep, self.lateral_middle = _Conv(112, 80, 1, active=False), _Conv(80, 48, 1, active=False)
        self.join_middle, self.join_fine = _Residual(80, 5), _Residual(48, 3)
        self.head = nn.Sequential(_Conv(48, 48, 3, groups=48, active=False), _Conv(48, 64, 1), nn.Conv2d(64, 3, 1))
        last = self.head[2]
        assert isinstance(last, nn.Conv2d) and last.bias is not None
        with torch.no_grad():
            last.bias.copy_(torch.tensor((-4.0, -2.0, -2.0)))  # few cells hold a spot, and it is a quarter of the frame

    def seen_at(self, factor: float) -> None:
        """Goes over to inputs `factor` times as large, on which the same things have `factor` times as many pixels."""
        last = self.head[2]
        assert isinstance(last, nn.Conv2d) and last.bias is not None
        with torch.no_grad():
            last.bias[1:] -= math.log2(factor)

    def forward(self, pixels: Tensor) -> Tensor:
        fine = self.fine(self.stem(pixels))
        middle = self.middle(fine)
        deep = self.deep(middle)
        middle = self.join_middle(
            middle + functional.interpolate(self.lateral_deep(deep), scale_factor=2.0, mode="nearest")
        )
        fine = self.join_fine(
            fine + functional.interpolate(self.lateral_middle(middle), scale_factor=2.0, mode="nearest")
        )
        return self.head(fine)


def multiply_adds(network: nn.Module, size: int = SIZE) -> int:
    """Multiply-adds of one run at (1, 3, size, size)."""
    total = 0

    def count(layer: nn.Conv2d, _: tuple[Tensor, ...], out: Tensor) -> None:
        nonlocal total
        total += out[0].numel() * layer.weight[0].numel()

    hooks = [layer.register_forward_hook(count) for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    with torch.inference_mode():
        network(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    return total


@dataclass(frozen=True)
class Targets:
    """For one scene, on a grid of G x G cells. `heat` (G, G): 1 in the cell of a centre, a Gaussian around it. `sides`
    (2, G, G): log2 of the sides.

    `size_weight` (G, G): weight of the sides' loss. `counted` (G, G): 0 in cells from which nothing is
    learnt of whether there is a spot.
    """

    heat: np.ndarray
    sides: np.ndarray
    size_weight: np.ndarray
    counted: np.ndarray


def targets(boxes: Sequence[Box], grid: int, unsure: np.ndarray | None = None) -> Targets:
    """What the network should answer for these boxes. Larger spots have wider peaks: where exactly their centre lies
    matters less.
    """
    heat, size_weight = np.zeros((grid, grid), np.float32), np.zeros((grid, grid), np.float32)
    sides = np.zeros((2, grid, grid), np.float32)
    counted = np.ones((grid, grid), np.float32)
    if unsure is not None:
        counted[unsure] = 0
    middle = np.arange(grid) + 0.5
    for box in sorted(boxes, key=lambda b: -b[2] * b[3]):
        x, y, w, h = box[0] * grid, box[1] * grid, box[2] * grid, box[3] * grid
        spread = max(0.55, w / 8), max(0.55, h / 8)
        peak = np.exp(-0.5 * (((middle[None] - x) / spread[0]) ** 2 + ((middle[:, None] - y) / spread[1]) ** 2))
        row, column = min(grid - 1, max(0, int(y))), min(grid - 1, max(0, int(x)))
        peak[row, column] = 1
        near = peak > 0.4
        heat = np.maximum(heat, peak)
        sides[:, near] = np.log2(np.maximum(box[2:], SMALLEST))[:, None]
        size_weight[near] = peak[near]
        counted[near] = 1
    return Targets(heat.astype(np.float32), sides, size_weight.astype(np.float32), counted)


def loss_of(answers: Tensor, heat: Tensor, sides: Tensor, size_weight: Tensor, counted: Tensor) -> Tensor:
    """CenterNet's loss a picture: focal on the heat map, L1 on the logarithms. (N, 3, G, G), then the batched
    `Targets`.
    """
    logits = answers[:, 0].float()
    chance = torch.sigmoid(logits)
    centre = (heat == 1).float()
    at_centres = -(1 - chance).square() * functional.logsigmoid(logits) * centre
    elsewhere = -chance.square() * functional.logsigmoid(-logits) * (1 - heat) ** 4 * (1 - centre) * counted
    spots = centre.sum().clamp(min=1)
    focal = (at_centres.sum() + elsewhere.sum()) / spots
    size = ((answers[:, 1:].float() - sides).abs() * size_weight[:, None]).sum() / size_weight.sum().clamp(min=1) / 2
    return focal + size


@dataclass(frozen=True)
class Candidate:
    """A spot that was found: its box as shares of the picture's sides, and a score of 0 to 1."""

    box: Box
    score: float


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    shared = 1.0
    for axis in (0, 1):
        shared *= max(
            0.0,
            min(a[axis] + a[axis + 2] / 2, b[axis] + b[axis + 2] / 2)
            - max(a[axis] - a[axis + 2] / 2, b[axis] - b[axis + 2] / 2),
        )
    return shared / max(1e-12, a[2] * a[3] + b[2] * b[3] - shared)


def candidates(answers: np.ndarray, lowest: float = 0.02, most: int = 8, same: float = 0.3) -> list[Candidate]:
    """Reads one answer (3, G, G) as the core does: maxima of 3 x 3, the centre refined by the scores around it, and of
    those that overlap by more than `same`, or of which one's centre lies in a better one's box, the best. At most
    `most`, best first, none under `lowest`."""
    chance = 1 / (1 + np.exp(-answers[0].astype(np.float64)))
    grid = chance.shape[0]
    padded = np.pad(chance, 1)
    around = np.stack([padded[dy : dy + grid, dx : dx + grid] for dy in range(3) for dx in range(3)])
    peaks = np.argwhere((chance >= around.max(0)) & (chance >= lowest))
    found = []
    for row, column in peaks:
        weights = around[:, row, column]
        dy, dx = np.repeat((-1, 0, 1), 3), np.tile((-1, 0, 1), 3)
        x = (column + 0.5 + float((weights * dx).sum() / weights.sum())) / grid
        y = (row + 0.5 + float((weights * dy).sum() / weights.sum())) / grid
        width, height = (float(min(1.0, 2.0 ** answers[c, row, column])) for c in (1, 2))
        found.append(Candidate((x, y, width, height), float(chance[row, column])))
    kept: list[Candidate] = []
    for one in sorted(found, key=lambda c: -c.score):
        if len(kept) < most and not any(overlap(one.box, k.box) > same or _within(one.box, k.box) for k in kept):
            kept.append(one)
    return kept


def _within(a: Box, b: Box) -> bool:
    """Whether a's centre lies in b's middle half."""
    return abs(a[0] - b[0]) < b[2] / 4 and abs(a[1] - b[1]) < b[3] / 4
