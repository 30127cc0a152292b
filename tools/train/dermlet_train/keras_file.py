"""A Keras model file, checked before Keras sees it.

Keras' own safe mode has been got round more than once (CVE-2025-1550, -8747, -9905, -9906), and never covered
everything that a file may ask for. So the model's description is read here as JSON and held against a list of the
layers, initializers and functions that an image classifier is made of; whatever else it names is refused by name. Only
then does Keras get a copy that holds the checked description and the weights and nothing else.
"""

from __future__ import annotations

import json
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .keras_graph import KerasFileError, check_graph, check_tree, widest_layer
from .keras_weights import Weights, copy_weights, hdf5, hdf5_read, text_attribute, unpack_weights
from .limits import (
    MOST_CONFIG_BYTES,
    MOST_DIRECTORY_BYTES,
    MOST_KERAS_BYTES,
    MOST_MEMBERS,
    MOST_WEIGHT_BYTES,
)
from .reading import KeyTwice, check_regular, no_key_twice, plain, shown

__all__ = ["KerasFile", "KerasFileError", "check_config", "layers_of", "open_keras_file"]

# What zipfile raises on a damaged member, and on one that is encrypted or packed in an unknown way.
ZIP_PROBLEMS = (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, struct.error, UnicodeDecodeError)


LAYERS = frozenset(
    "InputLayer Conv1D Conv2D DepthwiseConv2D SeparableConv2D Dense EinsumDense BatchNormalization LayerNormalization"
    " GroupNormalization UnitNormalization Activation ReLU LeakyReLU PReLU ELU Softmax Dropout SpatialDropout2D"
    " GaussianNoise GaussianDropout AlphaDropout ActivityRegularization Flatten Reshape Permute Identity"
    " GlobalAveragePooling2D GlobalMaxPooling2D AveragePooling2D MaxPooling2D ZeroPadding2D Cropping2D UpSampling2D Add"
    " Subtract Multiply Average Maximum Minimum Concatenate Rescaling Normalization RandomFlip RandomRotation"
    " RandomZoom RandomTranslation RandomContrast RandomBrightness RandomCrop".split()
)
MODELS = frozenset(("Functional", "Sequential", "Model"))
# Operations on tensors that a functional model of Keras 3 may hold (`x / 255.0`).
OPERATIONS = frozenset(
    "Add Subtract Multiply Divide TrueDivide Negative Mean Sigmoid Relu Silu Softmax Rescaling".split()
)
INITIALIZERS = frozenset(
    "Zeros Ones Constant RandomNormal RandomUniform TruncatedNormal VarianceScaling GlorotNormal GlorotUniform HeNormal"
    " HeUniform LecunNormal LecunUniform Orthogonal OrthogonalInitializer Identity IdentityInitializer".split()
)
HELPERS = frozenset(
    "L1 L2 L1L2 OrthogonalRegularizer MaxNorm NonNeg UnitNorm MinMaxNorm DTypePolicy Policy TensorShape".split()
)
WRAPPED = frozenset("__keras_tensor__ __tuple__ __numpy__ __tensor__".split())
ACTIVATIONS = frozenset(
    "linear softmax relu relu6 leaky_relu elu selu gelu swish silu hard_swish hard_silu sigmoid hard_sigmoid tanh"
    " softplus softsign mish exponential".split()
)
ALLOWED = LAYERS | MODELS | OPERATIONS | INITIALIZERS | HELPERS | WRAPPED
KERAS_3_FUNCTIONAL = "keras.src.models.functional"
PREPROCESSING_LAYERS = frozenset(("Rescaling", "Normalization"))


@dataclass(frozen=True)
class KerasFile:
    """A file's description, checked, and which Keras wrote it."""

    path: Path
    kind: str  # "keras": the zip of Keras 3; "h5": HDF5 with the whole model
    config: dict[str, Any]
    keras_version: str
    notes: tuple[str, ...]  # what was repaired in the description

    def write_checked(self, folder: Path) -> Path:
        """A copy for Keras to load: checked description, weights, no optimizer, no training configuration, no other
        member. Raises KerasFileError.
        """
        target = folder / f"checked.{self.kind}"
        if self.kind == "keras":
            packed, weights = folder / "packed.h5", folder / "model.weights.h5"
            with zipfile.ZipFile(self.path) as source, zipfile.ZipFile(target, "w") as copy:
                copy.writestr("config.json", json.dumps(self.config))
                copy.writestr("metadata.json", json.dumps({"keras_version": self.keras_version}))
                try:
                    with source.open("model.weights.h5") as member, packed.open("wb") as unpacked:
                        shutil.copyfileobj(member, unpacked)
                except ZIP_PROBLEMS as problem:
                    raise KerasFileError(f"{self.path.name} is damaged: {problem}") from problem
                self._check_wide_enough(unpack_weights(packed, weights))
                copy.write(weights, "model.weights.h5")
            packed.unlink()
            weights.unlink()
            return target
        found = Weights()
        with (
            hdf5_read(f"{self.path.name} is"),
            hdf5().File(self.path, "r") as source,
            hdf5().File(target, "w") as copy,
        ):
            copy.attrs["model_config"] = json.dumps(self.config)
            copy.attrs["keras_version"] = self.keras_version
            if not isinstance(source.get("model_weights", getlink=True), hdf5().HardLink):
                raise KerasFileError(f"{self.path.name} holds no weights of its own: save the whole model again")
            copy_weights(source["model_weights"], copy.create_group("model_weights"), found)
        self._check_wide_enough(found)
        return target

    def _check_wide_enough(self, weights: Weights) -> None:
        """A layer has at least as many weights as units: what the file lacks is not allocated."""
        units, name = widest_layer(list(objects_of(self.config)))
        if units > weights.values:
            raise KerasFileError(
                f"the layer {shown(name)} has {units} units, but the file holds only {weights.values} weights in all:"
                " save the whole model again"
            )


def open_keras_file(path: Path) -> KerasFile:
    """Reads and checks the description. Raises KerasFileError, OSError."""
    if path.is_dir():
        raise KerasFileError(
            f"{path.name} is a folder (a TensorFlow SavedModel?): save the model as one .keras or .h5 file with"
            " model.save('name.keras')"
        )
    check_regular(path, MOST_KERAS_BYTES)
    with path.open("rb") as handle:
        magic = handle.read(8)
    if magic.startswith(b"PK"):
        kind, (config, version) = "keras", _read_zip(path)
    elif magic == b"\x89HDF\r\n\x1a\n":
        kind, (config, version) = "h5", _read_hdf5(path)
    else:
        raise KerasFileError(f"{path.name} is neither a .keras file (zip) nor an .h5 file (HDF5)")
    check_tree(config)
    check_config(config)
    notes = tuple(dict.fromkeys(_repair(config)))
    check_graph(list(objects_of(config)))
    return KerasFile(path, kind, config, version, notes)


def _json(text: str | bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text, object_pairs_hook=no_key_twice)
    except KeyTwice as problem:
        raise KerasFileError(f"{where}: {problem}: which of the two counts cannot be told") from problem
    except RecursionError as problem:
        raise KerasFileError(f"{where} is nested too deeply") from problem
    except ValueError as problem:
        raise KerasFileError(f"{where} is not JSON: {plain(problem, 200)}") from problem
    return value if isinstance(value, dict) else {}


def _parse(text: str | bytes, where: str) -> dict[str, Any]:
    config = _json(text, f"the model's description in {where}")
    if not isinstance(config.get("class_name"), str):
        raise KerasFileError(f"{where} does not describe a model")
    for key in ("compile_config", "build_config"):
        config.pop(key, None)
    return config


def _check_archive(path: Path) -> None:
    """The zip's directory, which zipfile reads as a whole: its end says how large it is."""
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - (1 << 16) - 22))
        end = handle.read((1 << 16) + 22)
    at = end.rfind(b"PK\x05\x06")
    if at < 0 or len(end) - at < 22:
        raise KerasFileError(f"{path.name} is damaged: the zip's end is missing, as in a download that was cut off")
    members, size = struct.unpack("<HI", end[at + 10 : at + 16])
    if members > MOST_MEMBERS or size > MOST_DIRECTORY_BYTES:
        raise KerasFileError(f"{path.name} has {members} members; a .keras file has three or some more")


def _check_members(archive: zipfile.ZipFile) -> None:
    """Names that stand once and stay in their folder; of what is read, its size and a way of packing that is bounded.
    Nothing is unpacked to a member's own path: one that asks for another place was made by somebody who wants that.
    """
    seen: set[str] = set()
    for member in archive.infolist():
        name = member.orig_filename
        if name in seen:
            raise KerasFileError(f"the archive holds {shown(name)} twice")
        seen.add(name)
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name:
            raise KerasFileError(f"the archive's member {shown(name)} would lie outside its folder")
    if missing := {"config.json", "metadata.json", "model.weights.h5"} - seen:
        raise KerasFileError(
            f"{Path(archive.filename or '').name} is a zip but no .keras model: it lacks {', '.join(sorted(missing))}"
        )
    for name in ("config.json", "metadata.json", "model.weights.h5"):
        member = archive.getinfo(name)
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise KerasFileError(f"the archive's member {name} is packed in a way that Keras does not use")
        if name != "model.weights.h5" and member.file_size > MOST_CONFIG_BYTES:
            raise KerasFileError(f"the model's description ({name}) is larger than any model's")
        if member.file_size > MOST_WEIGHT_BYTES:
            raise KerasFileError(
                f"the model's weights would unpack to more than {MOST_WEIGHT_BYTES >> 30} GiB: that is no model for a"
                " page"
            )


def _read_zip(path: Path) -> tuple[dict[str, Any], str]:
    _check_archive(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive)
            config = _parse(archive.read("config.json"), "config.json")
            metadata = _json(archive.read("metadata.json"), "metadata.json")
    except ZIP_PROBLEMS as problem:
        raise KerasFileError(f"{path.name} is damaged: {plain(problem, 200)}") from problem
    return config, plain(metadata.get("keras_version", "unknown"), 40)


def _read_hdf5(path: Path) -> tuple[dict[str, Any], str]:
    with hdf5_read(f"{path.name} is"), hdf5().File(path, "r") as handle:
        stored, version = text_attribute(handle, "model_config"), text_attribute(handle, "keras_version")
    if stored is None:
        raise KerasFileError(
            f"{path.name} holds weights only: save the whole model with model.save(...), not save_weights(...)"
        )
    return _parse(stored, path.name), plain(version or "unknown", 40)


def objects_of(config: object) -> Iterator[dict[str, Any]]:
    """Every object of a description that names a class, outermost first."""
    if isinstance(config, dict):
        if isinstance(config.get("class_name"), str):
            yield config
        for value in config.values():
            yield from objects_of(value)
    elif isinstance(config, list):
        for value in config:
            yield from objects_of(value)


def layers_of(config: object) -> Iterator[tuple[str, str]]:
    """(class, name) of every layer, in the order of the description."""
    for entry in objects_of(config):
        if entry["class_name"] in LAYERS and isinstance(entry.get("config"), dict):
            yield entry["class_name"], str(entry["config"].get("name", ""))


def check_config(config: dict[str, Any]) -> None:
    """Raises KerasFileError that names every class and function that is not on the lists above."""
    lambdas, unknown = [], []
    for entry in objects_of(config):
        name, inner = entry["class_name"], entry.get("config")
        label = inner.get("name", "?") if isinstance(inner, dict) else "?"
        if name in ("Lambda", "__lambda__"):
            lambdas.append(str(label))
        elif name == "function":
            if entry.get("module") not in (None, "builtins") or inner not in ACTIVATIONS:
                unknown.append(f"the function {inner!r}")
        elif not _is_keras_own(entry):
            unknown.append(f"{entry.get('registered_name') or name} (layer {label!r})")
    unknown += [f"the activation {value!r}" for value in _activations(config) if value not in ACTIVATIONS]
    if lambdas:
        raise KerasFileError(
            f"the model holds Lambda layers ({_some(lambdas)}): they are Python code inside the file"
            " and are not executed; replace them by standard layers (Rescaling, Normalization) and save the model"
            " again"
        )
    if unknown:
        raise KerasFileError(
            f"the model holds what is not a standard layer or function of an image classifier: {_some(unknown)}"
        )


def _some(names: list[str]) -> str:
    """The first of them, each once, for a message."""
    distinct = list(dict.fromkeys(plain(name, 100) for name in names))
    return ", ".join(distinct[:12]) + (f" and {len(distinct) - 12} more" if len(distinct) > 12 else "")


def _is_keras_own(entry: dict[str, Any]) -> bool:
    module, registered = entry.get("module"), entry.get("registered_name")
    own_module = module is None or (isinstance(module, str) and (module == "keras" or module.startswith("keras.")))
    return entry["class_name"] in ALLOWED and own_module and registered in (None, entry["class_name"])


def _activations(config: object) -> Iterator[str]:
    """Activations given by name, wherever they stand."""
    if isinstance(config, dict):
        for key, value in config.items():
            if key in ("activation", "recurrent_activation") and isinstance(value, str):
                yield value
            else:
                yield from _activations(value)
    elif isinstance(config, list):
        for value in config:
            yield from _activations(value)


def _repair(config: dict[str, Any]) -> Iterator[str]:
    """Makes descriptions written by Keras 2 readable for Keras 3, and mixed precision exact; tells what was changed."""
    for entry in objects_of(config):
        inner = entry.get("config")
        if not isinstance(inner, dict):
            continue
        if entry["class_name"] in ("Functional", "Model"):
            if entry.get("module") not in (None, KERAS_3_FUNCTIONAL):
                entry["module"] = KERAS_3_FUNCTIONAL
            for key in ("input_layers", "output_layers"):
                ends = inner.get(key)
                if isinstance(ends, list) and len(ends) == 1 and isinstance(ends[0], list):
                    inner[key] = ends[0]  # else Keras 3 takes it for a list of one, and no layer after it does
            if _renumber_nested(inner):
                yield "renumbered the calls of nested models as Keras 3 does"
        if entry["class_name"] == "DepthwiseConv2D" and "groups" in inner:
            del inner["groups"]
            yield "dropped 'groups' of DepthwiseConv2D, which Keras 3 does not know"
        axis = inner.get("axis")
        if entry["class_name"] == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
            inner["axis"] = axis[0]
            yield "wrote the axis of BatchNormalization as Keras 3 does"
        if entry["class_name"] in ("DTypePolicy", "Policy") and inner.get("name") != "float32":
            inner["name"] = "float32"
            yield "runs in float32 what was trained in mixed precision"
        if isinstance(inner.get("dtype"), str) and inner["dtype"] in (
            "mixed_float16",
            "mixed_bfloat16",
            "float16",
            "bfloat16",
        ):
            inner["dtype"] = "float32"
            yield "runs in float32 what was trained in mixed precision"


def _renumber_nested(functional: dict[str, Any]) -> bool:
    """Keras 2 counts a nested model's own making as its call 0, Keras 3 does not; tells whether anything changed."""
    layers = functional.get("layers")
    if not isinstance(layers, list):
        return False
    layers = [layer for layer in layers if isinstance(layer, dict)]
    changed = False
    for nested in [layer for layer in layers if layer.get("class_name") in MODELS]:
        wiring = [layer.get("inbound_nodes") for layer in layers]
        if nested["class_name"] == "Sequential":
            wiring.append(
                functional.get("output_layers")
            )  # for other models Keras 3 corrects this place itself, and only this
        references = [reference for part in wiring for reference in _references(part, nested.get("name"))]
        if references and max(reference[1] for reference in references) == len(nested.get("inbound_nodes") or ()):
            for reference in references:
                reference[1] -= 1
            changed = True
    return changed


def _references(wiring: object, name: object) -> Iterator[list[Any]]:
    """Keras 2's references to a layer's output, `[name, call, output, ...]`, wherever they stand."""
    if not isinstance(wiring, list):
        return
    if len(wiring) >= 3 and wiring[0] == name and isinstance(wiring[1], int):
        yield wiring
        return
    for part in wiring:
        yield from _references(part, name)
