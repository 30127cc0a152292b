"""Measures a model through the shipped path and writes its card: `npm run evaluate` on each part of the validation split, then MODEL_CARD.md from the answers.

Figures stand in `<model>/figures/<part>.json` exactly as evaluate wrote them; the card and the table in README.md are made from those files alone, so nothing
in them is typed by hand.
"""

from __future__ import annotations

import csv
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
TABLE_BEGIN, TABLE_END = "<!-- figures: made by `python -m dermlet_train card` -->", "<!-- end of figures -->"


@dataclass(frozen=True)
class Part:
    """One evaluation: a name, what a reader calls it, and evaluate's options."""

    name: str
    title: str
    options: tuple[str, ...]


PARTS = (
    Part("ham10000", "HAM10000, dermoscopy, 7 categories", ("--set", "ham10000,ham10000-256", "--merge", "scc:akiec")),
    Part("milk10k-derm", "MILK10k, dermoscopy, 8 categories", ("--set", "milk10k-derm")),
    Part("milk10k-clinical", "MILK10k, close-up photos, 8 categories", ("--set", "milk10k-clinical")),
    Part("pad-ufes-20", "PAD-UFES-20, smartphone photos, 6 categories", ("--set", "pad-ufes-20")),
    Part("all", "all sets and pictures of no category", ()),
)


def measure(model: Path, tables: list[Path], images: Path, split: str, jobs: int) -> None:
    """Runs every part's evaluation. Raises when one fails."""
    (model / "figures").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        labels = Path(folder) / "labels.csv"
        rows = [row for table in tables for row in csv.DictReader(table.open(newline=""))]
        with labels.open("w", newline="") as handle:
            writer = csv.DictWriter(handle, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        for part in PARTS:
            out = (model / "figures" / f"{part.name}.json").resolve()
            command = ["npm", "run", "--silent", "evaluate", "--", "--labels", str(labels), "--images", str(images.resolve()), "--split", split]
            command += ["--model", str(model.resolve()), "--json", str(out), "--jobs", str(jobs), *part.options]
            print(f"card: {part.title}", flush=True)
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _ranged(overall: dict[str, Any], value: float | None, interval: str) -> str:
    if value is None:
        return "-"
    low_high = overall["intervals"].get(interval)
    return f"{value:.3f}" if low_high is None else f"{value:.3f} ({low_high[0]:.2f} to {low_high[1]:.2f})"


def summary_table(figures: dict[str, dict[str, Any]]) -> str:
    """One row a part, intervals in brackets."""
    lines = [
        "| validation part | pictures | balanced accuracy | macro AUC | melanoma AUC | melanoma sensitivity at 95 % specificity | calibration error | coverage of sets | mean set size |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for part in PARTS:
        if part.name == "all":
            continue
        overall = figures[part.name]["overall"]
        positive = overall["positive"] or {}
        sets = overall["predictionSets"]
        cells = [
            part.title,
            str(overall["pictures"]),
            _ranged(overall, overall["balancedAccuracy"], "balancedAccuracy"),
            _ranged(overall, overall["macroAuc"], "macroAuc"),
            _ranged(overall, positive.get("auc"), "positiveAuc"),
            _ranged(overall, positive.get("sensitivityAt95Specificity"), "positiveSensitivityAt95Specificity"),
            _ranged(overall, overall["calibrationError"], "calibrationError"),
            _ranged(overall, sets["coverage"], "coverage"),
            f"{sets['meanSize']:.2f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def class_table(report: dict[str, Any]) -> str:
    lines = ["| category | pictures | recall | precision | AUC | coverage | mean set size |", "|---|---|---|---|---|---|---|"]
    for name, row in report["overall"]["perClass"].items():
        values = [row[key] for key in ("recall", "precision", "auc", "coverage", "meanSetSize")]
        cells = ["-" if value is None else f"{value:.2f}" for value in values]
        lines.append(f"| {name} | {row['pictures']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def refusal_table(refusal: dict[str, Any]) -> str:
    """Pictures of no category: by label, then by kind where there are at least five."""
    rows = {f"label {label}": row for label, row in refusal["byLabel"].items()}
    rows |= {kind.replace("_", " "): row for kind, row in refusal["byKind"].items() if row["pictures"] >= 5}
    lines = ["| pictures | how many | told apart from lesions (AUROC) | refused or unusable | shown as one category |", "|---|---|---|---|---|"]
    for name, row in rows.items():
        auroc = "-" if row["auroc"] is None else f"{row['auroc']:.3f}"
        lines.append(f"| {name} | {row['pictures']} | {auroc} | {row['shareRefused']:.1%} | {row['shareSingle']:.1%} |")
    return "\n".join(lines)


def write_card(model: Path) -> None:
    """MODEL_CARD.md from manifest and figures; the README's table when the model is the one it names."""
    manifest = json.loads((model / "manifest.json").read_text())
    figures = {part.name: json.loads((model / "figures" / f"{part.name}.json").read_text()) for part in PARTS}
    for name, report in figures.items():
        if report["model"]["sha256"] != manifest["file"]["sha256"]:
            raise ValueError(f"figures/{name}.json was measured on other weights than the manifest names: measure again")
    training = manifest["training"]
    classes = "\n".join(f"| {c['id']} | {c['name']} | {c['concern']} |" for c in manifest["classes"])
    per_class = "\n\n".join(f"### {part.title}\n\n{class_table(figures[part.name])}" for part in PARTS if part.name != "all")
    everything = figures["all"]["overall"]
    text = f"""# {manifest["name"]} {manifest["version"]}

{manifest["title"]}. A research and teaching model: it shows how a network scores a picture against its training categories. It is not a medical device. If a spot is new,
changing, bleeding or worries you, see a doctor whatever a score says.

| | |
|---|---|
| network | {training["network"]}, input {manifest["input"]["width"]} x {manifest["input"]["height"]}, RGB |
| file | `{manifest["file"]["path"]}`, {manifest["file"]["bytes"] / 1e6:.2f} MB, weights stored as {training["storage"]} and restored at load |
| sha256 | `{manifest["file"]["sha256"]}` |
| licence | {manifest["license"]["id"]} (non-commercial, from the data): see `LICENSE` |
| trained on | {training["pictures"]["train"]} pictures at {training["trainSize"]} px, {training["epochs"]} epochs of {training["samplesPerEpoch"]} samples, from ImageNet weights |
| calibrated on | {sum(training["calibrationPictures"].values())} pictures never trained on ({", ".join(f"{n} {m}" for m, n in training["calibrationPictures"].items())}) |

## Categories

| id | name | concern |
|---|---|---|
{classes}

It knows nothing else: no rash, no infection, no other growth. Concern is the tier that the page shows when the category is among the possible ones.

## Figures

All measured by `npm run evaluate` on the validation split, through the code that runs in the page (C++ to WebAssembly, ONNX Runtime Web). In brackets: 95 % bootstrap intervals
over patients or lesions. Validation pictures were not used for training or calibration.

{summary_table(figures)}

Prediction sets aim to hold the true category 9 times in 10; the larger the set, the less the network can tell. On all {everything["pictures"]} lesion pictures together
{everything["shareRefused"]:.1%} were refused.

{per_class}

### Pictures of no category

A picture is refused when its energy score exceeds the threshold of its modality.

{refusal_table(figures["all"]["refusal"])}

`other` are MILK10k's remaining diagnoses and, in the set other-skin, rashes that the network was never shown: they look like skin and are hard to refuse.

## Limits

- Far from a doctor's judgement, and below what larger networks reach on the same public data. The intervals are wide where pictures are few.
- Close-up photos are scored much less well than dermoscopy.
- Very dark skin is rare in the training data (MILK10k and PAD-UFES-20 have few such photos): figures say little about it.
- Sets were labelled in different ways: not every naevus or keratosis was examined under a microscope.
- Temperature and thresholds were fitted on a small part of the training split; on other cameras and in other clinics they will be less well calibrated.

## Data

HAM10000 (ViDIR group, Medical University of Vienna), ISIC archive (2017 challenge), MILK10k (MILK study team), PAD-UFES-20 (Pacheco et al. 2020, doi 10.17632/zr7vgbcyr2.1),
everyday pictures as counter-examples. How the data were split: by patient or lesion, so that none is on both sides.

*This file is made by `python -m dermlet_train card`; the numbers stand in `figures/`.*
"""
    (model / "MODEL_CARD.md").write_text(text)
    readme = ROOT / "README.md"
    page = readme.read_text() if readme.exists() else ""
    if TABLE_BEGIN in page and manifest["name"] == "skin-8":
        before, rest = page.split(TABLE_BEGIN)
        readme.write_text(before + TABLE_BEGIN + "\n" + summary_table(figures) + "\n" + TABLE_END + rest.split(TABLE_END)[1])
    print(f"card: wrote {model.name}/MODEL_CARD.md")
