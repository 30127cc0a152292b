"""A drawn report: what evaluate would write for a model of three categories and two sets, from invented answers. For
the tests of the card alone.
"""

from __future__ import annotations

import random
from typing import Any

CLASSES = ("spot", "mel", "mole")
KINDS = {"malignant": 3, "positive": 3, "others": 2, "benign": 2}

MANIFEST: dict[str, Any] = {
    "name": "tiny-3",
    "version": "1.2.3",
    "title": "Three drawn categories",
    "license": {"id": "CC0-1.0", "path": "LICENSE", "nonCommercial": False},
    "file": {"path": "tiny-3.onnx", "bytes": 1_500_000, "sha256": "ab" * 32},
    "input": {"width": 64, "height": 64, "channels": "RGB"},
    "classes": [
        {"id": "spot", "name": "Spot (a drawn one)", "concern": "low"},
        {"id": "mel", "name": "Melanoma", "concern": "high"},
        {"id": "mole", "name": "Mole", "concern": "low"},
    ],
    "decision": {"coverage": 0.9, "rejection": "energy"},
}


def main_section(chance: random.Random, pictures: int) -> dict[str, Any]:
    """MainFigures of `tools/cli/figures.ts`, every number another, so that a number in a table can be told from all
    others.
    """
    names = (
        "accuracy",
        "balancedAccuracy",
        "macroAuc",
        "positiveAuc",
        "positiveSensitivityAt95Specificity",
        "positiveCoverage",
        "malignantAuc",
    )
    values = {
        name: round(chance.uniform(0.5, 0.99), 6) for name in (*names, "calibrationError", "coverage", "shareRefused")
    }
    tiers = (
        "tierHighSensitivity",
        "tierHighSpecificity",
        "tierLowSensitivity",
        "tierLowSpecificity",
        "malignantLow",
        "positiveLow",
        "benignLow",
        "benignHigh",
    )
    values |= {name: round(chance.uniform(0.1, 0.99), 6) for name in tiers}
    values["meanSetSize"] = round(chance.uniform(1, 3), 6)
    return {
        "pictures": pictures,
        "groups": pictures - 3,
        "few": {"mel": 4, "mole": 17} if pictures < 50 else {},
        "accuracy": values["accuracy"],
        "balancedAccuracy": values["balancedAccuracy"],
        "macroAuc": values["macroAuc"],
        "positive": {
            "class": "mel",
            "pictures": pictures // 3,
            "auc": values["positiveAuc"],
            "sensitivityAt95Specificity": values["positiveSensitivityAt95Specificity"],
            "coverage": values["positiveCoverage"],
        },
        "malignant": {"classes": ["mel"], "pictures": pictures // 3, "auc": values["malignantAuc"]},
        "calibrationError": values["calibrationError"],
        "calibrationErrorIfPerfect": {"median": 0.031, "percentile95": 0.047},
        "predictionSets": {
            "answered": pictures - 2,
            "coverage": values["coverage"],
            "meanSize": values["meanSetSize"],
            "shareSingle": 0.25,
        },
        "tiers": {
            **{
                kind: {"pictures": pictures // n, "low": pictures // n - 3, "moderate": 1, "high": 2}
                for kind, n in KINDS.items()
            },
            "high": {"sensitivity": values["tierHighSensitivity"], "specificity": values["tierHighSpecificity"]},
            "low": {"sensitivity": values["tierLowSensitivity"], "specificity": values["tierLowSpecificity"]},
            **{name: values[name] for name in tiers[4:]},
            "best": {name: round(chance.uniform(0.1, 0.99), 6) for name in ("benignLow", "benignHigh")},
        },
        "outcomes": {"single": 1, "several": pictures - 3, "not-recognised": 1, "poor-quality": 1},
        "shareRefused": values["shareRefused"],
        "intervals": {name: [round(value - 0.1, 6), round(value + 0.005, 6)] for name, value in values.items()},
    }


def lesions(chance: random.Random, classes: tuple[str, ...] = CLASSES, absent: str = "") -> dict[str, Any]:
    """LesionFigures: tables and curves that fit together."""
    confusion = [[0 if name == absent else chance.randint(2, 30) for _ in classes] for name in classes]
    counts = [sum(row) for row in confusion]
    per_class = {
        name: {
            "pictures": counts[i],
            "recall": confusion[i][i] / counts[i] if counts[i] else None,
            "precision": 0.5,
            "auc": 0.8 if counts[i] else None,
            "coverage": 0.9 if counts[i] else None,
            "meanSetSize": 1.7 if counts[i] else None,
        }
        for i, name in enumerate(classes)
    }
    bins = [0] * 5 + [chance.randint(1, 20) for _ in range(10)]
    return main_section(chance, sum(counts)) | {
        "few": {name: count for name, count in zip(classes, counts, strict=True) if 0 < count < 20},
        "perClass": per_class,
        "confusion": confusion,
        "reliability": {
            "pictures": bins,
            "confidence": [(k + 0.5) / 15 if n else None for k, n in enumerate(bins)],
            "accuracy": [min(1.0, (k + 0.2) / 15) if n else None for k, n in enumerate(bins)],
        },
        "setSizes": [0, *(chance.randint(5, 40) for _ in classes)],
        "roc": {"positive": [[0, 0], [0.1, 0.7], [1, 1]], "malignant": [[0, 0], [0.2, 0.9], [1, 1]]},
    }


def negatives(chance: random.Random, pictures: int) -> dict[str, Any]:
    auroc, uncertainty, refused, single = (round(chance.uniform(0.5, 0.99), 6) for _ in range(4))
    return {
        "pictures": pictures,
        "refused": 1,
        "shareRefused": refused,
        "notRecognised": 1,
        "poorQuality": 0,
        "noSpot": 0,
        "severalSpots": 0,
        "shareSingle": single,
        "auroc": auroc,
        "aurocUncertainty": uncertainty,
        "intervals": {
            "auroc": [auroc - 0.1, auroc + 0.004],
            "aurocUncertainty": [uncertainty - 0.1, uncertainty + 0.004],
        },
    }


def pairs(chance: random.Random) -> dict[str, Any]:
    difference = {
        name: {"value": 0.0321, "interval": [-0.0123, 0.0766]}
        for name in ("balancedAccuracy", "macroAuc", "positiveAuc", "malignantAuc")
    }
    difference |= {
        name: {"value": -0.011, "interval": None} for name in ("calibrationError", "coverage", "meanSetSize")
    }
    return {
        "lesions": 44,
        "modalities": ["dermoscopy", "photo"],
        "alone": {"dermoscopy": main_section(chance, 44), "photo": main_section(chance, 44)},
        "together": main_section(chance, 44),
        "difference": {"dermoscopy": difference, "photo": difference},
    }


def evaluation(seed: int = 1) -> dict[str, Any]:
    chance = random.Random(seed)
    return {
        "evaluationVersion": 2,
        "model": {"name": "tiny-3", "version": "1.2.3", "sha256": "ab" * 32},
        "options": {"split": "val", "positive": "mel", "malignant": ["mel"]},
        "classes": list(CLASSES),
        "counts": {"rows": 90, "evaluated": 87, "unreadable": 0, "unknownLabels": {}},
        "overall": lesions(chance),
        "byModality": {"dermoscopy": lesions(chance), "photo": lesions(chance)},
        "bySkinTone": {
            "clinic": {
                "fitzpatrick:2": {"pictures": 33, "groups": 30, "figures": main_section(chance, 33)},
                "fitzpatrick:5": {"pictures": 4, "groups": 4, "figures": None},
            }
        },
        "parts": {
            "atlas": {
                "sets": ["atlas"],
                "merge": ["mole:spot"],
                "classes": ["spot", "mel"],
                "lesions": lesions(chance, ("spot", "mel")),
            },
            "clinic": {
                "sets": ["clinic"],
                "merge": [],
                "classes": list(CLASSES),
                "lesions": lesions(chance, absent="mole"),
            },
        },
        "refusal": {
            "lesionsRefused": 0.043,
            "lesionsRefusedInterval": [0.02, 0.06],
            "lesionsRefusedByModality": {"dermoscopy": 0.03, "photo": 0.05},
            "all": negatives(chance, 20),
            "byLabel": {"none": negatives(chance, 14), "other": negatives(chance, 6)},
            "byKind": {
                "none: cat_or_dog": negatives(chance, 11),
                "none: wall": negatives(chance, 3),
                "other: rash": negatives(chance, 6),
            },
        },
        "pairs": pairs(chance),
    }


PLAN = """
test_time_augmentation = false
degraded_side = 150

[[part]]
name = "atlas"
title = "An atlas, 2 categories"
sets = ["atlas"]
merge = ["mole:spot"]
degraded = true

[[part]]
name = "clinic"
title = "A clinic, 3 categories"
sets = ["clinic"]

[[target]]
title = "Atlas: balanced accuracy"
at = "evaluation.parts.atlas.lesions"
figure = "balancedAccuracy"
at_least = 0.1

[[target]]
title = "Refusal"
at = "evaluation.refusal"
figure = "lesionsRefused"
at_most = 0.01

[[target]]
title = "Augmented"
at = "test-time-augmentation.overall"
figure = "balancedAccuracy"
at_least = 0.9

[[published]]
what = "Somebody's"
figure = "0.9"
caveat = "Other pictures."

[[published]]
what = "Somebody's app"
figure = "sensitivity 0.9"
caveat = "Other spots."
about = "tiers"

[words]
knows_not = "It knows nothing else."
limits = ["Drawn."]
"""
