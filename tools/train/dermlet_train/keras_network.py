"""A checked Keras file -> ONNX: loading on Keras' torch backend, the head that gives exact activation maps, export,
folding.

Needs `requirements-keras.txt` beside the training environment; TensorFlow is not used.
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch import Tensor

from .keras_file import KerasFile, KerasFileError
from .limits import MOST_VALUES_OF_A_LAYER
from .onnx_export import write_program
from .reading import plain, shown

os.environ["KERAS_BACKEND"] = "torch"
os.environ.setdefault("KERAS_TORCH_DEVICE", "cpu")

INPUT = "pixels"


def _keras() -> Any:
    try:
        import keras
    except ModuleNotFoundError as problem:
        raise KerasFileError(f"{problem.name} is not installed: pip install -r requirements-keras.txt") from problem
    if keras.backend.backend() != "torch":
        raise KerasFileError(f"Keras runs on {keras.backend.backend()} here; import-keras needs KERAS_BACKEND=torch")
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    return keras


@dataclass(frozen=True)
class Head:
    """GlobalAveragePooling -> (Dropout, BatchNormalization) -> Dense, as one affine map of the pooled features. Since
    averaging commutes with it, the same map applied before pooling gives the class activation maps, exactly (Zhou et
    al. 2016)."""

    pooling: Any  # the Keras layer
    weight: np.ndarray  # (K, D)
    bias: np.ndarray  # (K,)


@dataclass(frozen=True)
class KerasNetwork:
    """A classifier: (N, side, side, 3) in the model's own numbers -> (N, K)."""

    model: Any
    width: int
    height: int
    classes: int
    scores_are: str  # "probabilities" | "logits"
    head: Head | None

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """Keras' own answer."""
        return np.asarray(self.model.predict(pixels, verbose=0))

    @property
    def outputs(self) -> tuple[str, ...]:
        return ("scores", "maps", "embedding") if self.head else ("scores",)


def load_network(file: KerasFile, size: int | None) -> KerasNetwork:
    """Loads weights and description. `size`: side of the input in pixels where the model leaves it open. Raises
    KerasFileError.
    """
    keras = _keras()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = file.write_checked(Path(folder))
        # First without a byte of memory: shapes alone, each weight's held against the file's. What the file does not
        # hold is refused before it is allocated.
        with keras.device("meta"):
            shell = _loaded(file, path)
        _check_outputs(shell, size)
        model = _loaded(file, path)
    if len(getattr(model, "inputs", None) or ()) != 1 or len(getattr(model, "outputs", None) or ()) != 1:
        raise KerasFileError("the model must have one input and one output, both of known shape")
    height, width = _input_size(tuple(model.inputs[0].shape), size)
    shape = tuple(model.outputs[0].shape)
    if len(shape) != 2 or not shape[1] or shape[1] < 2:
        raise KerasFileError(
            f"the model's output has the shape {shape}; it must be one score a class, for two classes or more"
        )
    layers = list(_backwards(model))
    return KerasNetwork(model, width, height, int(shape[1]), _scores_are(layers), _find_head(layers))


def _loaded(file: KerasFile, path: Path) -> Any:
    keras = _keras()
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as problem:  # Keras raises every kind here
        first = str(problem).strip().splitlines() or [type(problem).__name__]
        raise KerasFileError(
            f"Keras {keras.__version__} cannot load a model that Keras {file.keras_version} wrote:"
            f" {plain(first[0], 500)}"
        ) from problem


def _check_outputs(model: Any, size: int | None) -> None:
    """What each layer gives for one picture must fit into memory. Raises KerasFileError."""
    stack = list(getattr(model, "layers", ()))
    while stack:
        layer = stack.pop()
        stack.extend(getattr(layer, "layers", ()))
        try:
            shape = layer.output.shape
        except (AttributeError, ValueError):  # not called, called several times, or several outputs
            continue
        values = 1
        for side in shape[1:]:
            values *= side or size or 1
        if values > MOST_VALUES_OF_A_LAYER:
            raise KerasFileError(
                f"the layer {shown(layer.name)} gives {values} numbers for one picture ({tuple(shape)}); at most"
                f" {MOST_VALUES_OF_A_LAYER} are computed"
            )


def _input_size(shape: tuple[int | None, ...], size: int | None) -> tuple[int, int]:
    if len(shape) != 4:
        raise KerasFileError(
            f"the model's input has the shape {shape}; it must be a picture, (batch, height, width, 3)"
        )
    if shape[3] != 3:
        kind = "has its channels first" if shape[1] == 3 else f"has {shape[3]} channels"
        raise KerasFileError(f"the model's input {kind}: {shape}; it must be (batch, height, width, 3)")
    height, width = shape[1] or size, shape[2] or size
    if height is None or width is None:
        raise KerasFileError(
            "the model's input size is not stored in the file: give the side of the square it was trained on with"
            " --size"
        )
    if size is not None and (height, width) != (size, size):
        raise KerasFileError(f"--size {size} contradicts the model, whose input is {width} x {height}")
    if not (16 <= height <= 1024 and 16 <= width <= 1024):
        raise KerasFileError(f"an input of {width} x {height} pixels is not supported; each side must be 16 to 1024")
    return height, width


def _backwards(model: Any) -> Iterator[Any]:
    """Layers from the output back to the first that joins several, with nested models opened."""
    keras = _keras()
    graph = getattr(model, "_functional", None) or model  # a Sequential model keeps its graph inside
    tensor = graph.outputs[0]
    while True:
        layer, node, _ = tensor._keras_history
        if isinstance(layer, keras.layers.InputLayer):
            return
        if isinstance(layer, keras.Model):
            yield from _backwards(layer)
        else:
            yield layer
        inputs = layer._inbound_nodes[node].input_tensors
        if len(inputs) != 1:
            return
        tensor = inputs[0]


def _activation(layer: Any) -> str:
    """Name of what a layer ends with: Softmax layers, Activation layers and a Dense layer's own."""
    if type(layer).__name__ == "Softmax":
        return "softmax" if getattr(layer, "axis", -1) in (-1, 1) else "softmax over another axis"
    return getattr(getattr(layer, "activation", None), "__name__", "linear")


def _scores_are(layers: list[Any]) -> str:
    """By the last layer that does anything: a linear Activation behind a softmax leaves probabilities."""
    tail = [
        layer
        for layer in layers
        if not (type(layer).__name__ in ("Activation", "Identity") and _activation(layer) == "linear")
    ]
    last = _activation(tail[0]) if tail else "nothing"
    if last == "softmax":
        return "probabilities"
    if tail and type(tail[0]).__name__ == "Dense" and last == "linear":
        return "logits"
    raise KerasFileError(
        f"the model ends with {last}, not with softmax or plain logits over the classes: one label a picture is what"
        " the page shows"
    )


def _find_head(layers: list[Any]) -> Head | None:
    """The head, or None where the tail is another: a hidden Dense layer, Flatten, maximum pooling."""
    keras = _keras()
    tail = iter(layers)
    layer = next(tail)
    while type(layer).__name__ in ("Softmax", "Activation", "Identity") and _activation(layer) in ("softmax", "linear"):
        layer = next(tail, None)
    if not isinstance(layer, keras.layers.Dense) or _activation(layer) not in ("softmax", "linear"):
        return None
    kernel = np.asarray(keras.ops.convert_to_numpy(layer.kernel), np.float64)  # (D, K)
    bias = (
        np.asarray(keras.ops.convert_to_numpy(layer.bias), np.float64) if layer.use_bias else np.zeros(kernel.shape[1])
    )
    for layer in tail:
        if isinstance(layer, keras.layers.BatchNormalization):
            scale, shift = _affine(layer)
            bias, kernel = bias + shift @ kernel, kernel * scale[:, None]
        elif isinstance(layer, keras.layers.GlobalAveragePooling2D):
            if layer.data_format != "channels_last":
                return None
            return Head(layer, kernel.T.astype(np.float32), bias.astype(np.float32))
        elif not (
            type(layer).__name__ in ("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "Identity")
            or _is_flattening(layer)
        ):
            return None
    return None


def _is_flattening(layer: Any) -> bool:
    """Flatten of what is flat up to sides of 1: (N, 1, 1, D) or (N, D)."""
    if type(layer).__name__ != "Flatten":
        return False
    shape = tuple(layer.input.shape)
    return all(side == 1 for side in shape[1:-1])


def _affine(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Batch normalisation of (N, D) at inference, as scale and shift."""

    def values(variable: Any, otherwise: float) -> np.ndarray:
        return np.asarray(otherwise, np.float64) if variable is None else np.asarray(variable.numpy(), np.float64)

    scale = values(layer.gamma, 1.0) / np.sqrt(values(layer.moving_variance, 1.0) + layer.epsilon)
    return scale, values(layer.beta, 0.0) - values(layer.moving_mean, 0.0) * scale


class _Exported(torch.nn.Module):
    """The exported graph. The head's features are read where the pooling layer gets them."""

    def __init__(self, network: KerasNetwork) -> None:
        super().__init__()
        self.model = network.model
        self.features: list[Tensor] = []
        if network.head:
            self.weight = torch.nn.Parameter(
                torch.from_numpy(network.head.weight)[:, :, None, None], requires_grad=False
            )
            self.bias = torch.nn.Parameter(torch.from_numpy(network.head.bias), requires_grad=False)

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        self.features.clear()
        scores = self.model(pixels, training=False)
        if not self.features:
            return (scores,)
        features = self.features.pop()
        maps = torch.nn.functional.conv2d(features.permute(0, 3, 1, 2), self.weight, self.bias)
        return scores, maps, features.mean((1, 2))


def export_keras(network: KerasNetwork, path: Path) -> None:
    """fp32 ONNX, opset 18, batch 1, explicit pads, batch norm folded, layout changes removed. Raises KerasFileError
    when a layer has no ONNX form.
    """
    module = _Exported(network).eval()
    pooling = network.head.pooling if network.head else None
    if pooling is not None:
        original = pooling.call

        def remembering(inputs: Tensor) -> Tensor:
            module.features.append(inputs)
            return original(inputs)

        pooling.call = remembering
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            example = torch.zeros(1, network.height, network.width, 3)
            write_program(module, example, path, INPUT, list(network.outputs), verbose=False)
    except Exception as problem:  # torch raises every kind here
        raise KerasFileError(
            f"the network could not be written as ONNX: {str(problem).strip().splitlines()[0]}"
        ) from problem
    finally:
        if pooling is not None:
            pooling.call = original
    _simplify(path)


def _simplify(path: Path) -> None:
    """ONNX Runtime's own rewriting that keeps to standard operators, then folding of what stands behind each
    convolution.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 3
    for _ in range(2):  # folding frees pairs of layout changes for the second time
        target = path.with_suffix(".basic.onnx")
        options.optimized_model_filepath = str(target)
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        model = onnx.load(target)
        target.unlink()
        fold_affine(model.graph)
        del model.graph.value_info[:], model.metadata_props[:]
        kept = [entry for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
        del model.opset_import[:]
        model.opset_import.extend(kept)
        for node in model.graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
        path.with_suffix(".onnx.data").unlink(missing_ok=True)
        onnx.save(model, path)
    onnx.checker.check_model(model)


def fold_affine(graph: onnx.GraphProto) -> int:
    """Folds Add, Sub, Mul and Div by one number a channel that follow a convolution alone into its weights; returns how
    many.

    Keras' torch backend writes batch normalisation as these in channels-last order, which no optimizer recognises.
    """
    constants = {tensor.name: tensor for tensor in graph.initializer}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    outputs = {value.name for value in graph.output}
    folded = 0
    for conv in [node for node in graph.node if node.op_type == "Conv" and node.input[1] in constants]:
        weight = numpy_helper.to_array(constants[conv.input[1]]).astype(np.float64)
        channels = weight.shape[0]
        bias = np.zeros(channels)
        if len(conv.input) > 2 and conv.input[2]:
            if conv.input[2] not in constants:
                continue
            bias = numpy_helper.to_array(constants[conv.input[2]]).astype(np.float64)
        chain: list[onnx.NodeProto] = []
        end = conv.output[0]
        while end not in outputs and len(readers.get(end, ())) == 1:
            node = readers[end][0]
            other = _channel_constant(node, end, constants, channels)
            if other is None:
                break
            first = node.input[0] == end
            if node.op_type == "Add":
                bias = bias + other
            elif node.op_type == "Sub":
                sign = 1.0 if first else -1.0
                weight, bias = weight * sign, (bias - other) * sign
            elif node.op_type == "Mul":
                weight, bias = weight * other[:, None, None, None], bias * other
            elif node.op_type == "Div" and first:
                weight, bias = weight / other[:, None, None, None], bias / other
            else:
                break
            chain.append(node)
            end = node.output[0]
        if not chain:
            continue
        stem = conv.name or conv.output[0]
        names = [f"{stem}.folded.weight{folded}", f"{stem}.folded.bias{folded}"]
        graph.initializer.extend(
            numpy_helper.from_array(a.astype(np.float32), n) for a, n in zip((weight, bias), names, strict=True)
        )
        conv.input[:] = [conv.input[0], *names]
        conv.output[0] = end
        for node in chain:
            graph.node.remove(node)
        folded += len(chain)
    used = {name for node in graph.node for name in node.input} | outputs
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    return folded


def _channel_constant(
    node: onnx.NodeProto, end: str, constants: dict[str, onnx.TensorProto], channels: int
) -> np.ndarray | None:
    """The constant operand of an elementwise node as one number a channel of NCHW, or None."""
    if node.op_type not in ("Add", "Sub", "Mul", "Div") or len(node.input) != 2:
        return None
    others = [name for name in node.input if name != end]
    if len(others) != 1 or others[0] not in constants:
        return None
    values = numpy_helper.to_array(constants[others[0]]).astype(np.float64)
    shape = (1,) * (4 - values.ndim) + values.shape
    if shape not in ((1, channels, 1, 1), (1, 1, 1, 1)):
        return None
    return np.broadcast_to(values.reshape(-1), channels).copy()
