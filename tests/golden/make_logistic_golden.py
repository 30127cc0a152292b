"""Writes logistic.golden: heads that scikit-learn's LogisticRegression fits to drawn embeddings, for the core to equal.
python make_logistic_golden.py (needs numpy and scikit-learn 1.7, which nothing else here does).

One line a case: name, classes, features, C, `balanced` or `plain`, then lists separated by commas: labels, embeddings
(a row a picture), weights (a row a class), biases, and the classes that leave-one-out names.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).parent


def fit(x: np.ndarray, y: np.ndarray, c: float, balanced: bool) -> tuple[np.ndarray, np.ndarray]:
    """Weights and biases of all classes: of two, scikit-learn fits the difference, with half of the penalty."""
    binary = len(np.unique(y)) == 2
    model = LogisticRegression(
        C=2 * c if binary else c, class_weight="balanced" if balanced else None, tol=1e-10, max_iter=100_000
    ).fit(x, y)
    if not binary:
        return model.coef_, model.intercept_
    return np.vstack([-model.coef_, model.coef_]) / 2, np.concatenate([-model.intercept_, model.intercept_]) / 2


def case(name: str, counts: list[int], features: int, c: float, balanced: bool, seed: int) -> str:
    """Pooled features are positive and of unequal spread."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(counts)), counts)
    rng.shuffle(y)
    centres = rng.normal(1, 0.5, (len(counts), features))
    x = np.abs(centres[y] + rng.normal(0, np.linspace(0.2, 1.2, features), (len(y), features))).astype(np.float32)
    wide = x.astype(np.float64)
    mean = wide.mean(axis=0)
    scale = np.sqrt(((wide - mean) ** 2).sum(axis=1).mean())
    scaled = (wide - mean) / scale
    weights, bias = fit(scaled, y, c, balanced)
    named = []
    for i in range(len(y)):
        rest = np.arange(len(y)) != i
        w, b = fit(scaled[rest], y[rest], c, balanced)
        named.append(int(np.argmax(w @ scaled[i] + b)))
    weights = weights / scale
    bias = bias - weights @ mean
    lists = [y, x.ravel().tolist(), weights.ravel().tolist(), bias.tolist(), named]
    return " ".join(
        [name, str(len(counts)), str(features), repr(c), "balanced" if balanced else "plain"]
        + [",".join(f"{v:.9g}" for v in values) for values in lists]
    )


def main() -> None:
    cases = [
        case("three", [12, 12, 12], 16, 4.0, False, 1),
        case("unbalanced", [20, 6, 3], 10, 30.0, True, 2),
        case("wide", [7, 8, 9, 6], 80, 4.0, True, 3),
        case("loose", [15, 10, 12], 6, 100.0, False, 4),
        case("two", [14, 9], 12, 0.5, True, 5),
        case("strict", [6, 6, 6, 6, 6], 24, 0.02, False, 6),
    ]
    (HERE / "logistic.golden").write_text("\n".join(cases) + "\n")


if __name__ == "__main__":
    main()
