"""Checkpoint -> locator.onnx: batch norm folded, opset 18 as the classifier, weights stored small, compared with
PyTorch before it is written.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ..checkpoint import load
from ..export import draw_self_test
from ..onnx_export import drop_metadata, session_of, write_program
from ..storage import store_weights
from .network import PREPROCESSING, SIZE, Locator

OUTPUT = "spots"
LARGEST_DRIFT = 1e-3  # of fp32's answers from PyTorch's


def load_locator(checkpoint: Path) -> Locator:
    """The averaged weights in a checkpoint, ready to run."""
    network = Locator()
    network.load_state_dict(load(checkpoint)["weights"])
    return network.eval()


def folded(network: Locator) -> Locator:
    """The network with every batch norm folded into the convolution before it, in place. It must be in
    evaluation mode.
    """
    for module in network.modules():
        if isinstance(module, torch.nn.Sequential) and len(module) > 1 and isinstance(module[1], torch.nn.BatchNorm2d):
            convolution = module[0]
            assert isinstance(convolution, torch.nn.Conv2d)
            module[0] = fuse_conv_bn_eval(convolution, module[1])
            module[1] = torch.nn.Identity()
    return network


def write_onnx(network: Locator, path: Path, storage: str = "int8", size: int = SIZE) -> float:
    """Writes the file and returns by how much its scores (0..1) differ at most from PyTorch's on a drawn picture.

    Raises ValueError where fp32's own answers differ from PyTorch's by more than `LARGEST_DRIFT`: then the graph is
    another one.
    """
    view = np.asarray(draw_self_test(size).resize((size, size)))
    pixels = PREPROCESSING.normalise(view[None])
    with torch.inference_mode():
        exact = network(torch.from_numpy(pixels)).numpy()
    write_program(folded(network), torch.zeros(1, 3, size, size), path, "pixels", [OUTPUT])
    model = onnx.load(path)
    drop_metadata(model)
    _shorten(model)
    onnx.save(model, path)
    drift = float(np.abs(_run(path, pixels) - exact).max())
    if drift > LARGEST_DRIFT:
        path.unlink()
        raise ValueError(f"the exported network's answers differ from PyTorch's by {drift:.2e}")
    onnx.save(store_weights(model, storage), path)
    path.with_suffix(".onnx.data").unlink(missing_ok=True)
    stored = _run(path, pixels)
    return float(np.abs(1 / (1 + np.exp(-stored[:, 0])) - 1 / (1 + np.exp(-exact[:, 0]))).max())


def _run(path: Path, pixels: np.ndarray) -> np.ndarray:
    return session_of(path).run([OUTPUT], {"pixels": pixels})[0]


def _default(node: onnx.NodeProto, attribute: onnx.AttributeProto) -> bool:
    """Whether a convolution's attribute says what holds without it."""
    value, plain = (
        helper.get_attribute_value(attribute),
        {"auto_pad": b"NOTSET", "group": 1, "dilations": [1, 1], "pads": [0] * 4, "strides": [1, 1]},
    )
    return (
        node.op_type == "Conv"
        and attribute.name in plain
        and (list(value) if isinstance(plain[attribute.name], list) else value) == plain[attribute.name]
    )


def _shorten(model: onnx.ModelProto) -> None:
    """Short names and no attributes at their defaults: the exporter's names are a tenth of so small a file."""
    graph, names = model.graph, {}
    fixed = {value.name for value in (*graph.input, *graph.output)}
    for n, held in enumerate(graph.initializer):
        names[held.name] = held.name = f"w{n}"
    for n, node in enumerate(graph.node):
        node.ClearField("name")
        kept = [one for one in node.attribute if not _default(node, one)]
        del node.attribute[:]
        node.attribute.extend(kept)
        for at, name in enumerate(node.output):
            if name not in fixed:
                names[name] = f"t{n}_{at}"
    for node in graph.node:
        for list_of_names in (node.input, node.output):
            renamed = [names.get(name, name) for name in list_of_names]
            del list_of_names[:]
            list_of_names.extend(renamed)
    del graph.value_info[:]


def export(checkpoint: Path, out: Path, storage: str = "int8", size: int | None = None) -> None:
    """Writes `out`, the .onnx file, and prints what it weighs. `size`: side of its input in pixels, a multiple of 32;
    None: that of the scenes it was trained on.
    """
    state = load(checkpoint)
    size = size or int(state.get("size", SIZE))
    if size < 32 or size % 32:
        raise ValueError(f"a side of {size} pixels: it must be a multiple of 32")
    out.parent.mkdir(parents=True, exist_ok=True)
    moved = write_onnx(load_locator(checkpoint), out, storage, size)
    print(
        json.dumps(
            {
                "file": out.name,
                "bytes": out.stat().st_size,
                "size": size,
                "storage": storage,
                "epoch": state["epoch"],
                "scores_moved_by": round(moved, 5),
            }
        )
    )
