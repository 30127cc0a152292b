"""Writes the lists beside it: the layers of torchvision's and timm's networks, a line a layer, as their state dicts
hold them.

    pip install torchvision timm && python make_lists.py

A line is `name kind shape...`: `norm` stands for the five tensors of a batch norm, `conv` for a weight alone, `biased`
for weight and bias.
"""

from pathlib import Path

import timm
from torch import Tensor, nn
from torchvision import models

NAMES = {
    "efficientnet-b0": "efficientnet_b0",
    "mobilenet-v3-large": ("mobilenet_v3_large", "mobilenetv3_large_100"),
    "vgg16": "vgg16",
}


def lines_of(state: dict[str, Tensor]) -> list[str]:
    lines = []
    for key, value in state.items():
        stem, _, leaf = key.rpartition(".")
        if leaf == "weight":
            kind = "norm" if f"{stem}.running_mean" in state else "biased" if f"{stem}.bias" in state else "conv"
            lines.append(" ".join([stem, kind, *map(str, value.shape)]))
    return lines


def write(name: str, network: nn.Module) -> None:
    Path(__file__).with_name(f"{name}.txt").write_text("\n".join(lines_of(network.state_dict())) + "\n")


if __name__ == "__main__":
    for ours, names in NAMES.items():
        first, second = (names, names) if isinstance(names, str) else names
        write(f"torchvision-{ours}", getattr(models, first)(weights=None))
        write(f"timm-{ours}", timm.create_model(second, pretrained=False))
