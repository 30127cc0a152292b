"""Every network of the registry: shapes, exact maps, weight files, folding, export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from dermlet_train.depthwise import DepthwiseConv2d
from dermlet_train.network import Classifier
from dermlet_train.networks import NETWORKS, fold_batch_norm, load_imagenet, network_named
from dermlet_train.onnx_export import OUTPUTS, export_onnx
from dermlet_train.preprocessing import CAFFE, IMAGENET, LITE

LISTS = Path(__file__).with_name("weight-files")
WRITTEN_HERE = ("efficientnet-b0", "mobilenet-v3-large", "vgg16")
# Parameters of the convolutional part: the published totals (torchvision's documentation) less the layers behind the
# last feature map.
PARAMETERS = {
    "efficientnet-b0": 5_288_548 - 1280 * 1000 - 1000,
    "mobilenet-v3-large": 5_483_032 - (960 * 1280 + 1280) - (1280 * 1000 + 1000),
    "vgg16": 138_357_544 - (25088 * 4096 + 4096) - (4096 * 4096 + 4096) - (4096 * 1000 + 1000),
}


def pictures(count: int = 2, side: int = 64) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (count, side, side, 3), np.uint8)


def livened(network: nn.Module) -> nn.Module:
    """Batch norm with statistics of its own, as after training."""
    generator = torch.Generator().manual_seed(5)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor, low, high in (
                (layer.running_mean, -0.2, 0.2),
                (layer.running_var, 0.5, 1.5),
                (layer.weight.data, 0.7, 1.3),
                (layer.bias.data, -0.2, 0.4),
            ):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)
    return network.eval()


def file_of(name: str) -> dict[str, Tensor]:
    """A state dict with the keys and shapes of a list in weight-files/. Fully connected layers take no memory."""
    generator = torch.Generator().manual_seed(1)
    state: dict[str, Tensor] = {}
    for line in (LISTS / f"{name}.txt").read_text().splitlines():
        stem, kind, *numbers = line.split()
        shape = [int(n) for n in numbers]
        state[f"{stem}.weight"] = (
            torch.rand(shape, generator=generator) if len(shape) != 2 else torch.zeros(1).expand(shape)
        )
        if kind != "conv":
            state[f"{stem}.bias"] = torch.rand(shape[0], generator=generator)
        if kind == "norm":
            state[f"{stem}.running_mean"] = torch.rand(shape, generator=generator)
            state[f"{stem}.running_var"] = torch.rand(shape, generator=generator) + 0.5
            state[f"{stem}.num_batches_tracked"] = torch.tensor(7)
    return state


@pytest.mark.parametrize("name", NETWORKS)
def test_shapes_and_exact_maps(name: str) -> None:
    torch.manual_seed(1)
    network = livened(Classifier(name, 5, 0.2, pretrained=False))
    pixels = torch.from_numpy(network.preprocessing.normalise(pictures()))
    with torch.inference_mode():
        logits, maps, embedding = network.outputs(pixels)
        trained, from_embedding = network(pixels), network.head(embedding)
    assert logits.shape == (2, 5) and maps.shape == (2, 5, 2, 2) and embedding.shape == (2, NETWORKS[name].width)
    scale = max(1.0, float(logits.abs().max()))
    assert torch.allclose(maps.mean((2, 3)), logits, atol=1e-5 * scale)
    assert torch.allclose(trained, logits, rtol=1e-4, atol=1e-4 * scale), (
        "the training path and the exported path are one network"
    )
    assert torch.allclose(from_embedding, logits, rtol=1e-4, atol=1e-4 * scale)


@pytest.mark.parametrize("name", WRITTEN_HERE)
def test_as_many_parameters_as_published(name: str) -> None:
    with torch.device("meta"):
        assert sum(p.numel() for p in NETWORKS[name].build().parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", WRITTEN_HERE)
@pytest.mark.parametrize("source", ["torchvision", "timm"])
def test_weight_files_of_others_load(tmp_path: Path, name: str, source: str) -> None:
    state = file_of(f"{source}-{name}")
    torch.save(state, tmp_path / "weights.pt")
    network = NETWORKS[name].build()
    load_imagenet(network, name, str(tmp_path / "weights.pt"))
    found = {key: value for key, value in network.state_dict().items() if not key.endswith("num_batches_tracked")}
    # Every tensor of the file that is no fully connected layer has found its place, once: the sums of all variances
    # agree.
    assert sum(float(v.double().sum()) for k, v in found.items() if k.endswith("running_var")) == pytest.approx(
        sum(float(v.double().sum()) for k, v in state.items() if k.endswith("running_var"))
    )
    used = [
        v
        for k, v in state.items()
        if k.endswith(("weight", "bias"))
        and v.ndim in (1, 4)
        and not k.startswith(("classifier", "head", "conv_head.b", "pre_logits"))
    ]
    if not (source == "timm" and name == "mobilenet-v3-large"):  # its conv_head is a hidden layer behind the pooling
        assert sum(v.numel() for v in used) == sum(p.numel() for p in network.parameters())
    with torch.inference_mode():
        assert network.eval().extract_features(torch.zeros(1, 3, 64, 64)).shape == (1, NETWORKS[name].width, 2, 2)


def test_a_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    state = file_of("torchvision-efficientnet-b0")
    torch.save(state, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="not weights of mobilenet-v3-large"):
        load_imagenet(NETWORKS["mobilenet-v3-large"].build(), "mobilenet-v3-large", str(tmp_path / "other.pt"))
    del state["features.3.0.block.1.1.running_mean"]
    torch.save(state, tmp_path / "short.pt")
    with pytest.raises(ValueError, match="1 missing"):
        load_imagenet(NETWORKS["efficientnet-b0"].build(), "efficientnet-b0", str(tmp_path / "short.pt"))
    with pytest.raises(ValueError, match="unknown network"):
        network_named("resnet-50")


def test_a_weight_file_is_never_executed(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "sprung",)

    torch.save({"features.0.weight": Trap()}, tmp_path / "trap.pt")
    with pytest.raises(Exception, match="Weights only load failed"):
        load_imagenet(NETWORKS["vgg16"].build(), "vgg16", str(tmp_path / "trap.pt"))
    assert not (tmp_path / "sprung").exists()


def test_timm_batch_norm_is_brought_to_torchvisions_eps(tmp_path: Path) -> None:
    state = file_of("timm-mobilenet-v3-large")
    state["bn1.running_var"] = torch.full((16,), 0.002)
    torch.save(state, tmp_path / "weights.pt")
    network = NETWORKS["mobilenet-v3-large"].build()
    load_imagenet(network, "mobilenet-v3-large", str(tmp_path / "weights.pt"))
    values = torch.rand(2, 16, 4, 4)
    expected = nn.functional.batch_norm(
        values, state["bn1.running_mean"], state["bn1.running_var"], state["bn1.weight"], state["bn1.bias"], eps=1e-5
    )
    assert torch.allclose(network.eval().features[0][1](values), expected, atol=1e-4)


def test_vgg_files_see_their_own_pixels(tmp_path: Path) -> None:
    state = file_of("torchvision-vgg16")
    torch.save(state, tmp_path / "weights.pt")
    network = NETWORKS["vgg16"].build()
    load_imagenet(network, "vgg16", str(tmp_path / "weights.pt"))
    theirs = nn.functional.conv2d(
        torch.from_numpy(IMAGENET.normalise(pictures())), state["features.0.weight"], state["features.0.bias"]
    )
    ours = nn.functional.conv2d(
        torch.from_numpy(CAFFE.normalise(pictures())), network.features[0].weight, network.features[0].bias
    )
    assert torch.allclose(ours, theirs, atol=1e-3)


def test_a_network_without_weights_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    load_imagenet(NETWORKS["mobilenet-v3-large"].build(), "mobilenet-v3-large", "")
    assert "no ImageNet weights for mobilenet-v3-large" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["efficientnet-lite0", "efficientnet-b0", "mobilenet-v3-large", "vgg16"])
def test_folding_changes_no_answer(name: str) -> None:
    torch.manual_seed(2)
    network = livened(Classifier(name, 3, 0.2, pretrained=False))
    pixels = torch.from_numpy(network.preprocessing.normalise(pictures()))
    with torch.inference_mode():
        before = network(pixels)
    fold_batch_norm(network.backbone)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())
    with torch.inference_mode():
        assert torch.allclose(network(pixels), before, rtol=1e-3, atol=1e-3 * float(before.abs().max()))
    network.train()(pixels).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize("name", WRITTEN_HERE)
def test_export_gives_pytorchs_numbers(tmp_path: Path, name: str) -> None:
    torch.manual_seed(3)
    network = livened(Classifier(name, 4, 0.2, pretrained=False))
    export_onnx(network, 64, tmp_path / "network.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "network.onnx"), providers=["CPUExecutionProvider"])
    pixels = network.preprocessing.normalise(pictures())
    with torch.inference_mode():
        expected = network.outputs(torch.from_numpy(pixels))
    for found, wanted in zip(session.run(list(OUTPUTS), {"pixels": pixels}), expected, strict=True):
        np.testing.assert_allclose(found, wanted.numpy(), rtol=1e-3, atol=1e-4 * float(wanted.abs().max()))


@pytest.mark.parametrize("preprocessing", [LITE, IMAGENET, CAFFE])
def test_preprocessing_on_the_device_and_between_networks(preprocessing: object) -> None:
    batch = pictures(1, 8)
    expected = torch.from_numpy(preprocessing.normalise(batch))
    assert torch.allclose(preprocessing.normalise_on(torch.from_numpy(batch), torch.device("cpu")), expected, atol=1e-6)
    for other in (LITE, IMAGENET, CAFFE):
        assert torch.allclose(
            preprocessing.convert(expected, other), torch.from_numpy(other.normalise(batch)), atol=1e-3
        )
    red = np.zeros((1, 1, 1, 3), np.uint8)
    red[..., 0] = 255
    order = preprocessing.normalise(red)[0, :, 0, 0]
    assert order.argmax() == (2 if preprocessing.channels == "BGR" else 0)


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_fast_depthwise_gradients_equal_pytorchs(kernel: int, stride: int) -> None:
    torch.manual_seed(4)
    fast, plain = (kind(6, 6, kernel, stride, kernel // 2, groups=6) for kind in (DepthwiseConv2d, nn.Conv2d))
    plain.load_state_dict(fast.state_dict())
    pixels = torch.randn(2, 6, 12, 12)
    results = []
    for layer in (fast, plain):
        seen = pixels.clone().requires_grad_()
        answer = layer(seen)
        answer.sin().sum().backward()
        results.append((answer.detach(), seen.grad, layer.weight.grad, layer.bias.grad))
    for a, b in zip(*results, strict=True):
        assert torch.allclose(a, b, atol=1e-5)
