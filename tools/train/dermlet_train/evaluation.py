"""Figures of a network on a part of the store, none of which depends on how often a class occurs: balanced accuracy and
areas under ROC curves.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import torch

from .augment import evaluation_view, normalise
from .calibration import softmax
from .config import Recipe, family_of
from .metrics import auc, balanced_accuracy
from .network import Classifier
from .store import Store


@torch.inference_mode()
def logits_of(
    network: Classifier, store: Store, indices: list[int], size: int, device: torch.device, recipe: Recipe | None = None
) -> np.ndarray:
    """(N, K) float32 logits of the evaluation views of the given pictures; the views are the shipped ones unless
    `recipe` asks for others.
    """
    network.eval()
    framing = (recipe.crop, recipe.crop_pct, recipe.colour_constancy) if recipe else ()
    parts = [np.zeros((0, network.head.out_features), np.float32)]
    for start in range(0, len(indices), 32):
        views = np.stack([evaluation_view(store.picture(i), size, *framing) for i in indices[start : start + 32]])
        pixels = (
            torch.from_numpy(normalise(views, network.preprocessing))
            .to(device)
            .contiguous(memory_format=torch.channels_last)
        )
        parts.append(network(pixels).float().cpu().numpy())
    return np.concatenate(parts)


def report(
    network: Classifier, store: Store, recipe: Recipe, part: str, size: int, device: torch.device
) -> dict[str, float]:
    """Per family: balanced accuracy, AUC of the positive class (`<family> mel-auc`) and of the malignant ones together;
    `mean`, the families' mean accuracy.

    `ham-7` merges scc into akiec as the seven-class benchmark has it. A figure that the pictures cannot give is left
    out.
    """
    indices = [i for i in store.where(part) if store.rows[i]["label"] in recipe.classes]
    probabilities = softmax(logits_of(network, store, indices, size, device, recipe).astype(np.float64))
    families: dict[str, list[int]] = defaultdict(list)
    for n, i in enumerate(indices):
        families[family_of(store.rows[i]["set"])].append(n)
    truths = [store.rows[i]["label"] for i in indices]
    guesses = [recipe.classes[k] for k in probabilities.argmax(1)]
    figures: dict[str, float] = {}
    for family, members in sorted(families.items()):
        truth, guess = [truths[n] for n in members], [guesses[n] for n in members]
        figures[family] = balanced_accuracy(truth, guess)
        seven = [n for n in members if store.rows[indices[n]]["set"].startswith("ham")]
        if seven:
            merged = [["akiec" if names[n] == "scc" else names[n] for n in seven] for names in (truths, guesses)]
            figures["ham-7"] = balanced_accuracy(merged[0], merged[1])
        for title, group in ((f"{recipe.positive}-auc", (recipe.positive,)), ("malignant-auc", recipe.malignant)):
            chosen = [k for k, name in enumerate(recipe.classes) if name in group]
            area = auc(probabilities[members][:, chosen].sum(1), np.isin(truth, group)) if chosen else None
            if area is not None:
                figures[f"{family} {title}"] = area
    if families:
        figures["mean"] = float(np.mean([figures[family] for family in families]))
    return {key: round(value, 4) for key, value in figures.items()}
