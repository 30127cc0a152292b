"""Writes the tiny networks beside this file: one random convolution, as a graph for one picture and as one for any
number of them.

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


def main() -> None:
    folder = Path(__file__).parent
    for name, batch, height, width in (("one", 1, 32, 32), ("any", "batch", 32, 32), ("wide", "batch", 24, 32)):
        onnx.save(network(batch, height, width), folder / f"{name}.onnx")


if __name__ == "__main__":
    main()
