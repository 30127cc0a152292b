"""Stages of a schedule: which layers learn, at which rate. Frozen layers do not change at all, statistics of
batch norm included.
"""

from __future__ import annotations

import math

from torch import nn

from .config import Recipe, Stage
from .network import Classifier


def weighted_layers(backbone: nn.Module) -> list[list[nn.Module]]:
    """The backbone's layers with weights, in order; a batch norm belongs to the layer before it."""
    layers: list[list[nn.Module]] = []
    for module in backbone.modules():
        own = list(module.parameters(recurse=False))
        if any(p.ndim > 1 for p in own):
            layers.append([module])
        elif own and layers:
            layers[-1].append(module)
    return layers


def set_trainable(network: Classifier, trainable: str) -> None:
    """Marks what learns: `head`, `last:N` (head and N last weighted layers) or `all`. Raises ValueError when there are
    fewer layers than N.
    """
    for parameter in network.backbone.parameters():
        parameter.requires_grad_(trainable == "all")
    if trainable.startswith("last:"):
        layers, count = weighted_layers(network.backbone), int(trainable.removeprefix("last:"))
        if count > len(layers):
            raise ValueError(f"{trainable}: the network has {len(layers)} layers with weights")
        for module in (module for layer in layers[len(layers) - count :] for module in layer):
            for parameter in module.parameters(recurse=False):
                parameter.requires_grad_(True)


def train_mode(network: nn.Module) -> None:
    """Training mode, but evaluation mode for every part without a learning parameter: frozen batch norm keeps its
    statistics, frozen blocks drop nothing.
    """
    network.train()
    for module in network.modules():
        own = list(module.parameters())
        if own and not any(p.requires_grad for p in own):
            module.eval()


def rate_factor(recipe: Recipe, stage: Stage, step: int, steps: int, scale: float) -> float:
    """Factor on the stage's learning rate at `step` of `steps`, both of this stage. `scale` is what plateaus have left
    of it.
    """
    if stage.schedule == "constant":
        return 1.0
    if stage.schedule == "plateau":
        return scale
    warmup = max(1, int(steps * recipe.warmup_fraction))
    return step / warmup if step < warmup else 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
