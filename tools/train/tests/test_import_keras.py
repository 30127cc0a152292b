"""import-keras: files of both retired servers' kinds become model folders; what is not a plain classifier or plain data
is refused and never executed.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import os
import pickle
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from documents import sample
from PIL import Image
from shipped import ROOT, TRAIN, classified, probabilities, schema_problems, shipped_path

os.environ["KERAS_BACKEND"] = "torch"
h5py = pytest.importorskip("h5py", reason="needs requirements-keras.txt")
pytest.importorskip("keras", reason="needs requirements-keras.txt")

from dermlet_train import import_keras as step  # noqa: E402
from dermlet_train import keras_file  # noqa: E402
from dermlet_train.class_index import ClassIndexError, names_in_order, read_class_names, read_pickle  # noqa: E402
from dermlet_train.keras_file import KerasFileError, check_config, open_keras_file  # noqa: E402
from dermlet_train.keras_network import KerasNetwork, load_network  # noqa: E402
from dermlet_train.reading import Told  # noqa: E402

KERAS_2 = Path(__file__).resolve().parent / "keras-2"
NAMES = ["Actinic Keratoses", "bcc", "Melanoma", "nv"]
SPOT = ROOT / "tests" / "pictures" / "spot.jpg"


def arguments(model: Path, classes: Path, out: Path, *more: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    step.add_arguments(parser)
    return parser.parse_args([str(model), "--classes", str(classes), "--name", "imported", "--out", str(out), *more])


def imported(model: Path, classes: Path, out: Path, *more: str) -> dict:
    step.import_keras(arguments(model, classes, out, *more))
    return json.loads((out / "manifest.json").read_text())


def refused(model: Path, classes: Path, out: Path, *more: str) -> str:
    with pytest.raises(Told) as caught:
        step.import_keras(arguments(model, classes, out, *more))
    assert not out.exists()
    return str(caught.value)


def index(folder: Path, value: object, name: str = "classes.json") -> Path:
    path = folder / name
    path.write_bytes(json.dumps(value).encode() if name.endswith(".json") else pickle.dumps(value))
    return path


def stir(model) -> None:
    """Weights of a trained network's size: as Keras draws them, scores would all be alike and any comparison would
    pass.
    """
    rng = np.random.default_rng(5)
    for variable in model.variables:
        shape, kind = tuple(variable.shape), variable.path.rsplit("/", 1)[-1]
        if "seed" in variable.path or ("normalization/" in variable.path and "batch" not in variable.path):
            continue
        if kind in ("moving_variance", "gamma"):
            variable.assign(rng.uniform(0.6, 1.4, shape))
        elif len(shape) > 1:
            variable.assign(rng.normal(0, 1.6 / np.sqrt(np.prod(shape[:-1])), shape))
        else:
            variable.assign(rng.normal(0, 0.3, shape))


def efficient_style(side: int | None = 224, classes: int = 4, head: str = "softmax"):
    """What EfficientNet is made of, small: rescaling inside, padded stride, depthwise, squeeze and excitation, swish,
    residual.
    """
    import keras
    from keras import layers

    pixels = keras.Input((side, side, 3))
    x = layers.Normalization(mean=[0.5, 0.45, 0.4], variance=[0.06, 0.05, 0.05])(layers.Rescaling(1 / 255)(pixels))
    x = layers.Conv2D(8, 3, strides=4, use_bias=False, padding="valid")(layers.ZeroPadding2D(((0, 1), (0, 1)))(x))
    x = layers.Activation("swish")(layers.BatchNormalization()(x))
    y = layers.DepthwiseConv2D(5, padding="same", strides=1, use_bias=False)(x)
    y = layers.Activation("swish")(layers.BatchNormalization()(y))
    gate = layers.Reshape((1, 1, 8))(layers.GlobalAveragePooling2D()(y))
    gate = layers.Conv2D(8, 1, activation="sigmoid")(layers.Conv2D(2, 1, activation="swish")(gate))
    x = layers.Add()([x, layers.Multiply()([y, gate])])
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False)(x)
    x = layers.Activation("swish")(layers.BatchNormalization()(x))
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D(name="pooled")(x))
    if head == "hidden":
        x = layers.Dense(6, activation="relu")(x)
        head = "linear"
    model = keras.Model(pixels, layers.Dense(classes, activation=head)(x))
    stir(model)
    return model


@pytest.fixture(scope="module")
def keras_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keras")


@pytest.fixture(scope="module")
def efficient(keras_folder: Path):
    """The network and its two files."""
    model = efficient_style()
    model.save(keras_folder / "efficient.keras")
    model.save(keras_folder / "efficient.h5")
    return model


@pytest.fixture(scope="module")
def efficient_folders(efficient, keras_folder: Path) -> dict[str, Path]:
    """Both files imported: the .keras with a pickle {name: index}, the .h5 with a pickle {index: name}."""
    by_name = index(keras_folder, {name: i for i, name in enumerate(NAMES)}, "by-name.pkl")
    by_index = index(keras_folder, {np.int64(i): name for i, name in reversed(list(enumerate(NAMES)))}, "by-index.pkl")
    stated = {
        "Actinic Keratoses": "moderate",
        "bcc": "high",
        "Melanoma": {"concern": "high", "plain": "A calm word."},
        "nv": "low",
    }
    concern = index(keras_folder, stated, "concern.json")
    imported(keras_folder / "efficient.keras", by_name, keras_folder / "from-keras", "--concern", str(concern))
    imported(keras_folder / "efficient.h5", by_index, keras_folder / "from-h5")
    return {"keras": keras_folder / "from-keras", "h5": keras_folder / "from-h5"}


def served(picture: Path, side: int, caffe: bool = False) -> np.ndarray:
    """The picture as the retired servers fed it: Pillow, RGB, bicubic squash; VGG16 as BGR less ImageNet's means."""
    pixels = np.asarray(Image.open(picture).convert("RGB").resize((side, side), Image.Resampling.BICUBIC), np.float32)[
        None
    ]
    return pixels[..., ::-1] - np.float32([103.939, 116.779, 123.68]) if caffe else pixels


# The whole way


@pytest.mark.parametrize("kind", ["keras", "h5"])
def test_manifest_says_what_the_model_wants(efficient_folders, kind):
    manifest = json.loads((efficient_folders[kind] / "manifest.json").read_text())
    assert [c["name"] for c in manifest["classes"]] == NAMES
    assert [c["id"] for c in manifest["classes"]] == ["actinic-keratoses", "bcc", "melanoma", "nv"]
    size, neutral = {"width": 224, "height": 224}, {"mean": [0, 0, 0], "std": [1, 1, 1]}
    assert manifest["input"] == {
        "name": "pixels",
        "layout": "NHWC",
        "channels": "RGB",
        "fit": "stretch",
        "filter": "bicubic",
        **size,
        **neutral,
    }
    assert manifest["outputs"] == {
        "scores": "scores",
        "scoresAre": "probabilities",
        "maps": "maps",
        "embedding": "embedding",
    }
    assert manifest["decision"]["rejection"] == "none"
    assert manifest["modalities"][0]["temperature"] == 1
    assert manifest["training"]["largestDifferenceFromKeras"] <= step.TOLERANCE
    files = {"LICENSE", "MODEL_CARD.md", "imported.onnx", "manifest.json", "selftest.json", "selftest.png"}
    assert {path.name for path in efficient_folders[kind].iterdir()} == files


def test_concern_is_as_stated_and_high_where_nobody_stated_it(efficient_folders):
    stated = json.loads((efficient_folders["keras"] / "manifest.json").read_text())
    assert [c["concern"] for c in stated["classes"]] == ["moderate", "high", "high", "low"]
    assert stated["classes"][2]["plain"] == "A calm word."
    unstated = json.loads((efficient_folders["h5"] / "manifest.json").read_text())
    assert {c["concern"] for c in unstated["classes"]} == {"high"}


def test_uncalibrated_sets_and_tiers_promise_nothing(efficient_folders):
    manifest = json.loads((efficient_folders["keras"] / "manifest.json").read_text())
    assert manifest["modalities"][0]["sets"] == {"limits": [4, 4, 4, 4], "penalty": 0, "freeRanks": 0}
    assert manifest["modalities"][0]["tiers"] == {"high": 0, "moderate": 0}  # the highest concern of all categories
    assert manifest["decision"]["coverage"] == 1
    assert "Not calibrated" in (efficient_folders["keras"] / "MODEL_CARD.md").read_text()


def test_graph_is_opset_18_with_explicit_pads_and_folded_batch_norm(efficient_folders):
    import onnx

    model = onnx.load(efficient_folders["keras"] / "imported.onnx")
    assert {(entry.domain, entry.version) for entry in model.opset_import} == {("", 18)}
    kinds = collections.Counter(node.op_type for node in model.graph.node)
    assert kinds["BatchNormalization"] == 0
    convs = [node for node in model.graph.node if node.op_type == "Conv"]
    assert all(
        attribute.s == b"NOTSET" for node in convs for attribute in node.attribute if attribute.name == "auto_pad"
    )
    assert kinds["Add"] == 1 and kinds["Sub"] <= 1  # the residual, and the normalisation before the first convolution
    text = model.SerializeToString()
    assert b"/work" not in text and b"site-packages" not in text and b".py" not in text


def test_maps_are_exact(efficient, efficient_folders):
    """Their mean is the logit, and each place is what the dense layer makes of the features there."""
    import keras
    import onnxruntime

    pixels = served(SPOT, 224)
    session = onnxruntime.InferenceSession(str(efficient_folders["keras"] / "imported.onnx"))
    scores, maps, embedding = session.run(["scores", "maps", "embedding"], {"pixels": pixels})
    kernel, bias = efficient.layers[-1].get_weights()
    features = keras.Model(efficient.inputs, efficient.get_layer("pooled").input).predict(pixels, verbose=0)
    assert maps.shape == (1, 4, features.shape[1], features.shape[2])
    np.testing.assert_allclose(maps[0], np.moveaxis(features[0] @ kernel + bias, -1, 0), atol=1e-4)
    np.testing.assert_allclose(embedding, features.mean((1, 2)), atol=1e-5)
    logits = maps.mean((2, 3))
    np.testing.assert_allclose(np.exp(logits) / np.exp(logits).sum(), scores, atol=1e-5)
    assert scores.max() - scores.min() > 0.05  # else every comparison here would be empty


@shipped_path
@pytest.mark.parametrize("kind", ["keras", "h5"])
def test_manifest_is_valid(efficient_folders, kind):
    assert schema_problems(efficient_folders[kind] / "manifest.json") == []


@shipped_path
@pytest.mark.parametrize("kind", ["keras", "h5"])
def test_the_command_line_gives_keras_own_probabilities(efficient, efficient_folders, kind):
    manifest = json.loads((efficient_folders[kind] / "manifest.json").read_text())
    answer = classified(SPOT, efficient_folders[kind], "--explain")
    exact = efficient.predict(served(SPOT, 224), verbose=0)[0]
    np.testing.assert_allclose(probabilities(answer, manifest), exact, atol=1e-4)
    assert np.ptp(exact) > 0.05
    assert answer["outcome"] == "several" and len(answer["predictionSet"]) == 4
    assert answer["explanation"]["rows"] == 28 and max(answer["explanation"]["values"]) == 1


@shipped_path
def test_the_documented_commands(tmp_path: Path) -> None:
    shutil.copy(KERAS_2 / "tiny.keras", tmp_path / "model.keras")
    index(tmp_path, {name: place for place, name in enumerate("abcd")}, "class_index.pkl")
    lines = sample("tools/train/README.md", "import-keras model.keras").splitlines()
    (python, *importing), (npm, *asking) = (shlex.split(line, comments=True) for line in lines)
    places = {"../../models/mine": tmp_path / "mine", "models/mine": tmp_path / "mine", "photo.jpg": SPOT}
    for command, folder in (([sys.executable, *importing], tmp_path), ([npm, *asking], ROOT)):
        words = [str(places.get(word, word)) for word in command]
        environment = {**os.environ, "PYTHONPATH": str(TRAIN)}
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert python == "python" and json.loads((tmp_path / "mine" / "manifest.json").read_text())["name"] == "mine"


@pytest.fixture(scope="module")
def vgg(keras_folder: Path):
    """VGG16 at 64 px with the second server's kind of head, and its imported folder."""
    import keras

    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(64, 64, 3))
    hidden = keras.layers.Dense(16, activation="relu")(keras.layers.Flatten()(base.output))
    model = keras.Model(base.input, keras.layers.Dense(3, activation="softmax")(keras.layers.Dropout(0.5)(hidden)))
    stir(model)
    model.layers[-1].kernel.assign(model.layers[-1].kernel * 0.0015)  # else one score is 1 and the others 0
    model.save(keras_folder / "vgg.keras")
    classes = index(keras_folder, ["Eczema", "Psoriasis", "Tinea"], "vgg.json")
    imported(keras_folder / "vgg.keras", classes, keras_folder / "vgg")
    return model, keras_folder / "vgg"


def test_vgg16_is_recognised_as_caffe_and_has_no_maps_behind_hidden_layers(vgg):
    manifest = json.loads((vgg[1] / "manifest.json").read_text())
    assert manifest["input"]["channels"] == "BGR"
    assert manifest["input"]["mean"] == [103.939, 116.779, 123.68]
    assert manifest["outputs"] == {"scores": "scores", "scoresAre": "probabilities"}


@shipped_path
def test_vgg16_through_the_command_line(vgg, tmp_path):
    model, folder = vgg
    manifest = json.loads((folder / "manifest.json").read_text())
    assert schema_problems(folder / "manifest.json") == []
    # As a PNG: for an input this small the core decodes a large JPEG at a reduced size, which Pillow's full decoding
    # does not equal to the last digit.
    picture = tmp_path / "spot.png"
    Image.open(SPOT).convert("RGB").save(picture)
    exact = model.predict(served(picture, 64, caffe=True), verbose=0)[0]
    found = probabilities(classified(picture, folder), manifest)
    np.testing.assert_allclose(found, exact, atol=1e-5)
    np.testing.assert_allclose(probabilities(classified(SPOT, folder), manifest), exact, atol=1e-3)
    assert 0.02 < exact.max() - exact.min() < 0.98


@pytest.mark.parametrize("kind", ["h5", "keras"])
def test_files_of_keras_2_score_as_tensorflow_did(kind):
    """The files in keras-2/ were written by Keras 2.15, the scores beside them by TensorFlow."""
    sys.path.insert(0, str(KERAS_2))
    from make_files import picture

    file = open_keras_file(KERAS_2 / f"tiny.{kind}")
    assert file.keras_version.startswith("2.15") and len(file.notes) == 3
    network = load_network(file, None)
    expected = json.loads((KERAS_2 / "expected.json").read_text())["scores"]
    np.testing.assert_allclose(network.predict(picture())[0], expected, atol=1e-5)
    assert network.head is not None and network.outputs == ("scores", "maps", "embedding")


@pytest.mark.parametrize(
    ("model", "picture", "side"),
    [("keras-2", "noise.png", 32), ("keras-2", "spot.png", 32), ("vgg-style", "spot.png", 64)],
)
def test_the_models_that_the_browser_is_tested_with_are_of_these_files(model, picture, side):
    """tests/imported, made by the script there: Keras' own scores by ONNX Runtime, and made from the file that stands
    here.
    """
    import onnxruntime

    folder = ROOT / "tests" / "imported"
    manifest = json.loads((folder / model / "manifest.json").read_text())
    if model == "keras-2":
        assert (
            manifest["training"]["importedFrom"]["sha256"]
            == hashlib.sha256((KERAS_2 / "tiny.h5").read_bytes()).hexdigest()
        )
    path = folder / picture if picture == "noise.png" else ROOT / "tests" / "pictures" / picture
    pixels = served(path, side, caffe=model == "vgg-style")
    scores = onnxruntime.InferenceSession(str(folder / model / f"{model}.onnx")).run(["scores"], {"pixels": pixels})[0][
        0
    ]
    expected = json.loads((folder / "expected.json").read_text())[model][picture]
    np.testing.assert_allclose(scores, [expected[c["id"]] for c in manifest["classes"]], atol=1e-5)
    assert schema_problems(folder / model / "manifest.json") == []


def test_keras_2_file_with_batch_norm_behind_the_pooling_keeps_exact_maps(tmp_path):
    more = ("--storage", "fp16", "--modality", "dermoscopy", "--modality", "photo")
    manifest = imported(KERAS_2 / "tiny.h5", index(tmp_path, list("abcd")), tmp_path / "out", *more)
    assert manifest["outputs"]["maps"] == "maps"  # import_keras compared them with Keras' own scores
    assert [m["id"] for m in manifest["modalities"]] == ["dermoscopy", "photo"]
    assert manifest["quality"]["minSide"] == 32


def test_plain_logits_and_an_open_input_size(tmp_path):
    efficient_style(side=None, head="hidden").save(tmp_path / "open.keras")
    classes = index(tmp_path, NAMES)
    assert "--size" in refused(tmp_path / "open.keras", classes, tmp_path / "none")
    manifest = imported(tmp_path / "open.keras", classes, tmp_path / "out", "--size", "64")
    assert (manifest["input"]["width"], manifest["input"]["height"]) == (64, 64)
    assert manifest["outputs"] == {"scores": "scores", "scoresAre": "logits"}
    assert "not empty" in _message(
        lambda: step.import_keras(arguments(tmp_path / "open.keras", classes, tmp_path / "out", "--size", "64"))
    )


def _message(call) -> str:
    with pytest.raises(step.ImportProblem) as caught:
        call()
    return str(caught.value)


# The comparison with Keras


def test_a_network_that_differs_from_keras_is_not_written(efficient, keras_folder, tmp_path, monkeypatch):
    original = KerasNetwork.predict
    monkeypatch.setattr(
        KerasNetwork, "predict", lambda self, pixels: original(self, pixels) + np.float32([2e-4, -2e-4, 0, 0])
    )
    message = refused(keras_folder / "efficient.keras", index(tmp_path, NAMES), tmp_path / "out")
    assert "differs from Keras" in message


# What is refused


def test_wrong_number_of_classes(efficient, keras_folder, tmp_path):
    assert "scores 4 classes" in refused(keras_folder / "efficient.keras", index(tmp_path, NAMES[:3]), tmp_path / "out")


def test_sigmoid_head(tmp_path):
    efficient_style(side=32, head="sigmoid").save(tmp_path / "labels.keras")
    assert "ends with sigmoid" in refused(tmp_path / "labels.keras", index(tmp_path, NAMES), tmp_path / "out")


def test_preprocessing_that_the_layers_do_not_show(tmp_path):
    import keras

    layers = [
        keras.layers.Conv2D(4, 3),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(4, activation="softmax"),
    ]
    keras.Sequential([keras.Input((32, 32, 3)), *layers]).save(tmp_path / "bare.h5")
    assert "--preprocessing" in refused(tmp_path / "bare.h5", index(tmp_path, NAMES), tmp_path / "out")


@pytest.mark.parametrize("kind", ["keras", "h5"])
def test_lambda_layers_are_refused_and_never_executed(tmp_path, kind):
    import keras

    marker = tmp_path / "executed"
    name = str(marker)  # a closure over text is what a file can hold
    pixels = keras.Input((32, 32, 3))
    x = keras.layers.Lambda(lambda t: (open(name, "w").close(), t)[1], output_shape=(32, 32, 3), name="surprise")(
        pixels
    )
    x = keras.layers.Dense(4, activation="softmax")(
        keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(x))
    )
    model = keras.Model(pixels, x)
    model.save(tmp_path / f"model.{kind}")
    model(np.zeros((1, 32, 32, 3), np.float32))
    assert marker.exists()  # it does what it says when it is run
    marker.unlink()
    message = refused(tmp_path / f"model.{kind}", index(tmp_path, NAMES), tmp_path / "out")
    assert "Lambda" in message and "surprise" in message and "not executed" in message
    assert not marker.exists()


def test_custom_layers_are_named(tmp_path):
    import keras

    @keras.saving.register_keras_serializable(package="Clinic")
    class Attention(keras.layers.Layer):
        def call(self, inputs):
            return inputs

    pixels = keras.Input((32, 32, 3))
    x = keras.layers.GlobalAveragePooling2D()(Attention(name="look")(keras.layers.Rescaling(1 / 255)(pixels)))
    keras.Model(pixels, keras.layers.Dense(4, activation="softmax")(x)).save(tmp_path / "custom.keras")
    message = refused(tmp_path / "custom.keras", index(tmp_path, NAMES), tmp_path / "out")
    assert "Clinic>Attention" in message and "look" in message


@pytest.mark.parametrize(
    "stranger",
    [
        {"class_name": "TFOpLambda", "config": {"name": "tf.math.truediv"}},
        {"class_name": "TorchModuleWrapper", "module": "keras.layers", "config": {"name": "t", "module": "gASV"}},
        {"class_name": "function", "module": "os", "config": "system"},
        {"class_name": "function", "module": "builtins", "config": "eval"},
        {"class_name": "Conv2D", "module": "keras_evil.layers", "config": {"name": "c"}},
        {"class_name": "Conv2D", "module": "os", "config": {"name": "c"}},
        {"class_name": "get_file", "module": "keras.utils", "config": {"origin": "http://example.org"}},
        {"class_name": "Dense", "module": "keras.layers", "registered_name": "Evil>Dense", "config": {"name": "d"}},
        {"class_name": "Dense", "module": "keras.layers", "config": {"name": "d", "activation": "run_me"}},
    ],
)
def test_whatever_is_not_on_the_list_is_refused(stranger):
    with pytest.raises(KerasFileError):
        check_config(
            {
                "class_name": "Sequential",
                "config": {
                    "name": "s",
                    "layers": [{"class_name": "Dense", "config": {"kernel_initializer": stranger}}],
                },
            }
        )


def test_files_that_are_no_models(efficient, keras_folder, tmp_path):
    classes = index(tmp_path, NAMES)
    (tmp_path / "text.keras").write_text("not a model")
    assert "neither" in refused(tmp_path / "text.keras", classes, tmp_path / "out")
    efficient.save_weights(tmp_path / "only.weights.h5")
    assert "weights only" in refused(tmp_path / "only.weights.h5", classes, tmp_path / "out")
    whole = (keras_folder / "efficient.keras").read_bytes()
    (tmp_path / "cut.keras").write_bytes(whole[: len(whole) // 2])
    assert "damaged" in refused(tmp_path / "cut.keras", classes, tmp_path / "out")
    (tmp_path / "cut.h5").write_bytes((keras_folder / "efficient.h5").read_bytes()[:4000])
    assert "damaged" in refused(tmp_path / "cut.h5", classes, tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        archive.writestr("readme.txt", "a zip")
    assert "lacks config.json" in refused(tmp_path / "other.keras", classes, tmp_path / "out")
    (tmp_path / "saved_model").mkdir()
    assert "SavedModel" in refused(tmp_path / "saved_model", classes, tmp_path / "out")


def test_weights_that_stand_in_another_file_are_refused(efficient, keras_folder, tmp_path):
    shutil.copy(keras_folder / "efficient.h5", tmp_path / "link.h5")
    with h5py.File(tmp_path / "link.h5", "r+") as file:
        file["model_weights/elsewhere"] = h5py.ExternalLink("secret.h5", "/values")
    assert "link to elsewhere" in refused(tmp_path / "link.h5", index(tmp_path, NAMES), tmp_path / "out")


def repacked(source: Path, target: Path, weights: bytes) -> Path:
    """A .keras file with other weights."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in ("config.json", "metadata.json"):
            new.writestr(name, old.read(name))
        new.writestr("model.weights.h5", weights)
    return target


def test_weights_inside_a_zip_are_checked_as_well(efficient, keras_folder, tmp_path, monkeypatch):
    whole, classes, out = keras_folder / "efficient.keras", index(tmp_path, NAMES), tmp_path / "out"
    weights = tmp_path / "model.weights.h5"
    with zipfile.ZipFile(whole) as archive:
        weights.write_bytes(archive.read("model.weights.h5"))
    assert "damaged" in refused(repacked(whole, tmp_path / "cut.keras", weights.read_bytes()[:3000]), classes, out)
    with h5py.File(weights, "r+") as file:
        file["elsewhere"] = h5py.ExternalLink("secret.h5", "/values")
    assert "link to elsewhere" in refused(repacked(whole, tmp_path / "link.keras", weights.read_bytes()), classes, out)
    flipped = bytearray(whole.read_bytes())
    flipped[flipped.index(b"\x89HDF") + 5000] ^= (
        1  # Keras stores members unpacked; their checksum does not fit any more
    )
    (tmp_path / "flipped.keras").write_bytes(flipped)
    assert "damaged" in refused(tmp_path / "flipped.keras", classes, out)
    monkeypatch.setattr(keras_file, "MOST_WEIGHT_BYTES", 1000)
    assert "would unpack to more" in refused(whole, classes, out)


def test_the_command_ends_with_a_sentence_and_status_1(tmp_path):
    given = ["none.keras", "--classes", index(tmp_path, NAMES).name, "--name", "x", "--out", "o"]
    command = [sys.executable, "-m", "dermlet_train", "import-keras", *given]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(TRAIN)}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("import-keras: ") and "Traceback" not in done.stderr


# Class index


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "value",
    [
        {name: i for i, name in enumerate(NAMES)},
        dict(enumerate(NAMES)),
        {name: np.int64(i) for i, name in enumerate(NAMES)},
        {np.int32(i): np.str_(name) for i, name in enumerate(NAMES)},
        {str(i): name.encode() for i, name in enumerate(NAMES)},
        {float(i): name for i, name in enumerate(NAMES)},
        list(NAMES),
        tuple(NAMES),
    ],
    ids=["names", "indices", "numpy-indices", "numpy-both", "text-indices-bytes", "floats", "list", "tuple"],
)
def test_pickles_of_plain_data(tmp_path, value, protocol):
    path = tmp_path / "classes.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    assert read_class_names(path) == NAMES


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_evil_pickle_is_refused_and_not_executed(tmp_path, protocol):
    marker = tmp_path / "executed"
    data = pickle.dumps({"akiec": 0, "bcc": Evil(marker)}, protocol)
    with pytest.raises(ClassIndexError, match="system") as caught:
        read_pickle(data)
    assert not marker.exists()
    assert "not loaded" in str(caught.value)
    pickle.loads(data)  # the pickle is indeed evil
    assert marker.exists()


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"cos\nsystem\n(S'true'\ntR.", "os.system"),
        (b"(S'true'\nios\nsystem\n.", "os.system"),
        (b"(cos\nsystem\nS'true'\no.", "os.system"),
        (b"cbuiltins\neval\n(S'1'\ntR.", "builtins.eval"),
        (pickle.dumps(collections.Counter("ab")), "collections.Counter"),
        (pickle.dumps(np.array(["a", "b"])), "_reconstruct"),
        (pickle.dumps({1, 2}), "EMPTY_SET"),
        (b"\x80\x02Pabc\n.", "PERSID"),
        (b"\x80\x02\x82\x01.", "EXT1"),
    ],
)
def test_what_else_a_pickle_asks_for_is_named(data, named):
    with pytest.raises(ClassIndexError, match=named):
        read_pickle(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"\x80",
        b"]]aaa.",
        b"(lp0\nS'x'\n",
        b"g7\n.",
        b"\x80\x04\x8c\xff",
        b"t.",
        b"R.",
        b"}(K\x00s.",
        b"a text file",
    ],
)
def test_broken_pickles(data):
    with pytest.raises(ClassIndexError):
        read_pickle(data)


def test_every_cut_and_every_flipped_byte_of_a_pickle_is_read_or_refused():
    whole = pickle.dumps({np.int64(i): name for i, name in enumerate(NAMES)})
    broken = [whole[:n] for n in range(len(whole))]
    broken += [
        whole[:n] + bytes([whole[n] ^ flip]) + whole[n + 1 :] for n in range(len(whole)) for flip in (1, 0x20, 0xFF)
    ]
    for data in broken:
        try:
            read_pickle(data)
        except ClassIndexError:
            continue


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"a": 1, "b": 2}, "0 to 1"),
        ({"a": 0, "b": 0}, "0 to 1"),
        ({0: "a", 2: "b"}, "0 to 1"),
        ({"a": True, "b": False}, "must be"),
        ({"a": 0.5, "b": 1}, "must be"),
        ({0: "a", 1: "a"}, "twice"),
        ({0: "a", 1: " "}, "text"),
        (["a"], "at least two"),
        ([], "at least two"),
        ({}, "not empty"),
        ("ab", "not empty"),
        ({"a": ["x"], "b": ["y"]}, "must be"),
    ],
)
def test_class_indices_that_are_none(value, problem):
    with pytest.raises(ClassIndexError, match=problem):
        names_in_order(value)


def test_json_index(tmp_path):
    assert read_class_names(index(tmp_path, {"1": "b", "0": "a"})) == ["a", "b"]
    (tmp_path / "twice.json").write_text('{"a": 0, "a": 1}')
    with pytest.raises(ClassIndexError, match="twice"):
        read_class_names(tmp_path / "twice.json")
    (tmp_path / "no.json").write_text("{")
    with pytest.raises(ClassIndexError, match="not JSON"):
        read_class_names(tmp_path / "no.json")


def test_ids_have_the_manifests_form_and_differ():
    long = "Actinic Keratoses and Intraepithelial Carcinoma"
    ids = step.class_ids(["mel", "Melanoma!", "melanoma", "Naevus (Spitz)", "Ödem", "皮膚", long, long + " II"])
    assert ids[:6] == ["mel", "melanoma", "melanoma-2", "naevus-spitz", "odem", "class-5"]
    assert len(set(ids)) == len(ids) and all(len(i) <= 32 for i in ids)


@pytest.mark.parametrize(
    ("stated", "problem"),
    [
        ({"bcc": "high"}, "says nothing of"),
        ({**dict.fromkeys(NAMES, "low"), "wart": "low"}, "lacks: wart"),
        ({**dict.fromkeys(NAMES, "low"), "nv": "none"}, "one of low, moderate, high"),
        (["low"], "must map"),
    ],
)
def test_concern_files_that_do_not_fit(tmp_path, stated, problem):
    with pytest.raises(step.ImportProblem, match=problem):
        step.describe_classes(NAMES, index(tmp_path, stated))


# Calibration


def test_sets_and_tiers_come_from_the_evaluations_own_table(tmp_path):
    rng = np.random.default_rng(2)
    scores = rng.dirichlet((1, 1), 400)
    classes = [{"id": "a", "concern": "low"}, {"id": "b", "concern": "high"}]
    truth = (rng.random(400) > scores[:, 0]).astype(int)
    (tmp_path / "p.csv").write_text(
        "set,image,outcome,rejection,a,b\n"
        + "".join(f"s,{i}.jpg,several,0,{p[0]},{p[1]}\n" for i, p in enumerate(scores))
    )
    (tmp_path / "l.csv").write_text(
        "set,image,label\n" + "".join(f"s,{i}.jpg,{'ab'[t]}\n" for i, t in enumerate(truth)) + "s,none.jpg,other\n"
    )
    sets, cuts, pictures = step.calibrated(tmp_path / "p.csv", tmp_path / "l.csv", classes, 0.9)
    assert pictures == 400
    assert 0.89 <= sets.hold(scores)[np.arange(400), truth].mean() <= 0.94
    malignant = scores[truth == 1, 1]
    assert 0.03 <= (malignant < cuts.moderate).mean() <= 0.05 and 0.8 <= (malignant >= cuts.high).mean() <= 0.82
    with pytest.raises(Told, match="lacks the columns c"):
        step.calibrated(tmp_path / "p.csv", tmp_path / "l.csv", [*classes, {"id": "c", "concern": "low"}], 0.9)


@shipped_path
def test_calibrated_model_names_a_single_category_where_it_may(efficient, keras_folder, tmp_path):
    classes = index(tmp_path, {name: i for i, name in enumerate(NAMES)})
    ids = step.class_ids(NAMES)
    header = "set,image,outcome,rejection," + ",".join(ids) + "\n"
    rows = "".join(
        f"s,{k}-{i}.jpg,several,0," + ",".join(str(0.97 if j == k else 0.01) for j in range(4)) + "\n"
        for k in range(4)
        for i in range(30)
    )
    (tmp_path / "p.csv").write_text(header + rows)
    (tmp_path / "l.csv").write_text(
        "set,image,label\n" + "".join(f"s,{k}-{i}.jpg,{ids[k]}\n" for k in range(4) for i in range(30))
    )
    manifest = imported(
        keras_folder / "efficient.keras",
        classes,
        tmp_path / "out",
        "--calibration",
        str(tmp_path / "p.csv"),
        str(tmp_path / "l.csv"),
    )
    assert manifest["modalities"][0]["sets"]["limits"] == [0] * 4  # the first-ranked was always right
    assert manifest["modalities"][0]["tiers"] == {
        "high": pytest.approx(1, abs=1e-4),
        "moderate": pytest.approx(1, abs=1e-4),
    }  # all are of high concern
    assert manifest["decision"]["coverage"] == 0.9 and manifest["training"]["calibrationPictures"] == 120
    assert schema_problems(tmp_path / "out" / "manifest.json") == []
    assert classified(SPOT, tmp_path / "out")["outcome"] == "single"
