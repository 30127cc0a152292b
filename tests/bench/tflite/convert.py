"""Writes the network of a model folder as TFLite, for the benchmark beside LiteRT.js: once with 32-bit floats, once
with 8-bit weights and activations whose ranges are taken from drawn pictures. Not a general converter: convolutions,
limits, sums and means are what our networks are made of.

    python convert.py --model ../../../models/skin-8/skin-8.onnx --out FOLDER
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from onnx import numpy_helper

Values = dict[str, Any]
# Largest difference of a score from ONNX Runtime's: of the floats for rounding, of the bytes so that a network that is
# wired wrongly is not timed.
MOST = {"float": 1e-3, "int8": 2.0}


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


def folded(graph: onnx.GraphProto) -> Values:
    """Initializers, and what is computed from them alone: weights are stored as integers with a factor."""
    known: Values = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    for node in graph.node:
        if not node.input or not all(name in known for name in node.input if name):
            continue
        given = [known[name] for name in node.input]
        if node.op_type == "Cast":
            known[node.output[0]] = given[0].astype(onnx.helper.tensor_dtype_to_np_dtype(attributes(node)["to"]))
        elif node.op_type == "Mul":
            known[node.output[0]] = given[0] * given[1]
        elif node.op_type == "Unsqueeze":
            known[node.output[0]] = np.expand_dims(given[0], tuple(int(axis) for axis in given[1]))
    return known


def convolution(node: onnx.NodeProto, x: Any, weights: np.ndarray, bias: np.ndarray | None) -> Any:
    """NHWC; `weights` as ONNX has them, OIHW."""
    said = attributes(node)
    top, left, bottom, right = said.get("pads", [0, 0, 0, 0])
    (down, across), groups = said.get("strides", [1, 1]), said.get("group", 1)
    if any((top, left, bottom, right)):
        x = tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]])
    if groups == 1:
        y = tf.nn.conv2d(x, weights.transpose(2, 3, 1, 0), [down, across], "VALID")
    elif groups == weights.shape[0] and weights.shape[1] == 1:
        y = tf.nn.depthwise_conv2d(x, weights.transpose(2, 3, 0, 1), [1, down, across, 1], "VALID")
    else:
        raise SystemExit(f"convert: {node.name}: {groups} groups are neither none nor one a channel")
    return y if bias is None else tf.nn.bias_add(y, bias)


def scores_of(graph: onnx.GraphProto, output: str) -> Callable[[Any], Any]:
    """The graph as a function of pixels, NHWC, up to `output`."""
    known = folded(graph)

    def run(pixels: Any) -> Any:
        values: Values = {graph.input[0].name: pixels}
        for node in graph.node:
            if node.output[0] in known:
                continue
            given = [values.get(name, known.get(name)) if name else None for name in node.input]
            if node.op_type == "Conv":
                result = convolution(node, given[0], given[1], given[2] if len(given) > 2 else None)
            elif node.op_type == "Clip":
                lowest, highest = (float(limit) for limit in given[1:3])
                result = tf.nn.relu6(given[0]) if (lowest, highest) == (0.0, 6.0) else None
                if result is None:
                    result = tf.clip_by_value(given[0], lowest, highest)
            elif node.op_type == "Add":
                result = given[0] + given[1]
            elif node.op_type == "ReduceMean":
                result = tf.reduce_mean(given[0], [1, 2])
            else:
                raise SystemExit(f"convert: {node.op_type} is not known here")
            values[node.output[0]] = result
            if node.output[0] == output:
                return result
        raise SystemExit(f"convert: the graph has no output {output}")

    return run


def drawn(side: int, count: int) -> Iterator[np.ndarray]:
    """Skin-like gradients with a darker spot and noise, as the network is shown them."""
    rng = np.random.default_rng(0)
    down, across = np.mgrid[0:side, 0:side] / side
    for _ in range(count):
        skin = rng.uniform([140, 100, 80], [235, 190, 170]).astype(np.float32)
        tilt = rng.uniform(-30, 30) * down + rng.uniform(-30, 30) * across
        y, x, radius = rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.7), rng.uniform(0.05, 0.35)
        spot = np.exp(-((((down - y) ** 2 + (across - x) ** 2) / radius**2) ** 2)) * rng.uniform(20, 110)
        picture = skin + (tilt - spot)[..., None] + rng.normal(0, 6, (side, side, 3))
        yield ((np.clip(picture, 0, 255) - 127) / 128).astype(np.float32)[None]


def convert(model: Path, out: Path, output: str) -> None:
    network = onnx.load(model)
    side = network.graph.input[0].type.tensor_type.shape.dim[2].dim_value
    function = tf.function(
        scores_of(network.graph, output), input_signature=[tf.TensorSpec([1, side, side, 3], tf.float32)]
    )
    theirs = onnxruntime.InferenceSession(model)
    for name, most in MOST.items():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
        if name == "int8":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([picture] for picture in drawn(side, 100))
        written = converter.convert()
        interpreter = tf.lite.Interpreter(model_content=written)
        interpreter.allocate_tensors()
        (entry,), (exit_,) = interpreter.get_input_details(), interpreter.get_output_details()
        worst = 0.0
        for picture in drawn(side, 10):
            interpreter.set_tensor(entry["index"], picture)
            interpreter.invoke()
            (right,) = theirs.run([output], {network.graph.input[0].name: picture.transpose(0, 3, 1, 2)})
            worst = max(worst, float(np.abs(interpreter.get_tensor(exit_["index"]) - right).max()))
        if worst > most:
            raise SystemExit(f"convert: the scores as {name} are up to {worst:.3g} from ONNX Runtime's")
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{name}.tflite").write_bytes(written)
        print(f"{name}.tflite: {len(written)} bytes, scores at most {worst:.2g} from ONNX Runtime's", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--scores", default="logits")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    convert(arguments.model, arguments.out, arguments.scores)
