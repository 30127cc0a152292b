"""Checkpoints: written in one step, read without executing anything, and able to say what network they hold.

`last.pt` holds all that a run needs to resume; `ema.pt` and `best.pt` hold averaged weights: `epoch`, `weights`,
`recipe` (plain values) and `origin` (what the first run began with, in words; empty if unknown). A checkpoint
of an earlier version has no `recipe`; its network is then known by the names and shapes of its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .config import Recipe
from .files import replacing
from .from_onnx import read_model
from .limits import MOST_NETWORK_BYTES
from .manifest import read_manifest
from .network import Classifier
from .networks import NETWORKS
from .reading import check_regular


def save(state: dict[str, Any], path: Path) -> None:
    with replacing(path) as part:
        torch.save(state, part)


def load(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    check_regular(path, MOST_NETWORK_BYTES)
    return torch.load(path, map_location=device, weights_only=True)


def identify_network(weights: dict[str, Tensor]) -> tuple[str, bool]:
    """The registry's name of the network that the weights belong to, and whether batch norm is folded. Raises
    ValueError when they fit none.
    """
    shapes = {key: value.shape for key, value in weights.items()}
    for name in NETWORKS:
        for folded in (False, True):
            with torch.device("meta"):
                candidate = Classifier(name, len(weights["head.bias"]), 0.0, pretrained=False, folded=folded)
            if {key: value.shape for key, value in candidate.state_dict().items()} == shapes:
                return name, folded
    raise ValueError("the weights fit no network that this version knows")


def average(paths: Sequence[Path], out: Path) -> None:
    """Writes the mean of the weights in `paths`: a model soup (Wortsman et al. 2022). It is as good as an ensemble
    where the runs began at one checkpoint and stayed near it, and worse than each of them where they did not: measure
    it. `epoch` is that of all runs together.

    Raises ValueError when the checkpoints hold different networks.
    """
    states = [load(path) for path in paths]
    weights = [state["weights"] for state in states]
    shapes = [{key: value.shape for key, value in one.items()} for one in weights]
    if not states or any(shape != shapes[0] for shape in shapes):
        raise ValueError("only weights of one and the same network can be averaged")
    mean = dict(weights[0])
    for key, value in mean.items():
        if value.is_floating_point():
            mean[key] = torch.stack([one[key].double() for one in weights]).mean(0).to(value.dtype)
    noted = {"recipe": states[0]["recipe"]} if "recipe" in states[0] else {}
    if len(origins := {state.get("origin", "") for state in states}) == 1:
        noted["origin"] = origins.pop()
    save({"epoch": sum(state["epoch"] for state in states), "weights": mean, **noted}, out)


def origin_of(path: Path) -> str:
    """The origin of a run that begins with this checkpoint or model folder, in words for the manifest and the card."""
    if path.is_dir():
        manifest = read_manifest(path)
        return f"the weights of {manifest['name']} {manifest['version']}"
    return load(path).get("origin", "") or "the weights of an earlier run"


@dataclass(frozen=True)
class Trained:
    """A network as a checkpoint holds it. `classes` are empty and `size` 0 where the checkpoint does not say."""

    network: Classifier
    name: str
    classes: tuple[str, ...]
    size: int


def load_classifier(path: Path) -> Trained:
    """The averaged weights in `path` (ema.pt, best.pt or last.pt), or a model folder's network, batch norm folded, in
    evaluation mode, on the CPU.
    """
    if path.is_dir():
        network, manifest = read_model(path)
        return Trained(
            network,
            manifest["training"]["network"],
            tuple(entry["id"] for entry in manifest["classes"]),
            manifest["input"]["width"],
        )
    state = load(path)
    weights = state["weights"] if "weights" in state else state["average"]
    if "recipe" in state:
        recipe = Recipe.of(state["recipe"], str(path))
        name, folded, classes, size = recipe.network, recipe.folded, recipe.classes, recipe.input_size
    else:
        (name, folded), classes, size = identify_network(weights), (), 0
    network = Classifier(name, len(weights["head.bias"]), 0.0, pretrained=False, folded=folded)
    network.load_state_dict(weights)
    return Trained(network.eval(), name, classes, size)


# Keys of a recipe that decide what input a trained network takes and what its outputs mean: an export must take them
# from the run, not from a file that may differ.
OF_THE_RUN = (
    "network",
    "classes",
    "folded",
    "train_size",
    "input_size",
    "samples_per_epoch",
    "crop",
    "crop_pct",
    "colour_constancy",
)


def recipe_of_run(recipe: Recipe, checkpoint: Path, settings: Sequence[str] = ()) -> Recipe:
    """The recipe with `OF_THE_RUN` as the checkpoint's run had them, `--set` of the training included; `settings`
    (`key=value`) go last.

    A recipe file does not hold what `train --set` changed; differences are printed. A checkpoint of an earlier version
    holds no recipe: then the file's values are used.
    """
    state = load(checkpoint)
    if "recipe" not in state:
        return recipe.override(settings)
    trained = Recipe.of(state["recipe"], str(checkpoint))
    differing = {key: getattr(trained, key) for key in OF_THE_RUN if getattr(trained, key) != getattr(recipe, key)}
    for key, value in differing.items():
        print(
            f"{checkpoint.name} was trained with {key} = {value!r}, not {getattr(recipe, key)!r} as the recipe says:"
            " the run's counts",
            flush=True,
        )
    return replace(recipe, **differing).override(settings)


def load_trained(recipe: Recipe, checkpoint: Path) -> Classifier:
    """The recipe's network with the checkpoint's averaged weights, on the CPU."""
    network = Classifier(recipe.network, len(recipe.classes), recipe.dropout, pretrained=False, folded=recipe.folded)
    network.load_state_dict(load(checkpoint)["weights"])
    return network
