"""Which pictures of a store the quality gate lets through: a manifest's limits, on what the shipped module measures of
them. What it turns away gets no answer, so that nothing should be fitted on it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .contract import QUALITY_CHECKS
from .quality.choose import flagged
from .quality.measure import core_values
from .repository import require_checkout
from .store import Store

NOT_OF_A_STORE = ("too_small",)  # pictures came larger than a store keeps them


@dataclass(frozen=True)
class Gate:
    """`given`: the manifest's `input`. `limits`: its `quality`."""

    given: Mapping[str, Any]
    limits: Mapping[str, Any]

    def usable(self, store: Store, indices: Sequence[int]) -> np.ndarray:
        """(N,) bool: whether each picture, shown whole, passes every check of its modality. A spot's frame is not
        judged by itself: a store's pixels are too coarse for it.
        """
        require_checkout("a model with limits of quality")
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made) / "store"
            folder.mkdir()
            for i in indices:
                Image.fromarray(store.picture(i)).save(folder / f"{i}.png", compress_level=0)
            copies = [{"set": folder.name, "image": f"{i}.png"} for i in indices]
            measured = core_values(copies, Path(made), self.given).values()
        pairs = zip(measured, indices, strict=True)
        return np.array([self._passes(values, store.rows[i]["modality"]) for values, i in pairs], bool)

    def _passes(self, values: Mapping[str, float], modality: str) -> bool:
        limits = dict(self.limits) | dict(self.limits.get("modalities", {}).get(modality, {}))
        return not any(
            flagged(np.array(values[name]), limits[check.key], check.limit == "most")
            for name, check in QUALITY_CHECKS.items()
            if check.key in limits and name not in NOT_OF_A_STORE
        )


def gate_of(manifest: Mapping[str, Any]) -> Gate | None:
    """The gate of a manifest; None where no limits of its own were measured (`quality`)."""
    return Gate(manifest["input"], manifest["quality"]) if "modalities" in manifest["quality"] else None
