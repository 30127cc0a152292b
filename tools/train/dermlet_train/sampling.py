"""What an epoch is made of: which pictures in which order, augmented, as batches. The same for any number of processes
and workers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from .augment import training_view
from .config import MODALITIES, Recipe, family_of
from .preprocessing import Preprocessing, shades_of_grey
from .store import Store, place_of


class TrainingSamples(Dataset[tuple[np.ndarray, int, int]]):
    """One epoch as batches: `batch_size` labelled pictures followed by `negatives_per_batch` negatives (label -1).

    Sample `position` is drawn from (seed, epoch, position) alone, so it is the same whichever process makes it and
    wherever a run was cut off.
    """

    def __init__(self, store: Store, recipe: Recipe, epoch: int) -> None:
        self.store, self.recipe, self.epoch = store, recipe, epoch
        rng = np.random.default_rng((recipe.seed, epoch))
        labelled, negatives, others = self._pools()
        if not labelled:
            raise ValueError("the store has no training picture of the recipe's classes")
        cells = Counter(self._cell(i) for i in labelled)
        families = Counter[str]()
        for (family, _), count in cells.items():
            families[family] += count**recipe.class_balance
        weights = np.array(
            [cells[self._cell(i)] ** (recipe.class_balance - 1) / families[self._cell(i)[0]] for i in labelled]
        )
        shares = dict(recipe.family_share)
        weights *= np.array([shares.get(self._cell(i)[0], 0.1) for i in labelled])
        chosen = rng.choice(labelled, recipe.samples_per_epoch, p=weights / weights.sum())
        batches = chosen.reshape(-1, recipe.batch_size)
        other = recipe.negatives_per_batch // 3 if others else 0
        pools = [(negatives, recipe.negatives_per_batch - other if negatives else 0), (others, other)]
        extra = np.concatenate(
            [
                rng.choice(pool, (len(batches), count)) if count else np.empty((len(batches), 0), int)
                for pool, count in pools
            ],
            1,
        )
        self.order = np.concatenate([batches, extra], 1).astype(int).ravel()
        self.batch = batches.shape[1] + extra.shape[1]

    def _pools(self) -> tuple[list[int], list[int], list[int]]:
        """Training pictures of the classes, of nothing, and of other conditions. `train_modalities`, `train_sets`
        and `train_share` bind the first and the last.
        """
        labelled: list[int] = []
        negatives: list[int] = []
        others: list[int] = []
        recipe = self.recipe
        for i in self.store.where("train"):
            row = self.store.rows[i]
            if row["label"] == "none":
                negatives.append(i)
            elif row["label"] in recipe.classes and self._taken(row):
                labelled.append(i)
            elif row["label"] == "other" and self._taken(row):
                others.append(i)
        return labelled, negatives, others

    def _taken(self, row: dict[str, str]) -> bool:
        modalities, sets = self.recipe.train_modalities, self.recipe.train_sets
        return (
            (not modalities or row.get("modality") in modalities)
            and (not sets or row["set"] in sets)
            and place_of(f"share {row['group']}") < self.recipe.train_share
        )

    def _cell(self, i: int) -> tuple[str, str]:
        row = self.store.rows[i]
        return family_of(row["set"]), row["label"]

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, position: int) -> tuple[np.ndarray, int, int]:
        """View, index of the class (-1: none of them), index of the modality (-1: another one)."""
        i, recipe = int(self.order[position]), self.recipe
        rng = np.random.default_rng((recipe.seed, self.epoch, position))
        label = self.store.rows[i]["label"]
        pixels = self.store.picture(i)
        if recipe.colour_constancy:
            pixels = shades_of_grey(pixels)
        modality = self.store.rows[i].get("modality", "")
        smallest = recipe.smallest_crop_in(modality)
        view = training_view(pixels, recipe.side_at(self.epoch), rng, recipe.augment, recipe.crop, smallest)
        return (
            view,
            recipe.classes.index(label) if label in recipe.classes else -1,
            MODALITIES.index(modality) if modality in MODALITIES else -1,
        )


class Batches:
    """Positions of one process's share of each batch, from step `first` on: every `world`-th labelled picture and every
    `world`-th negative.
    """

    def __init__(self, samples: TrainingSamples, first: int, rank: int, world: int) -> None:
        self.samples, self.first, self.rank, self.world = samples, first, rank, world

    def __len__(self) -> int:
        return len(self.samples) // self.samples.batch - self.first

    def __iter__(self) -> Iterator[list[int]]:
        labelled, batch = self.samples.recipe.batch_size, self.samples.batch
        share = [*range(self.rank, labelled, self.world), *range(labelled + self.rank, batch, self.world)]
        for step in range(self.first, len(self.samples) // batch):
            yield [step * batch + k for k in share]


class Collate:
    """Samples -> (pixels, labels, modalities). For a GPU the pictures stay uint8 (N, H, W, 3) until they are there."""

    def __init__(self, preprocessing: Preprocessing, raw: bool) -> None:
        self.preprocessing, self.raw = preprocessing, raw

    def __call__(self, samples: list[tuple[np.ndarray, int, int]]) -> tuple[Tensor, Tensor, Tensor]:
        views = np.stack([view for view, _, _ in samples])
        pixels = views if self.raw else self.preprocessing.normalise(views)
        labels, modalities = (torch.tensor([sample[k] for sample in samples]) for k in (1, 2))
        return torch.from_numpy(pixels), labels, modalities
