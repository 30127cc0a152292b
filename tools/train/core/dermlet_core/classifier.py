"""A picture's bytes -> Result, in Python: the C++ core, the network in onnxruntime, and the manifest.

The counterpart of `web/src/classifier/engine.ts`, which does the same in the page: it runs things in the right order
and computes nothing. A Result has the fields and values of `dermlet classify --json`
(`web/src/classifier/result.ts` says what each means), so that rows of both can lie in one table.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from _dermlet_core import inspect, interpret, judge_quality, locate, prepare, recognise_modality, sniff

from .contract import MANIFEST_VERSION, PROBABILITY_TOLERANCE, QUALITY_CHECKS
from .errors import DermletError

if TYPE_CHECKING:
    from _dermlet_core import Buffer

Record = dict[str, Any]
Floats = NDArray[np.float32]
T = TypeVar("T")

# A file of a foreign format ("webp", "avif", "heic") -> (H, W, 4) uint8 RGBA as stored, with neither orientation nor
# colour profile applied: the core sees to both.
DecodeForeign = Callable[[bytes, str], NDArray[np.uint8]]

AUTO = "auto"
_NO_LOOK = {"aloneShare": 0, "bothShare": 0}  # no spot is small
_LOOK = ("spotScore", "rivalScore", "rivalRatio", "frameScore", "frameScale")


class Classifier:
    """A model folder, ready to classify. Several threads may share one.

    Raises DermletError: MODEL_UNAVAILABLE (a file is missing), MODEL_CORRUPT (not what the manifest promises, or it
    does not answer its own test picture as it states), MODEL_TOO_NEW, BACKEND_FAILED.
    """

    def __init__(self, folder: str | Path, threads: int = 1, decode_foreign: DecodeForeign | None = None) -> None:
        """threads: of onnxruntime, for one picture. decode_foreign: reads WebP, AVIF and HEIC; without it they are
        refused (UNSUPPORTED_FORMAT).
        """
        self.folder, self.threads, self.decode_foreign = Path(folder), threads, decode_foreign
        self.manifest = _manifest_of(self._bytes("manifest.json"))
        with _ManifestFields():
            locator, outputs = self.manifest.get("locator"), self.manifest["outputs"]
            names = [outputs[key] for key in ("scores", "maps", "embedding") if key in outputs]
            self._network = _Network(self._file(self.manifest["file"]), self.manifest["input"], names, threads)
            self._locator = (
                _Network(self._file(locator["file"]), locator["input"], [locator["output"]], threads)
                if locator
                else None
            )
            rejection = self.manifest.get("rejection")
            self._rejection = self._file(rejection["file"]) if rejection else None
            probe = self.manifest.get("modalityProbe")
            self._probe = probe and {"weights": [w for row in probe["weights"] for w in row], "bias": probe["bias"]}
            self._self_test()

    def classify(
        self,
        picture: Buffer,
        *,
        modality: str = AUTO,
        crop: str | Mapping[str, int] = AUTO,
        explain: bool | str = False,
        test_time_augmentation: bool = False,
        embedding: bool = False,
    ) -> Record:
        """One whole picture file -> its Result.

        modality: one of the manifest's, or `auto` to recognise it. crop: `auto` looks for the spot, `whole` does not;
        else x, y, width and height in pixels of the upright picture. explain: adds the activation map of the
        first-ranked class, or of the class with this id. Raises DermletError: UNSUPPORTED_FORMAT, CORRUPT_IMAGE,
        IMAGE_TOO_LARGE, INVALID_ARGUMENT, MODEL_CORRUPT, BACKEND_FAILED.
        """
        pictures = [{"bytes": picture, "modality": modality, "crop": crop}]
        return self._classify(pictures, False, explain, test_time_augmentation, embedding)

    def classify_lesion(
        self,
        pictures: Sequence[Mapping[str, Any]],
        *,
        explain: bool | str = False,
        test_time_augmentation: bool = False,
        embedding: bool = False,
    ) -> Record:
        """One or two pictures of one lesion, each with `bytes` and, if wanted, `modality` and `crop` -> one Result."""
        if not 1 <= len(pictures) <= 2:
            raise DermletError("INVALID_ARGUMENT", f"A lesion has one or two pictures, not {len(pictures)}.")
        return self._classify(pictures, True, explain, test_time_augmentation, embedding)

    def _classify(
        self, pictures: Sequence[Mapping[str, Any]], lesion: bool, explain: bool | str, augmented: bool, embedding: bool
    ) -> Record:
        clock = _Clock()
        explained = self._explained(explain)
        views = self._views() if augmented else 1
        prepared = [self._prepare(i, picture, len(pictures), views, clock) for i, picture in enumerate(pictures)]
        seen = [self._see(picture, views, clock) for picture in prepared]
        with _ManifestFields():
            combination = self._combination([each.modality for each in seen], augmented)
            outputs = [self._lesion_outputs(each, explained, augmented) for each in seen]
        try:
            found = clock.measure("interpret", lambda: interpret(outputs, combination))
        except DermletError as problem:
            if problem.code != "INVALID_ARGUMENT":
                raise
            # What the core refuses here came from the network, never from the caller.
            raise DermletError("BACKEND_FAILED", f"The network's answer cannot be used: {problem.message}") from problem
        return self._result(seen, found, lesion, augmented, embedding, clock)

    # --- before the network

    def _prepare(self, index: int, picture: Mapping[str, Any], count: int, views: int, clock: _Clock) -> _Prepared:
        modality, crop = picture.get("modality", AUTO), picture.get("crop", AUTO)
        asked = None if modality == AUTO else self._modality(modality)
        area = _checked_crop(crop)
        locator = self.manifest.get("locator")
        spec = self._prepare_spec((asked or self._modality())["id"], views)
        spec["whole"] = locator["input"] if crop == AUTO and locator else None
        try:
            source, path, size = clock.measure("prepare", lambda: self._source(picture["bytes"]))
            made = clock.measure("prepare", lambda: prepare(source, spec, area))
        except DermletError as problem:
            if count == 1:
                raise
            raise DermletError(problem.code, f"Picture {index + 1}: {problem.message}") from problem
        return _Prepared(source, path, size, made, asked, area)

    def _source(self, data: Buffer) -> tuple[Buffer | Record, str, int]:
        """What prepare() takes, what decoded it, and the file's size in bytes."""
        size = memoryview(data).nbytes
        try:
            kind = sniff(data)
        except DermletError:
            return data, "core", size  # prepare() says what is wrong
        if not kind["foreign"]:
            return data, "core", size
        header = inspect(data)
        if self.decode_foreign is None:
            raise DermletError(
                "UNSUPPORTED_FORMAT",
                f"the file is a {kind['format'].upper()}, and there is nothing here that decodes it; save it as JPEG"
                " or PNG",
            )
        patched = bytearray(data)
        patches = iter(header.pop("neutralising"))
        for at, value in zip(patches, patches, strict=True):
            patched[at] = value
        try:
            pixels = np.ascontiguousarray(self.decode_foreign(bytes(patched), kind["format"]))
        except DermletError:
            raise
        except Exception as problem:
            raise DermletError(
                "CORRUPT_IMAGE", f"the file is a {kind['format'].upper()} that could not be decoded: {problem}"
            ) from problem
        if pixels.ndim != 3 or pixels.shape[2] != 4 or pixels.dtype != np.uint8:
            raise DermletError("INVALID_ARGUMENT", "decode_foreign must give (H, W, 4) uint8")
        height, width = pixels.shape[:2]
        return {"header": header, "pixels": {"width": width, "height": height, "rgba": pixels}}, "caller", size

    def _prepare_spec(self, modality: str, views: int) -> Record:
        """Sizes and normalisation of the manifest's input, and the quality limits of a modality."""
        return {
            "cropPct": 1,
            **self.manifest["input"],
            "quality": self._quality_limits(modality),
            "previewSide": 0,
            "views": views,
            "whole": None,
        }

    def _quality_limits(self, modality: str) -> Record:
        quality = self.manifest["quality"]
        limits = quality | quality.get("modalities", {}).get(modality, {})
        return {id: limits[check.key] for id, check in QUALITY_CHECKS.items() if check.key in limits}

    # --- around the network

    def _see(self, picture: _Prepared, views: int, clock: _Clock) -> _Seen:
        """Runs the network on the picture as it is, which also recognises the modality, then on a frame around the spot
        if that is small for this modality.
        """
        outputs = clock.measure("inference", lambda: self._run(picture.made["tensor"]))
        recognised = self._recognise(outputs)
        modality = picture.asked or self._modality(recognised["modality"] if recognised else None)
        choice: Record = {"by": "caller" if picture.asked else "picture" if recognised else "default"}
        if recognised:
            choice["recognised"] = recognised
        seen = _Seen(picture, outputs, None, "chosen" if picture.crop else "whole", [], modality, choice, picture.made)
        locator = self._locator
        if locator and picture.made["whole"] is not None:
            entry = self.manifest["locator"]
            (values,) = clock.measure("inference", lambda: locator.run(picture.made["whole"]))
            _check_shape(entry["output"], values, (1, 3, 0, 0))
            spec = {key: entry[key] for key in _LOOK} | modality.get("look", _NO_LOOK)
            located = locate(values, values.shape[2], values.shape[3], picture.made["source"], spec)
            seen.framing, seen.spots = located["framing"], located["spots"]
            if seen.framing not in ("whole", "none"):
                closer = self._prepare_spec(modality["id"], views)
                close = clock.measure("prepare", lambda: prepare(picture.source, closer, located["frame"]))
                framed = clock.measure("inference", lambda: self._run(close["tensor"]))
                if seen.framing == "both":
                    seen.frame_outputs = framed
                else:
                    seen.made, seen.outputs = close, framed
        seen.quality = judge_quality(seen.made["qualityValues"], self._quality_limits(modality["id"]))
        return seen

    def _run(self, tensor: Floats) -> Record:
        """The network's outputs for each view, as `interpret` takes them."""
        outputs, count = self.manifest["outputs"], len(self.manifest["classes"])
        answer = dict(zip(self._network.outputs, self._network.run(tensor), strict=True))
        views = len(tensor)
        scores = _check_shape(outputs["scores"], answer[outputs["scores"]], (views, count))
        maps = embedding = None
        if "maps" in outputs:
            maps = _check_shape(outputs["maps"], answer[outputs["maps"]], (views, count, 0, 0))
        if "embedding" in outputs:
            embedding = _check_shape(outputs["embedding"], answer[outputs["embedding"]], (views, 0))
        return {
            "scores": scores,
            "maps": maps,
            "mapHeight": 0 if maps is None else maps.shape[2],
            "mapWidth": 0 if maps is None else maps.shape[3],
            "embedding": embedding,
            "views": views,
        }

    def _recognise(self, outputs: Record) -> Record | None:
        """The modality that the upright view looks like; None where the model cannot tell."""
        if not self._probe or outputs["embedding"] is None:
            return None
        found = recognise_modality(outputs["embedding"][0], self._probe)
        return {
            "modality": self.manifest["modalities"][found["index"]]["id"],
            "probability": found["probability"],
        }

    # --- after the network

    def _lesion_outputs(self, seen: _Seen, explained: int | None, augmented: bool) -> Record:
        modality = seen.modality
        calibration = _calibration(modality, augmented)
        wanted = explained is not None and seen.outputs["maps"] is not None
        return {
            "outputs": seen.outputs,
            "frameOutputs": seen.frame_outputs,
            "spec": {
                "scoresAre": self.manifest["outputs"]["scoresAre"],
                "temperature": calibration["temperature"],
                "sets": calibration["sets"],
                "tiers": calibration["tiers"],
                "rejectionThreshold": self._rejection_threshold(modality, augmented),
                "rejectionModel": self._rejection,
                "concern": [entry["concern"] for entry in self.manifest["classes"]],
            },
            "usable": seen.quality["usable"],
            "framing": seen.framing,
            "explain": {"classIndex": explained, "width": 1, "height": 1} if wanted else None,
        }

    def _result(
        self, seen: Sequence[_Seen], found: Record, lesion: bool, augmented: bool, embedding: bool, clock: _Clock
    ) -> Record:
        manifest, decision = self.manifest, found["decision"]
        main = seen[found["primaryIndex"]]
        classes = manifest["classes"]
        method = manifest["decision"]["rejection"]
        rejections = [
            {
                "method": method,
                "score": each["rejection"],
                "threshold": self._rejection_threshold(seen[i].modality, augmented),
            }
            for i, each in enumerate(found["perPicture"])
        ]
        combined = {"method": method, "score": decision["rejection"], "threshold": decision["rejectionThreshold"]}
        result: Record = {
            "resultVersion": 2,
            "model": {
                "name": manifest["name"],
                "version": manifest["version"],
                "sha256": manifest["file"]["sha256"],
                "title": manifest["title"],
            },
            "outcome": decision["outcome"],
            "tier": decision["tier"],
            "modality": main.modality["id"],
            "modalityChoice": main.choice,
            "testTimeAugmentation": augmented,
            "ranking": [
                classes[i] | {"probability": decision["probabilities"][i], "inSet": i in decision["predictionSet"]}
                for i in decision["ranking"]
            ],
            "predictionSet": [classes[i]["id"] for i in decision["predictionSet"]],
            "coverage": manifest["decision"]["coverage"],
            "rejection": combined if found["combined"] else rejections[found["primaryIndex"]],
            "quality": main.quality,
            "source": main.source(),
            "frame": main.frame(),
        }
        if found["heatMap"]:
            heat = found["heatMap"]
            result["explanation"] = {
                "classId": classes[heat["classIndex"]]["id"],
                **{key: heat[key] for key in ("rows", "columns", "values")},
            }
        if lesion:
            result["lesion"] = {
                "perPicture": [
                    {
                        "modality": each.modality["id"],
                        "modalityChoice": each.choice,
                        "frame": each.frame(),
                        "usable": each.quality["usable"],
                        "quality": each.quality,
                        "source": each.source(),
                        "rejection": rejections[i],
                        "probabilities": {
                            entry["id"]: probability
                            for entry, probability in zip(classes, found["perPicture"][i]["probabilities"], strict=True)
                        },
                    }
                    for i, each in enumerate(seen)
                ],
                "combined": found["combined"],
                "primaryIndex": found["primaryIndex"],
            }
        # The one field that differs from the page's: another backend ran the network.
        result["runtime"] = {"backend": "onnxruntime", "threads": self.threads, "timings": clock.timings()}
        if embedding and found["embedding"]:
            result["embedding"] = found["embedding"]
        return result

    # --- the manifest

    def _modality(self, id: str | None = None) -> Record:
        wanted = self.manifest["defaultModality"] if id is None else id
        for modality in self.manifest["modalities"]:
            if modality["id"] == wanted:
                return dict(modality)
        known = ", ".join(modality["id"] for modality in self.manifest["modalities"])
        raise DermletError("INVALID_ARGUMENT", f"The model does not know the modality {wanted!r}; it knows {known}.")

    def _views(self) -> int:
        size = self.manifest["input"]
        return 8 if size["width"] == size["height"] else 4

    def _rejection_threshold(self, modality: Record, augmented: bool) -> float | None:
        if self.manifest["decision"]["rejection"] == "none":
            return None
        threshold: float | None = _calibration(modality, augmented)["rejectionThreshold"]
        return threshold

    def _explained(self, explain: bool | str) -> int | None:
        """Index of the class to explain, -1 for the first-ranked, None for none."""
        if isinstance(explain, bool):
            return -1 if explain else None
        ids = [entry["id"] for entry in self.manifest["classes"]]
        if explain not in ids:
            raise DermletError("INVALID_ARGUMENT", f"The model has no class {explain!r} to explain.")
        return ids.index(explain)

    def _combination(self, modalities: Sequence[Record], augmented: bool) -> Record | None:
        """The manifest's combination with its weights in the pictures' order; None for pictures of one modality."""
        ids = [modality["id"] for modality in modalities]
        if len(set(ids)) == 1:
            return None
        entry = self.manifest.get("combination")
        if not entry or any(id not in entry["modalities"] for id in ids):
            raise DermletError(
                "INVALID_ARGUMENT",
                f"The model does not say how the scores of {ids[0]!r} and {ids[1]!r} are combined; two pictures of one"
                " modality can be.",
            )
        rule = entry.get("testTimeAugmentation", entry) if augmented else entry
        weights = [rule["weights"][entry["modalities"].index(id)] for id in ids]
        return {"weights": weights} | {key: rule[key] for key in ("temperature", "sets", "tiers")}

    # --- the model's files

    def _bytes(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as problem:
            raise DermletError("MODEL_UNAVAILABLE", f"{self.folder / name} cannot be read: {problem}") from problem

    def _file(self, entry: Mapping[str, Any]) -> bytes:
        """A file of the manifest, held to its size and hash."""
        name = Path(entry["path"])
        if name.is_absolute() or ".." in name.parts:
            raise DermletError("MODEL_CORRUPT", f"The manifest names a file outside of its folder: {name}")
        data = self._bytes(str(name))
        if len(data) != entry["bytes"] or hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise DermletError("MODEL_CORRUPT", f"{name} is not the file that the manifest names.")
        return data

    def _self_test(self) -> None:
        """A manifest that names the wrong order of channels or kind of scores would answer wrongly and say nothing."""
        entry = self.manifest["selfTest"]
        reference = json.loads(self._file(entry["reference"]))
        made = prepare(self._file(entry["picture"]), self._prepare_spec(self.manifest["defaultModality"], 1))
        outputs = self._run(made["tensor"])
        pairs = [(reference["scores"], outputs["scores"])]
        if outputs["embedding"] is not None:
            pairs.append((reference.get("embedding", []), outputs["embedding"]))
        difference = 0.0
        for expected, found in pairs:
            apart = np.abs(np.asarray(expected, np.float64) - found.ravel()) if len(expected) == found.size else None
            difference = max(difference, math.inf if apart is None else float(np.nan_to_num(apart, nan=np.inf).max()))
        scores = outputs["scores"]
        like_probabilities = bool(
            scores.min() >= -PROBABILITY_TOLERANCE
            and scores.max() <= 1 + PROBABILITY_TOLERANCE
            and abs(float(scores.sum()) - 1) <= PROBABILITY_TOLERANCE
        )
        if like_probabilities != (self.manifest["outputs"]["scoresAre"] == "probabilities"):
            why = "the network's scores are not of the kind that the manifest names (outputs.scoresAre)"
        elif difference > reference["tolerance"]:
            why = f"it differs from its reference by {difference:.3g}, more than {reference['tolerance']}"
        else:
            return
        raise DermletError(
            "MODEL_CORRUPT", f"The model does not answer its own test picture as it states that it does: {why}."
        )


@dataclass
class _Prepared:
    """A picture before the network: what prepare() took and made of it."""

    source: Buffer | Record
    path: str
    bytes: int
    made: Record
    asked: Record | None  # the modality, if the caller named one
    crop: Record | None


@dataclass
class _Seen:
    """A picture after its network runs. `made` is what was scored: of the frame around the spot if that is small."""

    picture: _Prepared
    outputs: Record
    frame_outputs: Record | None
    framing: str
    spots: list[Record]
    modality: Record
    choice: Record
    made: Record
    quality: Record = None  # type: ignore[assignment]  # set once the picture was framed

    def frame(self) -> Record:
        return {"framing": self.framing, "spots": self.spots}

    def source(self) -> Record:
        read, path = self.made["source"], self.picture.path
        return {
            "format": read["format"],
            "bytes": self.picture.bytes,
            **{key: read[key] for key in ("width", "height", "orientation", "colour")},
            "decodePath": path,
            "bitExact": path == "core",
            "region": self.made["region"],
        }


class _Network:
    """One onnxruntime session, held to its part of the manifest. Thread-safe, as sessions are."""

    def __init__(self, data: bytes, entry: Mapping[str, Any], outputs: Sequence[str], threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self.session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as problem:
            raise DermletError("BACKEND_FAILED", f"onnxruntime could not load the network: {problem}") from problem
        self.name, self.outputs = entry["name"], list(outputs)
        there = {output.name for output in self.session.get_outputs()}
        if missing := [name for name in outputs if name not in there]:
            raise DermletError(
                "MODEL_CORRUPT", f"The network has no output {', '.join(missing)} that its manifest names."
            )
        taken = next((given for given in self.session.get_inputs() if given.name == self.name), None)
        if taken is None:
            raise DermletError("MODEL_CORRUPT", f"The network has no input {self.name!r} that its manifest names.")
        height, width = entry["height"], entry["width"]
        shape = (1, 3, height, width) if entry["layout"] == "NCHW" else (1, height, width, 3)
        fits = len(taken.shape) == 4 and all(
            not isinstance(size, int) or size == wanted for size, wanted in zip(taken.shape, shape, strict=True)
        )
        if taken.type != "tensor(float)" or not fits:
            raise DermletError(
                "MODEL_CORRUPT",
                f"The network takes {taken.type} {taken.shape} as {self.name!r}, but by its manifest it would get"
                f" float32 {list(shape)}.",
            )
        self.any_batch = not isinstance(taken.shape[0], int)

    def run(self, tensor: Floats) -> list[Floats]:
        """The outputs for (N, ...) pictures: one run where the graph's batch dimension is open, else one each."""
        batches = [tensor] if self.any_batch or len(tensor) == 1 else np.split(tensor, len(tensor))
        try:
            answers = [self.session.run(self.outputs, {self.name: batch}) for batch in batches]
        except Exception as problem:
            raise DermletError("BACKEND_FAILED", f"onnxruntime could not run the network: {problem}") from problem
        return [np.concatenate(each) if len(each) > 1 else each[0] for each in zip(*answers, strict=True)]


class _Clock:
    """Milliseconds a stage, over all pictures and views."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.spent = {"prepare": 0.0, "inference": 0.0, "interpret": 0.0}

    def measure(self, stage: str, work: Callable[[], T]) -> T:
        began = time.perf_counter()
        try:
            return work()
        finally:
            self.spent[stage] += (time.perf_counter() - began) * 1000

    def timings(self) -> Record:
        return {"queue": 0.0, **self.spent, "total": (time.perf_counter() - self.began) * 1000}


class _ManifestFields:
    """A field that is missing or of another kind is the manifest's fault."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, DermletError) or not isinstance(problem, KeyError | TypeError | AttributeError):
            return
        raise DermletError("MODEL_CORRUPT", f"The model's manifest is not as it should be: {problem!r}") from problem


def _manifest_of(data: bytes) -> Record:
    try:
        manifest = json.loads(data)
    except ValueError as problem:
        raise DermletError("MODEL_CORRUPT", f"The model's manifest is not JSON: {problem}") from problem
    version = manifest.get("manifestVersion") if isinstance(manifest, dict) else None
    if version == MANIFEST_VERSION:
        return dict(manifest)
    newer = isinstance(version, int) and version > MANIFEST_VERSION
    raise DermletError(
        "MODEL_TOO_NEW" if newer else "MODEL_CORRUPT",
        f"The model's manifest is of version {version!r}, but version {MANIFEST_VERSION} is read here.",
    )


def _calibration(modality: Record, augmented: bool) -> Record:
    return dict(modality.get("testTimeAugmentation", modality) if augmented else modality)


def _checked_crop(crop: object) -> Record | None:
    if crop in (AUTO, "whole"):
        return None
    if not isinstance(crop, Mapping):
        raise DermletError(
            "INVALID_ARGUMENT", "The crop must be 'auto', 'whole', or whole pixels: x, y, width and height."
        )
    return dict(crop)


def _check_shape(name: str, values: Floats, shape: tuple[int, ...]) -> Floats:
    """The output itself; 0 in `shape` stands for any size."""
    fits = values.dtype == np.float32 and values.ndim == len(shape)
    if fits and all(wanted in (0, size) for wanted, size in zip(shape, values.shape, strict=True)):
        return np.ascontiguousarray(values)
    wanted = ", ".join("any" if size == 0 else str(size) for size in shape)
    raise DermletError(
        "MODEL_CORRUPT",
        f"The network's output {name!r} is {values.dtype} {list(values.shape)}, but should be float32 [{wanted}].",
    )
