"""The command `calibrate`."""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import rejection
from ..config import Recipe
from ..files import write_json
from ..framing import framer_of
from ..gate import gate_of
from ..manifest import read_manifest, write_manifest
from ..repository import shipped_recipe
from ..store import Store
from .outputs import OnnxNetwork, default_cache
from .report import report
from .run import calibrate


def add_arguments(step: argparse.ArgumentParser) -> None:
    step.add_argument("--store", type=Path, required=True)
    step.add_argument("--recipe", type=shipped_recipe, required=True)
    of = step.add_mutually_exclusive_group(required=True)
    of.add_argument("--model", type=Path, help="a model folder: its manifest is rewritten with the findings")
    of.add_argument(
        "--checkpoint", type=Path, help="weights that are not exported yet: the findings are written to --out alone"
    )
    step.add_argument("--out", type=Path, help="with --checkpoint: folder for calibration.json and the rejection model")
    step.add_argument(
        "--cache", type=Path, default=default_cache(), help="where the network's outputs are kept (%(default)s)"
    )
    step.add_argument(
        "--method",
        choices=["energy", *(prefix + name for name in rejection.methods() for prefix in ("", "energy + "))],
        help="rejection, instead of the best one",
    )


def checkpoint_network(checkpoint: Path, recipe: Recipe, folder: Path) -> OnnxNetwork:
    """The checkpoint as an fp32 network."""
    from ..checkpoint import load_trained
    from ..onnx_export import export_onnx

    path = folder / "network.onnx"
    export_onnx(load_trained(recipe, checkpoint), recipe.input_size, path)
    found = OnnxNetwork.open(path, recipe)
    # The exporter's file need not be the same bytes twice: the checkpoint's own hash is what the outputs belong to.
    return replace(found, sha256=hashlib.sha256(checkpoint.read_bytes()).hexdigest())


def run(arguments: argparse.Namespace) -> None:
    recipe = Recipe.load(arguments.recipe)
    description = json.loads(arguments.recipe.with_suffix(".model.json").read_text())
    store = Store.open(arguments.store)
    if arguments.model:
        manifest = read_manifest(arguments.model)
        given = manifest["input"]  # holds what `--set` changed, unlike the recipe's file
        recipe = replace(recipe, input_size=given["width"], crop=given["fit"], crop_pct=given.get("cropPct", 1.0))
        network = OnnxNetwork.open(arguments.model / manifest["file"]["path"], recipe)
        findings = calibrate(
            network,
            store,
            recipe,
            description,
            arguments.cache,
            arguments.method,
            framer_of(arguments.model, manifest),
            gate_of(manifest),
        )
        findings.write(manifest, arguments.model)
        write_manifest(arguments.model, manifest)
    else:
        if arguments.out is None:
            raise SystemExit("calibrate: --checkpoint needs --out")
        from ..checkpoint import recipe_of_run

        arguments.out.mkdir(parents=True, exist_ok=True)
        recipe = recipe_of_run(recipe, arguments.checkpoint)
        with tempfile.TemporaryDirectory() as folder:
            network = checkpoint_network(arguments.checkpoint, recipe, Path(folder))
            findings = calibrate(network, store, recipe, description, arguments.cache, arguments.method)
        written: dict[str, Any] = {"decision": {}}
        findings.write(written, arguments.out)
        write_json(arguments.out / "calibration.json", written)
    print(report(findings), flush=True)
