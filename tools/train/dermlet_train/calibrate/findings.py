"""What was fitted, and how it is written into a manifest."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import rejection
from ..calibration import energy
from ..contract import MANIFEST_VERSION
from ..modality_probe import FittedProbe
from ..rejection import Outputs, RejectionModel
from .fitting import Fitted, FittedCombination

SIDECAR = "rejection.bin"


@dataclass(frozen=True)
class Findings:
    """What `calibrate` fitted, for the manifest and the report."""

    modalities: dict[str, Fitted]
    test_time_augmentation: dict[str, Fitted]
    combination: FittedCombination | None
    augmented_combination: FittedCombination | None
    method: str  # of rejection, as in the table
    sidecar: RejectionModel | None
    compared: list[rejection.Compared]
    requested: dict[str, Any]  # coverage, assured classes and shares of the tiers, as the description states them
    probe: FittedProbe | None = None

    def score(self, outputs: Outputs) -> np.ndarray:
        return score_of(self.sidecar, outputs)

    def write(self, manifest: dict[str, Any], folder: Path) -> None:
        """Puts the findings into a manifest, replacing earlier ones, and writes the rejection model beside it."""
        known = {entry["id"]: entry for entry in manifest.get("modalities", [])}
        manifest["modalities"] = []
        for name, found in self.modalities.items():
            entry = {
                "id": name,
                **{
                    key: value
                    for key, value in known.get(name, {}).items()
                    if key not in ("id", "testTimeAugmentation", "setThresholds")
                },
                "rejectionThreshold": None,
            } | found.entry()
            if name in self.test_time_augmentation:
                entry["testTimeAugmentation"] = {"rejectionThreshold": None} | self.test_time_augmentation[name].entry()
            manifest["modalities"].append(entry)
        manifest.pop("combination", None)
        if self.combination:
            augmented = (
                {"testTimeAugmentation": self.augmented_combination.entry()} if self.augmented_combination else {}
            )
            manifest["combination"] = {
                "modalities": list(self.combination.modalities),
                **self.combination.entry(),
                **augmented,
            }
        manifest.pop("modalityProbe", None)
        if self.probe:
            manifest["modalityProbe"] = self.probe.probe.entry()
        manifest.pop("rejection", None)
        (folder / SIDECAR).unlink(missing_ok=True)
        manifest["manifestVersion"] = MANIFEST_VERSION
        manifest["decision"].pop("highConcernMass", None)
        manifest["decision"]["rejection"] = "energy" if self.sidecar is None else "distance"
        if self.sidecar is not None:
            data = self.sidecar.to_bytes()
            (folder / SIDECAR).write_bytes(data)
            manifest["rejection"] = {
                "file": {"path": SIDECAR, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            }
        training = manifest.setdefault("training", {})
        training["calibrationPictures"] = {name: found.figures["pictures"] for name, found in self.modalities.items()}
        training["calibration"] = self.summary()

    def summary(self) -> dict[str, Any]:
        def described(found: Fitted) -> dict[str, Any]:
            sources = [
                f"{limit.pool}, {limit.pictures}{', assured' if limit.assured else ''}" for limit in found.sets.limits
            ]
            return found.figures | {"limitsFrom": sources, "limitsFor": found.sets.nominal}

        return {
            "asked": self.requested,
            "modalities": {name: described(found) for name, found in self.modalities.items()},
            "testTimeAugmentation": {name: described(found) for name, found in self.test_time_augmentation.items()},
            **{
                name: described(pair.fitted)
                for name, pair in (
                    ("combination", self.combination),
                    ("testTimeAugmentationCombination", self.augmented_combination),
                )
                if pair
            },
            **({"modalityProbe": self.probe.figures} if self.probe else {}),
            "rejection": {"method": self.method, "compared": [asdict(row) for row in self.compared]},
        }


def score_of(sidecar: RejectionModel | None, outputs: Outputs) -> np.ndarray:
    return energy(outputs.logits) if sidecar is None else sidecar.score(outputs.logits, outputs.embedding)
