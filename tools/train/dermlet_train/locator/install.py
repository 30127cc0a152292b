"""Puts a locator.onnx into a model folder: the file, and its entry in the manifest."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..export import file_entry
from ..files import replacing
from ..manifest import read_manifest, write_manifest
from ..onnx_export import session_of
from .export import OUTPUT
from .network import PREPROCESSING

FILE = "locator.onnx"
# What the manifest says where nobody chose anything: chosen on pictures of skin-8 (tools/train/README.md).
LIMITS: Mapping[str, float] = {
    "spotScore": 0.2,
    "rivalScore": 0.55,
    "rivalRatio": 0.8,
    "frameScore": 0.4,
    "frameScale": 1.8,
}


def parse_look(text: str) -> tuple[str, dict[str, float]]:
    """`photo=0.2,0.5` -> modality, and its `look` for the manifest. Raises ValueError."""
    modality, _, shares = text.partition("=")
    try:
        alone, both = (float(share) for share in shares.split(","))
    except ValueError as error:
        raise ValueError(f"{text!r}: give MODALITY=ALONE,BOTH, such as photo=0.2,0.5") from error
    if not modality or not 0 <= alone <= both <= 1:
        raise ValueError(f"{text!r}: shares are of 0 to 1, and ALONE is at most BOTH")
    return modality, {"aloneShare": alone, "bothShare": both}


def install(model: Path, locator: Path, looks: Mapping[str, Mapping[str, float]], limits: Mapping[str, float]) -> None:
    """Copies `locator` into the folder `model` and writes the manifest anew. `looks`: by modality; the modalities left
    out keep what the manifest says of them. `limits`: of `LIMITS`' keys; the others stay as they are, else `LIMITS`'.

    Sets, tiers and rejection were fitted on the frames of the locator before, if any: run `calibrate` afterwards.
    Raises ValueError where a name is unknown or the file is no locator, FileNotFoundError where there is no model.
    """
    manifest = read_manifest(model)
    if strangers := set(limits) - set(LIMITS):
        raise ValueError(f"unknown limits {sorted(strangers)}: a locator has {', '.join(LIMITS)}")
    modalities = {entry["id"]: entry for entry in manifest["modalities"]}
    if strangers := set(looks) - set(modalities):
        raise ValueError(f"unknown modalities {sorted(strangers)}: {model.name} has {', '.join(modalities)}")
    session = session_of(locator)
    (pixels,), outputs = session.get_inputs(), [value.name for value in session.get_outputs()]
    if outputs != [OUTPUT] or len(pixels.shape) != 4 or pixels.shape[2] != pixels.shape[3]:
        raise ValueError(f"{locator.name} is not a file that export-locator wrote")
    if locator.resolve() != (model / FILE).resolve():
        with replacing(model / FILE) as part:
            shutil.copyfile(locator, part)
    before: dict[str, Any] = manifest.get("locator", {})
    manifest["locator"] = {
        "file": file_entry(model / FILE),
        "input": {
            "name": pixels.name,
            "width": int(pixels.shape[3]),
            "height": int(pixels.shape[2]),
            "layout": "NCHW",
            "channels": PREPROCESSING.channels,
            "fit": "stretch",
            "filter": "bicubic",
            "mean": list(PREPROCESSING.mean),
            "std": list(PREPROCESSING.std),
        },
        "output": OUTPUT,
        **{key: limits.get(key, before.get(key, value)) for key, value in LIMITS.items()},
    }
    for name, look in looks.items():
        modalities[name]["look"] = dict(look)
    write_manifest(model, manifest)
