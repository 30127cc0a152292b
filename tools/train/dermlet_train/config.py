"""A training recipe: one dataclass of defaults, overridden by a small TOML file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from .preprocessing import CROPS
from .reading import read_toml

AUGMENTATIONS = ("geometry", "colour", "degrade", "overlays")
SCHEDULES = ("constant", "cosine", "plateau")
MODALITIES = ("dermoscopy", "photo")  # that the modality loss distinguishes
PRECISIONS = ("auto", "bf16", "fp16", "fp32")
_TABLES = ("family_share", "smallest_crop_of")  # name -> share


@dataclass(frozen=True)
class Stage:
    """A part of a schedule. `trainable`: `head`, `last:N` (the head and the N last layers with weights before it) or
    `all`.

    `schedule`: `constant`; `cosine` (linear warm-up, then to zero); `plateau` (cut by `plateau_factor` when the watched
    figure stands still).
    """

    epochs: int
    learning_rate: float
    trainable: str = "all"
    schedule: str = "cosine"

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.schedule not in SCHEDULES:
            raise ValueError(
                f"stages: at least one epoch and a schedule of {', '.join(SCHEDULES)}, not {self.epochs} and"
                f" {self.schedule!r}"
            )
        kind, _, count = self.trainable.partition(":")
        if not (self.trainable in ("head", "all") or (kind == "last" and count.isdigit())):
            raise ValueError(f"stages: trainable is head, last:N or all, not {self.trainable!r}")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a training run. Units and meaning stand beside each field."""

    network: str = "efficientnet-lite0"
    classes: tuple[str, ...] = ()
    seed: int = 1
    train_size: int = 160  # pixels, side of the square the network is trained on (multiple of 32)
    train_size_steps: tuple[
        tuple[int, int], ...
    ] = ()  # (epochs, side) before `train_size`: smaller pictures first (Tan & Le 2021, EfficientNetV2)
    input_size: int = 224  # pixels, side of the square the network is run on (multiple of 32)
    epochs: int = 8
    samples_per_epoch: int = 10080
    batch_size: int = 48
    # pictures of no class, pushed to low energy and a flat softmax; a third are `other` lesions where there are any
    negatives_per_batch: int = 4
    learning_rate: float = 2e-3  # AdamW, one-cycle: linear warm-up, cosine to zero
    weight_decay: float = 0.02
    warmup_fraction: float = 0.06
    label_smoothing: float = 0.05
    mixup_alpha: float = 0.2
    dropout: float = 0.2
    ema_decay: float = 0.998  # per step; the averaged weights are what is exported
    family_share: tuple[tuple[str, float], ...] = (
        ("ham", 0.37),
        ("milk-dermoscopy", 0.22),
        ("milk-photo", 0.27),
        ("pad", 0.14),
    )  # of the samples; others 0.1
    class_balance: float = 0.3  # sampling weight of a (family, class) cell is n ** class_balance
    calibration_fraction: float = 0.08  # of the training groups, never trained on
    energy_margin_in: float = 4.0  # logsumexp that a picture of a class should exceed
    energy_margin_out: float = 1.0  # logsumexp that a negative should stay under
    negative_weight: float = 0.1

    # checkpoint or model folder (then `folded`) of the same network and classes that a fresh run begins with, instead
    # of ImageNet weights
    start: str = ""
    weights: str = (
        ""  # file with ImageNet weights (torchvision's or timm's state dict), for networks whose weights are no package
    )
    folded: bool = False  # convolutions with bias, no batch norm: a network read back from a shipped file
    stages: tuple[Stage, ...] = ()  # none: one stage of `epochs` at `learning_rate`, all layers, cosine
    # epochs without a better `watch` after which a stage ends; 0 never. The best averaged weights are kept in best.pt
    patience: int = 0
    watch: str = "mean"  # figure of the calib part for patience and plateau; higher is better
    plateau_patience: int = 2  # epochs
    plateau_factor: float = 0.3
    precision: str = "auto"  # bf16 where the device has it, else fp16 with scaled losses (GPU) or fp32 (CPU)
    sync_batch_norm: bool = False  # batch norm over all processes' pictures (GPU)

    # of a loss that asks the embedding for the modality, so that a linear probe can tell it (modality_probe.py); 0:
    # none
    modality_weight: float = 0.0

    teacher: tuple[str, ...] = ()  # checkpoints or model folders; several are an ensemble
    distill_weight: float = 0.5  # share of the loss that comes from the teacher
    distill_temperature: float = 2.0

    positive: str = "mel"  # class whose AUC is reported after each epoch
    malignant: tuple[str, ...] = ("mel", "bcc", "scc")  # classes that the malignant AUC takes together

    # Switches for ablations.
    augment: tuple[str, ...] = AUGMENTATIONS  # families in use; mixup has its own key
    crop: str = "cover"  # preprocessing.frame_of
    smallest_crop: float = 0.3  # area of the smallest training crop, as a share of the frame
    smallest_crop_of: tuple[
        tuple[str, float], ...
    ] = ()  # ... of one modality: photos that show much skin around a lesion need closer crops
    # share of each side of that frame that evaluation shows, its middle; training draws its crops from all of it
    crop_pct: float = 1.0
    colour_constancy: bool = False  # shades of grey, in training and evaluation
    train_modalities: tuple[str, ...] = ()  # only these in training; none: all
    train_sets: tuple[str, ...] = ()
    # share of the lesions (groups) that is trained on, the same ones for every seed: for learning curves
    train_share: float = 1.0

    @staticmethod
    def load(path: Path, overrides: Sequence[str] = ()) -> Recipe:
        """Reads a recipe; `overrides` are `key=value` with the value as TOML has it (a bare word is a string). Raises
        ValueError, FileRefused, OSError.
        """
        return Recipe.of(read_toml(path), str(path)).override(overrides)

    @staticmethod
    def of(values: Mapping[str, Any], where: str) -> Recipe:
        """From plain values. An unknown key is an error, so that a typing slip never trains silently."""
        known = {field.name: field.default for field in fields(Recipe)}
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ValueError(f"{where}: unknown keys {unknown}")
        try:
            plain: dict[str, Any] = {
                key: _typed(value, known[key])
                for key, value in values.items()
                if key not in ("stages", "train_size_steps", *_TABLES)
            }
            steps = tuple((int(epochs), int(side)) for epochs, side in values.get("train_size_steps", ()))
            for key in _TABLES:
                if key in values:
                    plain[key] = tuple((str(name), float(share)) for name, share in dict(values[key]).items())
            stages = tuple(stage if isinstance(stage, Stage) else Stage(**stage) for stage in values.get("stages", ()))
            if stages:
                planned = sum(stage.epochs for stage in stages)
                if plain.setdefault("epochs", planned) != planned:
                    raise ValueError(f"epochs is {plain['epochs']}, but the stages have {planned} together")
            recipe = Recipe(**plain, stages=stages, train_size_steps=steps)
            recipe._check()
        except (TypeError, ValueError) as error:
            raise ValueError(f"{where}: {error}") from error
        return recipe

    def override(self, settings: Sequence[str]) -> Recipe:
        """A copy with `key=value` settings."""
        values = self.to_dict()
        for setting in settings:
            key, equals, text = setting.partition("=")
            if not equals:
                raise ValueError(f"{setting!r}: give key=value")
            try:
                values[key.strip()] = tomllib.loads(f"x = {text}")["x"]
            except tomllib.TOMLDecodeError:
                values[key.strip()] = text.strip()
        return Recipe.of(values, ", ".join(settings)) if settings else self

    def _check(self) -> None:
        if self.samples_per_epoch % self.batch_size:
            raise ValueError("samples_per_epoch must be a multiple of batch_size")
        for key, side in [
            ("train_size", self.train_size),
            ("input_size", self.input_size),
            *(("train_size_steps", side) for _, side in self.train_size_steps),
        ]:
            if side % 32 or side <= 0:
                raise ValueError(f"{key} must be a multiple of 32")
        for key, value, allowed in (("crop", self.crop, CROPS), ("precision", self.precision, PRECISIONS)):
            if value not in allowed:
                raise ValueError(f"{key} must be one of {', '.join(allowed)}")
        for share in (self.smallest_crop, *dict(self.smallest_crop_of).values()):
            if not 0.01 <= share <= 1:
                raise ValueError("smallest_crop and the shares of smallest_crop_of must lie in 0.01..1")
        if not 0.25 <= self.crop_pct <= 1:
            raise ValueError("crop_pct must lie in 0.25..1")
        if unknown := sorted(set(self.augment) - set(AUGMENTATIONS)):
            raise ValueError(f"augment: unknown {unknown}; there are {', '.join(AUGMENTATIONS)}")
        if not 0 < self.train_share <= 1:
            raise ValueError("train_share must lie above 0 and be at most 1")
        if self.modality_weight < 0:
            raise ValueError("modality_weight must not be negative")
        if not 0 <= self.distill_weight <= 1 or self.distill_temperature <= 0:
            raise ValueError("distill_weight must lie in 0..1 and distill_temperature above 0")

    def to_dict(self) -> dict[str, Any]:
        """Plain values that `of` reads back."""
        return asdict(self)

    def to_toml(self) -> str:
        """The keys that differ from the defaults, as a recipe file."""
        plain = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name != "stages" and getattr(self, field.name) != field.default
        }
        if self.stages:
            plain.pop("epochs", None)
        lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in plain.items()]
        for stage in self.stages:
            lines += ["", "[[stages]]", *(f"{key} = {json.dumps(value)}" for key, value in asdict(stage).items())]
        return "\n".join(lines) + "\n"

    def plan(self) -> tuple[Stage, ...]:
        """The stages; a recipe without any is one stage."""
        return self.stages or (Stage(self.epochs, self.learning_rate),)

    def smallest_crop_in(self, modality: str) -> float:
        """The area, as a share of the frame, of the smallest training crop of a picture of that modality."""
        return dict(self.smallest_crop_of).get(modality, self.smallest_crop)

    def side_at(self, epoch: int) -> int:
        """The side, in pixels, that epoch (from 0) is trained at."""
        for epochs, side in self.train_size_steps:
            if epoch < epochs:
                return side
            epoch -= epochs
        return self.train_size


def _typed(value: object, default: object) -> object:
    """A TOML value as the field wants it: lists become tuples, whole numbers serve as floats; anything else of another
    type is an error.
    """
    if isinstance(default, tuple) and isinstance(value, list | tuple):
        return tuple(value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(default):
        raise TypeError(f"{value!r} where something like {default!r} is expected")
    return value


# Pictures of one family share a camera, a framing and a labelling practice; sampling is balanced over families first
# (`family_share`).
FAMILIES: dict[str, tuple[str, ...]] = {
    "ham": ("ham10000", "ham10000-256", "isic2017"),
    "milk-dermoscopy": ("milk10k-derm",),
    "milk-photo": ("milk10k-clinical",),
    "pad": ("pad-ufes-20",),
}


def family_of(set_name: str) -> str:
    """The family of a set; a set that no family names is a family of its own."""
    for family, members in FAMILIES.items():
        if set_name in members:
            return family
    return set_name
