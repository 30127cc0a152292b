"""Figures that do not depend on how often a class occurs: balanced accuracy and the area under the ROC curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Labels = Sequence[str] | Sequence[int] | np.ndarray


def balanced_accuracy(truth: Labels, guess: Labels, fewest: int = 1) -> float:
    """Mean recall over the classes that have at least `fewest` pictures in `truth`; over all classes in it where none
    has so many.
    """
    truth, guess = np.asarray(truth), np.asarray(guess)
    classes, counts = np.unique(truth, return_counts=True)
    counted = classes[counts >= fewest] if (counts >= fewest).any() else classes
    return float(np.mean([(guess[truth == k] == k).mean() for k in counted]))


def auc(scores: np.ndarray, positive: np.ndarray) -> float | None:
    """Area under the ROC curve of (N,) scores by ranks, ties counted half (Mann-Whitney); None when only one kind is
    there.
    """
    count, others = int(positive.sum()), int((~positive).sum())
    if not count or not others:
        return None
    _, inverse, repeats = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(repeats) - (repeats - 1) / 2)[inverse]
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * others))
