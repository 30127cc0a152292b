"""What `quality` found, as JSON and as a page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .degrade import DEGRADATIONS

if TYPE_CHECKING:
    from . import Finding

UNITS = {d.check: d.unit for d in DEGRADATIONS}
PARTS = {
    "calib": "calibration part and undegraded pictures of the training part, where the limit was chosen",
    "val": "validation part",
}


def write_report(
    model: Path, manifest: Mapping[str, Any], findings: Sequence[Finding], options: Mapping[str, Any]
) -> None:
    (model / "figures").mkdir(exist_ok=True)
    report: dict[str, Any] = {
        "model": {"name": manifest["name"], "version": manifest["version"], "sha256": manifest["file"]["sha256"]},
        "options": dict(options),
    }
    report["findings"] = [_rounded(asdict(finding)) for finding in findings]
    (model / "figures" / "quality.json").write_text(json.dumps(report, indent=2) + "\n")
    (model / "QUALITY.md").write_text(page(manifest, findings, options))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(own) for own in value]
    return round(value, 4) if isinstance(value, float) else value


def page(manifest: Mapping[str, Any], findings: Sequence[Finding], options: Mapping[str, Any]) -> str:
    """Markdown: the rule, a table of limits and ROC a modality, and what each step cost."""
    lines = [
        f"# {manifest['name']} {manifest['version']}: when is a picture too poor?",
        "",
        (
            "Pictures that the network was not trained on were made worse in steps and classified through the shipped"
            " path. A step is harmful from"
        ),
        (
            f"where balanced accuracy has lost {options['drop']:g}, over {options['pictures']} pictures of a modality"
            " (as many of each category as there are"
        ),
        (
            "and room for), losses made non-decreasing first. Each limit parts harmful steps best from harmless ones,"
            " flagging at most"
        ),
        (
            f"{options['flagged']:.2%} of up to {options['undegraded']} undegraded pictures of the calibration and"
            " training parts. A check without a harmful step is not made."
        ),
        "`wasm_src/core/view/quality.h` says what each check measures. Written by `python -m dermlet_train quality`.",
    ]
    for modality in dict.fromkeys(finding.modality for finding in findings):
        own = [finding for finding in findings if finding.modality == modality]
        for part, title in PARTS.items():
            lines += [
                "",
                f"## {modality}, {title}",
                "",
                "| check | limit | area under ROC | undegraded flagged | harmful caught |",
                "|---|---|---|---|---|",
            ]
            for finding in own:
                if finding.limit is None:
                    lines.append(f"| {finding.check} | not made | | | |")
                    continue
                roc = finding.roc[part]
                lines.append(
                    f"| {finding.check} | {finding.key} {finding.limit:g} | {roc.area:.3f} | {roc.flagged:.1%} |"
                    f" {roc.caught:.1%} |"
                )
        lines += ["", f"## {modality}, what each step costs", ""]
        lines += [
            "| check | step | balanced accuracy lost | malignant AUC lost | harmful | flagged (validation part) |",
            "|---|---|---|---|---|---|",
        ]
        for finding in own:
            for i, step in enumerate(finding.steps):
                area = finding.lost_auc[i]
                shares = finding.roc["val"].caught_by_step if finding.roc else None
                cells = [
                    "all" if area is None else f"{finding.lost[i]:+.3f}",
                    "all" if area is None else f"{area:+.3f}",
                ]
                cells += ["yes" if step in finding.harmful else "no", "" if shares is None else f"{shares[i]:.1%}"]
                lines.append(f"| {finding.check} | {step:g} {UNITS[finding.check]} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
