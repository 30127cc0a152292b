"""The last step of an export: a model that the page would refuse is not called done, and a checkout that cannot try it
says what it lacks.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from shipped import ROOT, shipped_path

from dermlet_train import check as checking
from dermlet_train.check import CheckError, check

SHIPPED = ROOT / "models" / "skin-8"


def changed(folder: Path, change: Callable[[dict], None]) -> Path:
    """A copy of skin-8 with another manifest."""
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("figures", "runs"))
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@shipped_path
def test_a_model_that_the_schema_refuses(tmp_path: Path) -> None:
    model = changed(tmp_path / "model", lambda manifest: manifest["classes"][0].pop("concern"))
    with pytest.raises(
        CheckError, match=r"does not fit models/manifest.schema.json: /classes/0 'concern' is a required property"
    ):
        check(model)


@shipped_path
def test_a_model_that_classify_alone_refuses(tmp_path: Path) -> None:
    """What fine-tuning on one modality once wrote: nothing that a schema can see."""
    model = changed(
        tmp_path / "model", lambda manifest: manifest["quality"]["modalities"].update(histology={"minSide": 40})
    )
    with pytest.raises(CheckError, match=r"MODEL_CORRUPT.*quality.modalities name 'histology'"):
        check(model)


@shipped_path
def test_the_shipped_model_passes(capsys: pytest.CaptureFixture[str]) -> None:
    check(SHIPPED)
    said = capsys.readouterr().out
    assert "fits the schema" in said and "dermoscopy: " in said and "photo: " in said


def test_what_is_missing_is_said_not_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking.shutil, "which", lambda name: None)
    with pytest.raises(CheckError, match=r"was not tried, as Node is not installed.*--unchecked"):
        check(SHIPPED)
    monkeypatch.undo()
    monkeypatch.setattr(checking, "ROOT", tmp_path)
    monkeypatch.setattr(checking.shutil, "which", lambda name: f"/usr/bin/{name}")
    with pytest.raises(CheckError, match="npm ci"):
        check(SHIPPED)
    (tmp_path / "node_modules").mkdir()
    with pytest.raises(CheckError, match="the core is not built"):
        check(SHIPPED)
