"""Depthwise convolutions whose gradients are computed the fast way on a CPU.

oneDNN 3.x computes the gradients of a bf16 depthwise convolution by its reference code: for EfficientNet half of a
training step. Each gradient is itself a convolution, so it is computed as one: the input's as a forward convolution of
the (for stride 2: zero-spread) gradient with the turned kernel in bf16, the weight's in fp32. Measured with `python -m
dermlet_train.depthwise` (EfficientNet-Lite2, 160 px, two cores): see the figures it prints. On a GPU the layer is an
ordinary `nn.Conv2d`.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import time
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class _Depthwise(torch.autograd.Function):
    """Depthwise convolution of (N, C, H, W) with (C, 1, k, k), stride 1 or 2, `before` and `after` rows and columns of
    zeros around it.
    """

    @staticmethod
    def forward(ctx: Any, pixels: Tensor, weight: Tensor, stride: int, before: int, after: int) -> Tensor:
        weight = weight.to(pixels.dtype)
        ctx.save_for_backward(pixels, weight)
        ctx.geometry = stride, before, after
        return _correlate(pixels, weight, stride, before, after)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        pixels, weight = ctx.saved_tensors
        stride, before, after = ctx.geometry
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        of_pixels = of_weight = None
        if ctx.needs_input_grad[0]:
            spread = gradient
            if stride > 1:
                n, c, h, w = gradient.shape
                spread = torch.empty(
                    (n, c, h * stride, w * stride), dtype=gradient.dtype, memory_format=torch.channels_last
                ).zero_()
                spread[:, :, ::stride, ::stride] = gradient
            turned = weight.flip(2, 3).contiguous(memory_format=torch.channels_last)
            lead = weight.shape[-1] - 1 - before
            of_pixels = _correlate(spread, turned, 1, lead, pixels.shape[-1] + before - spread.shape[-1])
        if ctx.needs_input_grad[1]:
            padded, inside = (
                (pixels.float(), before)
                if before == after
                else (functional.pad(pixels.float(), (before, after) * 2), 0)
            )
            of_weight = torch.ops.aten.convolution_backward(
                gradient.float(),
                padded,
                weight.float(),
                None,
                [stride] * 2,
                [inside] * 2,
                [1, 1],
                False,
                [0, 0],
                weight.shape[0],
                [False, True, False],
            )[1]
        return of_pixels, of_weight, None, None, None


def _correlate(
    pixels: Tensor, weight: Tensor, stride: int, before: int, after: int, bias: Tensor | None = None
) -> Tensor:
    if before == after:
        return functional.conv2d(pixels, weight, bias, stride, before, 1, weight.shape[0])
    return functional.conv2d(functional.pad(pixels, (before, after) * 2), weight, bias, stride, 0, 1, weight.shape[0])


class DepthwiseConv2d(nn.Conv2d):
    """`nn.Conv2d(C, C, k, stride, padding, groups=C)` for square pictures whose side the stride divides; padding 0
    means TensorFlow's SAME.
    """

    def forward(self, pixels: Tensor) -> Tensor:
        stride, total = self.stride[0], self.kernel_size[0] - self.stride[0]
        assert not isinstance(self.padding, str)
        before, after = (total // 2, total - total // 2) if self.padding[0] == 0 else self.padding
        if pixels.device.type != "cpu" or not torch.is_grad_enabled() or torch.compiler.is_exporting():
            return _correlate(pixels, self.weight, stride, before, after, self.bias)
        if torch.is_autocast_enabled("cpu"):
            pixels = pixels.to(torch.get_autocast_dtype("cpu"))
        with torch.autocast("cpu", enabled=False):
            result: Tensor = _Depthwise.apply(  # type: ignore[no-untyped-call]
                pixels, self.weight, stride, before, after
            )
            return result if self.bias is None else result + self.bias.to(result.dtype)[:, None, None]


def use_depthwise(network: nn.Module) -> None:
    """Turns the SAME-padded convolutions of `efficientnet_lite_pytorch` into plain ones, the depthwise ones into
    `DepthwiseConv2d`; weights stay.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and hasattr(layer, "static_padding"):
            if layer.groups > 1:
                layer.__class__ = DepthwiseConv2d
            elif not isinstance(layer.static_padding, nn.ZeroPad2d):
                layer.__class__ = nn.Conv2d


def channels_last(network: nn.Module) -> None:
    """Lays the weights out as oneDNN and cuDNN want them, in place."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # PyTorch's stub does not know it


def keep_memory() -> None:
    """Asks glibc to keep freed memory: fresh pages for every activation cost a CPU training step a third of its time.
    Elsewhere nothing happens.
    """
    name = ctypes.util.find_library("c")
    mallopt = getattr(ctypes.CDLL(name), "mallopt", None) if name else None
    if mallopt is not None:
        for option, value in ((-4, 0), (-1, 2**31 - 1), (-2, 2**28)):  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
            mallopt(option, value)


def _measure(fast: bool, side: int = 160, batch: int = 48) -> float:
    """Pictures a second of training steps, the best of four."""
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite2").to(memory_format=torch.channels_last)
    if fast:
        use_depthwise(network)
    pixels = torch.randn(batch, 3, side, side).contiguous(memory_format=torch.channels_last)
    best = 0.0
    for _ in range(5):
        began = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16):
            loss = network(pixels).float().square().mean()
        loss.backward()
        best = max(best, batch / (time.perf_counter() - began))
    return best


if __name__ == "__main__":
    before = _measure(False), _measure(True)
    keep_memory()
    print(
        f"plain {before[0]:.0f}, gradients as convolutions {before[1]:.0f}, memory kept as well {_measure(True):.0f}"
        " pictures/s"
    )
