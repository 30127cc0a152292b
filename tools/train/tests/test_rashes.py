"""The way to a model of rashes, exactly as README.md documents it, on drawn pictures in SCIN's own layout; only the
numbers that cost time are smaller.
"""

from __future__ import annotations

import csv
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import prepare_drawn as drawn
import pytest
from documents import sample
from shipped import TRAIN, classified, schema_problems, shipped_path

from dermlet_train.config import Recipe
from dermlet_train.prepare import ClassMap
from dermlet_train.prepare.labels import DEFAULT

RECIPE = TRAIN / "recipes" / "scin-rashes.toml"
DESCRIPTION = json.loads(RECIPE.with_suffix(".model.json").read_text())
QUICK = (
    "--workers 0 --set train_size=64 --set input_size=64 --set train_size_steps=[] --set epochs=2 --set"
    " samples_per_epoch=240 --set batch_size=24"
)


def documented() -> list[list[str]]:
    """The commands of the section on rashes, as words."""
    block = sample("tools/train/README.md", "cp SCIN/LICENSE")
    return [shlex.split(line, comments=True) for line in block.splitlines()]


def test_recipe_words_and_mapping_agree() -> None:
    recipe, rashes = Recipe.load(RECIPE), ClassMap.load(DEFAULT.with_name("scin-rashes.toml"))
    assert recipe.classes == rashes.classes == tuple(DESCRIPTION["classes"]) and len(recipe.classes) == 10
    targets = set(tomllib.loads(rashes.path.read_text())["sets"]["scin"].values())
    assert targets - {"other", "-"} == set(recipe.classes), "no class without a condition of SCIN's"
    for name, target in drawn.RASHES.items():
        assert rashes.unify("scin", name) == target


@pytest.mark.parametrize("name", DESCRIPTION["classes"])
def test_every_class_is_explained_in_one_calm_sentence(name: str) -> None:
    words = DESCRIPTION["classes"][name]
    assert words["concern"] in ("low", "moderate", "high") and words["name"]
    plain = words["plain"]
    assert plain.endswith(".") and len(re.findall(r"[.!?]", plain)) == 1 and len(plain) <= 125
    assert not re.search(r"\byou\b|\byour\b|safe|harmless|diagnos|do not worry|certain", plain, re.IGNORECASE)


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with `SCIN`, `rashes`, `rashes-run` and the model that the documented commands made of them; and what
    they said.
    """
    root = tmp_path_factory.mktemp("way")
    drawn.scin_rashes(root / "SCIN", 12)
    places = {
        "SCIN/": "SCIN",
        "SCIN/LICENSE": "SCIN/LICENSE",
        "rashes/": "rashes",
        "rashes-run/": "rashes-run",
        "rashes-run/ema.pt": "rashes-run/ema.pt",
    }
    places |= {"../../models/scin-rashes": "scin-rashes", "../../models/scin-rashes/": "scin-rashes"}
    said = ""
    for words in documented():
        command = [
            sys.executable if word == "$P" else str(root / places[word]) if word in places else word for word in words
        ]
        if "train" in command:
            command += QUICK.split()
        done = subprocess.run(command, cwd=TRAIN, capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        said += done.stdout
    return root, said


@shipped_path
def test_the_documented_way_ends_in_a_model_folder(way: tuple[Path, str]) -> None:
    root, said = way
    with (root / "rashes" / "rows.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    counts = Counter(row["label"] for row in rows)
    assert (
        set(counts) == {*DESCRIPTION["classes"], "other"} and min(counts.values()) >= 20
    )  # 11 certain cases of one to three photos, copies left out
    part: dict[str, str] = {}
    assert all(part.setdefault(row["group"], row["part"]) == row["part"] for row in rows), "a case is in one part"
    manifest = json.loads((root / "scin-rashes" / "manifest.json").read_text())
    assert schema_problems(root / "scin-rashes" / "manifest.json") == []
    assert {
        entry["id"]: {key: value for key, value in entry.items() if key != "id"} for entry in manifest["classes"]
    } == DESCRIPTION["classes"]
    assert manifest["input"]["width"] == 64 and manifest["training"]["epochs"] == 2, (
        "what `train --set` said reached the export"
    )
    assert (root / "scin-rashes" / "LICENSE").read_text().startswith("Drawn for a test")
    [photo] = manifest["modalities"]
    assert photo["id"] == "photo" and photo["temperature"] > 0
    if manifest["manifestVersion"] > 1:  # tiers are a part of the manifest from its version 2 on
        assert 0 <= photo["tiers"]["high"] <= 1 and 0 <= photo["tiers"]["moderate"] <= 1
    assert "fits the schema, and `classify` ran it" in said and "classes known" not in said


@shipped_path
def test_a_drawn_rash_is_answered_with_its_words(way: tuple[Path, str]) -> None:
    root, _ = way
    picture = next(iter(sorted((root / "SCIN" / "dataset" / "images").glob("*.png"))))
    answer = classified(picture, root / "scin-rashes")
    assert {(entry["id"], entry["name"], entry["concern"]) for entry in answer["ranking"]} == {
        (name, words["name"], words["concern"]) for name, words in DESCRIPTION["classes"].items()
    }
    assert answer["tier"] in ("low", "moderate", "high", "unknown") and answer["model"]["name"] == "scin-rashes"
