"""Two networks on the same held-out pictures: what a fine-tuned network must beat, and by how much it does.

The figures are those that do not depend on how often a class occurs: balanced accuracy, and the mean over the classes
of the area under the ROC curve of each against the rest. Scores of a network that knows more classes are renormalised
to the compared ones: a softmax over their logits only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .calibration import softmax
from .config import Recipe
from .evaluation import logits_of
from .metrics import auc, balanced_accuracy
from .network import Classifier
from .store import Store

RESAMPLES = 1000


@dataclass(frozen=True)
class Figures:
    """Of `pictures` pictures. `recalls`: class -> (named right, pictures). `macro_auc` is None where only one class is
    there.
    """

    pictures: int
    balanced_accuracy: float
    macro_auc: float | None
    recalls: dict[str, tuple[int, int]]

    @property
    def worth(self) -> float:
        """One number to choose epochs by: the accuracy, steadied by the ranking, which one picture moves less."""
        return self.balanced_accuracy if self.macro_auc is None else (self.balanced_accuracy + self.macro_auc) / 2

    def no_worse_than(self, other: Figures) -> bool:
        return self.balanced_accuracy >= other.balanced_accuracy and (
            self.macro_auc is None or self.macro_auc >= (other.macro_auc or 0.0)
        )


@dataclass(frozen=True)
class HeldOut:
    """Pictures of the recipe's classes in some parts of a store."""

    store: Store
    recipe: Recipe
    indices: list[int]

    @staticmethod
    def of(store: Store, recipe: Recipe, *parts: str) -> HeldOut:
        return HeldOut(
            store, recipe, [i for part in parts for i in store.where(part) if store.rows[i]["label"] in recipe.classes]
        )

    @property
    def labels(self) -> np.ndarray:
        return np.array([self.recipe.classes.index(self.store.rows[i]["label"]) for i in self.indices], int)

    def logits(self, network: Classifier) -> np.ndarray:
        """(N, K) of the network in evaluation mode, on any device."""
        device = next(network.parameters()).device
        return logits_of(network, self.store, self.indices, self.recipe.input_size, device, self.recipe).astype(
            np.float64
        )

    def figures(self, logits: np.ndarray, classes: Sequence[str] | None = None) -> Figures | None:
        """On the pictures of `classes` alone (all where absent), scores renormalised to them; None where no such
        picture is there.
        """
        names = list(classes if classes is not None else self.recipe.classes)
        columns = [self.recipe.classes.index(name) for name in names]
        rows = np.isin(self.labels, columns)
        if not rows.any():
            return None
        labels = np.array([columns.index(k) for k in self.labels[rows]])
        return figures_of(softmax(logits[rows][:, columns]), labels, names)

    def gain(self, before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
        """95 % interval of the gain in balanced accuracy, paired: groups are drawn with replacement, both networks
        answer for the same ones.
        """
        members = defaultdict(list)
        for n, i in enumerate(self.indices):
            members[self.store.rows[i]["group"]].append(n)
        groups, labels = [np.array(found) for found in members.values()], self.labels
        right = [logits.argmax(1) == labels for logits in (before, after)]
        rng = np.random.default_rng(1)
        gains = []
        for _ in range(RESAMPLES):
            drawn = np.concatenate([groups[k] for k in rng.integers(0, len(groups), len(groups))])
            present = [drawn[labels[drawn] == k] for k in np.unique(labels[drawn])]
            gains.append(
                np.mean([right[1][own].mean() for own in present]) - np.mean([right[0][own].mean() for own in present])
            )
        low, high = np.quantile(gains, (0.025, 0.975))
        return float(low), float(high)


def figures_of(probabilities: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> Figures:
    """(N, K) probabilities and (N,) class indices."""
    right = probabilities.argmax(1) == labels
    recalls = {
        name: (int(right[labels == k].sum()), int((labels == k).sum()))
        for k, name in enumerate(names)
        if (labels == k).any()
    }
    areas = [area for k in range(len(names)) if (area := auc(probabilities[:, k], labels == k)) is not None]
    return Figures(
        len(labels),
        balanced_accuracy(labels, probabilities.argmax(1)),
        float(np.mean(areas)) if areas else None,
        recalls,
    )


class BetterThanStart:
    """Judge of a run: an epoch counts when it is worse than the starting model in no compared figure, and then
    by what it is worth.

    Looked at are all classes, and those that the starting model knew by themselves: a class that was learnt anew must
    not be paid for by the old ones.
    """

    def __init__(self, held: HeldOut, start: Classifier, known: Sequence[str]) -> None:
        self.held, self.known = held, tuple(known)
        self.logits = held.logits(start)
        self.start = self._both(self.logits)

    def _both(self, logits: np.ndarray) -> list[Figures]:
        compared = [self.held.figures(logits), self.held.figures(logits, self.known) if len(self.known) > 1 else None]
        return [figures for figures in compared if figures is not None]

    @property
    def floor(self) -> float:
        return self.start[0].worth

    def __call__(self, network: Classifier) -> tuple[float, dict[str, float]]:
        found = self._both(self.held.logits(network))
        logged = {
            "held-out balanced accuracy": found[0].balanced_accuracy,
            "held-out macro AUC": found[0].macro_auc or 0.0,
        }
        logged["start balanced accuracy"] = self.start[0].balanced_accuracy
        fine = all(new.no_worse_than(old) for new, old in zip(found, self.start, strict=True))
        return found[0].worth if fine else float("-inf"), {key: round(value, 4) for key, value in logged.items()}


def fit_new_rows(network: Classifier, store: Store, recipe: Recipe, known: Sequence[str], at_most: int = 200) -> None:
    """Fits the head's rows of classes that the starting model did not know, on the frozen network's embeddings; its
    other rows stay as they are.

    Logistic regression with classes weighted alike and a quadratic penalty of the weight that one picture has
    (scikit-learn's C = 1): convex, so that it needs no rate and no epochs. A head that fits before anything else learns
    keeps the features from being torn about by it (Kumar et al. 2022). `at_most` training pictures of each class,
    evenly spaced.
    """
    new = [k for k, name in enumerate(recipe.classes) if name not in known]
    if not new:
        return
    chosen = []
    for name in recipe.classes:
        own = [i for i in store.where("train") if store.rows[i]["label"] == name]
        chosen += own[:: max(1, -(-len(own) // at_most))]
    labels = torch.tensor([recipe.classes.index(store.rows[i]["label"]) for i in chosen])
    features = torch.from_numpy(embeddings_of(network, store, chosen, recipe)).double()
    weight = network.head.weight.detach().double().clone()
    bias = network.head.bias.detach().double().clone()
    rows = torch.zeros(len(new), weight.shape[1], dtype=torch.float64, requires_grad=True)
    shift = torch.zeros(len(new), dtype=torch.float64, requires_grad=True)
    counts = torch.bincount(labels, minlength=len(recipe.classes)).clamp(min=1)
    share = 1.0 / (len(torch.unique(labels)) * counts[labels])
    optimiser = torch.optim.LBFGS([rows, shift], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        logits = features @ weight.index_copy(0, torch.tensor(new), rows).T + bias.index_copy(
            0, torch.tensor(new), shift
        )
        value = (
            torch.nn.functional.cross_entropy(logits, labels, reduction="none") * share
        ).sum() + rows.square().sum() / (2 * len(chosen))
        value.backward()
        return value

    with torch.enable_grad():
        optimiser.step(loss)
    with torch.no_grad():
        network.head.weight[new] = rows.detach().float()
        network.head.bias[new] = shift.detach().float()


@torch.inference_mode()
def embeddings_of(network: Classifier, store: Store, indices: Sequence[int], recipe: Recipe) -> np.ndarray:
    """(N, D) float32 pooled features of the evaluation views."""
    from .augment import normalise, recipe_view

    network.eval()
    parts = []
    for start in range(0, len(indices), 32):
        views = np.stack([recipe_view(store.picture(i), recipe) for i in indices[start : start + 32]])
        parts.append(
            network.backbone.extract_features(torch.from_numpy(normalise(views, network.preprocessing)))
            .mean((2, 3))
            .numpy()
        )
    return np.concatenate(parts)
