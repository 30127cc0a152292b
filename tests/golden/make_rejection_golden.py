"""Writes rejection.golden: rejection models made by the training tool from drawn data, and its own scores, for the core
to equal. python make_rejection_golden.py

One model a line: `model`, name, the file in hex. After it, its cases: `case`, logits separated by commas, embedding
separated by commas, score.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tools/train"))

from dermlet_train.rejection import Outputs, RejectionModel, contrast, mahalanobis, nearest_neighbours  # noqa: E402

CLASSES, SIZE, CASES = 5, 24, 6


def drawn(rng: np.random.Generator, count: int, centres: np.ndarray, prefix: str) -> Outputs:
    """Pictures around centres, as a network's pooled features are: positive, of unequal spread."""
    which = rng.integers(len(centres), size=count)
    embedding = np.abs(centres[which] + rng.normal(0, np.linspace(0.1, 0.8, SIZE), (count, SIZE)))
    return Outputs(
        rng.normal(0, 3, (count, CLASSES)),
        embedding,
        np.array([f"{prefix}{k}" for k in which]),
        np.array([str(i) for i in range(count)]),
    )


def models() -> dict[str, tuple[RejectionModel, Outputs]]:
    rng = np.random.default_rng(9)
    lesions, negatives = (
        drawn(rng, 200, rng.normal(1, 1, (CLASSES, SIZE)), "class"),
        drawn(rng, 60, rng.normal(2, 1, (2, SIZE)), "none "),
    )
    judged = drawn(rng, CASES, rng.normal(1, 2, (CASES, SIZE)), "")
    told = {
        "mahalanobis": replace(mahalanobis(lesions, 8), distance_weight=0.25),
        "nearest": replace(nearest_neighbours(lesions, 3, 8, 40), distance_weight=2.0),
        "contrast": contrast(lesions, negatives, 0.2),
        "sum": replace(contrast(lesions, negatives, 0.05), energy_weight=0.5, distance_weight=0.125),
    }
    return {name: (model, judged) for name, model in told.items()}


def main() -> None:
    with (HERE / "rejection.golden").open("w") as out:
        for name, (model, judged) in models().items():
            print("model", name, model.to_bytes().hex(), file=out)
            logits, embedding = judged.logits.astype(np.float32), judged.embedding.astype(np.float32)
            for z, v, score in zip(logits, embedding, model.score(logits, embedding), strict=True):
                print(
                    "case", ",".join(map(repr, z.tolist())), ",".join(map(repr, v.tolist())), f"{score:.9g}", file=out
                )


if __name__ == "__main__":
    main()
