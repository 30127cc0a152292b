"""Tells the modality of a picture by the network's embedding: a linear probe for the manifest (`modalityProbe`).

`wasm_src/core/decision/modality.h` has the formula: multinomial logistic regression (Alain and Bengio 2016), here with
L2 regularisation on standardised embeddings and every modality of equal weight; the standardisation is folded into the
weights. It is fitted on training lesions and the calibration part together; what it is worth is measured on calibration
pictures by probes that were fitted without their fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

DIGITS = 4  # significant ones of each number in the manifest: they move no probability by more than about 0.001


@dataclass(frozen=True)
class ModalityProbe:
    """(M, D) weights and (M,) bias, in the order of `modalities`."""

    modalities: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray

    def probabilities(self, embedding: np.ndarray) -> np.ndarray:
        """(N, M) of (N, D) embeddings."""
        scores = embedding @ self.weights.T + self.bias
        scores = np.exp(scores - scores.max(1, keepdims=True))
        return scores / scores.sum(1, keepdims=True)

    def entry(self) -> dict[str, Any]:
        """For the manifest, rounded."""

        def short(values: np.ndarray) -> list[float]:
            return [float(f"{value:.{DIGITS}g}") for value in values]

        return {"weights": [short(row) for row in self.weights], "bias": short(self.bias)}


@dataclass(frozen=True)
class FittedProbe:
    """A probe, and what it is worth: `pictures`, and `right`, the share of them that probes fitted without their fold
    classified correctly.
    """

    probe: ModalityProbe
    figures: dict[str, Any]


def fit_probe(
    embedding: np.ndarray, labels: np.ndarray, modalities: Sequence[str], penalty: float = 1e-2
) -> ModalityProbe:
    """The probe of least penalised negative log-likelihood for (N, D) embeddings and (N,) indices of `modalities`.

    The weights' common part, which softmax does not see, is taken out. Raises ValueError when a modality has no
    picture.
    """
    counts = np.bincount(labels, minlength=len(modalities))
    if (counts == 0).any():
        raise ValueError(
            f"no picture of {', '.join(name for name, count in zip(modalities, counts, strict=True) if not count)}"
        )
    mean, scale = embedding.mean(0), embedding.std(0) + 1e-6
    pixels, target = torch.tensor((embedding - mean) / scale), torch.tensor(labels)
    share = torch.tensor(len(labels) / (len(modalities) * counts.astype(np.float64)))
    weights = torch.zeros(len(modalities), embedding.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(len(modalities), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = (
            torch.nn.functional.cross_entropy(pixels @ weights.T + bias, target, weight=share)
            + penalty * weights.square().sum()
        )
        value.backward()
        return value

    optimiser.step(loss)
    found, offset = weights.detach().numpy(), bias.detach().numpy()
    found, offset = found - found.mean(0), offset - offset.mean()
    return ModalityProbe(tuple(modalities), found / scale, offset - (found / scale) @ mean)


def cross_fitted_accuracy(
    embedding: np.ndarray,
    labels: np.ndarray,
    folds: np.ndarray,
    modalities: Sequence[str],
    extra: tuple[np.ndarray, np.ndarray],
) -> float:
    """Share of pictures classified correctly by probes fitted on the other folds and on `extra` (embeddings and labels
    that are not judged).
    """
    right = np.zeros(len(labels), bool)
    for fold in np.unique(folds):
        inside = folds == fold
        probe = fit_probe(
            np.concatenate([embedding[~inside], extra[0]]), np.concatenate([labels[~inside], extra[1]]), modalities
        )
        right[inside] = probe.probabilities(embedding[inside]).argmax(1) == labels[inside]
    return float(right.mean())
