"""A model's `manifest.json`: the one place that reads and writes it.

Its fields stand in `contract/documents.json`, from which the page's reader and `models/manifest.schema.json` are
generated; whatever is written here is held to that schema. What a schema cannot say is for the page's reader to say,
which `check` asks.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from .contract import MANIFEST_VERSION
from .files import write_json
from .reading import read_json

FILE_NAME = "manifest.json"
SCHEMA = Path(__file__).with_name("manifest.schema.json")

Manifest = dict[str, Any]


class ManifestError(ValueError):
    """A manifest that does not fit the schema; the message has a line for each field."""


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA.read_text()))


def problems(manifest: Manifest) -> list[str]:
    """What the schema has against a manifest: a line each, the place first."""
    errors = sorted(_validator().iter_errors(manifest), key=lambda error: [str(part) for part in error.absolute_path])
    return [f"/{'/'.join(str(part) for part in error.absolute_path)} {error.message}" for error in errors]


def new_manifest(**fields: Any) -> Manifest:
    """A manifest of the version that is written, with these fields."""
    return {"$schema": "../manifest.schema.json", "manifestVersion": MANIFEST_VERSION, **fields}


def read_manifest(folder: Path) -> Manifest:
    """A model folder's manifest as it is: models of earlier versions are read too, to be made anew.
    Raises ManifestError, FileRefused, OSError.
    """
    found = read_json(folder / FILE_NAME)
    if not isinstance(found, dict):
        raise ManifestError(f"{folder / FILE_NAME} is no manifest: it must be an object")
    return found


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes it whole or not at all. Raises ManifestError when it does not fit the schema."""
    if found := problems(manifest):
        raise ManifestError(f"the manifest for {folder} does not fit models/{SCHEMA.name}: {'; '.join(found)}")
    write_json(folder / FILE_NAME, manifest)
