"""Writes the tiny networks beside this file: one random convolution, as a graph for one picture and as one for any
number of them; and hostile ones, whose names and shapes are those of `one`, so that only running or reading them tells.

Their weights have no symmetry, so that every view of a picture gets another answer. Needs the package onnx
(tools/train/requirements.txt).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CLASSES = 8
FEATURES = 5
PATCH = 4


def network(batch: int | str, height: int, width: int) -> onnx.ModelProto:
    """pixels (batch, 3, height, width) -> logits (batch, 8), maps (batch, 8, height / 4, width / 4), embedding (batch,
    5).
    """
    random = np.random.default_rng(20)
    weights = random.normal(0, 0.5, (CLASSES, 3, PATCH, PATCH)).astype(np.float32)
    features = random.normal(0, 0.5, (FEATURES, 3, PATCH, PATCH)).astype(np.float32)
    shape = {"kernel_shape": [PATCH, PATCH], "strides": [PATCH, PATCH]}
    nodes = [
        helper.make_node("Conv", ["pixels", "weights"], ["maps"], **shape),
        helper.make_node("ReduceMean", ["maps", "plane"], ["logits"], keepdims=0),
        helper.make_node("Conv", ["pixels", "features"], ["patches"], **shape),
        helper.make_node("ReduceMean", ["patches", "plane"], ["embedding"], keepdims=0),
    ]
    constants = [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(features, "features"),
        numpy_helper.from_array(np.array([2, 3], np.int64), "plane"),
    ]

    def value(name: str, *shape: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    outputs = [
        value("logits", batch, CLASSES),
        value("maps", batch, CLASSES, height // PATCH, width // PATCH),
        value("embedding", batch, FEATURES),
    ]
    graph = helper.make_graph(nodes, "tiny", [value("pixels", batch, 3, height, width)], outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def with_addend(nodes: list[onnx.NodeProto], constants: list[onnx.TensorProto]) -> onnx.ModelProto:
    """`one`, whose logits have the number `addend` added, which the nodes give: no optimiser can leave them out."""
    model = network(1, 32, 32)
    graph = model.graph
    next(node for node in graph.node if "logits" in node.output).output[0] = "plain"
    graph.node.extend([*nodes, helper.make_node("Add", ["plain", "addend"], ["logits"])])
    graph.initializer.extend(constants)
    return model


def endless() -> onnx.ModelProto:
    """Counts to 2^31 in a Loop: hours, without more memory."""

    def value(name: str, kind: int, shape: list[int]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["goes_on"]),
            helper.make_node("Add", ["sum", "step"], ["more"]),
        ],
        "turn",
        [
            value("turn", TensorProto.INT64, []),
            value("go", TensorProto.BOOL, []),
            value("sum", TensorProto.FLOAT, []),
        ],
        [value("goes_on", TensorProto.BOOL, []), value("more", TensorProto.FLOAT, [])],
        [numpy_helper.from_array(np.array(1, np.float32), "step")],
    )
    constants = [
        numpy_helper.from_array(np.array(2**31, np.int64), "trips"),
        numpy_helper.from_array(np.array(True), "always"),
        numpy_helper.from_array(np.array(0, np.float32), "zero"),
    ]
    return with_addend([helper.make_node("Loop", ["trips", "always", "zero"], ["addend"], body=body)], constants)


def of_size(count: int) -> onnx.ModelProto:
    """Asks for so many numbers of four bytes at once."""
    nodes = [
        helper.make_node("ConstantOfShape", ["count"], ["ones"]),
        helper.make_node("ReduceSum", ["ones"], ["addend"], keepdims=0),
    ]
    return with_addend(nodes, [numpy_helper.from_array(np.array([count], np.int64), "count")])


def outside() -> onnx.ModelProto:
    """Has its weights in a file outside of its folder."""
    model = network(1, 32, 32)
    weights = next(constant for constant in model.graph.initializer if constant.name == "weights")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../../../../../../../../etc/passwd")
    weights.external_data.add(key="length", value=str(len(weights.raw_data)))
    weights.ClearField("raw_data")
    return model


def main() -> None:
    folder = Path(__file__).parent
    hostile_ones = (
        ("endless", endless()),
        # A size that no 32-bit address space has.
        ("vast", of_size(2**40)),
        # All but the last 256 KiB of such a space: only that the memory is not to be had stops it.
        ("greedy", of_size(2**30 - 2**16)),
        ("outside", outside()),
    )
    for name, hostile in hostile_ones:
        (folder / f"{name}.onnx").write_bytes(hostile.SerializeToString())
    # Ends in the middle of a weight.
    (folder / "cut.onnx").write_bytes(network(1, 32, 32).SerializeToString()[:1500])
    for name, batch, height, width in (("one", 1, 32, 32), ("any", "batch", 32, 32), ("wide", "batch", 24, 32)):
        onnx.save(network(batch, height, width), folder / f"{name}.onnx")


if __name__ == "__main__":
    main()
