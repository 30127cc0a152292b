"""Calibration maths: temperature, refusal, combining two pictures of one lesion, and calibration error; `sets.py` and
`tiers.py` build on it.

All of it is fitted on pictures that were not trained on. Where a value is fitted on scores that were themselves fitted
on the same pictures, the scores are cross-fitted first: the groups (a lesion, a patient) are assigned to folds, and
each fold is scored by a fit on the other folds (`cross_fitted`).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

FOLDS = 5
CONFIDENCE = 0.9  # with which an assured threshold holds, given these calibration pictures


def softmax(logits: np.ndarray) -> np.ndarray:
    """Row-wise softmax of (N, K)."""
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Row-wise log-softmax of (N, K)."""
    shifted = logits - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def energy(logits: np.ndarray) -> np.ndarray:
    """Rejection score -logsumexp of (N, K); higher is less like the training pictures (Liu et al. 2020)."""
    top = logits.max(1)
    return -(top + np.log(np.exp(logits - top[:, None]).sum(1)))


def negative_log_likelihood(logits: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    return float(-log_softmax(logits / temperature)[np.arange(len(labels)), labels].mean())


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature of least negative log-likelihood (Guo et al. 2017), by golden-section search over log T in [0.2,
    5].
    """
    return math.exp(
        golden_section(lambda t: negative_log_likelihood(logits, labels, math.exp(t)), math.log(0.2), math.log(5.0))
    )


def golden_section(value: Callable[[float], float], low: float, high: float, steps: int = 60) -> float:
    """Where a function with one minimum in [low, high] has it."""
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(steps):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if value(a) < value(b):
            high = b
        else:
            low = a
    return (low + high) / 2


def folds_of(groups: Sequence[str], count: int = FOLDS) -> np.ndarray:
    """(N,) fold of each picture, 0..count-1. Groups are dealt out in the order of their hash, so that no group is in
    two folds and the folds have about equal numbers."""
    order = sorted(set(groups), key=lambda group: hashlib.sha256(group.encode()).digest())
    fold = {group: i % count for i, group in enumerate(order)}
    return np.array([fold[group] for group in groups], int)


def cross_fitted(folds: np.ndarray, fit_apply: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """What `fit_apply(fitted_on, applied_to)` gives for every picture when it is applied only to pictures of groups
    that it was not fitted on. Both are boolean masks."""
    result: np.ndarray | None = None
    for fold in np.unique(folds):
        inside = folds == fold
        if inside.all():
            raise ValueError("all pictures are of one fold: too few groups to cross-fit")
        values = fit_apply(~inside, inside)
        if result is None:
            result = np.empty((len(folds), *values.shape[1:]))
        result[inside] = values
    if result is None:
        raise ValueError("no pictures to calibrate on")
    return result


def calibrated_probabilities(logits: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """(N, K) probabilities, each fold at the temperature that the others gave; at 1 where there is only one fold."""
    if len(set(folds.tolist())) < 2:
        return softmax(logits)
    return cross_fitted(
        folds, lambda fitted, applied: softmax(logits[applied] / fit_temperature(logits[fitted], labels[fitted]))
    )


# How many of a number of pictures


def quantile_rank(count: int, share: float) -> int:
    """How many of `count` calibration pictures may lie beyond a cut so that a fresh one does with a probability of at
    most `share`, on average over calibration draws (split conformal, Vovk 2012): the cut is the k-th most extreme, k =
    floor((count + 1) share). 0: too few pictures for any cut."""
    return math.floor((count + 1) * share + 1e-9)


def assured_rank(count: int, share: float, confidence: float = CONFIDENCE) -> int:
    """As `quantile_rank`, but for the calibration pictures that there are, with `confidence`, and not only on
    average over them.

    The share beyond the k-th most extreme of n is Beta(k, n + 1 - k) distributed (Vovk 2012, training-conditional
    validity; Wilks 1941), and it is at most `share` with the probability that at least k of n draws fall among that
    share: the greatest k for which this binomial tail is at least `confidence`; 0 when even k = 1 is too great.
    """
    below, k = 0.0, 0  # P(fewer than k + 1 of n fall beyond)
    while k < count:
        below += math.exp(
            math.lgamma(count + 1)
            - math.lgamma(k + 1)
            - math.lgamma(count - k + 1)
            + k * math.log(share)
            + (count - k) * math.log1p(-share)
        )
        if 1 - below < confidence:
            break
        k += 1
    return k


def kth_smallest(values: np.ndarray, k: int) -> float:
    """The k-th smallest; minus infinity for k = 0."""
    return float(np.sort(values)[k - 1]) if k >= 1 else -math.inf


def refusal_threshold(scores: np.ndarray, share: float) -> float:
    """The score that at most `share` of such pictures exceed, on average over calibration draws; infinity where too
    few. Confidence for the pictures there are would cost more than it gives: of 300 it lets the threshold be set by the
    oddest one or two, and healthy skin scores below them.
    """
    return -kth_smallest(-scores, quantile_rank(len(scores), share))


# Two pictures of one lesion


@dataclass(frozen=True)
class Combination:
    """How two pictures of a lesion are joined: z = weight_a log p_a + weight_b log p_b, probabilities = softmax(z /
    temperature). The weights sum to 1.
    """

    weight_a: float
    weight_b: float
    temperature: float

    def apply(self, log_a: np.ndarray, log_b: np.ndarray) -> np.ndarray:
        """(N, K) probabilities from the (N, K) calibrated log-probabilities of both."""
        return softmax((self.weight_a * log_a + self.weight_b * log_b) / self.temperature)


def fit_combination(log_a: np.ndarray, log_b: np.ndarray, labels: np.ndarray, rounds: int = 30) -> Combination:
    """Weights and temperature of least negative log-likelihood: a logarithmic opinion pool (Genest & Zidek 1986).

    The likelihood is convex in (weight_a / T, weight_b / T), so that searching along each in turn finds the one
    minimum. Neither goes below 0.
    """
    a, b = 0.5, 0.5

    def likelihood(a: float, b: float) -> float:
        return negative_log_likelihood(a * log_a + b * log_b, labels, 1.0)

    for _ in range(rounds):
        a = golden_section(partial(likelihood, b=b), 0.0, 4.0, 40)
        b = golden_section(partial(likelihood, a), 0.0, 4.0, 40)
    total = max(a + b, 1e-6)
    return Combination(a / total, b / total, 1 / total)


def pairs_of(
    groups_a: Sequence[str], labels_a: np.ndarray, groups_b: Sequence[str], labels_b: np.ndarray
) -> list[tuple[int, int]]:
    """Positions in both lists of pictures that show one lesion: same group and class; the first of each where a group
    has several.
    """
    second: dict[tuple[str, int], int] = {}
    for j, (group, label) in enumerate(zip(groups_b, labels_b, strict=True)):
        second.setdefault((group, int(label)), j)
    pairs, used = [], set()
    for i, (group, label) in enumerate(zip(groups_a, labels_a, strict=True)):
        key = (group, int(label))
        if key in second and key not in used:
            used.add(key)
            pairs.append((i, second[key]))
    return pairs


# How well calibrated


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error over bins of equal width, open below and closed above (Naeini 2015, Guo 2017)."""
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(which, confidence, bins) - np.bincount(which, right.astype(float), bins)
    return float(np.abs(gaps).sum() / len(confidence))


@dataclass(frozen=True)
class CalibrationError:
    """Measured; and what a perfectly calibrated model with these confidences shows on as many pictures: mean and 95 %
    point. The measure is biased upward, the more the fewer pictures there are, so that only a value over `perfect_high`
    speaks against the calibration."""

    measured: float
    perfect_mean: float
    perfect_high: float


def measured_calibration(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = 15, resamples: int = 1000, seed: int = 1
) -> CalibrationError:
    """Calibration error of the first-ranked class, with consistency resampling (Broecker & Smith 2007): pictures are
    drawn with replacement and called right with exactly the probability that the model gives them."""
    confidence = probabilities.max(1)
    rng = np.random.default_rng(seed)
    perfect = []
    for _ in range(resamples):
        drawn = rng.choice(confidence, len(confidence))
        perfect.append(calibration_error(drawn, rng.random(len(drawn)) < drawn, bins))
    measured = calibration_error(confidence, probabilities.argmax(1) == labels, bins)
    return CalibrationError(measured, float(np.mean(perfect)), float(np.quantile(perfect, 0.95)))


def auroc(lower: np.ndarray, higher: np.ndarray) -> float:
    """Area under the ROC curve of telling `higher` from `lower` by the score: the share of pairs in the right order,
    ties half (Mann & Whitney 1947).
    """
    ordered = np.sort(lower)
    below, upto = np.searchsorted(ordered, higher, "left"), np.searchsorted(ordered, higher, "right")
    return float((below + upto).sum() / 2 / (len(lower) * len(higher)))
