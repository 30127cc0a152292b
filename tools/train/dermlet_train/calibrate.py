"""The `calibrate` step: what the manifest says of a network's scores, fitted on pictures that it was not trained on.

For each modality a temperature, the numbers of its prediction sets (`sets.py`), the cuts of its concern tier
(`tiers.py`) and a rejection threshold; the same for the `thorough` mode (the outputs of 8 dihedral views averaged); how
two pictures of one lesion, one of each modality, are combined; and which rejection score is used, chosen by
measurement. `export` calls the same functions.

The network runs once over the pictures, in onnxruntime, and its outputs are kept in a cache under the network's hash: a
run that is cut off goes on where it stopped, and a second one takes seconds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import rejection
from .augment import normalise, recipe_view
from .calibration import (
    Combination,
    cross_fitted,
    fit_combination,
    fit_temperature,
    folds_of,
    log_softmax,
    measured_calibration,
    pairs_of,
    refusal_threshold,
    tempered,
)
from .config import Recipe
from .contract import CONCERNS, MANIFEST_VERSION
from .framing import WHOLE, Frame, Framer, framer_of
from .manifest import read_manifest, write_manifest
from .modality_probe import FittedProbe, cross_fitted_accuracy, fit_probe
from .rejection import Outputs, RejectionModel
from .sets import Asked, Scored, Sets, aimed, fit_sets
from .store import Store
from .tiers import Cuts, Targets, fit_cuts, held_out_tiers, tier_figures

if TYPE_CHECKING:
    import onnxruntime

    from .preprocessing import Preprocessing

VIEWS = 8
SHARD = 256  # pictures a file of the cache
REFERENCE_PER_CELL = 300  # training lesions of each (class, modality) that class means and neighbours are taken from
NEGATIVE_LABELS = ("none", "other")
SIDECAR = "rejection.bin"


# The network's outputs, kept


def default_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "dermlet-train" / "outputs"


def dihedral(view: np.ndarray) -> np.ndarray:
    """(8, S, S, 3): the four turns of a square view and of its mirror image, the upright one first."""
    turns = [np.rot90(view, k) for k in range(4)]
    return np.stack([*turns, *(turn[:, ::-1] for turn in turns)])


@dataclass(frozen=True)
class Network:
    """A network as it ships, and the hash that its outputs are kept under."""

    session: onnxruntime.InferenceSession
    sha256: str
    recipe: Recipe

    @staticmethod
    def open(path: Path, recipe: Recipe, threads: int = 2) -> Network:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry(
            "session.intra_op.allow_spinning", "0"
        )  # it may share the cores with a training run
        data = path.read_bytes()
        return Network(
            onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"]),
            hashlib.sha256(data).hexdigest(),
            recipe,
        )

    @property
    def preprocessing(self) -> Preprocessing:
        from .networks import network_named

        return network_named(self.recipe.network).preprocessing

    def view(self, picture: np.ndarray) -> np.ndarray:
        return recipe_view(picture, self.recipe)

    def run(self, views: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean logits (K,) and mean embedding (D,) of the (V, S, S, 3) uint8 views of one picture."""
        pixels = normalise(views, self.preprocessing)
        fixed = isinstance(self.session.get_inputs()[0].shape[0], int)  # exported for one picture at a time
        batches = [pixels[i : i + 1] for i in range(len(pixels))] if fixed else [pixels]
        answers = [self.session.run(["logits", "embedding"], {"pixels": batch}) for batch in batches]
        logits, embedding = (np.concatenate(part) for part in zip(*answers, strict=True))
        return logits.astype(np.float64).mean(0), embedding.astype(np.float64).mean(0)


def outputs_of(
    network: Network, store: Store, indices: Sequence[int], views: int, cache: Path, frames: Sequence[Frame]
) -> tuple[np.ndarray, np.ndarray]:
    """(N, K) logits and (N, D) embeddings, float64, of the pictures as `frames` show them, averaged
    over 1 or 8 turns.
    """
    logits, embedding = [], []
    for start in range(0, len(indices), SHARD):
        part, looked = list(indices[start : start + SHARD]), frames[start : start + SHARD]
        recipe = network.recipe
        told = hashlib.sha256(
            f"{recipe.input_size} {recipe.crop} {recipe.crop_pct} {recipe.colour_constancy} {views}".encode()
        )
        for i, frame in zip(part, looked, strict=True):
            told.update(store.picture(i).tobytes())
            told.update(b"" if frame.box is None else f"{frame.framing} {frame.box}".encode())
        path = cache / network.sha256[:16] / f"{told.hexdigest()[:24]}.npz"
        if not path.exists():
            answers = []
            for i, frame in zip(part, looked, strict=True):
                shown = frame.views(store.picture(i), network.recipe)
                answers.append(
                    network.run(np.concatenate([dihedral(view) if views == VIEWS else view[None] for view in shown]))
                )
            write_shard(path, *(np.stack(values) for values in zip(*answers, strict=True)))
            print(
                f"calibrate: {start + len(part)}/{len(indices)} pictures, {views} view{'s' if views > 1 else ''}",
                flush=True,
            )
        with np.load(path) as kept:
            logits.append(kept["logits"])
            embedding.append(kept["embedding"])
    return np.concatenate(logits), np.concatenate(embedding)


def write_shard(path: Path, logits: np.ndarray, embedding: np.ndarray) -> None:
    """Whole or not at all, also when two runs write the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as sink:
        np.savez(sink, logits=logits, embedding=embedding)
    Path(sink.name).replace(path)


# Which pictures


@dataclass(frozen=True)
class Pictures:
    """Store rows with the network's outputs for them. `labels` are class indices, -1 for negatives."""

    rows: list[Mapping[str, str]]
    labels: np.ndarray
    outputs: Outputs
    answerable: np.ndarray  # False where no spot stands out, or two do: no class is named then

    def of(self, mask: np.ndarray) -> Pictures:
        return Pictures(
            [row for row, kept in zip(self.rows, mask, strict=True) if kept],
            self.labels[mask],
            self.outputs.at(mask),
            self.answerable[mask],
        )

    @property
    def groups(self) -> list[str]:
        return [row["group"] for row in self.rows]

    @property
    def modality(self) -> np.ndarray:
        return np.array([row["modality"] for row in self.rows])


def cluster_of(row: Mapping[str, str], classes: Sequence[str]) -> str:
    """The class; of a negative, its label and kind."""
    if row["label"] in classes:
        return row["label"]
    kind = row["source_label"].split("/")[0] if row["label"] == "none" else row["modality"]
    return f"{row['label']} {kind}"


def pictures_of(
    network: Network,
    store: Store,
    classes: Sequence[str],
    indices: Sequence[int],
    views: int,
    cache: Path,
    framer: Framer | None = None,
) -> Pictures:
    """The pictures and what the network says of them: as they are, or as the `framer` has the page look at them."""
    rows = [store.rows[i] for i in indices]
    labels = np.array([classes.index(row["label"]) if row["label"] in classes else -1 for row in rows], int)
    clusters, groups = np.array([cluster_of(row, classes) for row in rows]), np.array([row["group"] for row in rows])
    frames = framer.frames(store, indices) if framer else [WHOLE] * len(indices)
    outputs = Outputs(*outputs_of(network, store, indices, views, cache, frames), clusters, groups)
    return Pictures(rows, labels, outputs, np.array([frame.answerable for frame in frames], bool))


def reference_indices(store: Store, classes: Sequence[str]) -> list[int]:
    """Training lesions, at most `REFERENCE_PER_CELL` of each class and modality, in the order of a hash, and all
    training negatives.
    """
    cells = defaultdict(list)
    negatives = []
    for i in store.where("train"):
        row = store.rows[i]
        if row["label"] in classes:
            cells[row["label"], row["modality"]].append(i)
        elif row["label"] in NEGATIVE_LABELS:
            negatives.append(i)

    def order(i: int) -> bytes:
        return hashlib.sha256(f"{store.rows[i]['set']}/{store.rows[i]['image']}".encode()).digest()

    chosen = [i for cell in sorted(cells) for i in sorted(cells[cell], key=order)[:REFERENCE_PER_CELL]]
    return chosen + negatives


# Fitting


@dataclass(frozen=True)
class Fitted:
    """What the manifest says of one modality, or of the combination; and how it does on the calibration pictures, every
    figure cross-fitted by group.
    """

    temperature: float
    sets: Sets
    cuts: Cuts
    rejection_threshold: float | None
    figures: dict[str, Any]

    def entry(self) -> dict[str, Any]:
        rejected = {} if self.rejection_threshold is None else {"rejectionThreshold": self.rejection_threshold}
        return {"temperature": self.temperature, "sets": self.sets.entry(), "tiers": self.cuts.entry(), **rejected}


@dataclass(frozen=True)
class Settings:
    """What the model's description asks for."""

    classes: tuple[str, ...]
    coverage: float
    refused_share: float
    assured: tuple[int, ...]  # classes whose coverage should hold with confidence
    tiers: Targets

    @property
    def sets(self) -> Asked:
        return Asked(self.coverage, self.assured)

    @staticmethod
    def of(recipe: Recipe, description: Mapping[str, Any]) -> Settings:
        names = description.get("coverageAssured", [])
        strangers = [name for name in names if name not in recipe.classes]
        if strangers:
            raise ValueError(f"coverageAssured names {strangers}, which are no classes of the recipe")
        assured = tuple(recipe.classes.index(name) for name in names)
        return Settings(
            recipe.classes,
            float(description["coverage"]),
            float(description["refusedShare"]),
            assured,
            Targets.of(recipe.classes, description),
        )


def set_figures(probabilities: np.ndarray, labels: np.ndarray, held: np.ndarray, settings: Settings) -> dict[str, Any]:
    """Accuracy, calibration and sets of cross-fitted probabilities."""
    covered = held[np.arange(len(labels)), labels]
    by_class = {
        name: round(float(covered[labels == k].mean()), 4)
        for k, name in enumerate(settings.classes)
        if (labels == k).any()
    }
    recalls = [
        float((probabilities[labels == k].argmax(1) == k).mean())
        for k in range(len(settings.classes))
        if (labels == k).any()
    ]
    error = measured_calibration(probabilities, labels)
    return {
        "pictures": len(labels),
        "balancedAccuracy": round(float(np.mean(recalls)), 4),
        "negativeLogLikelihood": round(
            float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12)).mean()), 4
        ),
        "calibrationError": {key: round(value, 4) for key, value in asdict(error).items()},
        "coverage": round(float(covered.mean()), 4),
        "coverageByClass": by_class,
        "meanSetSize": round(float(held.sum(1).mean()), 3),
        "shareSingle": round(float((held.sum(1) == 1).mean()), 4),
    }


def fold_map(pictures: Mapping[str, Pictures]) -> dict[str, int]:
    """Fold of each group, dealt over all modalities together."""
    everyone = sorted({group for part in pictures.values() for group in part.groups})
    return dict(zip(everyone, folds_of(everyone).tolist(), strict=True))


def folds_by(fold: Mapping[str, int], groups: Sequence[str]) -> np.ndarray:
    return np.array([fold[group] for group in groups], int)


def decided(
    part: Scored, elsewhere: Sequence[Scored], tiers_elsewhere: Sequence[Scored], settings: Settings, modality: str = ""
) -> tuple[Sets, Cuts, dict[str, Any]]:
    """Sets and cuts for cross-fitted probabilities, and figures in which every fold was left out of what decided it.
    `elsewhere` may lend pictures of rare classes to the sets, `tiers_elsewhere` malignant ones to the cuts."""
    asked, held = aimed(part, elsewhere, settings.sets)
    benign = settings.tiers.benign.get(modality)
    tiers = held_out_tiers(part, tiers_elsewhere, settings.tiers, benign)
    figures = set_figures(part.probabilities, part.labels, held, settings)
    figures["tiers"] = tier_figures(tiers, part.labels, settings.tiers)
    return fit_sets(part, elsewhere, asked), fit_cuts(part, tiers_elsewhere, settings.tiers, benign), figures


def answered_parts(
    pictures: Mapping[str, Pictures], limits: Mapping[str, float], scores: Mapping[str, np.ndarray]
) -> dict[str, Scored]:
    """What is not refused, with cross-fitted probabilities: sets and tiers are fitted on it, as they are shown."""
    fold = fold_map(pictures)
    parts = {}
    for name, part in pictures.items():
        folds = folds_by(fold, part.groups)
        every = Scored(tempered(part.outputs.logits, part.labels, folds), part.labels, folds)
        parts[name] = every.at((scores[name] <= limits[name]) & part.answerable)
    return parts


def fit_modalities(
    pictures: Mapping[str, Pictures], scores: Mapping[str, np.ndarray], settings: Settings
) -> dict[str, Fitted]:
    """One `Fitted` a modality. `pictures`: calibration lesions by modality; `scores`: their rejection scores."""
    limits = {name: refusal_threshold(scores[name], settings.refused_share) for name in pictures}
    parts = answered_parts(pictures, limits, scores)
    fold = fold_map(pictures)
    fitted = {}
    for name, part in pictures.items():
        others = [other for key, other in parts.items() if key != name]
        sets, cuts, figures = decided(parts[name], others, others, settings, name)
        everyone = tempered(part.outputs.logits, part.labels, folds_by(fold, part.groups))
        figures["calibrationError"] = {
            key: round(value, 4) for key, value in asdict(measured_calibration(everyone, part.labels)).items()
        }
        figures |= {
            "pictures": len(part.rows),
            "refused": round(float(((scores[name] > limits[name]) | ~part.answerable).mean()), 4),
        }
        temperature = round(fit_temperature(part.outputs.logits, part.labels), 4)
        limit = math.ceil(limits[name] * 1e4) / 1e4 if math.isfinite(limits[name]) else None
        fitted[name] = Fitted(temperature, sets, cuts, limit, figures)
    return fitted


@dataclass(frozen=True)
class FittedCombination:
    """Weights in the order of `modalities`. Nothing is said of rejection: a lesion is refused when both its pictures
    are, each by its own threshold.
    """

    modalities: tuple[str, str]
    weights: tuple[float, float]
    fitted: Fitted

    def entry(self) -> dict[str, Any]:
        return {"weights": list(self.weights), **self.fitted.entry()}


FEWEST_PAIRS = 50


def fit_pair(
    pictures: Mapping[str, Pictures], modal: Mapping[str, Fitted], settings: Settings
) -> FittedCombination | None:
    """How pictures of the first two modalities that show one lesion are joined; None where there are fewer than
    `FEWEST_PAIRS` such lesions.
    """
    if len(pictures) < 2:
        return None
    names = sorted(pictures)[:2]
    a, b = (pictures[name] for name in names)
    pairs = pairs_of(a.groups, a.labels, b.groups, b.labels)
    if len(pairs) < FEWEST_PAIRS:
        return None
    first, second = np.array([i for i, _ in pairs]), np.array([j for _, j in pairs])
    fold = fold_map(pictures)
    labels, folds = a.labels[first], folds_by(fold, [a.groups[i] for i in first])
    logs = [
        log_softmax(part.outputs.logits[chosen] / modal[name].temperature)
        for name, part, chosen in ((names[0], a, first), (names[1], b, second))
    ]

    def joined(fitted: np.ndarray, applied: np.ndarray) -> np.ndarray:
        return fit_combination(logs[0][fitted], logs[1][fitted], labels[fitted]).apply(
            logs[0][applied], logs[1][applied]
        )

    probabilities = cross_fitted(folds, joined)
    single = [
        Scored(tempered(part.outputs.logits, part.labels, own), part.labels, own)
        for part in (a, b)
        for own in [folds_by(fold, part.groups)]
    ]
    sets, cuts, figures = decided(Scored(probabilities, labels, folds), [], single, settings)
    nothing = np.zeros(probabilities.shape, bool)
    alone = {name: set_figures(np.exp(log), labels, nothing, settings) for name, log in zip(names, logs, strict=True)}
    figures["alone"] = {
        name: {key: own[key] for key in ("balancedAccuracy", "negativeLogLikelihood")} for name, own in alone.items()
    }
    found = fit_combination(*logs, labels)
    rounded = Combination(round(found.weight_a, 4), round(1 - round(found.weight_a, 4), 4), round(found.temperature, 4))
    return FittedCombination(
        (names[0], names[1]),
        (rounded.weight_a, rounded.weight_b),
        Fitted(rounded.temperature, sets, cuts, None, figures),
    )


# All together


@dataclass(frozen=True)
class Findings:
    """What `calibrate` found out: for the manifest, and for people."""

    modalities: dict[str, Fitted]
    thorough: dict[str, Fitted]
    combination: FittedCombination | None
    thorough_combination: FittedCombination | None
    method: str  # of rejection, as in the table
    sidecar: RejectionModel | None
    compared: list[rejection.Compared]
    asked: dict[str, Any]  # coverage, assured classes and shares of the tiers, as the description states them
    probe: FittedProbe | None = None

    def score(self, outputs: Outputs) -> np.ndarray:
        return score_of(self.sidecar, outputs)

    def write(self, manifest: dict[str, Any], folder: Path) -> None:
        """Puts the findings into a manifest, replacing earlier ones, and writes the rejection model beside it."""
        known = {entry["id"]: entry for entry in manifest.get("modalities", [])}
        manifest["modalities"] = []
        for name, found in self.modalities.items():
            entry = {
                "id": name,
                **{
                    key: value
                    for key, value in known.get(name, {}).items()
                    if key not in ("id", "thorough", "setThresholds")
                },
                "rejectionThreshold": None,
            } | found.entry()
            if name in self.thorough:
                entry["thorough"] = {"rejectionThreshold": None} | self.thorough[name].entry()
            manifest["modalities"].append(entry)
        manifest.pop("combination", None)
        if self.combination:
            turned = {"thorough": self.thorough_combination.entry()} if self.thorough_combination else {}
            manifest["combination"] = {
                "modalities": list(self.combination.modalities),
                **self.combination.entry(),
                **turned,
            }
        manifest.pop("modalityProbe", None)
        if self.probe:
            manifest["modalityProbe"] = self.probe.probe.entry()
        manifest.pop("rejection", None)
        (folder / SIDECAR).unlink(missing_ok=True)
        manifest["manifestVersion"] = MANIFEST_VERSION
        manifest["decision"].pop("highConcernMass", None)
        manifest["decision"]["rejection"] = "energy" if self.sidecar is None else "distance"
        if self.sidecar is not None:
            data = self.sidecar.to_bytes()
            (folder / SIDECAR).write_bytes(data)
            manifest["rejection"] = {
                "file": {"path": SIDECAR, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            }
        training = manifest.setdefault("training", {})
        training["calibrationPictures"] = {name: found.figures["pictures"] for name, found in self.modalities.items()}
        training["calibration"] = self.summary()

    def summary(self) -> dict[str, Any]:
        def told(found: Fitted) -> dict[str, Any]:
            sources = [
                f"{limit.pool}, {limit.pictures}{', assured' if limit.assured else ''}" for limit in found.sets.limits
            ]
            return found.figures | {"limitsFrom": sources, "limitsFor": found.sets.nominal}

        return {
            "asked": self.asked,
            "modalities": {name: told(found) for name, found in self.modalities.items()},
            "thorough": {name: told(found) for name, found in self.thorough.items()},
            **{
                name: told(pair.fitted)
                for name, pair in (
                    ("combination", self.combination),
                    ("thoroughCombination", self.thorough_combination),
                )
                if pair
            },
            **({"modalityProbe": self.probe.figures} if self.probe else {}),
            "rejection": {"method": self.method, "compared": [asdict(row) for row in self.compared]},
        }


def score_of(sidecar: RejectionModel | None, outputs: Outputs) -> np.ndarray:
    return rejection.energy(outputs.logits) if sidecar is None else sidecar.score(outputs.logits, outputs.embedding)


def joined_outputs(*parts: Outputs) -> Outputs:
    return Outputs(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("logits", "embedding", "clusters", "groups")
        )
    )


def calibrate(
    network: Network,
    store: Store,
    recipe: Recipe,
    description: Mapping[str, Any],
    cache: Path | None = None,
    method: str | None = None,
    framer: Framer | None = None,
) -> Findings:
    """Runs the network over calibration part, training negatives and a part of the training lesions, and fits
    everything.

    `method` takes a rejection method by name instead of choosing one; `framer` has pictures looked at as the page does.
    Raises ValueError when the store has no calibration pictures.
    """
    cache = cache or default_cache()
    settings = Settings.of(recipe, description)
    wanted = [i for i in store.where("calib") if store.rows[i]["label"] in (*recipe.classes, *NEGATIVE_LABELS)]
    calib = pictures_of(network, store, recipe.classes, wanted, 1, cache, framer)
    known = calib.labels >= 0
    if not known.any():
        raise ValueError("the store has no calibration part: nothing can be calibrated")
    train = pictures_of(network, store, recipe.classes, reference_indices(store, recipe.classes), 1, cache, framer)
    negatives = [train.of(train.labels < 0).outputs, calib.of(~known).outputs]
    compared, chosen, sidecar = [], "energy", None
    if sum(map(len, negatives)) > 0:
        calibration_part = np.repeat([False, True], [len(part) for part in negatives])
        problem = rejection.Problem(
            train.of(train.labels >= 0).outputs, calib.of(known).outputs, joined_outputs(*negatives), calibration_part
        )
        compared = rejection.compare(problem)
        chosen = method or rejection.choose(compared)
        sidecar = rejection.fitted(chosen, problem)

    lesions = calib.of(known)
    names = sorted(set(lesions.modality.tolist()))
    single = {name: lesions.of(lesions.modality == name) for name in names}
    modalities = fit_modalities(
        single, {name: score_of(sidecar, part.outputs) for name, part in single.items()}, settings
    )
    several = [i for i in wanted if store.rows[i]["label"] in recipe.classes]
    turned = pictures_of(network, store, recipe.classes, several, VIEWS, cache, framer)
    views = {name: turned.of(turned.modality == name) for name in names}
    thorough = fit_modalities(views, {name: score_of(sidecar, part.outputs) for name, part in views.items()}, settings)
    pairs = [fit_pair(part, found, settings) for part, found in ((single, modalities), (views, thorough))]
    asked = {key: description[key] for key in ("coverage", "coverageAssured", "tiers") if key in description}
    probe = probe_of(network, store, recipe.classes, names, wanted, cache)
    return Findings(modalities, thorough, *pairs, chosen, sidecar, compared, asked, probe)


def probe_of(
    network: Network,
    store: Store,
    classes: Sequence[str],
    names: Sequence[str],
    calibration: Sequence[int],
    cache: Path,
) -> FittedProbe | None:
    """The probe that tells the modalities `names` by the embedding of pictures as they are; None where there is one
    modality only.
    """
    if len(names) < 2:
        return None
    parts = [
        pictures_of(network, store, classes, indices, 1, cache)
        for indices in (calibration, reference_indices(store, classes))
    ]
    lesions = [part.of((part.labels >= 0) & np.isin(part.modality, names)) for part in parts]
    told = [(part.outputs.embedding, np.array([names.index(name) for name in part.modality])) for part in lesions]
    right = cross_fitted_accuracy(*told[0], folds_of(lesions[0].groups), names, told[1])
    probe = fit_probe(*(np.concatenate(values) for values in zip(*told, strict=True)), names)
    return FittedProbe(probe, {"pictures": len(lesions[0].rows), "right": round(right, 4)})


def figures_row(name: str, found: Fitted) -> str:
    figures, error = found.figures, found.figures["calibrationError"]
    cells = [name, str(figures["pictures"]), f"{found.temperature:g}", f"{figures['balancedAccuracy']:.3f}"]
    cells.append(f"{error['measured']:.3f} ({error['perfect_mean']:.3f}, {error['perfect_high']:.3f})")
    cells += [f"{figures['coverage']:.3f}", f"{figures['meanSetSize']:.2f}", f"{figures['shareSingle']:.2f}"]
    cells.append(f"{figures['refused']:.3f}" if "refused" in figures else "")
    return "| " + " | ".join(cells) + " |"


def pair_line(figures: Mapping[str, Any]) -> str:
    told = [
        f"{name} {own['balancedAccuracy']:.3f} ({own['negativeLogLikelihood']:.3f})"
        for name, own in (figures["alone"] | {"together": figures}).items()
    ]
    return f"Lesions with both pictures, balanced accuracy (negative log-likelihood): {', '.join(told)}"


def tier_row(name: str, kind: str, own: Mapping[str, Any]) -> str:
    cells = [
        f"{own[tier]['share']:.3f} ({own[tier]['interval'][0]:.3f} to {own[tier]['interval'][1]:.3f})"
        for tier in CONCERNS
    ]
    return "| " + " | ".join([name, kind, str(own["pictures"]), *cells]) + " |"


def report(findings: Findings) -> str:
    """The findings as text and Markdown tables."""
    lines = [
        (
            "Cross-fitted by group on the calibration part. In brackets: the mean and the 95 % point of what a"
            " perfectly calibrated model shows."
        ),
        "",
    ]
    lines += [
        (
            "| part | pictures | temperature | balanced accuracy | calibration error | coverage | set size | single |"
            " refused |"
        ),
        "|" + "---|" * 9,
    ]
    parts = [*findings.modalities.items(), *((f"{name}, thorough", found) for name, found in findings.thorough.items())]
    pairs = [
        (pair, extra)
        for pair, extra in ((findings.combination, ""), (findings.thorough_combination, ", thorough"))
        if pair
    ]
    parts += [(" + ".join(pair.modalities) + extra, pair.fitted) for pair, extra in pairs]
    lines += [figures_row(name, found) for name, found in parts]
    lines += ["", "| part | coverage by class |", "|---|---|"]
    lines += [
        f"| {name} | {', '.join(f'{k} {v:.2f}' for k, v in found.figures['coverageByClass'].items())} |"
        for name, found in parts
    ]
    lines += [
        "",
        "Tiers of each kind of picture, cross-fitted, in brackets the 95 % interval of so many pictures (Wilson):",
        "",
    ]
    lines += ["| part | kind | pictures | low | moderate | high |", "|" + "---|" * 6]
    lines += [tier_row(name, kind, own) for name, found in parts for kind, own in found.figures["tiers"].items()]
    for pair, extra in pairs:
        lines += ["", pair_line(pair.fitted.figures) + extra]
    if findings.compared:
        size = f", {len(findings.sidecar.to_bytes()) / 1000:.0f} kB" if findings.sidecar else ""
        lines += ["", f"Rejection: {findings.method}{size}", "", rejection.table(findings.compared, findings.method)]
    return "\n".join(lines)


# Command line


def add_arguments(step: argparse.ArgumentParser) -> None:
    step.add_argument("--store", type=Path, required=True)
    step.add_argument("--recipe", type=Path, required=True)
    of = step.add_mutually_exclusive_group(required=True)
    of.add_argument("--model", type=Path, help="a model folder: its manifest is rewritten with the findings")
    of.add_argument(
        "--checkpoint", type=Path, help="weights that are not exported yet: the findings are written to --out alone"
    )
    step.add_argument("--out", type=Path, help="with --checkpoint: folder for calibration.json and the rejection model")
    step.add_argument(
        "--cache", type=Path, default=default_cache(), help="where the network's outputs are kept (%(default)s)"
    )
    step.add_argument(
        "--method",
        choices=["energy", *(prefix + name for name in rejection.methods() for prefix in ("", "energy + "))],
        help="rejection, instead of the best one",
    )


def write_json(path: Path, value: object) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, indent=2) + "\n")
    part.replace(path)


def checkpoint_network(checkpoint: Path, recipe: Recipe, folder: Path) -> Network:
    """The checkpoint as an fp32 network."""
    import torch

    from .export import export_onnx
    from .network import Classifier

    network = Classifier(recipe.network, len(recipe.classes), recipe.dropout, pretrained=False, folded=recipe.folded)
    network.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["weights"])
    path = folder / "network.onnx"
    export_onnx(network, recipe.input_size, path)
    found = Network.open(path, recipe)
    # The exporter's file need not be the same bytes twice: the checkpoint's own hash is what the outputs belong to.
    return replace(found, sha256=hashlib.sha256(checkpoint.read_bytes()).hexdigest())


def run(arguments: argparse.Namespace) -> None:
    recipe = Recipe.load(arguments.recipe)
    description = json.loads(arguments.recipe.with_suffix(".model.json").read_text())
    store = Store.open(arguments.store)
    if arguments.model:
        manifest = read_manifest(arguments.model)
        shown = manifest["input"]  # what the run was given by `--set` stands there, not in the recipe's file
        recipe = replace(recipe, input_size=shown["width"], crop=shown["fit"], crop_pct=shown.get("cropPct", 1.0))
        network = Network.open(arguments.model / manifest["file"]["path"], recipe)
        findings = calibrate(
            network, store, recipe, description, arguments.cache, arguments.method, framer_of(arguments.model, manifest)
        )
        findings.write(manifest, arguments.model)
        write_manifest(arguments.model, manifest)
    else:
        if arguments.out is None:
            raise SystemExit("calibrate: --checkpoint needs --out")
        from .export import recipe_of_run

        arguments.out.mkdir(parents=True, exist_ok=True)
        recipe = recipe_of_run(recipe, arguments.checkpoint)
        with tempfile.TemporaryDirectory() as folder:
            network = checkpoint_network(arguments.checkpoint, recipe, Path(folder))
            findings = calibrate(network, store, recipe, description, arguments.cache, arguments.method)
        told: dict[str, Any] = {"decision": {}}
        findings.write(told, arguments.out)
        write_json(arguments.out / "calibration.json", told)
    print(report(findings), flush=True)
