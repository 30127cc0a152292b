"""One's own pictures in one command, from a shipped model folder and from a checkpoint, and shipped files read back."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image
from shipped import schema_problems, shipped_path
from test_networks import livened
from training_drawn import CLASSES, drawn_store, tiny_recipe

from dermlet_train.__main__ import add_training_options
from dermlet_train.augment import evaluation_view, normalise
from dermlet_train.checkpoint import Trained, load, load_classifier, recipe_of_run, save
from dermlet_train.config import Recipe
from dermlet_train.export import only_known_modalities
from dermlet_train.finetune import RATE, Origin, _recipe, add_arguments, class_map, quality_for, run, slug, with_head
from dermlet_train.from_onnx import read_model
from dermlet_train.held_out import BetterThanStart, HeldOut, figures_of, fit_new_rows
from dermlet_train.network import Classifier
from dermlet_train.onnx_export import export_onnx
from dermlet_train.prepare import PrepareError, Source
from dermlet_train.storage import restored, store_weights
from dermlet_train.store import Store

ROOT = Path(__file__).resolve().parents[3]
TRAIN = ROOT / "tools" / "train"
SHIPPED = ROOT / "models" / "skin-8"


def folders(root: Path, names: tuple[str, ...], count: int) -> Path:
    """Class folders with pictures that no two of are alike: other patterns, not only other noise."""
    for k, name in enumerate(names):
        (root / name).mkdir(parents=True, exist_ok=True)
        for n in range(count):
            rng = np.random.default_rng((k, n))
            coarse = rng.integers(60, 220, (5, 5, 3)).astype(np.uint8)
            picture = np.array(Image.fromarray(coarse).resize((72, 64), Image.Resampling.BICUBIC))
            picture[20:44, 20:52] = ((40, 30, 30), (190, 90, 90), (90, 160, 80), (90, 80, 190))[k]
            Image.fromarray(picture).save(root / name / f"{name}-{n}.png")
    return root


def test_a_shipped_file_answers_the_same_when_read_back() -> None:
    network, manifest = read_model(SHIPPED)
    reference = json.loads((SHIPPED / manifest["selfTest"]["reference"]["path"]).read_text())
    picture = np.asarray(Image.open(SHIPPED / manifest["selfTest"]["picture"]["path"]).convert("RGB"))
    pixels = torch.from_numpy(
        normalise(
            evaluation_view(picture, manifest["input"]["width"], crop_pct=manifest["input"].get("cropPct", 1.0))[None],
            network.preprocessing,
        )
    )
    with torch.inference_mode():
        outputs = network.outputs(pixels)
    np.testing.assert_allclose(outputs.logits[0].numpy(), reference["scores"], atol=reference["tolerance"])
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in network.modules())


@pytest.mark.parametrize("storage", ["int8", "fp32"])
def test_every_storage_is_restored(tmp_path: Path, storage: str) -> None:
    torch.manual_seed(1)
    network = livened(Classifier("mobilenet-v3-large", 3, 0.0, pretrained=False, folded=storage == "fp32"))
    export_onnx(network, 32, tmp_path / "model.onnx")
    onnx.save(store_weights(onnx.load(tmp_path / "model.onnx"), storage), tmp_path / "model.onnx")
    manifest = {
        "file": {"path": "model.onnx"},
        "classes": [{"id": k} for k in CLASSES],
        "training": {"network": "mobilenet-v3-large"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    found, _ = read_model(tmp_path)
    pixels = torch.rand(1, 3, 32, 32) * 2 - 1
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        expected = session.run(["logits"], {"pixels": pixels.numpy()})[0]
        np.testing.assert_allclose(found(pixels).numpy(), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    assert {node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node} & {"BatchNormalization"} == set()
    assert all(
        value.dtype != np.int8
        for name, value in restored(onnx.load(tmp_path / "model.onnx")).items()
        if not name.endswith(".i8")
    )
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"training": {"network": "vgg16"}}))
    with pytest.raises(ValueError, match="convolutions where vgg16"):
        read_model(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"training": {}}))
    with pytest.raises(ValueError, match="not made by this tool"):
        read_model(tmp_path)


def test_heads_are_kept_where_names_match() -> None:
    torch.manual_seed(2)
    network = Classifier("efficientnet-lite0", 3, 0.0, pretrained=False, folded=True)
    made = with_head(Trained(network, "efficientnet-lite0", CLASSES, 32), ("acne", "mel", "nv"))
    assert torch.equal(made.head.weight[1:], network.head.weight[1:]) and torch.equal(
        made.head.bias[1:], network.head.bias[1:]
    )
    assert made.head.weight[0].abs().max() < 0.1 and made.head.bias[0] == 0
    assert torch.equal(made.backbone._conv_head.weight, network.backbone._conv_head.weight)


def test_names_of_classes(tmp_path: Path) -> None:
    folders(tmp_path / "photos", ("Melanoma", "Contact Dermatitis", "nevus"), 1)
    found = class_map([Source(tmp_path / "photos")], ("mel", "nv"), tmp_path / "classes.toml")
    assert found.classes == ("contact-dermatitis", "mel", "nv")
    assert (
        found.unify("photos", "Melanoma") == "mel"
        and found.unify("photos", "contact dermatitis") == "contact-dermatitis"
    )
    assert slug("  Été 2 / x ") == "t-2-x" and len(slug("a" * 50)) == 32
    folders(tmp_path / "photos", ("contact-dermatitis",), 1)
    with pytest.raises(PrepareError, match="would all be called 'contact-dermatitis'"):
        class_map([Source(tmp_path / "photos")], ("mel", "nv"), tmp_path / "classes.toml")


def test_new_rows_are_fitted_and_known_ones_stay(tmp_path: Path) -> None:
    """On frozen features of a network that never saw the classes the head tells drawn spots apart, and what it knew is
    not touched.
    """
    store, recipe = drawn_store(tmp_path / "store", calib=6), tiny_recipe(folded=True)
    torch.manual_seed(5)
    network = with_head(
        Trained(
            Classifier("efficientnet-lite0", 1, 0.0, pretrained=True, folded=True), "efficientnet-lite0", ("mel",), 32
        ),
        CLASSES,
    )
    before = network.head.weight[1].detach().clone()
    held = HeldOut.of(store, recipe, "calib")
    chance = held.figures(held.logits(network))
    fit_new_rows(network, store, recipe, ("mel",))
    after = held.figures(held.logits(network))
    assert torch.equal(network.head.weight[1], before)
    assert after.macro_auc > max(chance.macro_auc, 0.8) and after.pictures == 36
    assert after.recalls.keys() == set(CLASSES) and sum(count for _, count in after.recalls.values()) == 36


def test_figures_by_hand(tmp_path: Path) -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.4, 0.5, 0.1], [0.2, 0.7, 0.1], [0.1, 0.6, 0.3]])
    found = figures_of(probabilities, np.array([0, 0, 1, 2]), CLASSES)
    assert found.recalls == {"bcc": (1, 2), "mel": (1, 1), "nv": (0, 1)}
    assert found.balanced_accuracy == pytest.approx(0.5)  # (1/2 + 1 + 0) / 3
    assert found.macro_auc == pytest.approx(1.0)
    # Renormalised to two classes the third one's pictures do not count, and its score goes to the others.
    store, recipe = drawn_store(tmp_path / "store", train=1, calib=1), tiny_recipe()
    held = HeldOut.of(store, recipe, "calib")
    logits = np.zeros((len(held.indices), 3))
    logits[:, 2] = 9
    logits[held.labels == 0, 0] = 1
    logits[held.labels == 1, 1] = 1
    whole, two = held.figures(logits), held.figures(logits, ("bcc", "mel"))
    assert whole.balanced_accuracy == pytest.approx(1 / 3) and two.balanced_accuracy == 1 and two.pictures == 4
    better = logits.copy()
    better[np.arange(len(held.indices)), held.labels] = 20
    low, high = held.gain(logits, better)
    assert 0 < low <= high and held.gain(logits, logits) == (0.0, 0.0)


def test_an_epoch_must_be_worse_in_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is gained on a new class is no use where a known one is paid for it."""
    store, recipe = drawn_store(tmp_path / "store", train=1, calib=4), tiny_recipe()
    held = HeldOut.of(store, recipe, "calib")
    right = np.eye(3)[held.labels] * 4
    start = right.copy()
    start[held.labels == 2] = [4, 0, 0]  # the new class is never named
    answers = iter([start, right, np.roll(right, 1, axis=1)[:, [0, 1, 2]]])
    monkeypatch.setattr(HeldOut, "logits", lambda self, network: next(answers))
    judge = BetterThanStart(held, None, ("bcc", "mel"))
    worth, told = judge(None)
    assert worth == pytest.approx(1.0) and worth > judge.floor and told["held-out balanced accuracy"] == 1.0
    assert judge(None)[0] == float("-inf")
    # As good in accuracy, worse in the order of scores: no.
    worse = start.copy()
    worse[held.labels == 1, 1] = 0.1
    monkeypatch.setattr(HeldOut, "logits", lambda self, network: worse)
    assert judge(None)[0] == float("-inf")


def test_only_limits_of_modalities_that_there_are() -> None:
    """models/skin-8 knows two modalities; what is left of it for photos alone must name no other, or no reader takes
    the manifest.
    """
    manifest = json.loads((SHIPPED / "manifest.json").read_text())
    assert set(manifest["quality"]["modalities"]) == {"dermoscopy", "photo"}
    found = quality_for(manifest["quality"], ["photo"])
    assert (
        found["modalities"] == {"photo": manifest["quality"]["modalities"]["photo"]}
        and found["minContrast"] == manifest["quality"]["minContrast"]
    )
    assert "modalities" not in quality_for(manifest["quality"], ["histology"])
    written = {"modalities": [{"id": "photo"}], "defaultModality": "photo", "quality": dict(manifest["quality"])}
    only_known_modalities(written)
    assert written["quality"] == found
    with pytest.raises(ValueError, match="default modality is 'dermoscopy'"):
        only_known_modalities(written | {"defaultModality": "dermoscopy"})


def test_export_takes_what_the_run_was_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = tiny_recipe(crop_pct=0.75)
    save({"epoch": 1, "weights": {}, "recipe": ran.to_dict()}, tmp_path / "ema.pt")
    found = recipe_of_run(tiny_recipe(learning_rate=0.5), tmp_path / "ema.pt")
    assert found.crop_pct == 0.75 and found.learning_rate == 0.5
    assert "was trained with crop_pct = 0.75, not 1.0 as the recipe says" in capsys.readouterr().out
    assert recipe_of_run(tiny_recipe(), tmp_path / "ema.pt", ["crop_pct=0.9"]).crop_pct == 0.9
    save({"epoch": 1, "weights": {}}, tmp_path / "old.pt")
    assert recipe_of_run(tiny_recipe(), tmp_path / "old.pt").crop_pct == 1.0


def start_at(path: Path) -> Path:
    """A checkpoint of 32 px with batch norm, of a network that knows bcc, mel and nv by name."""
    torch.manual_seed(3)
    start = Classifier("efficientnet-lite0", 3, 0.2, pretrained=True)
    save({"epoch": 1, "weights": start.state_dict(), "recipe": tiny_recipe().to_dict()}, path)
    return path


def finetuned(*more: object) -> str:
    """The command as anybody gives it; its own words."""
    command = [
        sys.executable,
        "-m",
        "dermlet_train",
        "finetune",
        *more,
        "--epochs",
        "1",
        "--workers",
        "0",
        "--threads",
        "1",
        "--storage",
        "fp32",
    ]
    done = subprocess.run(list(map(str, command)), cwd=TRAIN, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def parts_in(card: str, name: str) -> list[int]:
    """Training, calibration, validation and test pictures of a class, as the card says."""
    row = next(line for line in card.splitlines() if line.startswith(f"| {name} |"))
    return [int(cell) for cell in row.strip("|").split("|")[3:]]


@shipped_path
def test_one_command_makes_a_model_folder_and_notices_what_is_new(tmp_path: Path) -> None:
    """From a checkpoint of 32 px; the way from models/skin-8 itself to an answer in the page is gone by
    tests/e2e/fine-tuned.spec.ts.
    """
    start_at(tmp_path / "start.pt")
    photos = folders(tmp_path / "photos", ("Melanoma", "Contact Dermatitis", "nevus"), 14)
    (photos / "nevus" / "IMG_0001.HEIC").write_bytes(
        (ROOT / "tests" / "pictures" / "foreign" / "lossy.heic").read_bytes()
    )
    (photos / "nevus" / "IMG_0002.DNG").write_bytes(b"raw")
    (tmp_path / "concern.json").write_text(
        json.dumps({"contact-dermatitis": {"concern": "low", "name": "Contact dermatitis"}})
    )
    asked = [
        "--from",
        tmp_path / "start.pt",
        "--data",
        photos,
        "--out",
        tmp_path / "my-model",
        "--concern",
        tmp_path / "concern.json",
    ]
    said = finetuned(*asked, "--set", "samples_per_epoch=24", "--set", "crop_pct=0.8")
    assert "3 classes, 2 of them known to start.pt: mel, nv" in said
    assert "1 files are of a kind that is not read (1 .dng)" in said and "43 pictures in" in said
    assert "warning: too few pictures of 3 classes" in said
    assert "fits the schema, and `classify` ran it" in said

    out, work = tmp_path / "my-model", tmp_path / "my-model-training"
    manifest = json.loads((out / "manifest.json").read_text())
    assert [(c["id"], c["name"], c["concern"]) for c in manifest["classes"]] == [
        ("contact-dermatitis", "Contact dermatitis", "low"),
        ("mel", "melanoma", "high"),
        ("nv", "nevus", "high"),
    ]
    assert (
        manifest["name"] == "my-model"
        and [m["id"] for m in manifest["modalities"]] == ["photo"]
        and manifest["input"]["width"] == 32
    )
    assert manifest["input"]["cropPct"] == 0.8, "what --set said holds for the export too"
    assert manifest["training"]["from"].startswith("the weights of start.pt (sha256 ") and manifest["training"][
        "chosenBy"
    ] == ["calib", "val"]
    for entry in (
        manifest["file"],
        manifest["selfTest"]["picture"],
        manifest["selfTest"]["reference"],
        {"path": manifest["card"]},
        manifest["license"],
    ):
        assert (out / entry["path"]).stat().st_size == entry.get("bytes", (out / entry["path"]).stat().st_size)
    assert schema_problems(out / "manifest.json") == []
    assert not {path.suffix for path in out.iterdir()} & {
        ".u8",
        ".pt",
        ".csv",
    }, "no picture of anybody's in a folder that may be published"
    weights = load(work / "run" / "ema.pt")["weights"]
    assert "backbone._conv_stem.bias" in weights and not any("_bn0" in key for key in weights)
    card = (out / "MODEL_CARD.md").read_text()
    assert sum(parts_in(card, "nv")) == 15 and min(parts_in(card, "nv")) > 0
    for word in (
        "start.pt as it was",
        "| validation |",
        "| test: served for nothing else |",
        "Too few pictures to rely on",
        "Training began with start.pt",
    ):
        assert word in card
    assert "ImageNet" not in card

    folders(photos, ("Melanoma", "Contact Dermatitis", "nevus", "acne"), 18)  # four more of each, and a class
    said = finetuned(*asked)
    assert (
        "the run that is there was made with other pictures, another classes: it now stands in run-1, and training"
        " begins anew" in said
    )
    assert "4 classes, 2 of them known" in said and (work / "run-1" / "last.pt").exists()
    store = Store.open(work / "store")
    state = load(work / "run" / "last.pt")
    assert (
        state["data"] == store.fingerprint()
        and state["recipe"]["samples_per_epoch"] == 24
        and len(store.rows) == 4 * 18 + 1
    )
    card, manifest = (out / "MODEL_CARD.md").read_text(), json.loads((out / "manifest.json").read_text())
    assert sum(parts_in(card, "nv")) == 19 and sum(parts_in(card, "acne")) == 18
    assert manifest["input"]["cropPct"] == 0.8 and manifest["training"]["pictures"]["train"] == len(
        store.where("train")
    )
    assert json.loads((work / "run" / "run.json").read_text())["pictures"]["train"] == len(store.where("train"))


def test_the_start_is_exported_where_nothing_beats_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start_at(tmp_path / "start.pt")
    photos = folders(tmp_path / "photos", ("Melanoma", "nevus"), 14)
    monkeypatch.setattr(BetterThanStart, "__call__", lambda self, network: (float("-inf"), {}))
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    add_training_options(parser)
    asked = [
        "--from",
        tmp_path / "start.pt",
        "--data",
        photos,
        "--out",
        tmp_path / "mine",
        "--epochs",
        "1",
        "--workers",
        "0",
        "--unchecked",
    ]
    run(parser.parse_args([*map(str, asked), "--set", "samples_per_epoch=8", "--storage", "fp32"]))
    assert "no epoch did better than start.pt" in capsys.readouterr().out
    made = load(tmp_path / "mine-training" / "run" / "start.pt")["weights"]
    original = load_classifier(tmp_path / "start.pt").network
    assert torch.equal(made["head.weight"], original.head.weight[[1, 2]])
    picture = np.asarray(Image.open(photos / "nevus" / "nevus-1.png"))
    pixels = normalise(evaluation_view(picture, 32)[None])
    session = onnxruntime.InferenceSession(str(tmp_path / "mine" / "mine.onnx"), providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        expected = original(torch.from_numpy(pixels)).numpy()[:, [1, 2]]
    np.testing.assert_allclose(session.run(["logits"], {"pixels": pixels})[0], expected, atol=1e-3)
    manifest, card = (
        (tmp_path / "mine" / "manifest.json").read_text(),
        (tmp_path / "mine" / "MODEL_CARD.md").read_text(),
    )
    assert json.loads(manifest)["training"]["epochs"] == 0 and "with the weights of start.pt" in manifest
    assert "these are the weights of start.pt, cut down to these categories" in card


def test_a_recipe_that_was_edited_stays(tmp_path: Path) -> None:
    store = drawn_store(tmp_path / "store", train=8, calib=2, negatives=0)
    origin = Origin.load(start_at(tmp_path / "start.pt"))
    path = tmp_path / "recipe.toml"

    def asked(*settings: str) -> Recipe:
        return _recipe(path, store, origin, argparse.Namespace(epochs=3, set=list(settings)))

    assert asked().stages[0].learning_rate == RATE and asked().samples_per_epoch == 80
    assert asked("mixup_alpha=0.5").mixup_alpha == 0.5 and asked().mixup_alpha == 0.5
    path.write_text(path.read_text().replace("mixup_alpha = 0.5", "mixup_alpha = 0.25"))
    assert asked().mixup_alpha == 0.25 and asked("dropout=0.5").mixup_alpha == 0.25 and asked().dropout == 0.5
    path.write_text(path.read_text().replace('"mel", ', ""))
    with pytest.raises(
        PrepareError, match="was edited and has the classes bcc, nv, but there are pictures of bcc, mel, nv"
    ):
        asked()


def test_too_few_pictures_are_said_so(tmp_path: Path) -> None:
    save(
        {"epoch": 1, "weights": Classifier("efficientnet-lite0", 3, 0.2, pretrained=False).state_dict()},
        tmp_path / "start.pt",
    )
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    add_training_options(parser)
    photos = folders(tmp_path / "few", ("a", "b"), 3)
    asked = ["--from", str(tmp_path / "start.pt"), "--data", str(photos), "--out", str(tmp_path / "x"), "--unchecked"]
    with pytest.raises(PrepareError, match="more pictures are needed"):
        run(parser.parse_args(asked))
    assert not (tmp_path / "x").exists()
