"""The whole way on drawn pictures: prepare, train, export, evaluate and classify as shipped. Three kinds of spot that a
network can tell apart.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import prepare_drawn as drawn
import pytest
import torch
from PIL import Image
from shipped import TRAIN, classified, npm_run, probabilities, schema_problems, shipped_path

from dermlet_train.augment import evaluation_view, normalise
from dermlet_train.calibration import energy, softmax
from dermlet_train.config import Recipe
from dermlet_train.network import Classifier
from dermlet_train.onnx_export import run, session_of
from dermlet_train.sets import members, set_scores

CLASSES = ("mel", "nv", "vasc")
RECIPE = """
network = "efficientnet-lite0"
classes = ["mel", "nv", "vasc"]
seed = 4
train_size = 64
input_size = 64
epochs = 2
samples_per_epoch = 360
batch_size = 24
negatives_per_batch = 4
learning_rate = 2.0e-3
calibration_fraction = 0.3
"""
DESCRIPTION = {
    "name": "drawn",
    "version": "0.0.1",
    "title": "Drawn spots",
    "license": {"id": "MIT", "path": "LICENSE", "nonCommercial": False},
    "defaultModality": "photo",
    "coverage": 0.9,
    "refusedShare": 0.05,
    "tiers": {"positive": ["mel"], "maxMalignantLow": 0.05, "maxPositiveLow": 0.03, "minMalignantHigh": 0.8},
    "quality": {"minSide": 32, "minContrast": 8.0},
    "classes": {k: {"name": k, "concern": "high" if k == "mel" else "low"} for k in CLASSES},
}

pytestmark = shipped_path


@dataclass(frozen=True)
class Way:
    """What the steps left behind."""

    recipe: Path
    images: Path
    store: Path
    run: Path
    model: Path
    evaluation: dict
    predictions: list[dict[str, str]]

    @property
    def manifest(self) -> dict:
        return json.loads((self.model / "manifest.json").read_text())

    @property
    def answers(self) -> list[tuple[str, str, dict]]:
        """(label, first-ranked class, what else the table and the manifest's sets say) of each labelled validation
        picture.
        """
        rules = {m["id"]: m["sets"] for m in self.manifest["modalities"]}
        found = []
        for row in self.predictions:
            label = row["image"].split("-")[0]
            scores = {k: float(row[k]) for k in CLASSES}
            first = max(scores, key=scores.__getitem__)
            own = rules[row["set"].removeprefix("drawn-")]
            held = members(
                set_scores(np.array([[scores[k] for k in CLASSES]]), own["penalty"], own["freeRanks"]), own["limits"]
            )[0]
            chosen = {k for k, inside in zip(CLASSES, held, strict=True) if inside}
            if row["outcome"] in ("single", "several"):
                assert set(row["prediction_set"].split()) == chosen, "training and core differ in what a set is"
            found.append((label, first, {"outcome": row["outcome"], "predictionSet": chosen}))
        return [entry for entry in found if entry[0] in CLASSES]

    def view(self, row: dict[str, str]) -> np.ndarray:
        """What the network sees of a picture, by Pillow."""
        return evaluation_view(np.asarray(Image.open(self.images / row["set"] / row["image"])), 64)


def step(*arguments: object) -> str:
    """`python -m dermlet_train ...`, in a process of its own as anybody runs it."""
    command = [sys.executable, "-m", "dermlet_train", *map(str, arguments)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(TRAIN)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def draw_data(root: Path) -> None:
    """72 spots of each kind in two modalities, two a group, and 40 pictures of nothing, as a label table beside its
    pictures.
    """
    header = ("set", "image", "label", "group", "split", "modality", "source_label")
    rows = []
    for k, label in enumerate((*CLASSES, "none")):
        for i in range(72 if label in CLASSES else 40):
            modality = ("dermoscopy", "photo")[i // 2 % 2]
            picture = drawn.kind(label, 1000 * k + i)
            name, set_name = f"{label}-{i}.png", f"drawn-{modality}"
            (root / "images" / set_name).mkdir(parents=True, exist_ok=True)
            picture.save(root / "images" / set_name / name)
            rows.append((set_name, name, label, f"{label}-{i // 2}", "", modality, label))
    drawn.write(root / "labels.csv", header, rows)


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> Way:
    root = tmp_path_factory.mktemp("way")
    draw_data(root / "data")
    recipe = root / "drawn.toml"
    recipe.write_text(RECIPE)
    recipe.with_suffix(".model.json").write_text(json.dumps(DESCRIPTION))
    store, trained, model = root / "store", root / "run", root / "drawn"
    step(
        "prepare",
        "--source",
        f"table:{root / 'data'}",
        "--out",
        store,
        "--recipe",
        recipe,
        "--val",
        "0.25",
        "--test",
        "0",
    )
    step("train", "--store", store, "--recipe", recipe, "--out", trained, "--workers", "0")
    step(
        "export",
        "--store",
        store,
        "--recipe",
        recipe,
        "--checkpoint",
        trained / "ema.pt",
        "--out",
        model,
        "--storage",
        "fp16",
    )
    (model / "LICENSE").write_text("Drawn for a test.\n")
    images, report, predictions = root / "data" / "images", root / "evaluation.json", root / "predictions.csv"
    npm_run(
        "evaluate",
        "--model",
        model,
        "--labels",
        store / "rows.csv",
        "--images",
        images,
        "--split",
        "val",
        "--json",
        report,
        "--predictions",
        predictions,
    )
    return Way(recipe, images, store, trained, model, json.loads(report.read_text()), read(predictions))


def test_nothing_is_lost_and_no_group_is_in_two_parts(way: Way) -> None:
    rows = read(way.store / "rows.csv")
    assert len(rows) == 3 * 72 + 40
    part: dict[str, str] = {}
    assert all(part.setdefault(row["group"], row["part"]) == row["part"] for row in rows)
    assert {row["part"] for row in rows} == {"train", "calib", "val"}


def test_training_that_is_done_is_not_done_again(way: Way) -> None:
    before = (way.run / "ema.pt").read_bytes()
    said = step("train", "--store", way.store, "--recipe", way.recipe, "--out", way.run, "--workers", "0")
    assert "resumed after epoch 2" in said
    assert (way.run / "ema.pt").read_bytes() == before
    assert [json.loads(line)["epoch"] for line in (way.run / "log.jsonl").read_text().splitlines()] == [1, 2]


def test_manifest_is_valid_and_tells_how_it_was_made(way: Way) -> None:
    assert schema_problems(way.model / "manifest.json") == []
    rows = read(way.store / "rows.csv")
    training = way.manifest["training"]
    assert training["epochs"] == 2 and training["network"] == "efficientnet-lite0"
    assert training["pictures"] == {
        part: sum(row["part"] == part for row in rows) for part in ("train", "calib", "val")
    }
    calibrated = [row for row in rows if row["part"] == "calib" and row["label"] in CLASSES]
    assert training["calibrationPictures"] == {
        m: sum(row["modality"] == m for row in calibrated) for m in ("dermoscopy", "photo")
    }


def test_the_kinds_are_learnt(way: Way) -> None:
    """Chance is 1/3. The figures come from the shipped path and are those of its own table of predictions."""
    overall = way.evaluation["overall"]
    assert overall["balancedAccuracy"] > 0.65
    assert overall["macroAuc"] > 0.85
    recalls = [np.mean([guess == label for label, guess, _ in way.answers if label == k]) for k in CLASSES]
    assert overall["balancedAccuracy"] == pytest.approx(np.mean(recalls), abs=1e-6)
    assert way.evaluation["counts"]["evaluated"] == len(way.predictions) and way.evaluation["counts"]["unreadable"] == 0


def test_sets_cover(way: Way) -> None:
    """Thresholds that were fitted on the calibration part hold on pictures of the validation part, up to chance."""
    assert way.evaluation["overall"]["predictionSets"]["coverage"] >= 0.75
    answered = [
        (label, answer["predictionSet"])
        for label, _, answer in way.answers
        if answer["outcome"] in ("single", "several")
    ]
    assert way.evaluation["overall"]["predictionSets"]["coverage"] == pytest.approx(
        np.mean([label in found for label, found in answered]), abs=1e-6
    )


def test_node_scores_as_python(way: Way) -> None:
    """Every validation picture: PIL, NumPy and ONNX Runtime here, C++ and ONNX Runtime Web there; temperature and
    energy from the manifest.
    """
    session = session_of(way.model / "drawn.onnx")
    modalities = {m["id"]: m for m in way.manifest["modalities"]}
    for row in way.predictions:
        modality = modalities[row["set"].removeprefix("drawn-")]
        logits = run(session, [way.view(row)])[0]
        exact = softmax(logits / modality["temperature"])[0]
        np.testing.assert_allclose([float(row[k]) for k in CLASSES], exact, atol=1e-3)
        if way.manifest["decision"]["rejection"] == "energy":
            assert float(row["rejection"]) == pytest.approx(energy(logits)[0], abs=1e-3)
    spread = np.array([[float(row[k]) for k in CLASSES] for row in way.predictions])
    assert spread.std(0).min() > 0.1  # else any two would agree


def test_classify_says_what_evaluate_counted(way: Way) -> None:
    row = next(row for row in way.predictions if row["image"].startswith("vasc"))
    answer = classified(
        way.images / row["set"] / row["image"], way.model, "--modality", row["set"].removeprefix("drawn-"), "--explain"
    )
    np.testing.assert_allclose(probabilities(answer, way.manifest), [float(row[k]) for k in CLASSES], atol=1e-6)
    assert answer["outcome"] == row["outcome"]
    assert answer["model"]["name"] == "drawn" and answer["model"]["sha256"] == way.manifest["file"]["sha256"]
    assert (answer["explanation"]["rows"], answer["explanation"]["columns"]) == (2, 2)


def test_the_file_is_the_network_that_was_trained(way: Way) -> None:
    """PyTorch with the averaged weights, and the stored network whose weights were rounded to fp16."""
    recipe = Recipe.load(way.recipe)
    network = Classifier(recipe.network, len(CLASSES), recipe.dropout, pretrained=False).eval()
    network.load_state_dict(torch.load(way.run / "ema.pt", weights_only=True)["weights"])
    views = [way.view(row) for row in way.predictions[:8]]
    with torch.inference_mode():
        exact = network.outputs(torch.from_numpy(normalise(np.stack(views))))
    logits, maps, embedding = run(session_of(way.model / "drawn.onnx"), views)
    np.testing.assert_allclose(logits, exact.logits.numpy(), atol=0.1)
    np.testing.assert_allclose(maps.mean((2, 3)), logits, atol=1e-4)
    assert embedding.shape == (8, 1280)


def test_the_card_says_what_evaluate_measured(way: Way) -> None:
    """`card` measures by itself; its report is that of the first measurement, and its table holds those numbers."""
    step("card", "--model", way.model, "--labels", way.store / "rows.csv", "--images", way.images)
    report = json.loads((way.model / "figures" / "evaluation.json").read_text())
    for key in ("overall", "bySet", "byModality", "refusal"):
        assert report[key] == way.evaluation[key]
    card = (way.model / "MODEL_CARD.md").read_text()
    for name, figures in way.evaluation["bySet"].items():
        assert f"| {name} | {figures['pictures']} | {figures['balancedAccuracy']:.3f} (" in card
        assert f"| {figures['predictionSets']['coverage']:.3f} (" in card
    assert way.manifest["file"]["sha256"] in card
    assert (way.model / "figures" / "reliability.svg").exists()
