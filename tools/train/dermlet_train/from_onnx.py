"""A shipped model folder back into a network that can be trained on.

A shipped file holds no batch norm: it was folded into the convolutions before it. So the network that is read back has
convolutions with a bias and no norm (`folded`), answers exactly as the shipped one does, and is fine-tuned like that.
For small collections this is common practice anyway: batch norm kept in evaluation mode is the same function, and its
statistics could not be estimated anew from a few dozen pictures. Reading the shipped file was chosen over keeping a
checkpoint beside every model, which would double what a model weighs in the repository and go stale; stored halves or
bytes cost a fine-tuned network nothing, as training goes on from them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from .limits import MOST_NETWORK_BYTES
from .manifest import read_manifest
from .network import Classifier
from .networks import NETWORKS
from .reading import check_regular
from .storage import restored


def convolutions(network: Classifier) -> list[nn.Conv2d]:
    """The backbone's convolutions in the order in which they run."""
    order: list[nn.Conv2d] = []
    layers = [layer for layer in network.backbone.modules() if isinstance(layer, nn.Conv2d)]
    hooks = [layer.register_forward_pre_hook(lambda layer, _: order.append(layer)) for layer in layers]
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 3, 32, 32))
    for hook in hooks:
        hook.remove()
    return order


def read_model(folder: Path) -> tuple[Classifier, dict[str, Any]]:
    """The network of a model folder that `export` wrote, in evaluation mode, and its manifest. Raises ValueError for
    any other model.

    Layers are matched by their order and shape, not by name: the exporter renames what it folds. The last convolution
    of the graph is the head.
    """
    manifest = read_manifest(folder)
    name = manifest.get("training", {}).get("network")
    if name not in NETWORKS:
        raise ValueError(
            f"{folder}: was not made by this tool's export (network {name!r}); there are {', '.join(NETWORKS)}"
        )
    path = folder / manifest["file"]["path"]
    check_regular(path, MOST_NETWORK_BYTES)
    model = onnx.load(path)
    values = restored(model)
    network = Classifier(name, len(manifest["classes"]), 0.0, pretrained=False, folded=True)
    targets = [(layer.weight, layer.bias) for layer in convolutions(network)] + [
        (network.head.weight, network.head.bias)
    ]
    nodes = [node for node in model.graph.node if node.op_type == "Conv"]
    if len(nodes) != len(targets):
        raise ValueError(f"{folder}: {len(nodes)} convolutions where {name} with a head has {len(targets)}")
    with torch.no_grad():
        for node, parameters in zip(nodes, targets, strict=True):
            for k, parameter in enumerate(parameters):
                assert parameter is not None  # batch norm is folded: every layer has a bias
                if k == 1 and len(node.input) < 3:  # the exporter leaves out a bias that is zero
                    parameter.zero_()
                    continue
                source = values.get(node.input[1 + k])
                if (
                    source is None
                    or source.size != parameter.numel()
                    or source.shape[: parameter.ndim] != tuple(parameter.shape)
                ):
                    raise ValueError(f"{folder}: convolution {node.name or node.output[0]} is no layer of {name}")
                parameter.copy_(torch.from_numpy(source.astype(np.float32)).reshape(parameter.shape))
    return network.eval(), manifest
