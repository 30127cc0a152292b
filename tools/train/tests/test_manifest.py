"""A manifest is written whole, and only where the schema takes it; the contract's tables are those of the schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shipped import ROOT

from dermlet_train import contract
from dermlet_train.manifest import SCHEMA, ManifestError, new_manifest, problems, read_manifest, write_manifest

SHIPPED = ROOT / "models" / "skin-8"


def test_the_shipped_models_fit() -> None:
    for model in ("skin-8", "skin-open"):
        assert problems(read_manifest(ROOT / "models" / model)) == []


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    manifest = read_manifest(SHIPPED)
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]
    assert (tmp_path / "manifest.json").read_text() == (SHIPPED / "manifest.json").read_text()


def test_what_does_not_fit_is_not_written(tmp_path: Path) -> None:
    manifest = read_manifest(SHIPPED)
    write_manifest(tmp_path, manifest)
    manifest["classes"][0]["concern"] = "huge"
    manifest["input"]["width"] = 8
    with pytest.raises(ManifestError, match=r"/classes/0/concern 'huge' is not one of .*; /input/width 8 is less than"):
        write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == read_manifest(SHIPPED)


def test_a_new_manifest_is_of_the_version_that_is_read() -> None:
    assert new_manifest(name="a") == {
        "$schema": "../manifest.schema.json",
        "manifestVersion": contract.MANIFEST_VERSION,
        "name": "a",
    }
    assert any("manifestVersion" in line for line in problems(read_manifest(SHIPPED) | {"manifestVersion": 1}))


def test_tables_are_those_of_the_schema() -> None:
    definitions = json.loads(SCHEMA.read_text())["$defs"]
    assert definitions["ModelClass"]["properties"]["concern"]["enum"] == list(contract.CONCERNS)
    limits = definitions["QualityLimits"]["properties"]
    for check in contract.QUALITY_CHECKS.values():
        assert (limits[check.key]["minimum"], limits[check.key]["maximum"]) == check.range
    assert len(limits) == len(contract.QUALITY_CHECKS)
