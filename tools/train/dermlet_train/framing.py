"""Where in a picture the network looks: the locator of a model folder, read as the page reads it.

The locator runs in onnxruntime; its output is interpreted by the shipped C++ module (`frames.mjs`), so that the rule
exists once. The scores that a manifest is calibrated on are those of the very frames that the
page will show the network.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .augment import evaluation_view, recipe_view
from .config import Recipe
from .limits import MOST_NETWORK_BYTES
from .preprocessing import LITE
from .reading import read_bytes
from .repository import ROOT, SCRIPTS, require_checkout
from .store import Store

SCRIPT = SCRIPTS / "frames.mjs"
LIMITS = ("spotScore", "rivalScore", "rivalRatio", "frameScore", "frameScale")
NO_LOOK = {"aloneShare": 0.0, "bothShare": 0.0}
Box = tuple[int, int, int, int]  # left, top, right, bottom, pixels


@dataclass(frozen=True)
class Frame:
    """`framing` as in the core: whole, spot, both, none or several. `box`: the crop around the spot; None where the
    network gets the whole picture only.
    """

    framing: str = "whole"
    box: Box | None = None

    @property
    def answerable(self) -> bool:
        return self.framing not in ("none", "several")

    def views(self, picture: np.ndarray, recipe: Recipe) -> list[np.ndarray]:
        """One or two (S, S, 3) views of an (H, W, 3) picture, whose outputs are averaged. A crop around a spot is used
        whole, a whole picture by the recipe's crop.
        """
        if self.box is None:
            return [recipe_view(picture, recipe)]
        left, top, right, bottom = self.box
        close = evaluation_view(picture[top:bottom, left:right], recipe.input_size, recipe.crop)
        return [recipe_view(picture, recipe), close] if self.framing == "both" else [close]


WHOLE = Frame()


class Locator:
    """A model folder's locator. `entry` is the manifest's `locator`. Raises FileNotFoundError when the C++ module is
    not built, OSError without Node.
    """

    def __init__(self, folder: Path, entry: Mapping[str, Any], threads: int = 1) -> None:
        import onnxruntime

        require_checkout("a model with a locator")
        if not (ROOT / "build" / "wasm" / "dermlet.wasm").exists():
            raise FileNotFoundError("the C++ module is not built: run `npm run build` in the repository first")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.entry = entry
        self.session = onnxruntime.InferenceSession(
            read_bytes(folder / entry["file"]["path"], MOST_NETWORK_BYTES), options, providers=["CPUExecutionProvider"]
        )

    def frames(self, pictures: Iterable[np.ndarray], looks: Iterable[Mapping[str, float] | None]) -> list[Frame]:
        """One frame for each (H, W, 3) uint8 picture, in order. `looks`: the manifest's `look` of each picture's
        modality.
        """
        limits = {key: self.entry[key] for key in LIMITS}
        pairs = zip(pictures, looks, strict=True)
        lines = "".join(
            json.dumps(self._answer(picture) | {"spec": limits | dict(look or NO_LOOK)}) + "\n"
            for picture, look in pairs
        )
        done = subprocess.run(["node", str(SCRIPT)], input=lines, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"frames.mjs: {done.stderr.strip()[-500:]}")
        return [_frame_of(json.loads(line)) for line in done.stdout.splitlines()]

    def _answer(self, picture: np.ndarray) -> dict[str, Any]:
        height, width = picture.shape[:2]
        size = self.entry["input"]["width"], self.entry["input"]["height"]
        view = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
        (values,) = self.session.run([self.entry["output"]], {self.entry["input"]["name"]: LITE.normalise(view[None])})
        rows, columns = values.shape[2:]
        return {
            "rows": rows,
            "columns": columns,
            "width": width,
            "height": height,
            "values": [round(float(value), 5) for value in values.ravel()],
        }


def _frame_of(located: Mapping[str, Any]) -> Frame:
    frame = located["frame"]
    box = (frame["x"], frame["y"], frame["x"] + frame["width"], frame["y"] + frame["height"])
    return Frame(located["framing"], box if located["framing"] in ("spot", "both", "several") else None)


class Framer:
    """Crops the pictures of a store as the page does: with a model folder's locator and the `look` of each modality."""

    def __init__(self, locator: Locator, looks: Mapping[str, Mapping[str, float]]) -> None:
        self.locator, self.looks = locator, looks

    def frames(self, store: Store, indices: Sequence[int]) -> list[Frame]:
        pictures = (store.picture(i) for i in indices)
        return self.locator.frames(pictures, [self.looks.get(store.rows[i]["modality"]) for i in indices])


def framer_of(folder: Path, manifest: Mapping[str, Any]) -> Framer | None:
    """The framer of a model folder; None where its manifest has no locator."""
    if "locator" not in manifest:
        return None
    looks = {modality["id"]: modality["look"] for modality in manifest["modalities"] if "look" in modality}
    return Framer(Locator(folder, manifest["locator"]), looks)
