"""`import-keras`: a Keras classifier with its class index -> a model folder that the page and the command line run
unchanged.

What such a file does not contain is not invented: without calibration pictures there are no limits, every category
stays in the set of possible ones, no single one is presented, and the tier is the highest concern of any category
(`--calibration` changes that); a category without a stated concern counts as high.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import sys
import tempfile
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .calibration import folds_of
from .class_index import read_class_names
from .confined import BoundMet, Bounds, confined
from .contract import CONCERNS, PROBABILITY_TOLERANCE
from .files import replacing
from .keras_file import PREPROCESSING_LAYERS, KerasFile, layers_of, open_keras_file
from .limits import ADDRESS_SPACE, ADDRESS_SPACE_A_BYTE, CPU_MINUTES, GIB, MOST_KERAS_BYTES, MOST_TEXT_BYTES, WALL_A_CPU
from .manifest import FILE_NAME as MANIFEST_NAME
from .manifest import new_manifest, write_manifest
from .reading import FileRefused, Told, check_regular, plain, read_bytes, read_json, shown, table_rows
from .sets import CoverageTarget, Scored, Sets, always, choose_aim, fit_sets
from .tiers import DEFAULTS, Cuts, TierTargets, fit_cuts, unmeasured

TOLERANCE = 1e-4  # greatest difference from Keras' own predictions; the fp32 file's, whatever storage follows
STORED_TOLERANCE = 1e-2  # the same once weights are rounded to fp16
FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


class ImportProblem(Told):
    """Why no model folder was written; the message is for the user."""


@dataclass(frozen=True)
class Preprocessing:
    """What the model wants of 0..255 pixels: channels in this order, less mean, divided by std, both in the order of
    channels.
    """

    channels: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def apply(self, picture: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 RGB -> (1, H, W, 3) float32."""
        ordered = picture if self.channels == "RGB" else picture[..., ::-1]
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        return ((ordered.astype(np.float32) - mean) / std)[None]


PREPROCESSING = {
    "none": Preprocessing("RGB", (0, 0, 0), (1, 1, 1)),
    "caffe": Preprocessing("BGR", (103.939, 116.779, 123.68), (1, 1, 1)),
    "tf": Preprocessing("RGB", (127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
    "torch": Preprocessing("RGB", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "scale": Preprocessing("RGB", (0, 0, 0), (255, 255, 255)),
}


def add_arguments(step: argparse.ArgumentParser) -> None:
    step.add_argument("keras", type=Path, metavar="MODEL", help="a whole Keras model, .keras or .h5")
    step.add_argument(
        "--classes",
        type=Path,
        required=True,
        help="{name: index}, {index: name} or a list of names: .json, or a pickle (never executed)",
    )
    step.add_argument("--name", required=True, help="the model's name: lower-case letters, digits, dashes")
    step.add_argument("--out", type=Path, required=True, help="model folder to write")
    step.add_argument(
        "--preprocessing",
        choices=("auto", *PREPROCESSING),
        default="auto",
        help="what happens to 0..255 RGB before the first layer",
    )
    step.add_argument("--size", type=int, help="side of the input in pixels, where the model leaves it open")
    step.add_argument(
        "--filter", choices=tuple(FILTERS), default="bicubic", help="how pictures were brought to the input's size"
    )
    step.add_argument(
        "--concern",
        type=Path,
        help='JSON: {class: "low"|"moderate"|"high"} or {class: {"concern", "name", "plain"}}, for every class',
    )
    step.add_argument(
        "--calibration",
        type=Path,
        nargs=2,
        metavar=("PREDICTIONS", "LABELS"),
        help="evaluate's --predictions table and its label table",
    )
    step.add_argument(
        "--coverage",
        type=float,
        default=0.9,
        help="share of pictures whose set should hold the truth, with --calibration",
    )
    step.add_argument("--storage", choices=("fp32", "fp16"), default="fp32")
    step.add_argument(
        "--modality", action="append", help="id of the modality, may be given several times (default: photo)"
    )
    step.add_argument("--title")
    step.add_argument("--version", default="0.1.0")
    step.add_argument("--license", default="LicenseRef-unknown", help="SPDX id of the weights' licence")
    step.add_argument("--license-file", type=Path, help="the licence's text")
    step.add_argument("--commercial", action="store_true", help="the licence allows commercial use; assumed not to")
    step.add_argument("--force", action="store_true", help="replace the files of an earlier import in --out")
    step.add_argument(
        "--minutes",
        type=float,
        default=CPU_MINUTES,
        help="most processor time for reading and converting the file; of wall time twice that",
    )
    step.add_argument(
        "--gigabytes",
        type=float,
        help="most address space for it (Linux only); by default 12 GiB and eight times the file",
    )


def run(arguments: argparse.Namespace) -> None:
    """The step, with everything that reads the given files in a process of its own (`confined`); a problem ends the
    process with its sentence and status 1.
    """
    try:
        import_keras(arguments, confined_draft)
    except Told as problem:
        sys.exit(f"import-keras: {plain(problem)}")
    except OSError as problem:
        sys.exit(f"import-keras: {problem.filename or ''}: {problem.strerror or problem}")


Draft = Callable[[argparse.Namespace, Path], None]


def confined_draft(arguments: argparse.Namespace, folder: Path) -> None:
    """draft() within bounds of memory, processor time and wall time. Raises Confined, FileRefused, OSError."""
    check_regular(arguments.keras, MOST_KERAS_BYTES)
    memory = ADDRESS_SPACE + ADDRESS_SPACE_A_BYTE * arguments.keras.stat().st_size
    if arguments.gigabytes is not None:
        memory = int(arguments.gigabytes * GIB)
    seconds = 60 * arguments.minutes
    with tempfile.TemporaryDirectory() as temporary:
        try:
            confined(draft, (arguments, folder), Bounds(memory, seconds, WALL_A_CPU * seconds), Path(temporary))
        except BoundMet as problem:
            raise ImportProblem(
                f"{arguments.keras.name} was not imported: {problem}. If you trust the file, --minutes and --gigabytes allow"
                " more"
            ) from problem


def import_keras(arguments: argparse.Namespace, make: Draft | None = None) -> None:
    """Writes the whole model folder, or nothing. `make` is draft(), or draft() elsewhere. Raises Told (ImportProblem,
    KerasFileError, ClassIndexError, FileRefused), OSError.
    """
    _check_words(arguments)
    with tempfile.TemporaryDirectory() as folder:
        (make or draft)(arguments, Path(folder))
        arguments.out.mkdir(parents=True, exist_ok=True)
        # The manifest last: without it the folder is no model.
        for path in sorted(Path(folder).iterdir(), key=lambda path: path.name == MANIFEST_NAME):
            with replacing(arguments.out / path.name) as part:
                shutil.copyfile(path, part)
    print(
        f"import-keras: {arguments.out} is ready; try: npm run classify -- PICTURE --model {arguments.out}", flush=True
    )


def draft(arguments: argparse.Namespace, folder: Path) -> None:
    """The files of the model folder. Raises as import_keras()."""
    names = read_class_names(arguments.classes)
    classes = describe_classes(names, arguments.concern)
    file = open_keras_file(arguments.keras)
    preprocessing = choose_preprocessing(arguments.preprocessing, file)
    for note in file.notes:
        _say(note)
    # Keras and torch.onnx are heavy: everything above fails first.
    from .keras_network import load_network

    network = load_network(file, arguments.size)
    if network.classes != len(names):
        raise ImportProblem(
            f"the model scores {network.classes} classes, but {arguments.classes.name} names {len(names)}:"
            f" {plain(', '.join(names), 500)}"
        )
    fitted = None
    if arguments.calibration is not None:
        predictions, labels = arguments.calibration
        fitted = calibrated(predictions, labels, classes, arguments.coverage)
    _write(arguments, file, network, preprocessing, classes, fitted, folder)


def _say(text: str) -> None:
    print(f"import-keras: {plain(text)}", file=sys.stderr, flush=True)


def _check_words(arguments: argparse.Namespace) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", arguments.name):
        raise ImportProblem(f"--name must be lower-case letters, digits and dashes, not {arguments.name!r}")
    if not re.fullmatch(r"\d+\.\d+\.\d+", arguments.version):
        raise ImportProblem(f"--version must be three numbers such as 0.1.0, not {arguments.version!r}")
    if not 0 < arguments.coverage < 1:
        raise ImportProblem("--coverage must lie between 0 and 1")
    if not 0 < arguments.minutes <= 24 * 60:
        raise ImportProblem("--minutes must lie between 0 and 1440, a day")
    if arguments.gigabytes is not None and not 0 < arguments.gigabytes <= 4096:
        raise ImportProblem("--gigabytes must lie between 0 and 4096")
    if arguments.out.exists() and (not arguments.out.is_dir() or any(arguments.out.iterdir())) and not arguments.force:
        raise ImportProblem(f"{arguments.out} is not empty; --force replaces an earlier import")


def describe_classes(names: list[str], path: Path | None) -> list[dict[str, str]]:
    """The manifest's classes: id from the name, concern (and words, where given) from the file. Raises ImportProblem."""
    ids = class_ids(names)
    if path is None:
        _say("no --concern: every category counts as of high concern, since nobody said otherwise")
        return [{"id": i, "name": name, "concern": "high"} for i, name in zip(ids, names, strict=True)]
    stated = read_json(path)
    if not isinstance(stated, dict):
        raise ImportProblem(f"{path.name} must map classes to concerns")
    # A key is a name before it is an id: the name of one class may be what another's id came to.
    owners = {key: names.index(key) if key in names else ids.index(key) for key in stated if key in names or key in ids}
    unknown = [plain(key, 100) for key in stated if key not in owners]
    missing = [plain(name, 100) for index, name in enumerate(names) if index not in owners.values()]
    if unknown or missing:
        parts = [f"names classes that the model lacks: {', '.join(unknown)}"] if unknown else []
        parts += [f"says nothing of: {', '.join(missing)}"] if missing else []
        raise ImportProblem(f"{path.name} {'; it '.join(parts)}")
    if len(owners) > len(names):
        indices = list(owners.values())
        twice = next(names[index] for index in indices if indices.count(index) > 1)
        raise ImportProblem(f"{path.name} states the concern of {shown(twice)} twice, by its name and by its id")
    of = {index: stated[key] for key, index in owners.items()}
    return [_described(i, name, of[index], path) for index, (i, name) in enumerate(zip(ids, names, strict=True))]


def _described(identity: str, name: str, stated: object, path: Path) -> dict[str, str]:
    words = stated if isinstance(stated, dict) else {"concern": stated}
    if (
        words.get("concern") not in CONCERNS
        or set(words) - {"concern", "name", "plain"}
        or not all(isinstance(v, str) and v for v in words.values())
    ):
        raise ImportProblem(
            f"{path.name}: {shown(name)} needs a concern, one of {', '.join(CONCERNS)} (and may have 'name' and"
            f" 'plain'), not {plain(json.dumps(stated), 200)}"
        )
    return {"id": identity, "name": name, **words}


def class_ids(names: list[str]) -> list[str]:
    """Ids of the manifest's form from names, distinct: 'Melanocytic Nevi' -> 'melanocytic-nevi'; a label that has the
    form stays as it is.
    """
    ids: list[str] = []
    for index, name in enumerate(names):
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        base = re.sub(r"[^a-z0-9_]+", "-", plain).strip("-_")[:32].rstrip("-_") or f"class-{index}"
        found, number = base, 2
        while found in ids:
            found, number = f"{base[:28]}-{number}", number + 1
        ids.append(found)
    return ids


def choose_preprocessing(requested: str, file: KerasFile) -> Preprocessing:
    """What --preprocessing says; for 'auto' what the layers show. Raises ImportProblem where they do not show it."""
    layers = list(layers_of(file.config))
    inside = [kind for kind, _ in layers if kind in PREPROCESSING_LAYERS]
    if requested == "auto":
        requested = _recognised(layers, inside)
        _say(f"preprocessing '{requested}', recognised by the model's layers")
    elif requested != "none" and inside:
        _say(
            f"the model normalises inside as well ({', '.join(dict.fromkeys(inside))}); '{requested}' is applied before"
            " that, as asked"
        )
    return PREPROCESSING[requested]


def _recognised(layers: list[tuple[str, str]], inside: list[str]) -> str:
    if inside:
        return "none"
    names = {name for _, name in layers}
    if {"block1_conv1", "block2_conv1", "block5_conv3"} <= names:
        return "caffe"  # VGG16 and VGG19 of keras.applications
    raise ImportProblem(
        "the layers do not show what the model expects of its pixels: give --preprocessing none (0..255), caffe (BGR"
        " less ImageNet's means), tf (-1..1), torch (ImageNet's mean and deviation) or scale (0..1)"
    )


def calibrated(
    predictions: Path, labels: Path, classes: list[dict[str, str]], coverage: float
) -> tuple[Sets, Cuts, int]:
    """Prediction sets, cuts of the tiers, and on how many pictures they rest. Raises ImportProblem.

    `predictions` is what `npm run evaluate -- --predictions` wrote with this model, `labels` the label table that it
    was given. Pictures of one `group` of it are never on both sides of a cross-fit; without that column every picture
    counts as independent.
    """
    ids = [entry["id"] for entry in classes]
    labelled = _by_picture(labels, ("set", "image", "label"))
    found = [(row, labelled.get(key, {})) for key, row in _by_picture(predictions, ("set", "image", *ids)).items()]
    rows = [(row, label) for row, label in found if label.get("label") in ids]
    if not rows:
        raise ImportProblem(
            f"no picture of {predictions.name} has one of the model's classes as its label in {labels.name}"
        )
    try:
        probabilities = np.array([[float(row[i]) for i in ids] for row, _ in rows])
    except ValueError as problem:
        raise ImportProblem(f"{predictions.name}: {plain(problem, 200)}") from problem
    if (why := no_probabilities(probabilities)) is not None:
        raise ImportProblem(f"{predictions.name}: a row's scores {why}")
    groups = [label.get("group") or f"{label['set']}/{label['image']}" for _, label in rows]
    part = Scored(probabilities, np.array([ids.index(label["label"]) for _, label in rows]), folds_of(groups))
    requested, _ = choose_aim(part, [], CoverageTarget(coverage))
    targets = TierTargets.of(ids, {"classes": {entry["id"]: entry for entry in classes}, "tiers": DEFAULTS})
    return fit_sets(part, [], requested), fit_cuts(part, [], targets), len(rows)


def no_probabilities(scores: np.ndarray) -> str | None:
    """Why (N, K) scores are no probabilities of K classes that exclude each other; None where they are."""
    if not np.isfinite(scores).all():
        return "are not all finite numbers"
    if scores.min() < -PROBABILITY_TOLERANCE or scores.max() > 1 + PROBABILITY_TOLERANCE:
        return "do not all lie between 0 and 1"
    if np.abs(scores.sum(1) - 1).max() > PROBABILITY_TOLERANCE:
        return "do not sum to 1"
    return None


def _by_picture(path: Path, columns: tuple[str, ...]) -> dict[tuple[str, str], dict[str, str]]:
    """A table's rows by set and image. Raises FileRefused where a picture stands twice."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in table_rows(path, columns):
        key = row["set"], row["image"]
        if key in found:
            raise FileRefused(path, f"has the picture {shown('/'.join(key))} twice")
        found[key] = row
    return found


def sha256_of(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def squashed(picture: Path, width: int, height: int, filter_name: str) -> np.ndarray:
    """(height, width, 3) uint8 RGB of the whole picture, as the retired servers resized it and as the core does for
    'stretch'.
    """
    with Image.open(picture) as opened:
        return np.asarray(opened.convert("RGB").resize((width, height), FILTERS[filter_name]))


def _samples(network: Any, preprocessing: Preprocessing, drawn: np.ndarray) -> list[np.ndarray]:
    """Inputs to compare on: the drawn picture, its turn and negative, noise, and even black, gray and white."""
    noise = np.random.default_rng(1).integers(0, 256, drawn.shape, dtype=np.uint8)
    even = [np.full(drawn.shape, level, np.uint8) for level in (0, 128, 255)]
    return [preprocessing.apply(view) for view in (drawn, drawn[::-1, ::-1], 255 - drawn, noise, *even)]


def _compare(session: Any, network: Any, inputs: list[np.ndarray], limit: float, what: str) -> float:
    """Greatest difference between ONNX and Keras. Raises ImportProblem over `limit`."""
    greatest = 0.0
    for pixels in inputs:
        exact = network.predict(pixels)
        found = dict(zip(network.outputs, session.run(list(network.outputs), {"pixels": pixels}), strict=True))
        if not np.isfinite(exact).all():
            raise ImportProblem("Keras itself answers with numbers that are not finite: are the weights whole?")
        if network.scores_are == "probabilities" and (why := no_probabilities(exact)) is not None:
            raise ImportProblem(f"the model ends with softmax, but its scores {why}")
        differences = [np.abs(found["scores"] - exact).max()]
        if "maps" in found:
            logits = found["maps"].mean((2, 3))
            mapped = (
                logits
                if network.scores_are == "logits"
                else np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
            )
            differences.append(np.abs(mapped - exact).max())
        greatest = max(greatest, *(float(d) for d in differences))
    print(
        f"import-keras: {what}: scores differ from Keras by at most {greatest:.2e} on {len(inputs)} inputs (limit"
        f" {limit:.0e})",
        flush=True,
    )
    if not greatest <= limit:
        raise ImportProblem(f"{what}: the ONNX network differs from Keras by {greatest:.2e}, more than {limit:.0e}")
    return greatest


def _write(
    arguments: argparse.Namespace,
    file: KerasFile,
    network: Any,
    preprocessing: Preprocessing,
    classes: list[dict[str, str]],
    fitted: tuple[Sets, Cuts, int] | None,
    out: Path,
) -> None:
    import onnx

    from .export import draw_self_test, file_entry
    from .keras_network import INPUT, export_keras
    from .onnx_export import OPSET, session_of
    from .storage import store_weights

    path = out / f"{arguments.name}.onnx"
    export_keras(network, path)
    draw_self_test(max(network.width, network.height)).save(out / "selftest.png", optimize=True)
    drawn = squashed(out / "selftest.png", network.width, network.height, arguments.filter)
    inputs = _samples(network, preprocessing, drawn)
    difference = _compare(session_of(path), network, inputs, TOLERANCE, "fp32")
    if arguments.storage != "fp32":
        onnx.save(store_weights(onnx.load(path), arguments.storage), path)
        difference = _compare(session_of(path), network, inputs, STORED_TOLERANCE, arguments.storage)

    answers = dict(zip(network.outputs, session_of(path).run(list(network.outputs), {INPUT: inputs[0]}), strict=True))
    reference: dict[str, Any] = {"scores": answers["scores"][0].tolist()}
    largest = 1.0
    if network.head:
        reference["embedding"] = answers["embedding"][0].tolist()
        largest = float(np.abs(answers["embedding"]).max())
    # Backends differ in the last bits of what they sum: relative to the largest number compared.
    reference["tolerance"] = round(max(1e-3, 1e-4 * largest), 6)
    (out / "selftest.json").write_text(json.dumps(reference) + "\n")

    modalities = list(dict.fromkeys(arguments.modality or ["photo"]))
    if fitted:
        sets, cuts, pictures = fitted[0].entry(), fitted[1], fitted[2]
    else:
        sets = {"limits": [always(len(classes))] * len(classes), "penalty": 0, "freeRanks": 0}
        cuts, pictures = unmeasured([entry["concern"] for entry in classes]), 0
    if arguments.license_file:
        (out / "LICENSE").write_bytes(read_bytes(arguments.license_file, MOST_TEXT_BYTES))
    else:
        stated = (
            f"Licence of these weights, as stated when they were imported: {arguments.license}. Ask whoever trained"
            " them before passing them on.\n"
        )
        (out / "LICENSE").write_text(stated)
    fields = {
        "name": arguments.name,
        "version": arguments.version,
        "title": arguments.title or f"{arguments.name}: {len(classes)} categories, imported from Keras",
        "license": {"id": arguments.license, "path": "LICENSE", "nonCommercial": not arguments.commercial},
        "card": "MODEL_CARD.md",
        "file": file_entry(path),
        "input": {
            "name": INPUT,
            "width": network.width,
            "height": network.height,
            "layout": "NHWC",
            "channels": preprocessing.channels,
            "fit": "stretch",
            "filter": arguments.filter,
            "mean": list(preprocessing.mean),
            "std": list(preprocessing.std),
        },
        "outputs": {
            "scores": "scores",
            "scoresAre": network.scores_are,
            **{name: name for name in network.outputs[1:]},
        },
        "classes": classes,
        "modalities": [
            {"id": m, "temperature": 1, "sets": sets, "tiers": cuts.entry(), "rejectionThreshold": None}
            for m in modalities
        ],
        "defaultModality": modalities[0],
        "decision": {"coverage": arguments.coverage if fitted else 1, "rejection": "none"},
        "quality": {"minSide": min(64, network.width, network.height), "minContrast": 8.0, "minStructure": 2.0},
        "selfTest": {"picture": file_entry(out / "selftest.png"), "reference": file_entry(out / "selftest.json")},
        "training": {
            "importedFrom": {
                "kind": file.kind,
                "kerasVersion": file.keras_version,
                "sha256": sha256_of(file.path),
            },
            "opset": OPSET,
            "storage": arguments.storage,
            "parameters": int(network.model.count_params()),
            "largestDifferenceFromKeras": float(f"{difference:.2e}"),
            "calibrationPictures": pictures,
        },
    }
    manifest = new_manifest(**fields)
    (out / "MODEL_CARD.md").write_text(_card(manifest))
    write_manifest(out, manifest)
    megabytes = path.stat().st_size / 1e6
    kept = (
        "with activation maps"
        if network.head
        else "without activation maps: its last layers are not average pooling and one dense layer"
    )
    print(
        f"import-keras: {path.name} {megabytes:.2f} MB as {arguments.storage}, {network.scores_are}, {kept}", flush=True
    )
    if not fitted:
        _say(
            "not calibrated: every category stays in the set of possible ones, and no single one is presented; see"
            " --calibration"
        )


def _card(manifest: dict[str, Any]) -> str:
    training, given = manifest["training"], manifest["input"]
    pictures = training["calibrationPictures"]
    if pictures:
        sets = (
            f"The sets were fitted on {pictures} labelled pictures so that a set holds the true category for\nabout"
            f" {manifest['decision']['coverage']:.0%} of pictures like those, the tiers so that at"
            f" most\n{DEFAULTS['maxMalignantLow']:.0%} of those of high concern are called low and at least"
            f" {DEFAULTS['minMalignantHigh']:.0%} high.\nThat holds only if none of them was trained on. Scores are the"
            " network's own, without a temperature."
        )
    else:
        sets = (
            "Not calibrated: nobody measured how often its scores are right. Therefore no number was made up: every"
            " category stays in the set of\npossible ones, no single one is presented, and the concern shown is the"
            " highest of all categories. `npm run evaluate -- --predictions` on\nlabelled pictures that it was not"
            " trained on, then `import-keras --calibration`, gives sets and tiers."
        )
    preparation = f"the whole picture squashed ({given['filter']}), less {given['mean']}, divided by {given['std']}"
    rows = "\n".join(f"| {c['id']} | {c['name']} | {c['concern']} |" for c in manifest["classes"])
    return f"""# {manifest["name"]} {manifest["version"]}

{manifest["title"]}. Imported from a Keras model; a research and teaching model, not a medical device. If a spot is new, changing, bleeding or
worries you, see a doctor whatever a score says.

| | |
|---|---|
| file | `{manifest["file"]["path"]}`, {manifest["file"]["bytes"] / 1e6:.2f} MB, weights as {training["storage"]}, {training["parameters"]:,} parameters |
| sha256 | `{manifest["file"]["sha256"]}` |
| imported from | {training["importedFrom"]["kind"]} file of Keras {training["importedFrom"]["kerasVersion"]}, sha256 `{training["importedFrom"]["sha256"]}` |
| difference from Keras | at most {training["largestDifferenceFromKeras"]:.1e} on seven made inputs |
| input | {given["width"]} x {given["height"]}, {given["channels"]}, {preparation} |
| licence | {manifest["license"]["id"]}: see `LICENSE` |

## Categories

| id | name | concern |
|---|---|---|
{rows}

It knows nothing else and cannot refuse: any picture gets scores. The page's tier follows from the scores of all categories of a concern together; a
category whose concern was not stated at import counts as high.

## Calibration

{sets}

## Figures

None were measured at import. What it was trained on, and how well it does, is for those who trained it to say; `npm run evaluate` with `--model`
and this folder measures it.
"""
