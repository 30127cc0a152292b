"""MODEL_CARD.md and the README's table: words around the tables and figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..manifest import read_manifest
from ..repository import ROOT, require_checkout
from ..tiers import DEFAULTS
from . import tables
from .plan import Plan
from .reports import Report

TABLE_BEGIN, TABLE_END = "<!-- figures: made by `python -m dermlet_train card` -->", "<!-- end of figures -->"
REPORTS = ("evaluation", "degraded", "test-time-augmentation", "variants", "speed", "download")

_REJECTION = {
    "none": "No picture is refused by its score; only unusable ones are.",
    "energy": "A picture is refused when its energy score (logits alone) exceeds the threshold of its modality.",
    "distance": "A picture is refused when its score (logits, and how far its embedding lies from the training pictures') exceeds the threshold of its modality.",
}


def load_reports(model: Path) -> dict[str, Any]:
    """The reports that there are. Raises ValueError when one was measured on other weights, FileNotFoundError without
    `evaluation.json`.
    """
    manifest = read_manifest(model)
    found = {}
    for name in REPORTS:
        path = model / "figures" / f"{name}.json"
        if name != "evaluation" and not path.exists():
            continue
        found[name] = json.loads(path.read_text())
        measured = found[name].get("model", {}).get("sha256", manifest["file"]["sha256"])
        if measured != manifest["file"]["sha256"]:
            raise ValueError(
                f"figures/{name}.json was measured on other weights than the manifest names: measure again"
            )
    return found


def name_of(manifest: dict[str, Any], class_id: str | None) -> str:
    """The class's name without the part in brackets."""
    for entry in manifest["classes"]:
        if entry["id"] == class_id:
            return str(entry["name"]).split(" (")[0]
    return class_id or "positive class"


def card_text(manifest: dict[str, Any], plan: Plan, reports: Report) -> str:
    report = reports["evaluation"]
    positive = name_of(manifest, report["options"]["positive"])
    parts = [_head(manifest, plan, reports), _figures(manifest, plan, reports, positive), _certainty(report, positive)]
    parts += [
        _tiers(plan, report, positive),
        _tones(plan, report, positive),
        _settings(plan, reports, positive),
        _refusal(manifest, report),
        _classes(plan, report),
        _storage(reports),
        _tail(plan),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(manifest: dict[str, Any], plan: Plan, reports: Report) -> str:
    classes = tables.markdown(
        ["id", "name", "concern"], [[c["id"], c["name"], c["concern"]] for c in manifest["classes"]]
    )
    return f"""# {manifest["name"]} {manifest["version"]}

{manifest["title"]}. A research and teaching model: it shows how a network scores a picture against its training categories. It is not a medical device. If a spot is new,
changing, bleeding or worries you, see a doctor whatever a score says.

{tables.facts_table(manifest, reports.get("download"))}

## Categories

{classes}

{plan.knows_not}"""


def _how_unseen(manifest: dict[str, Any], split: str | None) -> str:
    """What the network may have seen of the pictures that it is measured on, as far as its manifest and the split tell."""
    training = manifest.get("training") or {}
    if "pictures" not in training:
        return "What the network was trained on is not known here: where these pictures were among it, the figures flatter it."
    if split not in ("val", "test"):
        return "Among these pictures are those that it was trained on and calibrated with: the figures flatter it."
    text = "These pictures were not used for training or calibration"
    if split in training.get("chosenBy", ()):
        text += ", but the epoch that was kept was chosen by them, among others"
    return f"{text}."


def _figures(manifest: dict[str, Any], plan: Plan, reports: Report, positive: str) -> str:
    report = reports["evaluation"]
    malignant = " + ".join(report["options"]["malignant"])
    split = {"val": "validation"}.get(report["options"]["split"], report["options"]["split"])
    text = f"""## Figures

All measured by `npm run evaluate` on the {split} split, through the code that runs in the page (C++ to WebAssembly, ONNX Runtime Web). In brackets: 95 % bootstrap intervals
over patients or lesions. {_how_unseen(manifest, report["options"]["split"])} Malignant stands for {malignant} together, against all else.

{tables.summary_table(plan, report, positive)}{_left_out(report["counts"])}

![ROC curves: {positive.lower()}, and malignant categories, against the rest](figures/roc.svg)"""
    if plan.targets:
        text += f"""

### What was asked of it

The figure itself is compared, not its interval: with so few pictures a target can be met or missed by chance.

{tables.target_table(plan, reports)}"""
    if published := tables.published_table(plan):
        text += f"""

### Published figures to stand beside

None of them was measured on the same pictures: they show the order of magnitude, not a rank.

{published}"""
    return text


def _left_out(counts: Report) -> str:
    """What was not measured, if anything: pictures of labels that the model has no category for, and unreadable ones."""
    reasons = [
        f"{count} pictures labelled `{label}`, which it has no category for"
        for label, count in counts["unknownLabels"].items()
    ]
    reasons += [f"{counts['unreadable']} pictures that could not be read"] if counts["unreadable"] else []
    return f"\n\nLeft out: {'; '.join(reasons)}." if reasons else ""


def _certainty(report: Report, positive: str) -> str:
    overall = report["overall"]
    return f"""## Calibration and sets

Calibration error: mean distance between the probability of the first-ranked category and the share that is right, over 15 bins. A sample of this size never shows 0, so the
table says beside it what these very predictions would show if they were perfectly calibrated (labels drawn from the probabilities a thousand times). Drawing pictures
again for the interval adds to the error, so the interval begins near the figure itself.

{tables.calibration_table(report)}

![Reliability diagrams](figures/reliability.svg)

Prediction sets aim to hold the true category 9 times in 10; the larger the set, the less the network can tell. On all {overall["pictures"]} lesion pictures together
{tables.share(overall["shareRefused"])} got no category: refused, not usable, or without one spot that stands out.

{tables.set_table(report, positive)}

![Sizes of the sets](figures/set-sizes.svg)"""


def _tiers(plan: Plan, report: Report, positive: str) -> str:
    text = f"""## Concern tiers

The tier follows from the probabilities of all categories: `high` where those of high concern together reach a cut, `low` where those of high and moderate concern
together stay below another. The cuts were fitted on the calibration part, for stated shares of malignant pictures, not on the pictures measured here. Refused and unusable
pictures have no tier and are left out. Malignant is as above; the others include categories of moderate concern.

{tables.tier_table(report, positive)}

Of `high`, sensitivity is the share of malignant pictures in it and specificity the share of the others below it. Of `low`, sensitivity is the share of malignant pictures
that are not in it and specificity the share of the others that are. An interval of one point, where none or all of few pictures are counted, says that there are few.

{tables.cut_table(plan, report, positive)}"""
    if best := tables.best_cut_table(report):
        text += f"""

What cuts could do at all: the best ones are chosen on these very pictures, so that at most {100 * DEFAULTS["maxMalignantLow"]:.0f} % of malignant pictures and {100 * DEFAULTS["maxPositiveLow"]:.0f} % of {positive.lower()} are in `low` and at least {100 * DEFAULTS["minMalignantHigh"]:.0f} % of
malignant ones in `high`. With these probabilities no cuts do better: what is missing beyond that, only a better network can bring.

{best}"""
    if published := tables.published_table(plan, "tiers"):
        text += f"""

To stand beside these, none of it measured on the same pictures:

{published}"""
    return text


def _tones(plan: Plan, report: Report, positive: str) -> str:
    if not report["bySkinTone"]:
        return ""
    words = " ".join(
        filter(
            None, ("Skin tone as the sources state it; nothing is said under 20 lesions or patients.", plan.skin_tones)
        )
    )
    return f"""## By skin tone

{words}

{tables.tone_table(report, positive)}

![Balanced accuracy by skin tone](figures/skin-tone.svg)"""


def _settings(plan: Plan, reports: Report, positive: str) -> str:
    report, texts = reports["evaluation"], []
    if report["pairs"]:
        pairs = report["pairs"]
        texts.append(f"""## Both pictures of one lesion

{pairs["lesions"]} lesions have a picture of each kind. Their scores are joined in C++ when both are given to `classify`. The differences are paired: the same lesions in every resample.

{tables.pair_table(pairs, positive)}""")
    if "test-time-augmentation" in reports:
        texts.append(f"""## Test-time augmentation

Eight views of each picture (quarter turns and mirror images), averaged.

{tables.setting_table(plan, report, reports["test-time-augmentation"], ("one view", "eight views"), positive)}""")
        if reports["test-time-augmentation"]["pairs"]:
            texts.append(
                f"Both pictures of one lesion in test-time augmentation:\n\n{tables.pair_table(reports['test-time-augmentation']['pairs'], positive)}"
            )
    if "degraded" in reports:
        texts.append(f"""## Coarse pictures

Every picture brought down to {plan.degraded_side} px on its shorter side and back to its size (bicubic), which takes away what sharpness tells of its source.

{tables.setting_table(plan, report, reports["degraded"], ("as it is", "coarse"), positive)}""")
    return "\n\n".join(texts)


def _storage(reports: Report) -> str:
    if "variants" not in reports:
        return ""
    variants = reports["variants"]
    pictures, yardstick = sum(variants["pictures"].values()), variants["yardstick"]
    return f"""## How the weights are stored

Measured on the {pictures} calibration pictures; the chosen way stands out. Time: least time of one run in onnxruntime-web (WASM, one thread), of {yardstick["network"]}'s at
{yardstick["side"]} px in fp32.

{tables.storage_table(variants)}"""


def _refusal(manifest: dict[str, Any], report: Report) -> str:
    refusal = report["refusal"]
    if refusal is None:
        return ""
    by_modality = ", ".join(
        f"{tables.share(value)} of {name}" for name, value in refusal["lesionsRefusedByModality"].items()
    )
    return f"""## Pictures of no category

{_REJECTION[manifest["decision"]["rejection"]]} Of real lesions {tables.share(refusal["lesionsRefused"])} get no category: refused, not usable, or without one spot that stands out ({by_modality}). AUROC: the chance that
such a picture has a higher score than a real lesion of the same modality (each has a threshold of its own); 0.5 is chance.

{tables.refusal_table(refusal)}

`none` are pictures without a lesion; `other` are skin conditions that the network has no category for: they look like skin and are hard to refuse."""


def _classes(plan: Plan, report: Report) -> str:
    texts = ["## By category\n\n![Recall by category and part](figures/classes.svg)"]
    for part in plan.parts:
        own = report["parts"][part.name]["lesions"]
        texts.append(
            f"### {part.title}\n\n{tables.class_table(own)}\n\n![Confusion matrix: {part.title}](figures/confusion-{part.name}.svg)"
        )
    return "\n\n".join(texts)


def _tail(plan: Plan) -> str:
    limits = "\n".join(f"- {limit}" for limit in plan.limits)
    text = f"## Limits\n\n{limits}\n\n" if limits else ""
    text += f"## Data\n\n{plan.data}\n\n" if plan.data else ""
    return text + "*This file is made by `python -m dermlet_train card`; the numbers stand in `figures/`.*"


def write_readme(plan: Plan, manifest: dict[str, Any], reports: Report, readme: Path = ROOT / "README.md") -> None:
    """Replaces the table between the markers. Raises ValueError when they are missing."""
    require_checkout("the table in the repository's README")
    report = reports["evaluation"]
    before, begin, rest = readme.read_text().partition(TABLE_BEGIN)
    _, end, after = rest.partition(TABLE_END)
    if not begin or not end:
        raise ValueError(f"{readme}: no place for the figures ({TABLE_BEGIN})")
    table = tables.summary_table(plan, report, name_of(manifest, report["options"]["positive"]))
    readme.write_text(f"{before}{TABLE_BEGIN}\n{table}\n{TABLE_END}{after}")
