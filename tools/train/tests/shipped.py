"""The shipped path, as tests call it: the command line in Node on the built core, and the manifest's schema by
another validator than the tool's own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
TRAIN = ROOT / "tools" / "train"

shipped_path = pytest.mark.skipif(
    shutil.which("npm") is None
    or not (ROOT / "build" / "wasm" / "dermlet.wasm").exists()
    or not (ROOT / "node_modules").exists(),
    reason="the page's engine is not built here (build/wasm, node_modules): npm run build",
)


def schema_problems(manifest: Path) -> list:
    """What models/manifest.schema.json has against a manifest."""
    script = (
        "import{Ajv2020}from'ajv/dist/2020.js';import{readFileSync}from'node:fs';const[s,m]=process.argv.slice(-2).map(f=>JSON.parse(readFileSync(f,'utf8')));"
        "const v=new Ajv2020({strict:false}).compile(s);v(m);console.log(JSON.stringify(v.errors??[]))"
    )
    command = [
        "node",
        "--input-type=module",
        "-e",
        script,
        "--",
        str(ROOT / "models" / "manifest.schema.json"),
        str(manifest),
    ]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def npm_run(tool: str, *arguments: object) -> str:
    """What `npm run <tool>` prints; fails the test when it does not end with 0."""
    done = subprocess.run(
        ["npm", "run", "--silent", tool, "--", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def classified(picture: Path, model: Path, *more: str) -> dict:
    """The Result of one picture."""
    return json.loads(npm_run("classify", picture, "--model", model, "--json", *more))


def probabilities(answer: dict, manifest: dict) -> np.ndarray:
    """A Result's probabilities in the manifest's order of classes."""
    found = {entry["id"]: entry["probability"] for entry in answer["ranking"]}
    return np.array([found[c["id"]] for c in manifest["classes"]])
