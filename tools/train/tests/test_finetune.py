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
from test_networks import livened
from training_drawn import CLASSES, tiny_recipe

from dermlet_train.__main__ import add_training_options
from dermlet_train.augment import evaluation_view, normalise
from dermlet_train.checkpoint import Trained, load, save
from dermlet_train.export import export_onnx
from dermlet_train.finetune import add_arguments, class_map, run, slug, with_head
from dermlet_train.from_onnx import read_model, restored
from dermlet_train.network import Classifier
from dermlet_train.prepare import PrepareError, Source
from dermlet_train.storage import store_weights

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "models" / "skin-8"


def folders(root: Path, names: tuple[str, ...], count: int) -> Path:
    """Class folders with pictures that no two of are alike: other patterns, not only other noise."""
    for k, name in enumerate(names):
        (root / name).mkdir(parents=True, exist_ok=True)
        for n in range(count):
            rng = np.random.default_rng((k, n))
            coarse = rng.integers(60, 220, (5, 5, 3)).astype(np.uint8)
            picture = np.array(Image.fromarray(coarse).resize((72, 64), Image.Resampling.BICUBIC))
            picture[20:44, 20:52] = ((40, 30, 30), (190, 90, 90), (90, 160, 80))[k]
            Image.fromarray(picture).save(root / name / f"{name}-{n}.png")
    return root


def test_a_shipped_file_answers_the_same_when_read_back() -> None:
    network, manifest = read_model(SHIPPED)
    reference = json.loads((SHIPPED / manifest["selfTest"]["reference"]["path"]).read_text())
    picture = np.asarray(Image.open(SHIPPED / manifest["selfTest"]["picture"]["path"]).convert("RGB"))
    pixels = torch.from_numpy(
        normalise(evaluation_view(picture, manifest["input"]["width"], crop_pct=manifest["input"].get("cropPct", 1.0))[None], network.preprocessing)
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
    manifest = {"file": {"path": "model.onnx"}, "classes": [{"id": k} for k in CLASSES], "training": {"network": "mobilenet-v3-large"}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    found, _ = read_model(tmp_path)
    pixels = torch.rand(1, 3, 32, 32) * 2 - 1
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        expected = session.run(["logits"], {"pixels": pixels.numpy()})[0]
        np.testing.assert_allclose(found(pixels).numpy(), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    assert {node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node} & {"BatchNormalization"} == set()
    assert all(value.dtype != np.int8 for name, value in restored(onnx.load(tmp_path / "model.onnx")).items() if not name.endswith(".i8"))
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
    assert torch.equal(made.head.weight[1:], network.head.weight[1:]) and torch.equal(made.head.bias[1:], network.head.bias[1:])
    assert made.head.weight[0].abs().max() < 0.1 and made.head.bias[0] == 0
    assert torch.equal(made.backbone._conv_head.weight, network.backbone._conv_head.weight)


def test_names_of_classes(tmp_path: Path) -> None:
    folders(tmp_path / "photos", ("Melanoma", "Contact Dermatitis", "nevus"), 1)
    found = class_map([Source(tmp_path / "photos")], ("mel", "nv"), tmp_path / "classes.toml")
    assert found.classes == ("contact-dermatitis", "mel", "nv")
    assert found.unify("photos", "Melanoma") == "mel" and found.unify("photos", "contact dermatitis") == "contact-dermatitis"
    assert slug("  Été 2 / x ") == "t-2-x" and len(slug("a" * 50)) == 32
    folders(tmp_path / "photos", ("contact-dermatitis",), 1)
    with pytest.raises(PrepareError, match="would all be called 'contact-dermatitis'"):
        class_map([Source(tmp_path / "photos")], ("mel", "nv"), tmp_path / "classes.toml")


def test_one_command_makes_a_model_folder(tmp_path: Path) -> None:
    """From a checkpoint of 32 px with batch norm; the same way that a model folder goes, which the test above reads back."""
    torch.manual_seed(3)
    start = Classifier("efficientnet-lite0", 3, 0.2, pretrained=True)
    save({"epoch": 1, "weights": start.state_dict(), "recipe": tiny_recipe().to_dict()}, tmp_path / "start.pt")
    folders(tmp_path / "photos", ("Melanoma", "Contact Dermatitis", "nevus"), 14)
    (tmp_path / "concern.json").write_text(json.dumps({"contact-dermatitis": {"concern": "low", "name": "Contact dermatitis"}}))
    command = [
        sys.executable,
        "-m",
        "dermlet_train",
        "finetune",
        "--from",
        tmp_path / "start.pt",
        "--data",
        tmp_path / "photos",
        "--out",
        tmp_path / "my-model",
    ]
    command += ["--concern", tmp_path / "concern.json", "--epochs", "1", "--workers", "0", "--set", "negatives_per_batch=0", "--set", "samples_per_epoch=24"]
    done = subprocess.run(command, cwd=ROOT / "tools" / "train", capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "3 classes, 2 of them known to start.pt: mel, nv" in done.stdout

    out = tmp_path / "my-model"
    manifest = json.loads((out / "manifest.json").read_text())
    assert [(c["id"], c["name"], c["concern"]) for c in manifest["classes"]] == [
        ("contact-dermatitis", "Contact dermatitis", "low"),
        ("mel", "melanoma", "high"),
        ("nv", "nevus", "high"),
    ]
    assert manifest["name"] == "my-model" and [m["id"] for m in manifest["modalities"]] == ["photo"] and manifest["input"]["width"] == 32
    for entry in (manifest["file"], manifest["selfTest"]["picture"], manifest["selfTest"]["reference"], {"path": manifest["card"]}, manifest["license"]):
        assert (out / entry["path"]).stat().st_size == entry.get("bytes", (out / entry["path"]).stat().st_size)
    schema_check = "import Ajv from 'ajv/dist/2020.js'; import { readFileSync } from 'node:fs'; const read = (p) => JSON.parse(readFileSync(p)); "
    schema_check += "const ok = new Ajv({ strict: false }).compile(read('models/manifest.schema.json')); const [, path] = process.argv; "
    schema_check += "if (!ok(read(path))) { console.error(ok.errors); process.exit(1); }"
    subprocess.run(["node", "--input-type=module", "-e", schema_check, out / "manifest.json"], cwd=ROOT, check=True, timeout=60)
    assert not {path.suffix for path in out.iterdir()} & {".u8", ".pt", ".csv"}, "no picture of anybody's in a folder that may be published"
    assert (tmp_path / "my-model-training" / "store" / "pixels.u8").exists()
    weights = load(tmp_path / "my-model-training" / "run" / "ema.pt")["weights"]
    assert "backbone._conv_stem.bias" in weights and not any("_bn0" in key for key in weights)


def test_too_few_pictures_are_said_so(tmp_path: Path) -> None:
    save({"epoch": 1, "weights": Classifier("efficientnet-lite0", 3, 0.2, pretrained=False).state_dict()}, tmp_path / "start.pt")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    add_training_options(parser)
    photos = folders(tmp_path / "few", ("a", "b"), 3)
    with pytest.raises(PrepareError, match="more pictures are needed"):
        run(parser.parse_args(["--from", str(tmp_path / "start.pt"), "--data", str(photos), "--out", str(tmp_path / "x")]))
    assert not (tmp_path / "x").exists()
