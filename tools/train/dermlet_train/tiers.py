"""The concern tier's cuts: fitted for stated shares, and how the tiers turn out on pictures that the cuts were not
fitted on.

The tier is a decision of its own (`wasm_src/core/decision/decision.h`). Of a picture's calibrated probabilities `high`
is the sum over the classes of high concern (the malignant ones) and `raised` that over those of high and moderate
concern: tier high where high >= cuts.high, else low where raised < cuts.moderate, else moderate.

- `moderate` is the greatest cut that leaves at most a stated share of malignant pictures, and at most another of the
  positive class (melanoma), below it: low is what a person may read as 'keep watching', so it is the tier that must not
  hold them.
- `high` is the greatest cut that a stated share of malignant pictures reaches.
- Where a share of benign pictures (of low concern) is stated too, and a cut can do better than both, it takes the
  middle between the two, so that neither is met at its edge. Where it cannot, the malignant pictures decide.

Each is an order statistic of the calibration pictures (split conformal, Vovk 2012: on average over calibration draws a
fresh picture lies beyond it with at most the stated share). Where the pictures are too few for the share, those of the
other modalities are taken in, and the cut is never over any of its own; where they still are, it is 0: never low, or
always high.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .calibration import kth_smallest, quantile_rank
from .contract import CONCERNS, MAX_MALIGNANT_LOW, MAX_POSITIVE_LOW, MIN_MALIGNANT_HIGH
from .sets import Scored

LOW, MODERATE, HIGH = range(3)


# The default targets, for imported models and models made from own pictures. No class is known
# to matter more than the others.
DEFAULTS: Mapping[str, Any] = {
    "positive": [],
    "maxMalignantLow": MAX_MALIGNANT_LOW,
    "maxPositiveLow": MAX_POSITIVE_LOW,
    "minMalignantHigh": MIN_MALIGNANT_HIGH,
}


@dataclass(frozen=True)
class BenignTarget:
    """Shares of the pictures of low concern: at least `min_low` in low, at most `max_high` in high."""

    min_low: float
    max_high: float


@dataclass(frozen=True)
class TierTargets:
    """What the tiers are to do. `high`, `moderate` and `positive` are class indices."""

    high: tuple[int, ...]
    moderate: tuple[int, ...]
    positive: tuple[int, ...]
    max_malignant_low: float
    max_positive_low: float
    min_malignant_high: float
    benign: Mapping[str, BenignTarget]  # by modality

    @staticmethod
    def of(classes: Sequence[str], description: Mapping[str, Any]) -> TierTargets:
        """From a model's description: its classes' concern, and `tiers`. Raises ValueError where it names no class or
        states no share.
        """
        concern = {name: str(description["classes"][name]["concern"]) for name in classes}
        stated = description.get("tiers")
        if stated is None:
            raise ValueError(
                "the model's description has no `tiers`: nobody said which shares the cuts of the concern tier are to"
                " keep"
            )
        positive = stated.get("positive", [])
        if unknown := [name for name in positive if name not in classes]:
            raise ValueError(f"tiers.positive names {unknown}, which are no classes of the recipe")
        return TierTargets(
            tuple(k for k, name in enumerate(classes) if concern[name] == "high"),
            tuple(k for k, name in enumerate(classes) if concern[name] == "moderate"),
            tuple(classes.index(name) for name in positive),
            float(stated["maxMalignantLow"]),
            float(stated["maxPositiveLow"]),
            float(stated["minMalignantHigh"]),
            {
                name: BenignTarget(float(own["minLow"]), float(own["maxHigh"]))
                for name, own in stated.get("benign", {}).items()
            },
        )


@dataclass(frozen=True)
class Cuts:
    high: float
    moderate: float

    def entry(self) -> dict[str, float]:
        return {"high": self.high, "moderate": self.moderate}


def unmeasured(concern: Sequence[str]) -> Cuts:
    """Cuts where no picture was measured: the tier is the highest concern of any class, whatever the scores."""
    if "high" in concern:
        return Cuts(0.0, 0.0)
    return Cuts(1.0, 0.0) if "moderate" in concern else Cuts(1.0, 1.0)


def sums(probabilities: np.ndarray, targets: TierTargets) -> tuple[np.ndarray, np.ndarray]:
    """(N,) `high` and (N,) `raised`."""
    high = probabilities[:, list(targets.high)].sum(1)
    return high, high + probabilities[:, list(targets.moderate)].sum(1)


def tiers_of(probabilities: np.ndarray, cuts: Cuts, targets: TierTargets) -> np.ndarray:
    """(N,) LOW, MODERATE or HIGH, as the core decides it."""
    high, raised = sums(probabilities, targets)
    return np.where(high >= cuts.high, HIGH, np.where(raised < cuts.moderate, LOW, MODERATE))


def floor5(value: float) -> float:
    """Rounded down, never below 0: a lower cut only raises tiers."""
    return max(0.0, math.floor(value * 1e5) / 1e5)


def greatest_cut(own: np.ndarray, elsewhere: Sequence[np.ndarray], share: float) -> float:
    """The greatest cut that at most `share` of such sums lie below. With too few of its own those from elsewhere are
    taken in, and then it is never over any of its own; 0 with too few of all."""
    if rank := quantile_rank(len(own), share):
        return kth_smallest(own, rank)
    pool = np.concatenate([own, *elsewhere])
    rank = quantile_rank(len(pool), share)
    return float(min(kth_smallest(pool, rank), own.min(initial=math.inf))) if rank else 0.0


def between(safe: float, wanted: float) -> float:
    """`safe`, or halfway down to `wanted` where that lies below it."""
    return (safe + wanted) / 2 if wanted < safe else safe


def fit_cuts(
    part: Scored, elsewhere: Sequence[Scored], targets: TierTargets, benign: BenignTarget | None = None
) -> Cuts:
    """Cuts for one modality, whose benign pictures are to do what `benign` says; `elsewhere` are the
    other modalities.
    """
    if not targets.high:
        names = ["moderate"] if targets.moderate else []
        return unmeasured(names)
    all_sums = [(each.labels, *sums(each.probabilities, targets)) for each in (part, *elsewhere)]

    def cut(classes: tuple[int, ...], which: int, share: float) -> float:
        own, *others = (values[which][np.isin(values[0], classes)] for values in all_sums)
        return greatest_cut(own, others, share)

    moderate = cut(targets.high, 2, targets.max_malignant_low)
    if targets.positive:
        moderate = min(moderate, cut(targets.positive, 2, targets.max_positive_low))
    high = cut(targets.high, 1, 1 - targets.min_malignant_high)
    harmless = ~np.isin(part.labels, targets.high + targets.moderate)
    if benign and harmless.any():
        _, own_high, own_raised = all_sums[0]
        moderate = between(moderate, float(np.quantile(own_raised[harmless], benign.min_low)))
        high = between(high, float(np.quantile(own_high[harmless], 1 - benign.max_high)))
    return Cuts(floor5(high), floor5(moderate))


def held_out_tiers(
    part: Scored, elsewhere: Sequence[Scored], targets: TierTargets, benign: BenignTarget | None = None
) -> np.ndarray:
    """(N,) tiers, each fold by cuts of the others; all HIGH where there is one fold only, which nothing
    can be said of.
    """
    result = np.full(len(part.labels), HIGH)
    folds = np.unique(part.folds)
    for fold in folds if len(folds) > 1 else ():
        inside = part.folds == fold
        cuts = fit_cuts(part.at(~inside), [other.at(other.folds != fold) for other in elsewhere], targets, benign)
        result[inside] = tiers_of(part.probabilities[inside], cuts, targets)
    return result


def wilson(count: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), which is defined where none or all are counted. Pictures of one lesion
    count as if they were independent.
    """
    share, spread = count / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    return max(0.0, middle - half), min(1.0, middle + half)


def tier_figures(tiers: np.ndarray, labels: np.ndarray, targets: TierTargets) -> dict[str, Any]:
    """Share of each kind of picture in each tier, with its 95 % interval."""
    raised = targets.high + targets.moderate
    kinds = {
        "malignant": np.isin(labels, targets.high),
        "positive": np.isin(labels, targets.positive),
        "moderate": np.isin(labels, targets.moderate),
        "benign": ~np.isin(labels, raised),
        "notHigh": ~np.isin(labels, targets.high),
    }
    figures: dict[str, Any] = {}
    for kind, mask in kinds.items():
        own = tiers[mask]
        if len(own):
            counts = [int((own == tier).sum()) for tier in (LOW, MODERATE, HIGH)]
            figures[kind] = {"pictures": len(own)} | {
                name: {"share": round(count / len(own), 4), "interval": [round(v, 4) for v in wilson(count, len(own))]}
                for name, count in zip(CONCERNS, counts, strict=True)
            }
    return figures
