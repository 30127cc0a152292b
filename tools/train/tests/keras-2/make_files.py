"""Writes tiny.h5, tiny.keras and expected.json here with Keras 2: `python make_files.py` where tensorflow-cpu 2.15.1 is
installed.

The network is drawn at random but has every part whose description Keras 3 reads differently: nested Sequential and
functional models, depthwise convolution, batch normalisation. expected.json holds TensorFlow's own scores for
`picture()`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
SIDE, CLASSES = 32, 4


def picture() -> np.ndarray:
    """(1, SIDE, SIDE, 3), 0..255, the same everywhere."""
    return np.random.default_rng(7).integers(0, 256, (1, SIDE, SIDE, 3)).astype(np.float32)


def network():  # the type exists only where TensorFlow does
    from tensorflow.keras import Input, Model, Sequential, layers

    inside = Input((SIDE, SIDE, 3))
    x = layers.Normalization(mean=[0.48, 0.45, 0.4], variance=[0.05, 0.05, 0.05])(layers.Rescaling(1 / 255)(inside))
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = layers.Activation("swish")(
        layers.BatchNormalization()(layers.Conv2D(8, 3, strides=2, padding="valid", use_bias=False)(x))
    )
    y = layers.Activation("swish")(
        layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x))
    )
    squeezed = layers.Reshape((1, 1, 8))(layers.GlobalAveragePooling2D()(y))
    gate = layers.Conv2D(8, 1, activation="sigmoid")(layers.Conv2D(2, 1, activation="swish")(squeezed))
    x = layers.Add()([x, layers.Multiply()([y, gate])])
    base = Model(
        inside,
        layers.Activation("swish")(layers.BatchNormalization()(layers.Conv2D(12, 1, use_bias=False)(x))),
        name="base",
    )
    turned = Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)], name="turned")
    given = Input((SIDE, SIDE, 3))
    x = layers.GlobalAveragePooling2D()(base(turned(given), training=False))
    x = layers.Dropout(0.3)(layers.BatchNormalization()(x))
    return Model(given, layers.Dense(CLASSES, activation="softmax")(x))


def stir(model, rng: np.random.Generator) -> None:
    """Weights of a trained network's size: as Keras draws them, scores would all be alike."""
    weights = []
    for variable in model.variables:
        shape, name = tuple(variable.shape), variable.name
        if (
            not np.issubdtype(variable.dtype.as_numpy_dtype, np.floating)
            or "Normalization" in name
            or ("normalization/" in name and "batch" not in name)
        ):
            weights.append(None)
        elif "variance" in name or "gamma" in name:
            weights.append(rng.uniform(0.6, 1.4, shape))
        elif len(shape) > 1:
            weights.append(rng.normal(0, 1.5 / np.sqrt(np.prod(shape[:-1])), shape))
        else:
            weights.append(rng.normal(0, 0.3, shape))
    for variable, values in zip(model.variables, weights, strict=True):
        if values is not None:
            variable.assign(values)


if __name__ == "__main__":
    model = network()
    stir(model, np.random.default_rng(3))
    model.compile("adam", "categorical_crossentropy")
    model.save(HERE / "tiny.h5")
    model.save(HERE / "tiny.keras")
    scores = model.predict(picture(), verbose=0)[0]
    (HERE / "expected.json").write_text(json.dumps({"scores": scores.tolist()}) + "\n")
    print(scores)
