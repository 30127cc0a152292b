"""Networks written as ONNX, and the sessions that run what was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch

from .augment import normalise
from .limits import MOST_NETWORK_BYTES
from .network import Classifier, Exported
from .preprocessing import LITE, Preprocessing
from .reading import check_regular

OPSET = 18
OUTPUTS = ("logits", "maps", "embedding")


def write_program(
    module: torch.nn.Module, example: torch.Tensor, path: Path, input_name: str, outputs: list[str], **options: Any
) -> None:
    """The graph that PyTorch's exporter traces; `options` are its own."""
    program = torch.onnx.export(
        module,
        (example,),
        dynamo=True,
        opset_version=OPSET,
        input_names=[input_name],
        output_names=outputs,
        **options,
    )
    assert program is not None  # only the legacy exporter returns None
    program.save(str(path))


def export_onnx(network: Classifier, size: int, path: Path) -> None:
    """fp32 ONNX, opset 18, any number of pictures in a batch, batch norm folded, pads constant.

    The batch size is left open for the eight views of test-time augmentation. It costs nothing at one picture: the
    graph is the same, node for node.
    """
    example = torch.zeros(2, 3, size, size)  # an example of one picture would be taken for a batch that is always 1
    batch = {0: torch.export.Dim("batch")}
    write_program(Exported(network).eval(), example, path, "pixels", list(OUTPUTS), dynamic_shapes=(batch,))
    model = onnx.load(path)
    drop_metadata(model)
    onnx.save(model, path)


def drop_metadata(model: onnx.ModelProto) -> None:
    """Takes out what the exporter notes for its own debugging: stack traces with the folders of the machine, a fortieth
    of a small file.
    """
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
        part.ClearField("doc_string")


def session_of(path: Path) -> onnxruntime.InferenceSession:
    check_regular(path, MOST_NETWORK_BYTES)
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def run(
    session: onnxruntime.InferenceSession, views: list[np.ndarray], preprocessing: Preprocessing = LITE
) -> list[np.ndarray]:
    """The three outputs for (S, S, 3) uint8 views, one at a time as the page does."""
    answers = [session.run(list(OUTPUTS), {"pixels": normalise(view[None], preprocessing)}) for view in views]
    return [np.concatenate(parts) for parts in zip(*answers, strict=True)]
