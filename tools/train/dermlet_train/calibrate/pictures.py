"""The pictures that a model is calibrated with, and the network's outputs for them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..framing import WHOLE, Framer
from ..gate import Gate
from ..rejection import Outputs
from ..store import Store
from .outputs import OnnxNetwork, cached_outputs

REFERENCE_PER_CELL = 300  # training lesions of each (class, modality) that class means and neighbours are taken from
NEGATIVE_LABELS = ("none", "other")


@dataclass(frozen=True)
class ScoredPictures:
    """Store rows with the network's outputs for them. `labels` are class indices, -1 for negatives."""

    rows: list[Mapping[str, str]]
    labels: np.ndarray
    outputs: Outputs
    answerable: np.ndarray  # False where no class is named: no spot, or several, or too poor a picture

    def of(self, mask: np.ndarray) -> ScoredPictures:
        return ScoredPictures(
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


def score_pictures(
    network: OnnxNetwork,
    store: Store,
    classes: Sequence[str],
    indices: Sequence[int],
    views: int,
    cache: Path,
    framer: Framer | None = None,
    gate: Gate | None = None,
) -> ScoredPictures:
    """The pictures and the network's outputs: for the whole picture, or for the crop that the `framer` chooses. `gate`:
    what it turns away is not answerable.
    """
    rows: list[Mapping[str, str]] = [store.rows[i] for i in indices]
    labels = np.array([classes.index(row["label"]) if row["label"] in classes else -1 for row in rows], int)
    clusters, groups = np.array([cluster_of(row, classes) for row in rows]), np.array([row["group"] for row in rows])
    frames = framer.frames(store, indices) if framer else [WHOLE] * len(indices)
    modalities = np.array([row["modality"] for row in rows])
    outputs = Outputs(*cached_outputs(network, store, indices, views, cache, frames), clusters, groups, modalities)
    answerable = np.array([frame.answerable for frame in frames], bool)
    return ScoredPictures(rows, labels, outputs, answerable & gate.usable(store, indices) if gate else answerable)


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
