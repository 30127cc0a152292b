"""Checkpoint -> model folder: ONNX with small weights, calibration, self-test and manifest.

Weights are stored small and restored when the session is created (`storage.py`); which way is for `variants` to
measure.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from PIL import Image, ImageDraw, ImageFilter

from .augment import normalise, recipe_view
from .calibrate.outputs import OnnxNetwork
from .calibrate.report import report
from .calibrate.run import calibrate
from .checkpoint import load, load_trained
from .config import Recipe
from .framing import framer_of
from .limits import MOST_NETWORK_BYTES
from .manifest import FILE_NAME, new_manifest, read_manifest, write_manifest
from .onnx_export import export_onnx, run, session_of
from .reading import read_bytes
from .rounding import store_network
from .storage import Plan
from .store import Store


def draw_self_test(size: int) -> Image.Image:
    """A drawn picture, larger than the input and not square, so that crop, resampling and network all take part in the
    self-test.
    """
    width, height = size + 96, size + 32
    y, x = np.mgrid[0:height, 0:width]
    skin = np.stack([224 - x * 0.10 - y * 0.08, 178 - x * 0.06 - y * 0.10, 156 - x * 0.05 - y * 0.04], -1)
    grain = ((x * 37 + y * 91 + x * y * 13) % 23 - 11)[..., None] * 0.5
    picture = Image.fromarray(np.clip(skin + grain, 0, 255).astype(np.uint8))
    spot = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(spot)
    cx, cy = width * 0.52, height * 0.47
    for dx, dy, r in ((0, 0, 46), (26, -16, 30), (-24, 20, 28), (14, 28, 24)):
        pen.ellipse((cx + dx - r, cy + dy - r, cx + dx + r, cy + dy + r), fill=215)
    spot = spot.filter(ImageFilter.GaussianBlur(4))
    dark = Image.new("RGB", picture.size, (92, 54, 42))
    return Image.composite(dark, picture, spot).quantize(64, dither=Image.Dither.NONE).convert("RGB")


def file_entry(path: Path) -> dict[str, object]:
    data = read_bytes(path, MOST_NETWORK_BYTES)
    return {"path": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def only_known_modalities(manifest: dict[str, Any]) -> None:
    """Takes out of a manifest what speaks of modalities that it does not have: the words may come from a model that had
    more.

    Raises ValueError when the default modality is none that the calibration part has pictures of.
    """
    known = [entry["id"] for entry in manifest["modalities"]]
    if manifest["defaultModality"] not in known:
        raise ValueError(
            f"the default modality is {manifest['defaultModality']!r}, but the calibration part has pictures of"
            f" {', '.join(known)} alone"
        )
    quality = {key: value for key, value in manifest["quality"].items() if key != "modalities"}
    own = {name: limits for name, limits in manifest["quality"].get("modalities", {}).items() if name in known}
    manifest["quality"] = quality | ({"modalities": own} if own else {})


def kept_locator(out: Path) -> dict[str, Any]:
    """The locator of the model that the folder already holds, and the `look` of each modality: they do not depend on
    the classifier's weights.
    """
    before = read_manifest(out) if (out / FILE_NAME).exists() else {}
    if "locator" not in before:
        return {}
    looks = [
        {"id": modality["id"], "look": modality["look"]} for modality in before["modalities"] if "look" in modality
    ]
    return {"locator": before["locator"], "modalities": looks}


def export(
    recipe: Recipe,
    store: Store,
    checkpoint: Path,
    description: dict[str, Any],
    out: Path,
    storage: str,
    plan: Plan | None = None,
) -> None:
    """Writes the whole model folder except card and licence. `description` is the recipe's sibling `<name>.model.json`:
    names and words. `storage` names how the weights are stored; a `plan` says it tensor by tensor. `check.check` has
    the last word, once the folder is whole."""
    if recipe.colour_constancy:
        raise ValueError(
            "colour_constancy is for ablations: the page does not do it, so such a network cannot be exported"
        )
    out.mkdir(parents=True, exist_ok=True)
    state = load(checkpoint)
    network = load_trained(recipe, checkpoint)
    name = str(description["name"])
    path = out / f"{name}.onnx"
    export_onnx(network, recipe.input_size, path)
    onnx.save(store_network(onnx.load(path), storage, plan, store, recipe), path)
    path.with_suffix(".onnx.data").unlink(missing_ok=True)
    session = session_of(path)

    draw_self_test(recipe.input_size).save(out / "selftest.png", optimize=True)
    view = recipe_view(np.asarray(Image.open(out / "selftest.png").convert("RGB")), recipe)
    logits, maps, embedding = run(session, [view], network.preprocessing)
    with torch.inference_mode():
        exact = network.outputs(torch.from_numpy(normalise(view[None], network.preprocessing)))
    drift = float(np.abs(exact.logits.numpy() - logits).max())
    print(
        f"export: {path.name} {path.stat().st_size / 1e6:.2f} MB as {storage}, logits differ from PyTorch by"
        f" {drift:.2e}",
        flush=True,
    )
    if np.abs(maps.mean((2, 3)) - logits).max() > 1e-4:
        raise ValueError("the maps' mean is not the logits: the activation maps are not exact")
    reference = {"scores": logits[0].tolist(), "embedding": embedding[0].tolist(), "tolerance": 1e-3}
    (out / "selftest.json").write_text(json.dumps(reference) + "\n")

    locating = kept_locator(out)
    framer = framer_of(out, locating) if locating else None
    findings = calibrate(OnnxNetwork.open(path, recipe), store, recipe, description, framer=framer)
    fields = {
        "name": name,
        "version": description["version"],
        "title": description["title"],
        "license": description["license"],
        "card": "MODEL_CARD.md",
        "file": file_entry(path),
        "input": {
            "name": "pixels",
            "width": recipe.input_size,
            "height": recipe.input_size,
            "layout": "NCHW",
            "fit": recipe.crop,
            **({"cropPct": recipe.crop_pct} if recipe.crop_pct < 1 else {}),
            "filter": "bicubic",
            **network.preprocessing.manifest(),
        },
        "outputs": {"scores": "logits", "scoresAre": "logits", "maps": "maps", "embedding": "embedding"},
        "classes": [{"id": k, **description["classes"][k]} for k in recipe.classes],
        "modalities": [],
        **locating,
        "defaultModality": description["defaultModality"],
        "decision": {"coverage": float(description["coverage"]), "rejection": "energy"},
        "quality": description["quality"],
        "selfTest": {"picture": file_entry(out / "selftest.png"), "reference": file_entry(out / "selftest.json")},
        "training": {
            "network": recipe.network,
            "epochs": state["epoch"],
            "samplesPerEpoch": recipe.samples_per_epoch,
            "trainSize": recipe.train_size,
            "storage": storage,
            "pictures": {
                part: len(found)
                for part in ("train", "calib", "val", "test")
                if (found := store.where(part)) or part != "test"
            },
            **({"from": state["origin"]} if state.get("origin") else {}),
            **description.get("training", {}),
        },
    }
    manifest = new_manifest(**fields)
    findings.write(manifest, out)
    only_known_modalities(manifest)
    print(report(findings), flush=True)
    write_manifest(out, manifest)
