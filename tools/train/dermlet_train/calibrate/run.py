"""All that is calibrated, in one call: scores the pictures, chooses the rejection and fits every part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import rejection
from ..calibration import folds_of
from ..config import Recipe
from ..framing import Framer
from ..gate import Gate
from ..modality_probe import FittedProbe, cross_fitted_accuracy, fit_probe
from ..rejection import Outputs
from ..store import Store
from .findings import Findings, score_of
from .fitting import Targets, fit_modalities, fit_pair
from .outputs import VIEWS, OnnxNetwork, default_cache
from .pictures import NEGATIVE_LABELS, reference_indices, score_pictures


def joined_outputs(*parts: Outputs) -> Outputs:
    return Outputs(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Outputs)))


def calibrate(
    network: OnnxNetwork,
    store: Store,
    recipe: Recipe,
    description: Mapping[str, Any],
    cache: Path | None = None,
    method: str | None = None,
    framer: Framer | None = None,
    gate: Gate | None = None,
) -> Findings:
    """Runs the network over calibration part, training negatives and a part of the training lesions, and fits
    everything.

    `method` takes a rejection method by name instead of choosing one; `framer` crops pictures as the page does, and
    `gate` turns poor ones away. Raises ValueError when the store has no calibration pictures.
    """
    cache = cache or default_cache()
    targets = Targets.of(recipe, description)
    wanted = [i for i in store.where("calib") if store.rows[i]["label"] in (*recipe.classes, *NEGATIVE_LABELS)]
    calib = score_pictures(network, store, recipe.classes, wanted, 1, cache, framer, gate)
    known = calib.labels >= 0
    if not known.any():
        raise ValueError("the store has no calibration part: nothing can be calibrated")
    train = score_pictures(network, store, recipe.classes, reference_indices(store, recipe.classes), 1, cache, framer)
    negatives = [train.of(train.labels < 0).outputs, calib.of(~known).outputs]
    compared, chosen, sidecar = [], "energy", None
    if sum(map(len, negatives)) > 0:
        calibration_part = np.repeat([False, True], [len(part) for part in negatives])
        problem = rejection.Problem(
            train.of(train.labels >= 0).outputs, calib.of(known).outputs, joined_outputs(*negatives), calibration_part
        )
        compared = rejection.compare(problem)
        chosen = method or rejection.choose(compared)
        sidecar = rejection.fitted(chosen, problem)

    lesions = calib.of(known)
    names = sorted(set(lesions.modality.tolist()))
    single = {name: lesions.of(lesions.modality == name) for name in names}
    modalities = fit_modalities(
        single, {name: score_of(sidecar, part.outputs) for name, part in single.items()}, targets
    )
    several = [i for i in wanted if store.rows[i]["label"] in recipe.classes]
    # The same pictures as `lesions`, so that what has no answer is known.
    scored = score_pictures(network, store, recipe.classes, several, VIEWS, cache, framer)
    augmented_views = replace(scored, answerable=lesions.answerable)
    views = {name: augmented_views.of(augmented_views.modality == name) for name in names}
    augmented = fit_modalities(views, {name: score_of(sidecar, part.outputs) for name, part in views.items()}, targets)
    pair, augmented_pair = fit_pair(single, modalities, targets), fit_pair(views, augmented, targets)
    requested = {key: description[key] for key in ("coverage", "coverageAssured", "tiers") if key in description}
    probe = probe_of(network, store, recipe.classes, names, wanted, cache)
    return Findings(modalities, augmented, pair, augmented_pair, chosen, sidecar, compared, requested, probe)


def probe_of(
    network: OnnxNetwork,
    store: Store,
    classes: Sequence[str],
    names: Sequence[str],
    calibration: Sequence[int],
    cache: Path,
) -> FittedProbe | None:
    """The probe that tells the modalities `names` by the embedding of pictures as they are; None where there is one
    modality only.
    """
    if len(names) < 2:
        return None
    parts = [
        score_pictures(network, store, classes, indices, 1, cache)
        for indices in (calibration, reference_indices(store, classes))
    ]
    lesions = [part.of((part.labels >= 0) & np.isin(part.modality, names)) for part in parts]
    labelled = [(part.outputs.embedding, np.array([names.index(name) for name in part.modality])) for part in lesions]
    right = cross_fitted_accuracy(*labelled[0], folds_of(lesions[0].groups), names, labelled[1])
    embedding, modality = (np.concatenate(values) for values in zip(*labelled, strict=True))
    probe = fit_probe(embedding, modality, names)
    return FittedProbe(probe, {"pictures": len(lesions[0].rows), "right": round(right, 4)})
