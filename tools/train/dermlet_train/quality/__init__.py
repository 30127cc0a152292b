"""The limits of the quality gate, chosen by what worse pictures cost the network.

Pictures that it was not trained on are degraded in steps (`degrade.py`), go through the shipped path, and show at which
step balanced accuracy has dropped by a stated amount. Each check's limit is the one that best parts the steps from
there on from those before, of those that flag few undegraded pictures (`choose.py`). Limits are chosen on the
calibration part, with undegraded pictures of the training part, and reported on the validation part, for each modality
by itself. They go into the manifest's `quality`, the figures into `figures/quality.json` and `QUALITY.md`. The
network's answers are kept under `--cache`, so a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..card.measure import Row
from ..manifest import read_manifest, write_manifest
from ..metrics import auc, balanced_accuracy
from ..reading import table_rows
from ..repository import require_checkout
from ..store import part_of
from .choose import Roc, choose, harmful_from, tell
from .degrade import DEGRADATIONS, Degradation
from .measure import UNDEGRADED, Answers, core_values, evenly, identity, predict, write_pictures
from .report import write_report

CHOOSING, REPORTING = "calib", "val"
# Only how often its pictures would be flagged as they are is asked, which the network has no part in: the few of the
# calibration part alone say little of a share of two in a thousand.
TRAINING = "train"


def add_arguments(step: argparse.ArgumentParser) -> None:
    from ..calibrate.outputs import default_cache

    step.add_argument("--model", type=Path, required=True, help="a model folder: its manifest gets the limits")
    step.add_argument(
        "--labels",
        type=Path,
        action="append",
        required=True,
        help="label table with splits (or a store's rows.csv, with parts); may be given several times",
    )
    step.add_argument("--images", type=Path, required=True)
    step.add_argument(
        "--calibration-fraction",
        type=float,
        default=0.08,
        help="of the training groups, where the table names no parts (%(default)s)",
    )
    step.add_argument(
        "--drop",
        type=float,
        default=0.1,
        help="balanced accuracy that must be lost for a step to count as harmful (%(default)s)",
    )
    step.add_argument(
        "--flagged",
        type=float,
        default=0.002,
        help="largest share of undegraded pictures that one check may flag (%(default)s)",
    )
    step.add_argument(
        "--pictures",
        type=int,
        default=160,
        help="pictures of each modality that the network classifies at every step (%(default)s)",
    )
    step.add_argument(
        "--undegraded",
        type=int,
        default=4000,
        help="undegraded pictures of each modality whose quality is measured: to choose by, of the calibration and the"
        " training part, and to report, of the validation part (at most %(default)s each)",
    )
    step.add_argument(
        "--only",
        metavar="CHECK[,CHECK]",
        help="measure these checks alone; what the model's report says of the others stays, so give the same options",
    )
    step.add_argument("--jobs", type=int, default=2)
    step.add_argument(
        "--cache",
        type=Path,
        default=default_cache().parent / "quality",
        help="where the network's answers are kept (%(default)s)",
    )


@dataclass(frozen=True)
class Finding:
    """One check of one modality."""

    check: str
    modality: str
    key: str
    limit: float | None  # None: no step was harmful, the check is left out
    steps: tuple[float, ...]
    lost: tuple[float, ...]  # balanced accuracy lost at each step
    lost_auc: tuple[float | None, ...]  # malignant against the rest
    harmful: tuple[float, ...]
    roc: dict[str, Roc]  # by part


def read_parts(tables: Sequence[Path], classes: Sequence[str], fraction: float) -> dict[str, list[Row]]:
    """The rows of the parts whose label is a class. Raises SystemExit when there are none to choose or to report by."""
    parts: dict[str, list[Row]] = {CHOOSING: [], REPORTING: [], TRAINING: []}
    for table in tables:
        for row in table_rows(table, ("label",)):
            part = row.get("part") or part_of({"group": identity(row), **row}, fraction)
            if part in parts and row["label"] in classes:
                parts[part].append(row)
    for part in (CHOOSING, REPORTING):
        if not parts[part]:
            raise SystemExit(f"quality: no picture of the part '{part}'")
    return parts


def run(arguments: argparse.Namespace) -> None:
    require_checkout("`quality`")
    manifest = read_manifest(arguments.model)
    classes = [entry["id"] for entry in manifest["classes"]]
    parts = read_parts(arguments.labels, classes, arguments.calibration_fraction)
    only = chosen_checks(arguments.only)
    findings = kept_findings(arguments.model, only) if arguments.only else []
    for modality in (entry["id"] for entry in manifest["modalities"]):
        rows = {part: [row for row in own if row.get("modality") == modality] for part, own in parts.items()}
        if not (rows[CHOOSING] and rows[REPORTING]):
            print(f"quality: {modality}: too few pictures, no limits chosen", flush=True)
            continue
        findings += measure_modality(modality, rows, manifest, arguments, only)
    order = [d.check for d in DEGRADATIONS]
    findings.sort(key=lambda finding: (finding.modality, order.index(finding.check)))
    if not findings:
        raise SystemExit("quality: no modality has pictures in both parts")
    manifest["quality"] = limits_of(findings, manifest["quality"])
    write_manifest(arguments.model, manifest)
    options = {
        "drop": arguments.drop,
        "flagged": arguments.flagged,
        "pictures": arguments.pictures,
        "undegraded": arguments.undegraded,
    }
    write_report(arguments.model, manifest, findings, options)


def limits_of(findings: Sequence[Finding], before: dict[str, Any]) -> dict[str, Any]:
    """The manifest's `quality`: limits chosen for a modality replace those it had; limits for all modalities stay as
    they are.
    """
    quality: dict[str, Any] = {key: value for key, value in before.items() if key != "modalities"}
    own: dict[str, dict[str, float]] = {}
    for finding in findings:
        if finding.limit is not None:
            own.setdefault(finding.modality, {})[finding.key] = finding.limit
    return {**quality, "modalities": {**before.get("modalities", {}), **own}}


def chosen_checks(text: str | None) -> tuple[str, ...]:
    """Ids of the checks of a list separated by commas; of all without one. Raises SystemExit."""
    known = tuple(d.check for d in DEGRADATIONS)
    wanted = known if text is None else tuple(text.split(","))
    if unknown := [check for check in wanted if check not in known]:
        raise SystemExit(f"quality: there is no check {', '.join(unknown)}; there are {', '.join(known)}")
    return wanted


def kept_findings(model: Path, measured: Sequence[str]) -> list[Finding]:
    """What the model's report says of the checks that are not measured anew. Raises SystemExit where there is none: the
    limits of those checks would be lost."""
    path = model / "figures" / "quality.json"
    if not path.exists():
        raise SystemExit(f"quality: --only needs {path}, which a run without it writes")
    return [
        Finding(**{**entry, "roc": {part: Roc(**figures) for part, figures in entry["roc"].items()}})
        for entry in json.loads(path.read_text())["findings"]
        if entry["check"] not in measured
    ]


def measure_modality(
    modality: str,
    rows: dict[str, list[Row]],
    manifest: dict[str, Any],
    arguments: argparse.Namespace,
    only: Sequence[str],
) -> list[Finding]:
    sampled = {part: evenly(rows[part], arguments.pictures) for part in (CHOOSING, REPORTING)}
    undegraded = {
        CHOOSING: _undegraded_values(rows[CHOOSING] + rows[TRAINING], manifest, arguments),
        REPORTING: _undegraded_values(rows[REPORTING], manifest, arguments),
    }
    clean, _ = _through(sampled[CHOOSING], None, manifest, arguments, True)
    findings = []
    for degradation in (d for d in DEGRADATIONS if d.check in only):
        answers, chosen = _through(sampled[CHOOSING], degradation, manifest, arguments, not degradation.hopeless)
        _, reported = _through(sampled[REPORTING], degradation, manifest, arguments, False)
        values = {
            CHOOSING: undegraded[CHOOSING][degradation.check] | chosen,
            REPORTING: undegraded[REPORTING][degradation.check] | reported,
        }
        findings.append(
            judge(
                modality,
                degradation,
                sampled[CHOOSING],
                clean | answers,
                values,
                manifest,
                arguments.drop,
                arguments.flagged,
            )
        )
        print(f"quality: {sentence(findings[-1])}", flush=True)
    return findings


def sentence(finding: Finding) -> str:
    if finding.limit is None:
        return (
            f"{finding.modality} {finding.check}: no step is harmful (lost at most {max(finding.lost):.3f}); not"
            " checked"
        )
    roc = finding.roc[REPORTING]
    return (
        f"{finding.modality} {finding.check}: {finding.key} {finding.limit:g}; area {roc.area:.3f}, flags"
        f" {roc.flagged:.1%}, catches {roc.caught:.1%}"
    )


def _undegraded_values(
    rows: Sequence[Row], manifest: dict[str, Any], arguments: argparse.Namespace
) -> dict[str, dict[str, np.ndarray]]:
    """By check: {"undegraded": values}. A fixed order spread over all rows, without regard to labels: they occur here
    as in the part.
    """
    order = np.random.default_rng(0).permutation(len(rows))[: arguments.undegraded]
    with tempfile.TemporaryDirectory() as folder:
        copies = write_pictures([rows[i] for i in order], arguments.images, None, Path(folder))
        found = list(core_values(copies, Path(folder), manifest["input"]).values())
    return {d.check: {UNDEGRADED: np.array([value[d.check] for value in found])} for d in DEGRADATIONS}


def answers_key(manifest: dict[str, Any]) -> str:
    """What kept answers belong to: all of a model that decides its probabilities, finder and calibration too."""
    deciding = {key: value for key, value in manifest.items() if key not in ("quality", "training")}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:16]


def _through(
    rows: Sequence[Row],
    degradation: Degradation | None,
    manifest: dict[str, Any],
    arguments: argparse.Namespace,
    ask: bool,
) -> tuple[Answers, dict[str, np.ndarray]]:
    """The network's answers (if wanted) and the check's own values by setting, of every step of
    one degradation.
    """
    name = degradation.check if degradation else UNDEGRADED
    kept = arguments.cache / f"{answers_key(manifest)}-{name}.csv"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        copies = write_pictures(rows, arguments.images, degradation, folder)
        answers = (
            predict(
                copies, folder, arguments.model, [entry["id"] for entry in manifest["classes"]], arguments.jobs, kept
            )
            if ask
            else {}
        )
        if degradation is None:
            return answers, {}
        values: dict[str, list[float]] = {name: [] for name in degradation.names()}
        for (setting, _), found in core_values(copies, folder, manifest["input"]).items():
            values[setting].append(found[degradation.check])
    return answers, {setting: np.array(own) for setting, own in values.items()}


def accuracy(
    rows: Sequence[Row], answers: Answers, setting: str, classes: Sequence[str], malignant: Sequence[str]
) -> tuple[float, float | None]:
    """Balanced accuracy, and the malignant classes' area under the ROC curve, of one setting."""
    probabilities = np.stack([answers[setting, identity(row)] for row in rows])
    truth = [row["label"] for row in rows]
    guess = [classes[k] for k in probabilities.argmax(1)]
    bad = np.isin(classes, malignant)
    return balanced_accuracy(truth, guess), auc(probabilities[:, bad].sum(1), np.isin(truth, malignant))


def judge(
    modality: str,
    degradation: Degradation,
    rows: Sequence[Row],
    answers: Answers,
    values: dict[str, dict[str, np.ndarray]],
    manifest: dict[str, Any],
    drop: float,
    at_most: float,
) -> Finding:
    """Which steps harm, the limit, and what it does on both parts."""
    classes = [entry["id"] for entry in manifest["classes"]]
    malignant = [entry["id"] for entry in manifest["classes"] if entry["concern"] == "high"]
    steps = [degradation.name(step) for step in degradation.steps]
    areas: list[float | None]
    if degradation.hopeless:
        lost, areas, first = [1.0] * len(steps), [None] * len(steps), 0
    else:
        reference = UNDEGRADED if degradation.reference is None else degradation.name(degradation.reference)
        before, area = accuracy(rows, answers, reference, classes, malignant)
        at = [accuracy(rows, answers, name, classes, malignant) for name in steps]
        lost = [before - accurate for accurate, _ in at]
        areas = [None if area is None or now is None else area - now for _, now in at]
        first = harmful_from(lost, drop)
    harmful, limit, roc = steps[first:], None, {}
    if harmful:
        own = values[CHOOSING]
        limit = choose(
            own[UNDEGRADED],
            [own[name] for name in steps[:first]],
            [own[name] for name in harmful],
            degradation.highest,
            at_most,
        )
        limit = float(f"{limit:.4g}")
        roc = {part: tell(of, harmful, steps, UNDEGRADED, limit, degradation.highest) for part, of in values.items()}
    return Finding(
        degradation.check,
        modality,
        degradation.key,
        limit,
        degradation.steps,
        tuple(lost),
        tuple(areas),
        degradation.steps[first:],
        roc,
    )
