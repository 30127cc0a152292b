"""How a network's weights are stored in its file: fp32, half floats, or int8 times a scale per output channel.

Weights are stored small and restored when the session is created: ONNX Runtime folds the restoring nodes, so inference
runs in fp32 at full speed whatever the storage. Only initialisers of two or more dimensions with at least
`SMALLEST_STORED` values are touched; biases stay fp32. Axis 0 of a weight is its output channel, as in ONNX's Conv and
in Gemm with transB.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

KINDS = (
    "fp32",
    "fp16",
    "int8",
    "int8-max",
)  # int8: scale of least squared error; int8-max: the greatest magnitude is 127 steps
SMALLEST_STORED = 512  # tensors with fewer values stay fp32: they weigh nothing and hold the biases

Plan = Mapping[str, str]  # initialiser's name -> kind; a name that is missing stays fp32


def storable(model: onnx.ModelProto) -> dict[str, int]:
    """Values by name of the initialisers that can be stored small, in the graph's order."""
    sizes = {
        t.name: int(np.prod(t.dims))
        for t in model.graph.initializer
        if t.data_type == TensorProto.FLOAT and len(t.dims) >= 2
    }
    return {name: size for name, size in sizes.items() if size >= SMALLEST_STORED}


def store_weights(
    model: onnx.ModelProto, storage: str | Plan, scales: Mapping[str, np.ndarray] | None = None
) -> onnx.ModelProto:
    """Rewrites the storable initialisers in place, all of one kind or by a plan. A kind or a name that is not known is
    a ValueError.

    `scales` by name replace those that int8 would choose, in the shape that `channel_scales` gives.
    """
    plan = dict.fromkeys(storable(model), storage) if isinstance(storage, str) else dict(storage)
    unknown = sorted(set(plan.values()) - set(KINDS)) + sorted(set(plan) - set(storable(model)))
    if (isinstance(storage, str) and storage not in KINDS) or unknown:
        raise ValueError(f"weights cannot be stored so: {unknown or storage}")
    graph = model.graph
    restoring, kept = [], []
    for tensor in graph.initializer:
        kind = plan.get(tensor.name, "fp32")
        if kind == "fp32":
            kept.append(tensor)
            continue
        stored, nodes = stored_as(tensor.name, numpy_helper.to_array(tensor), kind, (scales or {}).get(tensor.name))
        kept += stored
        restoring += nodes
    if not restoring:
        return model
    nodes = restoring + list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    del graph.value_info[:]
    onnx.checker.check_model(model)
    return model


def stored_as(
    name: str, values: np.ndarray, kind: str, scale: np.ndarray | None = None
) -> tuple[list[TensorProto], list[onnx.NodeProto]]:
    """Initialisers that hold `values` small, and the nodes that restore the fp32 tensor `name` from them."""
    if kind == "fp16":
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if not np.isfinite(half).all():
            raise ValueError(f"{name} holds values beyond half floats")
        return [numpy_helper.from_array(half, f"{name}.f16")], [
            helper.make_node("Cast", [f"{name}.f16"], [name], to=TensorProto.FLOAT)
        ]
    if scale is None:
        scale = channel_scales(values, search=kind == "int8")
    steps = np.clip(np.rint(values / scale), -127, 127).astype(np.int8)
    nodes = [
        helper.make_node("Cast", [f"{name}.i8"], [f"{name}.f32"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}.f32", f"{name}.scale"], [name]),
    ]
    return [numpy_helper.from_array(steps, f"{name}.i8"), numpy_helper.from_array(scale, f"{name}.scale")], nodes


def channel_scales(values: np.ndarray, search: bool = True) -> np.ndarray:
    """int8 scale per output channel (axis 0), shaped to multiply: the greatest magnitude / 127, or with `search` the
    one of least squared error from 0.6 of that upwards, where clipping a tail pays."""
    flat = values.reshape(len(values), -1)
    top = np.maximum(np.abs(flat).max(1), 1e-12)
    best, error = top / 127, np.full(len(flat), np.inf)
    for share in np.linspace(0.6, 1.0, 21) if search else ():
        scale = top * share / 127
        lost = np.square(np.clip(np.rint(flat / scale[:, None]), -127, 127) * scale[:, None] - flat).sum(1)
        best, error = np.where(lost < error, scale, best), np.minimum(lost, error)
    return best.astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))


def restored(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """All constant tensors by name, those too that the file stores small and restores by Cast and Mul, or
    that gain axes on the way.
    """
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if not node.input or not all(name in values for name in node.input):
            continue
        inputs = [values[name] for name in node.input]
        if node.op_type == "Cast":
            values[node.output[0]] = inputs[0].astype(np.float32)
        elif node.op_type == "Mul":
            values[node.output[0]] = inputs[0].astype(np.float32) * inputs[1].astype(np.float32)
        elif node.op_type == "Unsqueeze":
            values[node.output[0]] = np.expand_dims(inputs[0], tuple(int(axis) for axis in np.atleast_1d(inputs[1])))
    return values
