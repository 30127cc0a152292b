"""Reading the reports that `npm run evaluate` writes: a figure with its interval, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Report = Mapping[str, Any]

# Paths of the figures that a report's section holds under another name.
_PLACES: dict[str, tuple[str, ...]] = {
    "positiveAuc": ("positive", "auc"),
    "positiveSensitivityAt95Specificity": ("positive", "sensitivityAt95Specificity"),
    "positiveCoverage": ("positive", "coverage"),
    "malignantAuc": ("malignant", "auc"),
    "coverage": ("predictionSets", "coverage"),
    "meanSetSize": ("predictionSets", "meanSize"),
    "tierHighSensitivity": ("tiers", "high", "sensitivity"),
    "tierHighSpecificity": ("tiers", "high", "specificity"),
    "tierLowSensitivity": ("tiers", "low", "sensitivity"),
    "tierLowSpecificity": ("tiers", "low", "specificity"),
    **{name: ("tiers", name) for name in ("malignantLow", "positiveLow", "benignLow", "benignHigh")},
}


@dataclass(frozen=True)
class Value:
    """A figure and its 95 % interval; None where it is undefined or not measured."""

    value: float | None
    interval: tuple[float, float] | None = None

    def text(self, digits: int = 3) -> str:
        if self.value is None:
            return "-"
        if self.interval is None:
            return f"{self.value:.{digits}f}"
        low, high = self.interval
        return f"{self.value:.{digits}f} ({low:.2f} to {high:.2f})"


def section(reports: Report, path: str) -> Report | None:
    """The section at a dotted path, None where a step is missing (a measurement that was not made)."""
    here: Any = reports
    for step in path.split("."):
        if not isinstance(here, Mapping) or here.get(step) is None:
            return None
        here = here[step]
    return here


def figure(own: Report | None, name: str) -> Value:
    """A figure of one section. Raises KeyError for a name that the section cannot have, so that a slip never reads as
    'not measured'.
    """
    if own is None:
        return Value(None)
    places = _PLACES.get(name, (name,))
    if places[0] not in own and name in own:  # differences of pairs use the figure's own name
        places = (name,)
    here: Any = own
    for step in places:
        if here is None:
            return Value(None)
        here = here[step]
    if isinstance(here, Mapping):
        return Value(here["value"], _pair(here["interval"]))
    return Value(here, _pair(own.get("intervals", {}).get(name) or own.get(f"{name}Interval")))


def _pair(interval: Any) -> tuple[float, float] | None:
    return None if interval is None else (interval[0], interval[1])
