"""The network: a backbone, a 1x1 head over its last feature map, and three outputs.

The head is applied before pooling. Since average pooling and a 1x1 convolution commute, `logits == maps.mean((2, 3))`
exactly, and the maps are the exact class activation maps (Zhou et al. 2016) of the same network that made the logits;
nothing is approximated.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor, nn

from .networks import fold_batch_norm, load_imagenet, network_named


class Outputs(NamedTuple):
    """logits (N, K); maps (N, K, H/32, W/32), whose mean is the logits; embedding (N, D), the pooled last features."""

    logits: Tensor
    maps: Tensor
    embedding: Tensor


class Classifier(nn.Module):
    """A backbone of the registry with a linear head. Input: (N, 3, S, S), S a multiple of 32, as `preprocessing` makes
    it.

    `pretrained`: begin with ImageNet weights, from `weights` (a file) where given. `folded`: convolutions with a bias
    and no batch norm, as shipped files hold them.
    """

    def __init__(
        self, name: str, class_count: int, dropout: float, pretrained: bool, weights: str = "", folded: bool = False
    ) -> None:
        super().__init__()
        entry = network_named(name)
        self.preprocessing = entry.preprocessing
        self.backbone: Any = entry.build()  # a module with `extract_features`, which nn.Module does not have
        if pretrained:
            load_imagenet(self.backbone, name, weights)
        if folded:
            fold_batch_norm(self.backbone)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(entry.width, class_count)

    def forward(self, pixels: Tensor, with_embedding: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """Logits (N, K): the training path, dropout on the pooled features. `with_embedding`: (N, D), those features
        without dropout, as well.
        """
        embedding = self.backbone.extract_features(pixels).mean((2, 3))
        logits = self.head(self.dropout(embedding))
        return (logits, embedding) if with_embedding else logits

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
        logits, maps, embedding = self.network.outputs(pixels)
        return logits, maps, embedding
