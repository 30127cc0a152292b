"""The last step of every export: the model folder is held against the manifest's schema and classifies a picture as
shipped, before it is called done.

Python cannot say whether the page will take a model: that is for the page's own reader to say. So, beside the schema,
`npm run classify` (manifest reader, C++ core, ONNX Runtime Web, self-test) answers for the model's own self-test
picture in every modality.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from .manifest import FILE_NAME, SCHEMA, problems, read_manifest
from .repository import ROOT, in_checkout

LIMIT = 600  # seconds for one program: the first call may have to build the core


class CheckError(ValueError):
    """The model was not tried, or did not pass; the message says which, and what to do."""


def missing() -> str:
    """What this checkout lacks to run the shipped path, as a sentence; empty when it lacks nothing."""
    if not in_checkout():
        return "this is an installed package, and the shipped path needs a checkout of the Dermlet repository."
    if shutil.which("node") is None:
        return "Node is not installed, or not on the PATH (version 20 or newer is needed)."
    if not (ROOT / "node_modules").exists():
        return f"the packages of the page are not installed: run `npm ci` in {ROOT}."
    if not (ROOT / "build" / "wasm" / "dermlet.wasm").exists():
        return f"the core is not built: run `npm run build` in {ROOT}."
    return ""


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired as error:
        raise CheckError(f"{' '.join(command[:3])} took longer than {LIMIT} s") from error


def classified(model: Path, picture: Path, modality: str) -> dict[str, Any]:
    """The Result of `npm run classify`. Raises CheckError with the program's own words when it gives none."""
    program = [
        "node",
        str(ROOT / "tools" / "build" / "run.mjs"),
        "classify",
        str(picture.resolve()),
        "--model",
        str(model.resolve()),
    ]
    done = _run([*program, "--modality", modality, "--json"])
    if done.returncode:
        raise CheckError(f"`npm run classify` refuses {model}: {(done.stderr or done.stdout).strip()[-600:]}")
    return json.loads(done.stdout)


def check(model: Path) -> None:
    """Schema, then one answer a modality, which must come from this network and rank all of its classes. Raises
    CheckError.
    """
    if lack := missing():
        raise CheckError(
            f"{model} is written but was not tried, as {lack} Then: python -m dermlet_train check --model {model} (or"
            " --unchecked, to go without)"
        )
    manifest = read_manifest(model)
    if found := problems(manifest):
        raise CheckError(f"{model / FILE_NAME} does not fit models/{SCHEMA.name}: {'; '.join(found)}")
    for name in (manifest["card"], manifest["license"]["path"]):
        if not (model / name).exists():
            print(f"check: {model / name} is not there yet: a folder that is passed on needs it", flush=True)
    outcomes = []
    for modality in (entry["id"] for entry in manifest["modalities"]):
        answer = classified(model, model / manifest["selfTest"]["picture"]["path"], modality)
        ranked = {entry["id"] for entry in answer["ranking"]}
        if answer["model"]["sha256"] != manifest["file"]["sha256"] or ranked != {
            entry["id"] for entry in manifest["classes"]
        }:
            raise CheckError(f"{model}: the answer is not this model's: {answer['model']}, {sorted(ranked)}")
        outcomes.append(f"{modality}: {answer['outcome']}")
    print(
        f"check: {model} fits the schema, and `classify` ran it on its self-test picture ({', '.join(outcomes)})",
        flush=True,
    )


def add_arguments(step: argparse.ArgumentParser) -> None:
    step.add_argument("--model", type=Path, required=True)


def run(arguments: argparse.Namespace) -> None:
    """Ends the program with status 2 where the model was not tried or did not pass."""
    try:
        check(arguments.model)
    except CheckError as error:
        raise SystemExit(f"check: {error}") from error
