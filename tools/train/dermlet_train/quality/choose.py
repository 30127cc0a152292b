"""From values of one check and the accuracy lost at each step to a limit, and how good that limit is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


def isotonic(losses: Sequence[float]) -> list[float]:
    """The non-decreasing sequence nearest in least squares (pool adjacent violators): what more of the same change
    costs is never less.
    """
    blocks: list[list[float]] = []
    for loss in losses:
        blocks.append([loss, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            value, count = blocks.pop()
            total = blocks[-1][1] + count
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + value * count) / total, total]
    return [value for value, count in blocks for _ in range(int(count))]


def harmful_from(losses: Sequence[float], drop: float) -> int:
    """Index of the first step at which at least `drop` is lost; their number when none is."""
    return next((i for i, loss in enumerate(isotonic(losses)) if loss >= drop), len(losses))


def roc_area(harmless: np.ndarray, harmful: np.ndarray, highest: bool) -> float:
    """Probability that a harmful picture's value is on the wrong side of a harmless one's
    (Mann-Whitney), ties half.
    """
    order = np.sort(harmless)
    below, not_above = np.searchsorted(order, harmful, "left"), np.searchsorted(order, harmful, "right")
    above = float(((below + not_above) / 2).mean() / len(order))
    return above if highest else 1 - above


def flagged(values: np.ndarray, limit: float, highest: bool) -> float:
    """Share of the values that fail."""
    return float(np.mean(values > limit if highest else values < limit))


@dataclass(frozen=True)
class Roc:
    """One check on one part: the area, and what the limit does."""

    area: float  # harmful against undegraded pictures
    flagged: float  # share of undegraded real pictures
    caught: float  # share of harmful degraded ones, each harmful step counted alike
    caught_by_step: tuple[float, ...]


def tell(
    values: Mapping[str, np.ndarray],
    harmful: Sequence[str],
    steps: Sequence[str],
    undegraded: str,
    limit: float,
    highest: bool,
) -> Roc:
    """`values` by setting; `steps` are the degraded settings, `harmful` some of them."""
    by_step = tuple(flagged(values[name], limit, highest) for name in steps)
    return Roc(
        float(np.mean([roc_area(values[undegraded], values[name], highest) for name in harmful])),
        flagged(values[undegraded], limit, highest),
        float(np.mean([share for name, share in zip(steps, by_step, strict=True) if name in harmful])),
        by_step,
    )


def choose(
    undegraded: np.ndarray, harmless: Sequence[np.ndarray], harmful: Sequence[np.ndarray], highest: bool, at_most: float
) -> float:
    """The limit that best parts harmful steps from harmless ones and undegraded pictures (Youden's J, each step and the
    undegraded counted alike), among those that flag at most `at_most` of the undegraded. Of limits that do so equally
    well the middle one."""
    kept, lost = [undegraded, *harmless], list(harmful)
    values = np.unique(np.concatenate([*kept, *lost]))
    limits = np.concatenate([values[:1], (values[:-1] + values[1:]) / 2, values[-1:]])
    allowed = np.array([flagged(undegraded, limit, highest) <= at_most for limit in limits])
    gain = np.array(
        [
            np.mean([flagged(v, t, highest) for v in lost]) - np.mean([flagged(v, t, highest) for v in kept])
            for t in limits
        ]
    )
    gain[~allowed] = -np.inf
    best = np.flatnonzero(gain >= gain.max() - 1e-9)
    return float(limits[best[len(best) // 2]])
