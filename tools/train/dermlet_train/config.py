"""A training recipe: one dataclass of defaults, overridden by a small TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run. Units and meaning stand beside each field."""

    network: str = "efficientnet-lite0"
    classes: tuple[str, ...] = ()
    seed: int = 1
    train_size: int = 160  # pixels, side of the square the network is trained on (multiple of 32)
    train_size_steps: tuple[tuple[int, int], ...] = ()  # (epochs, side) before `train_size`: smaller pictures first (Tan & Le 2021, EfficientNetV2)
    input_size: int = 224  # pixels, side of the square the network is run on (multiple of 32)
    epochs: int = 8
    samples_per_epoch: int = 10080
    batch_size: int = 48
    negatives_per_batch: int = 4  # pictures of no class, pushed to low energy and a flat softmax; a third are `other` lesions where there are any
    learning_rate: float = 2e-3  # AdamW, one-cycle: linear warm-up, cosine to zero
    weight_decay: float = 0.02
    warmup_fraction: float = 0.06
    label_smoothing: float = 0.05
    mixup_alpha: float = 0.2
    dropout: float = 0.2
    ema_decay: float = 0.998  # per step; the averaged weights are what is exported
    class_balance: float = 0.3  # sampling weight of a (family, class) cell is n ** class_balance
    calibration_fraction: float = 0.08  # of the training groups, never trained on
    energy_margin_in: float = 4.0  # logsumexp that a picture of a class should exceed
    energy_margin_out: float = 1.0  # logsumexp that a negative should stay under
    negative_weight: float = 0.1

    @staticmethod
    def load(path: Path) -> Recipe:
        """Reads a recipe; an unknown key is an error, so that a typing slip never trains silently."""
        values = tomllib.loads(path.read_text())
        known = {field.name for field in fields(Recipe)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"{path}: unknown keys {unknown}")
        values["classes"] = tuple(values["classes"])
        values["train_size_steps"] = tuple((int(epochs), int(side)) for epochs, side in values.get("train_size_steps", ()))
        sides = [("train_size", values.get("train_size", 32)), ("input_size", values.get("input_size", 32))]
        for key, side in sides + [("train_size_steps", side) for _, side in values["train_size_steps"]]:
            if side % 32:
                raise ValueError(f"{path}: {key} must be a multiple of 32")
        return Recipe(**values)

    def side_at(self, epoch: int) -> int:
        """The side, in pixels, that epoch (from 0) is trained at."""
        for epochs, side in self.train_size_steps:
            if epoch < epochs:
                return side
            epoch -= epochs
        return self.train_size


# Pictures of one family share a camera, a framing and a labelling practice; sampling is balanced over families first.
FAMILIES: dict[str, tuple[str, ...]] = {
    "ham": ("ham10000", "ham10000-256", "isic2017"),
    "milk-dermoscopy": ("milk10k-derm",),
    "milk-photo": ("milk10k-clinical",),
    "pad": ("pad-ufes-20",),
}
FAMILY_SHARE: dict[str, float] = {"ham": 0.37, "milk-dermoscopy": 0.22, "milk-photo": 0.27, "pad": 0.14}


def family_of(set_name: str) -> str:
    """The family of a set; a set that no family names is a family of its own."""
    for family, members in FAMILIES.items():
        if set_name in members:
            return family
    return set_name
