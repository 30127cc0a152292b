"""An exported locator.onnx -> a network that can be trained on: checkpoints are not published, exported files are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from ..onnx_export import session_of
from ..storage import restored as stored_values
from .network import Locator, _Conv


def size_of(path: Path) -> int:
    """Side of an exported file's input, pixels."""
    return int(session_of(path).get_inputs()[0].shape[2])


def restored(path: Path, pixels: Tensor) -> Locator:
    """The network of an exported file, batch norm unfolded: it answers as the file does.

    What was folded cannot be told, so each norm gets the statistics of `pixels`, (N, 3, S, S) as the network sees them,
    and the scale and shift that undo them. Raises ValueError where the file is no locator.
    """
    network = Locator().eval()
    kernels = _kernels(path)
    convolutions: list[nn.Conv2d] = []
    norms = {module[0]: module[1] for module in network.modules() if isinstance(module, _Conv)}
    hooks = [
        module.register_forward_hook(lambda module, _in, _out: convolutions.append(module))
        for module in network.modules()
        if isinstance(module, nn.Conv2d)
    ]
    with torch.inference_mode():
        network(torch.zeros(1, 3, 64, 64))
    for hook in hooks:
        hook.remove()
    if [tuple(one.weight.shape) for one in convolutions] != [weight.shape for weight, _ in kernels]:
        raise ValueError(f"{path} is not a locator of this form")
    hooks = []
    for convolution, (weight, bias) in zip(convolutions, kernels, strict=True):
        convolution.weight.data.copy_(torch.from_numpy(weight))
        if convolution.bias is not None:
            convolution.bias.data.copy_(torch.from_numpy(bias))
        else:
            hooks.append(norms[convolution].register_forward_pre_hook(_fitted(torch.from_numpy(bias))))
    with torch.no_grad():
        network(pixels)
    for hook in hooks:
        hook.remove()
    return network


def _fitted(bias: Tensor) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    """Gives a norm the statistics of what comes to it, and the weights that make of it that plus `bias`."""

    def fit(module: nn.Module, come: tuple[Tensor, ...]) -> None:
        assert isinstance(module, nn.BatchNorm2d) and module.running_mean is not None and module.running_var is not None
        mean, variance = come[0].mean((0, 2, 3)), come[0].var((0, 2, 3), unbiased=False)
        module.running_mean.copy_(mean)
        module.running_var.copy_(variance)
        module.weight.data.copy_((variance + module.eps).sqrt())
        module.bias.data.copy_(bias + mean)

    return fit


def _kernels(path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weight and bias of every convolution, in the order in which they run; what is stored small is restored."""
    model = onnx.load(path)
    held = stored_values(model)
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    if any(node.input[1] not in held for node in convolutions):
        raise ValueError(f"{path} is not a locator of this form")
    found = []
    for node in convolutions:
        weight = held[node.input[1]]
        bias = held[node.input[2]] if len(node.input) > 2 else np.zeros(len(weight), np.float32)
        found.append((weight, bias))
    return found
