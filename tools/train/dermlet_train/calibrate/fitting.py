"""Fits temperature, prediction sets, concern tiers and rejection threshold, for each modality and for pairs of pictures
of one lesion.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..calibration import (
    Combination,
    calibrated_probabilities,
    cross_fitted,
    fit_combination,
    fit_temperature,
    folds_of,
    log_softmax,
    measured_calibration,
    pairs_of,
    refusal_threshold,
)
from ..config import Recipe
from ..metrics import balanced_accuracy
from ..sets import CoverageTarget, Scored, Sets, choose_aim, fit_sets
from ..tiers import Cuts, TierTargets, fit_cuts, held_out_tiers, tier_figures
from .pictures import ScoredPictures


@dataclass(frozen=True)
class Fitted:
    """The numbers that the manifest holds for one modality or for the combination, and their figures on the calibration
    pictures, cross-fitted by group.
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
class Targets:
    """What the model's description requires of its answers."""

    classes: tuple[str, ...]
    coverage: float
    refused_share: float | Mapping[str, float]  # of all modalities, or of each
    assured: tuple[int, ...]  # classes whose coverage should hold with confidence
    tiers: TierTargets

    @property
    def sets(self) -> CoverageTarget:
        return CoverageTarget(self.coverage, self.assured)

    def refused(self, modality: str) -> float:
        """The share of a modality's lesions that may get no answer. Raises ValueError where none is stated."""
        if not isinstance(self.refused_share, Mapping):
            return float(self.refused_share)
        if modality not in self.refused_share:
            raise ValueError(f"refusedShare has no share for {modality}")
        return float(self.refused_share[modality])

    @staticmethod
    def of(recipe: Recipe, description: Mapping[str, Any]) -> Targets:
        names = description.get("coverageAssured", [])
        unknown = [name for name in names if name not in recipe.classes]
        if unknown:
            raise ValueError(f"coverageAssured names {unknown}, which are not classes of the recipe")
        assured = tuple(recipe.classes.index(name) for name in names)
        return Targets(
            recipe.classes,
            float(description["coverage"]),
            description["refusedShare"],
            assured,
            TierTargets.of(recipe.classes, description),
        )


def set_figures(
    probabilities: np.ndarray, labels: np.ndarray, included: np.ndarray, targets: Targets
) -> dict[str, Any]:
    """Accuracy, calibration and sets of cross-fitted probabilities."""
    covered = included[np.arange(len(labels)), labels]
    by_class = {
        name: round(float(covered[labels == k].mean()), 4)
        for k, name in enumerate(targets.classes)
        if (labels == k).any()
    }
    error = measured_calibration(probabilities, labels)
    return {
        "pictures": len(labels),
        "balancedAccuracy": round(balanced_accuracy(labels, probabilities.argmax(1)), 4),
        "negativeLogLikelihood": round(
            float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12)).mean()), 4
        ),
        "calibrationError": {key: round(value, 4) for key, value in asdict(error).items()},
        "coverage": round(float(covered.mean()), 4),
        "coverageByClass": by_class,
        "meanSetSize": round(float(included.sum(1).mean()), 3),
        "shareSingle": round(float((included.sum(1) == 1).mean()), 4),
    }


def fold_map(pictures: Mapping[str, ScoredPictures]) -> dict[str, int]:
    """Fold of each group, dealt over all modalities together."""
    everyone = sorted({group for part in pictures.values() for group in part.groups})
    return dict(zip(everyone, folds_of(everyone).tolist(), strict=True))


def folds_by(fold: Mapping[str, int], groups: Sequence[str]) -> np.ndarray:
    return np.array([fold[group] for group in groups], int)


def fit_sets_and_cuts(
    part: Scored, elsewhere: Sequence[Scored], tiers_elsewhere: Sequence[Scored], targets: Targets, modality: str = ""
) -> tuple[Sets, Cuts, dict[str, Any]]:
    """Sets and cuts for cross-fitted probabilities, and figures for which each fold is decided by the others.
    `elsewhere` may lend pictures of rare classes to the sets, `tiers_elsewhere` malignant ones to the cuts."""
    target, included = choose_aim(part, elsewhere, targets.sets)
    benign = targets.tiers.benign.get(modality)
    tiers = held_out_tiers(part, tiers_elsewhere, targets.tiers, benign)
    figures = set_figures(part.probabilities, part.labels, included, targets)
    figures["tiers"] = tier_figures(tiers, part.labels, targets.tiers)
    return fit_sets(part, elsewhere, target), fit_cuts(part, tiers_elsewhere, targets.tiers, benign), figures


def answered_parts(
    pictures: Mapping[str, ScoredPictures], limits: Mapping[str, float], scores: Mapping[str, np.ndarray]
) -> dict[str, Scored]:
    """What is not refused, with cross-fitted probabilities: sets and tiers are fitted on it, since only
    these pictures get an answer."""
    fold = fold_map(pictures)
    parts = {}
    for name, part in pictures.items():
        folds = folds_by(fold, part.groups)
        every = Scored(calibrated_probabilities(part.outputs.logits, part.labels, folds), part.labels, folds)
        parts[name] = every.at((scores[name] <= limits[name]) & part.answerable)
    return parts


LEAST_BY_SCORE = 0.02  # of lesions, however many get no answer for other reasons: else no score would ever refuse


def score_limit(scores: np.ndarray, answerable: np.ndarray, share: float) -> float:
    """The rejection threshold: what gets no answer anyway (no spot stands out, several do, too poor a picture) counts
    towards `share`, so that both together stay within it."""
    left = max(share - float((~answerable).mean()), LEAST_BY_SCORE)
    return refusal_threshold(scores[answerable], left)


def fit_modalities(
    pictures: Mapping[str, ScoredPictures], scores: Mapping[str, np.ndarray], targets: Targets
) -> dict[str, Fitted]:
    """One `Fitted` a modality. `pictures`: calibration lesions by modality; `scores`: their rejection scores."""
    limits = {
        name: score_limit(scores[name], part.answerable, targets.refused(name)) for name, part in pictures.items()
    }
    parts = answered_parts(pictures, limits, scores)
    fold = fold_map(pictures)
    fitted = {}
    for name, part in pictures.items():
        others = [other for key, other in parts.items() if key != name]
        sets, cuts, figures = fit_sets_and_cuts(parts[name], others, others, targets, name)
        everyone = calibrated_probabilities(part.outputs.logits, part.labels, folds_by(fold, part.groups))
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
    """Weights in the order of `modalities`. There is no rejection threshold: a lesion is refused when both its
    pictures are, each by its own threshold.
    """

    modalities: tuple[str, str]
    weights: tuple[float, float]
    fitted: Fitted

    def entry(self) -> dict[str, Any]:
        return {"weights": list(self.weights), **self.fitted.entry()}


FEWEST_PAIRS = 50


def fit_pair(
    pictures: Mapping[str, ScoredPictures], modal: Mapping[str, Fitted], targets: Targets
) -> FittedCombination | None:
    """How pictures of one lesion in the first two modalities are combined; None with fewer than `FEWEST_PAIRS` such
    lesions.
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
        Scored(calibrated_probabilities(part.outputs.logits, part.labels, own), part.labels, own)
        for part in (a, b)
        for own in [folds_by(fold, part.groups)]
    ]
    sets, cuts, figures = fit_sets_and_cuts(Scored(probabilities, labels, folds), [], single, targets)
    nothing = np.zeros(probabilities.shape, bool)
    single_figures = {
        name: set_figures(np.exp(log), labels, nothing, targets) for name, log in zip(names, logs, strict=True)
    }
    figures["alone"] = {
        name: {key: own[key] for key in ("balancedAccuracy", "negativeLogLikelihood")}
        for name, own in single_figures.items()
    }
    found = fit_combination(logs[0], logs[1], labels)
    rounded = Combination(round(found.weight_a, 4), round(1 - round(found.weight_a, 4), 4), round(found.temperature, 4))
    return FittedCombination(
        (names[0], names[1]),
        (rounded.weight_a, rounded.weight_b),
        Fitted(rounded.temperature, sets, cuts, None, figures),
    )
