"""Rejects pictures of none of the classes by logits and embedding: methods, their comparison, and the file that ships.

The shipped score (layout: wasm_src/core/decision/rejection.h; `RejectionModel.score` is the same arithmetic) is

    a * energy + b * (squared distance to the k-th nearest inside point - squared distance to the nearest outside point)

after a linear projection of the embedding. Its parts make the methods that are compared here:

- energy (Liu et al. 2020): b = 0; needs no file. max-softmax (Hendrycks & Gimpel 2017) is measured beside it and not
  shipped.
- Mahalanobis (Lee et al. 2018): class means as inside points, in principal components whitened by the covariance within
  classes.
- k nearest neighbours (Sun et al. 2022): training lesions as inside points, embeddings of unit length, principal
  components.
- contrast: class means inside, means of the kinds of negatives outside, one covariance within all of them, shrunk. Its
  projection onto the span of the means loses nothing of the difference. This is the linear discriminant (Fisher 1936;
  Friedman 1989 for the shrinkage) of `none of the classes`, written as two Mahalanobis distances.
- the sums of energy and one of these, each divided by its standard deviation over calibration lesions.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from .calibration import auroc, energy, folds_of, softmax

COMPONENTS = 32  # of Mahalanobis and nearest neighbours: 164 kB of projection for an embedding of 1280
NEIGHBOURS_KEPT = 900  # 115 kB beside the projection
SHRINKAGE = (0.05, 0.2, 0.5)  # of the contrast's covariance towards its mean variance
MAGIC = b"DRJ1"


@dataclass(frozen=True)
class Outputs:
    """The network's answers: logits (N, K), embedding (N, D), and for each picture the name of its cluster (class, or
    kind of negative), its group and its modality.
    """

    logits: np.ndarray
    embedding: np.ndarray
    clusters: np.ndarray = field(default_factory=lambda: np.empty(0, str))
    groups: np.ndarray = field(default_factory=lambda: np.empty(0, str))
    modalities: np.ndarray = field(default_factory=lambda: np.empty(0, str))

    def __len__(self) -> int:
        return len(self.logits)

    def at(self, chosen: np.ndarray) -> Outputs:
        return Outputs(*(getattr(self, part.name)[chosen] for part in fields(self)))


@dataclass(frozen=True)
class RejectionModel:
    """mean (D,), projection (d, D), inside and outside (points, d), all float32; `neighbour` from 1."""

    mean: np.ndarray
    projection: np.ndarray
    inside: np.ndarray
    outside: np.ndarray
    neighbour: int = 1
    unit_length: bool = False
    energy_weight: float = 0.0
    distance_weight: float = 1.0

    def distance(self, embedding: np.ndarray) -> np.ndarray:
        """(N,) of (N, D)."""
        vectors = embedding.astype(np.float64)
        if self.unit_length:
            vectors = unit(vectors)
        q = (vectors - self.mean) @ self.projection.astype(np.float64).T
        near = np.partition(squared_distances(q, self.inside), self.neighbour - 1, 1)[:, self.neighbour - 1]
        return near - squared_distances(q, self.outside).min(1) if len(self.outside) else near

    def score(self, logits: np.ndarray, embedding: np.ndarray) -> np.ndarray:
        return self.energy_weight * energy(logits.astype(np.float64)) + self.distance_weight * self.distance(embedding)

    def to_bytes(self) -> bytes:
        sizes = (
            self.mean.size,
            len(self.projection),
            len(self.inside),
            len(self.outside),
            self.neighbour,
            int(self.unit_length),
        )
        head = MAGIC + struct.pack("<6I2f", *sizes, self.energy_weight, self.distance_weight)
        return head + b"".join(
            np.ascontiguousarray(part, "<f4").tobytes()
            for part in (self.mean, self.projection, self.inside, self.outside)
        )

    @staticmethod
    def from_bytes(data: bytes) -> RejectionModel:
        """@raises ValueError when the bytes are no such file."""
        if data[:4] != MAGIC or len(data) < 36:
            raise ValueError("not a rejection model")
        size, projected, inside, outside, neighbour, flags, a, b = struct.unpack_from("<6I2f", data, 4)
        values = np.frombuffer(data, "<f4", offset=36)
        if len(values) != size + projected * size + (inside + outside) * projected:
            raise ValueError("the rejection model's length is not what its sizes say")
        mean, projection, near, far = np.split(values, np.cumsum([size, projected * size, inside * projected]))
        shaped = projection.reshape(projected, size), near.reshape(inside, projected), far.reshape(outside, projected)
        return RejectionModel(mean, *shaped, neighbour, bool(flags & 1), a, b)


def unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def squared_distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N, M) of (N, d) and (M, d); by the differences themselves, as the core does, so that nothing cancels."""
    result = np.empty((len(points), len(others)))
    for j, other in enumerate(others.astype(np.float64)):
        result[:, j] = np.square(points - other).sum(1)
    return result


def cluster_means(embedding: np.ndarray, clusters: np.ndarray) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names, (G, D) means, and the (D, D) covariance within clusters, each cluster counting by its pictures (the
    maximum likelihood one, divided by N).
    """
    names = sorted(set(clusters.tolist()))
    means = np.stack([embedding[clusters == name].mean(0) for name in names])
    within = embedding - means[np.searchsorted(names, clusters)]
    return names, means, within.T @ within / len(within)


def principal_components(embedding: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (D,) and the `count` directions (D, count) of greatest variance."""
    mean = embedding.mean(0)
    centred = embedding - mean
    _, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    return mean, vectors[:, ::-1][:, : min(count, len(mean))]


def float32(
    mean: np.ndarray,
    projection: np.ndarray,
    inside: np.ndarray,
    outside: np.ndarray,
    neighbour: int = 1,
    unit_length: bool = False,
) -> RejectionModel:
    def stored(part: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(part, np.float32)

    return RejectionModel(
        stored(mean), stored(projection), stored(inside), stored(outside), neighbour=neighbour, unit_length=unit_length
    )


def mahalanobis(lesions: Outputs, components: int = COMPONENTS) -> RejectionModel:
    """Distance to the nearest class mean under the covariance that the classes share, in the leading principal
    components.
    """
    mean, directions = principal_components(lesions.embedding, components)
    q = (lesions.embedding - mean) @ directions
    _, means, covariance = cluster_means(q, lesions.clusters)
    covariance += (
        1e-6 * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    )  # fewer pictures than components leave it singular
    whiten = np.linalg.cholesky(np.linalg.inv(covariance))
    return float32(mean, (directions @ whiten).T, means @ whiten, np.empty((0, q.shape[1])))


def nearest_neighbours(
    lesions: Outputs, neighbour: int, components: int = COMPONENTS, kept: int = NEIGHBOURS_KEPT
) -> RejectionModel:
    """Distance to the k-th nearest of at most `kept` training lesions, drawn evenly over the rows."""
    vectors = unit(lesions.embedding)
    mean, directions = principal_components(vectors, components)
    chosen = np.unique(np.linspace(0, len(vectors) - 1, min(kept, len(vectors))).astype(int))
    scale = 1 / max(
        1e-12, float(np.sqrt(np.square((vectors - mean) @ directions).sum(1).mean()))
    )  # so that float32 has common numbers
    points = (vectors[chosen] - mean) @ directions * scale
    return float32(
        mean, (directions * scale).T, points, np.empty((0, directions.shape[1])), min(neighbour, len(points)), True
    )


def contrast(lesions: Outputs, negatives: Outputs, shrinkage: float) -> RejectionModel:
    """Squared distance to the nearest class mean less that to the nearest kind of negatives, under one shrunk
    covariance within all of them.
    """
    embedding = np.concatenate([lesions.embedding, negatives.embedding])
    clusters = np.concatenate(
        [np.char.add("in ", lesions.clusters.astype(str)), np.char.add("out ", negatives.clusters.astype(str))]
    )
    names, means, covariance = cluster_means(embedding, clusters)
    size = len(covariance)
    covariance = (1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / size * np.eye(size)
    mean = embedding.mean(0)
    factor = np.linalg.cholesky(covariance)  # covariance = L L'
    whitened = np.linalg.solve(factor, (means - mean).T)  # (D, G)
    basis, _ = np.linalg.qr(whitened)
    projection = np.linalg.solve(factor.T, basis).T  # rows: basis' L^-1
    points = whitened.T @ basis
    outside = np.array([name.startswith("out ") for name in names])
    return float32(mean, projection, points[~outside], points[outside])


# Comparison

Fit = Callable[
    [Outputs, Outputs], RejectionModel
]  # (training lesions, negatives to fit on) -> a distance, weights not yet set


def methods() -> dict[str, Fit]:
    """The distances that are compared. Only the contrast looks at negatives."""

    def nearest(neighbour: int) -> Fit:
        return lambda lesions, _: nearest_neighbours(lesions, neighbour)

    def shrunk(share: float) -> Fit:
        return lambda lesions, negatives: contrast(lesions, negatives, share)

    return {
        "mahalanobis": lambda lesions, _: mahalanobis(lesions),
        **{f"{k}-nearest": nearest(k) for k in (1, 10)},
        **{f"contrast {share:g}": shrunk(share) for share in SHRINKAGE},
    }


@dataclass(frozen=True)
class Compared:
    """One method: AUROC against calibration lesions of all negatives of each label (`none`, `other`), of those in the
    calibration part alone, and the share of each label over a threshold that 5 % of the calibration lesions exceed."""

    name: str
    auroc: dict[str, float]
    auroc_calibration: dict[str, float]
    over_threshold: dict[str, float]


@dataclass(frozen=True)
class Problem:
    """What is compared on. `reference`: lesions of the training part, from which means and points come. `lesions`: of
    the calibration part. `negatives`: of both parts, their cluster's first word the label; `negatives_calibration`
    marks those of the calibration part, which nothing is fitted on while comparing."""

    reference: Outputs
    lesions: Outputs
    negatives: Outputs
    negatives_calibration: np.ndarray


def standardised(model: RejectionModel, lesions: Outputs, with_energy: bool) -> RejectionModel:
    """Weights so that each part has standard deviation 1 over these lesions."""
    spread = max(1e-9, float(np.std(model.distance(lesions.embedding))))
    weight = 1 / max(1e-9, float(np.std(energy(lesions.logits)))) if with_energy else 0.0
    return replace(model, energy_weight=float(np.float32(weight)), distance_weight=float(np.float32(1 / spread)))


Scores = Callable[[Outputs], np.ndarray]


def compared(name: str, problem: Problem, judges: Sequence[tuple[np.ndarray, Scores]]) -> Compared:
    """Figures over folds and modalities, weighted by their negatives: each fold's negatives against all lesions of
    their modality, by one and the same score. Each modality has a threshold of its own, and what its scores are like
    differs: those of photos may lie above those of dermoscopic pictures altogether.
    """
    labels = np.array([cluster.split()[0] for cluster in problem.negatives.clusters])
    sums: dict[tuple[str, str], tuple[float, int]] = {}

    def add(kind: str, label: str, value: float, count: int) -> None:
        total, seen = sums.get((kind, label), (0.0, 0))
        sums[kind, label] = total + value, seen + count

    for judged, score in judges:
        every, negatives = score(problem.lesions), score(problem.negatives)
        for modality in sorted(set(problem.negatives.modalities)):
            lesions = every[problem.lesions.modalities == modality]
            if len(lesions) == 0:
                continue
            limit = float(np.quantile(lesions, 0.95))
            within = judged & (problem.negatives.modalities == modality)
            for label in sorted(set(labels)):
                of_label = within & (labels == label)
                for kind, mask in (("all", of_label), ("calibration", of_label & problem.negatives_calibration)):
                    if count := int(mask.sum()):
                        add(kind, label, count * auroc(lesions, negatives[mask]), count)
                add("over", label, float((negatives[of_label] > limit).sum()), int(of_label.sum()))
    mean = {key: total / seen for key, (total, seen) in sums.items() if seen}
    return Compared(
        name,
        *(
            {label: round(value, 4) for (kind, label), value in mean.items() if kind == wanted}
            for wanted in ("all", "calibration", "over")
        ),
    )


def compare(problem: Problem) -> list[Compared]:
    """Every method on the same pictures, negatives cross-fitted by group."""
    everything = [(np.ones(len(problem.negatives), bool), lambda outputs: energy(outputs.logits))]
    rows = [compared("energy", problem, everything)]
    rows.append(compared("max-softmax", problem, [(everything[0][0], lambda outputs: -softmax(outputs.logits).max(1))]))
    folds = folds_of(problem.negatives.groups.tolist())
    for name, fit in methods().items():
        # Methods that do not use negatives are the same in every fold.
        parts = folds if name.startswith("contrast") else np.zeros(len(folds), int)
        geometry = [
            (judged, fit(problem.reference, problem.negatives.at((parts != fold) & ~problem.negatives_calibration)))
            for fold, judged in per_fold(parts)
        ]
        for with_energy in (False, True):
            judges = [(judged, scorer(standardised(model, problem.lesions, with_energy))) for judged, model in geometry]
            rows.append(compared(f"energy + {name}" if with_energy else name, problem, judges))
    return rows


def per_fold(folds: np.ndarray) -> list[tuple[int, np.ndarray]]:
    return [(int(fold), folds == fold) for fold in np.unique(folds)]


def scorer(model: RejectionModel) -> Scores:
    return lambda outputs: model.score(outputs.logits, outputs.embedding)


NONE_AT_LEAST = 0.97
NONE_SLACK = 0.005
MARGIN = 0.02


def judged(row: Compared, label: str) -> float | None:
    """AUROC of the label's pictures in the calibration part, which the network was not trained on; of all where there
    are none in it.
    """
    return row.auroc_calibration.get(label, row.auroc.get(label))


def choose(rows: Sequence[Compared]) -> str:
    """The method to ship. Energy, which needs no file, unless another is better by `MARGIN` in AUROC of `other` (of
    `none` where there is no `other`) and gives up no more than `NONE_SLACK` of `none`, or energy misses `NONE_AT_LEAST`
    and another does not. Of several the best.

    Pictures that the network was trained on as negatives flatter whatever looks at its logits, so those of the
    calibration part decide, few as they are.
    """
    shippable = [row for row in rows if row.name != "max-softmax"]
    others = {row.name: judged(row, "other") for row in shippable}
    nones = {row.name: 1.0 if (area := judged(row, "none")) is None else area for row in shippable}
    figures = {name: nones[name] if area is None else area for name, area in others.items()}
    bar = min(nones["energy"] - NONE_SLACK, max(nones.values()))
    able = [name for name in nones if nones[name] >= max(bar, NONE_AT_LEAST)] or list(nones)
    best = max(able, key=lambda name: (figures[name], nones[name]))
    return "energy" if "energy" in able and figures[best] < figures["energy"] + MARGIN else best


def fitted(name: str, problem: Problem) -> RejectionModel | None:
    """The chosen method on all negatives there are, the calibration part's among them. None for energy."""
    if name == "energy":
        return None
    with_energy, distance = name.startswith("energy + "), name.removeprefix("energy + ")
    model = methods()[distance](problem.reference, problem.negatives)
    return standardised(model, problem.lesions, with_energy)


def table(rows: Sequence[Compared], chosen: str) -> str:
    """The comparison as Markdown."""
    labels = sorted({label for row in rows for label in row.auroc})
    head = [
        "method",
        *(f"{label}: AUROC" for label in labels),
        *(f"{label}, calibration part" for label in labels),
        *(f"{label} refused at 5 %" for label in labels),
    ]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        figures = [
            part.get(label) for part in (row.auroc, row.auroc_calibration, row.over_threshold) for label in labels
        ]
        name = f"**{row.name}**" if row.name == chosen else row.name
        lines.append("| " + " | ".join([name, *("" if value is None else f"{value:.3f}" for value in figures)]) + " |")
    return "\n".join(lines)
