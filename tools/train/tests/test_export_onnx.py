"""The exported graph: any number of pictures, constant pads, and PyTorch's own numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from dermlet_train.network import Classifier, Exported
from dermlet_train.onnx_export import OUTPUTS, export_onnx


@pytest.mark.parametrize("size", [96, 160])
def test_a_batch_of_any_size_with_constant_pads(tmp_path: Path, size: int) -> None:
    torch.manual_seed(1)
    network = Classifier("efficientnet-lite0", 5, 0.2, pretrained=False).eval()
    path = tmp_path / "network.onnx"
    export_onnx(network, size, path)
    assert b"stack_trace" not in path.read_bytes(), "no folder of the machine that exported it"
    graph = onnx.load(path).graph
    first, *rest = graph.input[0].type.tensor_type.shape.dim
    assert first.dim_param and [d.dim_value for d in rest] == [3, size, size]
    constants = {tensor.name for tensor in graph.initializer}
    assert all(node.input[1] in constants for node in graph.node if node.op_type == "Pad")

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    pixels = torch.rand(8, 3, size, size) * 2 - 1
    with torch.inference_mode():
        expected = [output.numpy() for output in Exported(network)(pixels)]
    for count in (1, 8):
        found = session.run(list(OUTPUTS), {"pixels": pixels[:count].numpy()})
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b[:count], rtol=1e-4, atol=1e-5)
