"""The findings as text and Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import rejection
from ..contract import CONCERNS
from .findings import Findings
from .fitting import Fitted


def figures_row(name: str, found: Fitted) -> str:
    figures, error = found.figures, found.figures["calibrationError"]
    cells = [name, str(figures["pictures"]), f"{found.temperature:g}", f"{figures['balancedAccuracy']:.3f}"]
    cells.append(f"{error['measured']:.3f} ({error['perfect_mean']:.3f}, {error['perfect_high']:.3f})")
    cells += [f"{figures['coverage']:.3f}", f"{figures['meanSetSize']:.2f}", f"{figures['shareSingle']:.2f}"]
    cells.append(f"{figures['refused']:.3f}" if "refused" in figures else "")
    return "| " + " | ".join(cells) + " |"


def pair_line(figures: Mapping[str, Any]) -> str:
    cells = [
        f"{name} {own['balancedAccuracy']:.3f} ({own['negativeLogLikelihood']:.3f})"
        for name, own in (figures["alone"] | {"together": figures}).items()
    ]
    return f"Lesions with both pictures, balanced accuracy (negative log-likelihood): {', '.join(cells)}"


def tier_row(name: str, kind: str, own: Mapping[str, Any]) -> str:
    cells = [
        f"{own[tier]['share']:.3f} ({own[tier]['interval'][0]:.3f} to {own[tier]['interval'][1]:.3f})"
        for tier in CONCERNS
    ]
    return "| " + " | ".join([name, kind, str(own["pictures"]), *cells]) + " |"


def report(findings: Findings) -> str:
    """The findings as text and Markdown tables."""
    lines = [
        (
            "Cross-fitted by group on the calibration part. In brackets: the mean and the 95 % point of what a"
            " perfectly calibrated model shows."
        ),
        "",
    ]
    lines += [
        (
            "| part | pictures | temperature | balanced accuracy | calibration error | coverage | set size | single |"
            " refused |"
        ),
        "|" + "---|" * 9,
    ]
    parts = [
        *findings.modalities.items(),
        *((f"{name}, test-time augmentation", found) for name, found in findings.test_time_augmentation.items()),
    ]
    pairs = [
        (pair, extra)
        for pair, extra in ((findings.combination, ""), (findings.augmented_combination, ", test-time augmentation"))
        if pair
    ]
    parts += [(" + ".join(pair.modalities) + extra, pair.fitted) for pair, extra in pairs]
    lines += [figures_row(name, found) for name, found in parts]
    lines += ["", "| part | coverage by class |", "|---|---|"]
    lines += [
        f"| {name} | {', '.join(f'{k} {v:.2f}' for k, v in found.figures['coverageByClass'].items())} |"
        for name, found in parts
    ]
    lines += [
        "",
        "Tiers of each kind of picture, cross-fitted, in brackets the 95 % interval of so many pictures (Wilson):",
        "",
    ]
    lines += ["| part | kind | pictures | low | moderate | high |", "|" + "---|" * 6]
    lines += [tier_row(name, kind, own) for name, found in parts for kind, own in found.figures["tiers"].items()]
    for pair, extra in pairs:
        lines += ["", pair_line(pair.fitted.figures) + extra]
    if findings.compared:
        size = f", {len(findings.sidecar.to_bytes()) / 1000:.0f} kB" if findings.sidecar else ""
        lines += ["", f"Rejection: {findings.method}{size}", "", rejection.table(findings.compared, findings.method)]
    return "\n".join(lines)
