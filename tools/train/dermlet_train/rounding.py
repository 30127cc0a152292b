"""int8 weights rounded for the pictures that a network sees, and not each weight to its nearest step.

A convolution's output error under changed weights dW is dW H dW', H = E[x x'] over the input columns x that it meets.
`fit` rounds one input column after the other and lets the columns still to come make up for the error made so far
(Frantar et al. 2023, "GPTQ", after Hassibi and Stork 1993); what shift of the mean output then remains goes into the
bias (Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction", section 4.2). H comes
from the fp32 network on pictures of the training part. Nothing is added to the file.

A convolution of G groups is G small ones: weights (G, O / G, K) with K = I / G * kh * kw, H (G, K, K), mean column (G,
K).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

from .augment import normalise, recipe_view
from .config import Recipe
from .networks import network_named
from .preprocessing import LITE, Preprocessing
from .storage import SMALLEST_STORED, Plan, channel_scales, storable, store_weights
from .store import Store

POSITIONS = 256  # of each picture's output that a layer's columns are taken from, evenly spaced
DAMPING = 0.01  # of H's mean diagonal, added to it
FITTED = "int8-fit"  # the name of this storage
BLOCK = 64  # columns whose errors are made up for at once in the columns after them: the same sums, faster
PICTURES = 96  # of the training part, evenly spaced


@dataclass(frozen=True)
class Layer:
    """One Conv whose weight and bias are initialisers. Pixels."""

    source: str
    weight: str
    bias: str | None
    group: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pads: tuple[int, int, int, int]  # top, left, bottom, right


@dataclass(frozen=True)
class Columns:
    """H (G, K, K) and mean column (G, K)."""

    moments: np.ndarray
    mean: np.ndarray


def layers_of(model: onnx.ModelProto) -> list[Layer]:
    held = {t.name: tuple(t.dims) for t in model.graph.initializer}
    layers = []
    for node in model.graph.node:
        if node.op_type != "Conv" or node.input[1] not in held or np.prod(held[node.input[1]]) < SMALLEST_STORED:
            continue
        given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if any(d != 1 for d in given.get("dilations", ())) or given.get("auto_pad", b"NOTSET") != b"NOTSET":
            continue
        kernel = held[node.input[1]][2:]
        if len(kernel) != 2:
            continue
        bias = node.input[2] if len(node.input) > 2 and node.input[2] in held else None
        stride, pads = given.get("strides", (1, 1)), given.get("pads", (0, 0, 0, 0))
        layers.append(
            Layer(
                node.input[0],
                node.input[1],
                bias,
                int(given.get("group", 1)),
                tuple(kernel),
                tuple(stride),
                tuple(pads),
            )
        )
    return layers


def columns_at(layer: Layer, features: np.ndarray) -> np.ndarray:
    """(G, K, P): the columns that the layer's kernel meets at P positions of one picture's input features (I, H, W)."""
    top, left, bottom, right = layer.pads
    padded = np.pad(features, ((0, 0), (top, bottom), (left, right)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, layer.kernel, axis=(1, 2))[
        :, :: layer.stride[0], :: layer.stride[1]
    ]
    inputs, rows, columns = windows.shape[:3]
    chosen = np.linspace(0, rows * columns - 1, min(POSITIONS, rows * columns)).astype(int)
    taken = windows[:, chosen // columns, chosen % columns]  # (I, P, kh, kw)
    return taken.transpose(0, 2, 3, 1).reshape(
        layer.group, inputs // layer.group * layer.kernel[0] * layer.kernel[1], -1
    )


def columns_of(
    model: onnx.ModelProto, layers: list[Layer], views: list[np.ndarray], preprocessing: Preprocessing
) -> dict[str, Columns]:
    """Moments and means by weight, over (S, S, 3) uint8 views."""
    open_model = onnx.ModelProto()
    open_model.CopyFrom(model)
    inputs = {i.name for i in open_model.graph.input}
    sources = sorted({layer.source for layer in layers})
    known = {o.name for o in open_model.graph.output}
    open_model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sources if name not in known | inputs)
    session = onnxruntime.InferenceSession(open_model.SerializeToString(), providers=["CPUExecutionProvider"])
    wanted = [name for name in sources if name not in inputs]
    sums: dict[str, list[np.ndarray]] = {}
    for view in views:
        pixels = normalise(view[None], preprocessing)
        features = dict(
            zip(wanted, session.run(wanted, {session.get_inputs()[0].name: pixels}), strict=True)
        ) | dict.fromkeys(inputs, pixels)
        for layer in layers:
            columns = columns_at(layer, features[layer.source][0])
            found = [columns @ columns.transpose(0, 2, 1) / columns.shape[2], columns.mean(2)]
            sums[layer.weight] = (
                found if layer.weight not in sums else [a + b for a, b in zip(sums[layer.weight], found, strict=True)]
            )
    return {name: Columns(moments / len(views), mean / len(views)) for name, (moments, mean) in sums.items()}


def rounded(weights: np.ndarray, scales: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Steps (G, R, K), -127 to 127, for weights (G, R, K), scales (G, R, 1), moments (G, K, K). The heaviest column
    goes first.
    """
    groups, _, size = weights.shape
    order = np.argsort(-np.diagonal(moments, axis1=1, axis2=2), axis=1, kind="stable")
    left = np.take_along_axis(weights, order[:, None], 2).astype(np.float64)
    h = moments[np.arange(groups)[:, None, None], order[:, :, None], order[:, None, :]].astype(np.float64)
    weight = np.maximum(np.trace(h, axis1=1, axis2=2) / size, 1e-9)
    h += (DAMPING * weight)[:, None, None] * np.eye(size)
    inverse = np.linalg.cholesky(np.linalg.inv(h)).transpose(0, 2, 1)  # upper triangular, inverse' inverse = H^-1
    steps, errors = np.empty_like(left), np.empty_like(left)
    for start in range(0, size, BLOCK):
        end = min(start + BLOCK, size)
        for k in range(start, end):
            steps[:, :, k] = np.clip(np.rint(left[:, :, k] / scales[:, :, 0]), -127, 127)
            errors[:, :, k] = (left[:, :, k] - steps[:, :, k] * scales[:, :, 0]) / inverse[:, k, k, None]
            left[:, :, k + 1 : end] -= errors[:, :, k, None] * inverse[:, None, k, k + 1 : end]
        left[:, :, end:] -= errors[:, :, start:end] @ inverse[:, start:end, end:]
    back = np.argsort(order, axis=1)
    return np.take_along_axis(steps, back[:, None], 2)


def fit(
    model: onnx.ModelProto, views: list[np.ndarray], preprocessing: Preprocessing = LITE
) -> tuple[onnx.ModelProto, dict[str, np.ndarray]]:
    """A copy of the fp32 model whose convolutions hold fitted weights and biases, and the scale of each such weight by
    name.

    Every fitted weight is a whole number of steps (-127 to 127) of its scale, so that storing it as int8 with that
    scale loses nothing.
    """
    fitted = onnx.ModelProto()
    fitted.CopyFrom(model)
    held = {t.name: t for t in fitted.graph.initializer}
    layers = layers_of(fitted)
    columns = columns_of(model, layers, views, preprocessing)
    scales = {}
    for layer in layers:
        values = numpy_helper.to_array(held[layer.weight])
        scale = channel_scales(values)
        shape = (layer.group, len(values) // layer.group)
        weights = values.reshape(*shape, -1)
        seen = columns[layer.weight]
        steps = rounded(weights, scale.reshape(*shape, 1), seen.moments)
        kept = (steps * scale.reshape(*shape, 1)).astype(np.float32)
        if layer.bias is not None:
            shift = np.einsum("grk,gk->gr", weights - kept, seen.mean).reshape(-1)
            bias = numpy_helper.to_array(held[layer.bias]) + shift.astype(np.float32)
            held[layer.bias].CopyFrom(numpy_helper.from_array(bias, layer.bias))
        held[layer.weight].CopyFrom(numpy_helper.from_array(kept.reshape(values.shape), layer.weight))
        scales[layer.weight] = scale
    return fitted, scales


def fitting_views(store: Store, recipe: Recipe) -> list[np.ndarray]:
    """(S, S, 3) uint8 views of `PICTURES` pictures of the recipe's classes from the training part."""
    indices = [i for i in store.where("train") if store.rows[i]["label"] in recipe.classes]
    if not indices:
        raise ValueError("the store has no training pictures of the recipe's classes")
    chosen = np.unique(np.linspace(0, len(indices) - 1, PICTURES).astype(int))
    return [recipe_view(store.picture(indices[i]), recipe) for i in chosen]


def store_fitted(
    model: onnx.ModelProto, views: list[np.ndarray], preprocessing: Preprocessing = LITE
) -> onnx.ModelProto:
    """The model with its convolutions as fitted int8, and what cannot be fitted (the head) as fp16."""
    fitted, scales = fit(model, views, preprocessing)
    plan = {name: "int8" if name in scales else "fp16" for name in storable(fitted)}
    return store_weights(fitted, plan, scales)


def store_network(
    model: onnx.ModelProto, storage: str, plan: Plan | None, store: Store, recipe: Recipe
) -> onnx.ModelProto:
    """Any storage that `variants` can choose: `int8-fit`, a plan, or one kind for all."""
    if storage == FITTED:
        return store_fitted(model, fitting_views(store, recipe), network_named(recipe.network).preprocessing)
    return store_weights(model, storage if plan is None else plan)
