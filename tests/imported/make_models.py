"""Makes the imported models here: `python make_models.py` in the training environment (tools/train/README.md).

- `keras-2/`: tools/train/tests/keras-2/tiny.h5, an EfficientNet-like file that Keras 2 wrote, with its class index in a
  pickle;
- `vgg-style/`: a VGG-like file of Keras 3, whose layers' names say that it wants BGR less ImageNet's means, with its
  class index in JSON.

Their weights are drawn at random. Both go through `python -m dermlet_train import-keras` as anybody's would.
`noise.png` is the picture that TensorFlow scored beside tiny.h5; `expected.json` holds, by model, picture and category,
what Keras itself (for the noise: TensorFlow) answers.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TRAIN = ROOT / "tools" / "train"
KERAS_2 = TRAIN / "tests" / "keras-2"
SPOT = ROOT / "tests" / "pictures" / "spot.png"
NAMES = ["Alpha", "Beta", "Gamma", "Delta"]
CAFFE_MEAN = np.float32([103.939, 116.779, 123.68])

os.environ["KERAS_BACKEND"] = "torch"
sys.path[:0] = [str(TRAIN), str(KERAS_2)]


def vgg_style():
    """Five blocks as VGG16's, with next to no channels, at 64 px."""
    import keras
    from keras import layers

    rng = np.random.default_rng(11)
    x = pixels = keras.Input((64, 64, 3))
    for block, (width, convolutions) in enumerate([(6, 2), (8, 2), (8, 3), (12, 3), (12, 3)], 1):
        for k in range(1, convolutions + 1):
            x = layers.Conv2D(width, 3, padding="same", activation="relu", name=f"block{block}_conv{k}")(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    x = layers.Dense(16, activation="relu", name="fc1")(layers.Flatten()(x))
    model = keras.Model(
        pixels, layers.Dense(len(NAMES), activation="softmax", name="predictions")(layers.Dropout(0.5)(x))
    )
    for layer in model.layers:
        if not layer.weights:
            continue
        kernel, bias = layer.kernel.shape, layer.bias.shape
        layer.set_weights([rng.normal(0, np.sqrt(2 / np.prod(kernel[:-1])), kernel), rng.normal(0, 0.1, bias)])
    model.layers[-1].kernel.assign(model.layers[-1].kernel * 0.004)  # else one score is 1 and the others 0
    return model


def import_model(name: str, source: Path, classes: Path) -> None:
    shutil.rmtree(HERE / name, ignore_errors=True)
    given = [str(source), "--classes", str(classes), "--name", name, "--out", str(HERE / name)]
    licence = ["--license", "MIT", "--license-file", str(ROOT / "LICENSE"), "--commercial"]
    subprocess.run([sys.executable, "-m", "dermlet_train", "import-keras", *given, *licence], cwd=TRAIN, check=True)


def squashed(path: Path, side: int) -> np.ndarray:
    """As the retired servers fed it: Pillow, RGB, bicubic, (1, side, side, 3), 0..255."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB").resize((side, side), Image.Resampling.BICUBIC), np.float32)[None]


def main() -> None:
    import keras
    from make_files import picture

    from dermlet_train.keras_file import open_keras_file
    from dermlet_train.keras_network import load_network

    noise = HERE / "noise.png"
    Image.fromarray(picture()[0].astype(np.uint8)).save(noise, optimize=True)
    with tempfile.TemporaryDirectory() as folder:
        by_name, in_order = Path(folder) / "classes.pkl", Path(folder) / "classes.json"
        by_name.write_bytes(pickle.dumps({name: i for i, name in enumerate(NAMES)}))
        in_order.write_text(json.dumps(NAMES))
        import_model("keras-2", KERAS_2 / "tiny.h5", by_name)
        vgg = vgg_style()
        vgg.save(Path(folder) / "vgg-style.keras")
        import_model("vgg-style", Path(folder) / "vgg-style.keras", in_order)
    keras.config.set_image_data_format("channels_last")
    efficient = load_network(open_keras_file(KERAS_2 / "tiny.h5"), None)
    scores = {
        "keras-2": {
            "noise.png": json.loads((KERAS_2 / "expected.json").read_text())["scores"],
            "spot.png": efficient.predict(squashed(SPOT, 32))[0],
        },
        "vgg-style": {"spot.png": vgg.predict(squashed(SPOT, 64)[..., ::-1] - CAFFE_MEAN, verbose=0)[0]},
    }
    ids = [name.lower() for name in NAMES]
    named = {
        model: {p: dict(zip(ids, map(float, values), strict=True)) for p, values in pictures.items()}
        for model, pictures in scores.items()
    }
    (HERE / "expected.json").write_text(json.dumps(named, indent=1) + "\n")
    print(json.dumps(named, indent=1))


if __name__ == "__main__":
    main()
