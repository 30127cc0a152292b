"""Calibration maths: temperature, class-conditional prediction sets, rejection threshold. All on pictures that training never saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def softmax(logits: np.ndarray) -> np.ndarray:
    """Row-wise softmax of (N, K)."""
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)


def negative_log_likelihood(logits: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    probabilities = softmax(logits / temperature)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(probabilities, 1e-12)).mean())


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature of least negative log-likelihood (Guo et al. 2017), by golden-section search over log T in [0.2, 5]."""
    low, high = np.log(0.2), np.log(5.0)
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(60):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if negative_log_likelihood(logits, labels, np.exp(a)) < negative_log_likelihood(logits, labels, np.exp(b)):
            high = b
        else:
            low = a
    return float(np.exp((low + high) / 2))


def set_threshold(truth_probabilities: np.ndarray, coverage: float) -> float:
    """Split-conformal threshold: a fresh picture's true class reaches it with at least `coverage` (Vovk 2012).

    The k-th smallest of n probabilities with k = floor((n + 1)(1 - coverage)); 0, so that every set holds the class, when n is too small.
    """
    ordered = np.sort(truth_probabilities)
    k = int(np.floor((len(ordered) + 1) * (1 - coverage)))
    return float(ordered[k - 1]) if k >= 1 else 0.0


def set_thresholds(probabilities: np.ndarray, labels: np.ndarray, coverage: float, fewest: int) -> list[float]:
    """One threshold a class (Sadinle et al. 2019). A class with fewer than `fewest` pictures takes the smaller of its own and the pooled one."""
    truth = probabilities[np.arange(len(labels)), labels]
    pooled = set_threshold(truth, coverage)
    thresholds = []
    for k in range(probabilities.shape[1]):
        own = truth[labels == k]
        if len(own) >= fewest:
            thresholds.append(set_threshold(own, coverage))
        else:
            thresholds.append(min([pooled, *own.tolist()]))
    return thresholds


def energy(logits: np.ndarray) -> np.ndarray:
    """Rejection score -logsumexp of (N, K); higher is less like the training pictures (Liu et al. 2020)."""
    top = logits.max(1)
    return -(top + np.log(np.exp(logits - top[:, None]).sum(1)))


@dataclass(frozen=True)
class Calibration:
    """What the manifest says of one modality."""

    modality: str
    pictures: int
    temperature: float
    set_thresholds: list[float]
    rejection_threshold: float


def calibrate(modality: str, logits: np.ndarray, labels: np.ndarray, coverage: float, refused_share: float, fewest: int = 20) -> Calibration:
    """Fits one modality. `refused_share` of the calibration pictures lie over the rejection threshold."""
    temperature = fit_temperature(logits, labels)
    probabilities = softmax(logits / temperature)
    return Calibration(
        modality=modality,
        pictures=len(labels),
        temperature=round(temperature, 4),
        set_thresholds=[round(t, 5) for t in set_thresholds(probabilities, labels, coverage, fewest)],
        rejection_threshold=round(float(np.quantile(energy(logits), 1 - refused_share)), 4),
    )
