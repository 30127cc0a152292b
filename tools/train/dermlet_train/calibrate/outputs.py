"""The outputs of a network as it ships, cached under its hash: a run that was cut off goes on where it stopped, and a
second one takes seconds.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..augment import normalise, recipe_view
from ..config import Recipe
from ..files import replacing
from ..framing import Frame
from ..limits import MOST_NETWORK_BYTES
from ..reading import read_bytes
from ..store import Store

if TYPE_CHECKING:
    import onnxruntime

    from ..preprocessing import Preprocessing

VIEWS = 8
SHARD = 256  # pictures a file of the cache


def default_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "dermlet-train" / "outputs"


def dihedral(view: np.ndarray) -> np.ndarray:
    """(8, S, S, 3): the four turns of a square view and of its mirror image, the upright one first."""
    turns = [np.rot90(view, k) for k in range(4)]
    return np.stack([*turns, *(turn[:, ::-1] for turn in turns)])


@dataclass(frozen=True)
class OnnxNetwork:
    """A network as it ships, and the hash that its outputs are cached under."""

    session: onnxruntime.InferenceSession
    sha256: str
    recipe: Recipe

    @staticmethod
    def open(path: Path, recipe: Recipe, threads: int = 2) -> OnnxNetwork:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry(
            "session.intra_op.allow_spinning", "0"
        )  # it may share the cores with a training run
        data = read_bytes(path, MOST_NETWORK_BYTES)
        return OnnxNetwork(
            onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"]),
            hashlib.sha256(data).hexdigest(),
            recipe,
        )

    @property
    def preprocessing(self) -> Preprocessing:
        from ..networks import network_named

        return network_named(self.recipe.network).preprocessing

    def view(self, picture: np.ndarray) -> np.ndarray:
        return recipe_view(picture, self.recipe)

    def run(self, views: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean logits (K,) and mean embedding (D,) of the (V, S, S, 3) uint8 views of one picture."""
        pixels = normalise(views, self.preprocessing)
        fixed = isinstance(self.session.get_inputs()[0].shape[0], int)  # exported for one picture at a time
        batches = [pixels[i : i + 1] for i in range(len(pixels))] if fixed else [pixels]
        answers = [self.session.run(["logits", "embedding"], {"pixels": batch}) for batch in batches]
        logits, embedding = (np.concatenate(part) for part in zip(*answers, strict=True))
        return logits.astype(np.float64).mean(0), embedding.astype(np.float64).mean(0)


def cached_outputs(
    network: OnnxNetwork, store: Store, indices: Sequence[int], views: int, cache: Path, frames: Sequence[Frame]
) -> tuple[np.ndarray, np.ndarray]:
    """(N, K) logits and (N, D) embeddings, float64, of the pictures cropped to `frames`, averaged
    over 1 or 8 views.
    """
    logits, embedding = [], []
    for start in range(0, len(indices), SHARD):
        part, part_frames = list(indices[start : start + SHARD]), frames[start : start + SHARD]
        recipe = network.recipe
        digest = hashlib.sha256(
            f"{recipe.input_size} {recipe.crop} {recipe.crop_pct} {recipe.colour_constancy} {views}".encode()
        )
        for i, frame in zip(part, part_frames, strict=True):
            digest.update(store.picture(i).tobytes())
            digest.update(b"" if frame.box is None else f"{frame.framing} {frame.box}".encode())
        path = cache / network.sha256[:16] / f"{digest.hexdigest()[:24]}.npz"
        if not path.exists():
            results = []
            for i, frame in zip(part, part_frames, strict=True):
                crops = frame.views(store.picture(i), network.recipe)
                results.append(
                    network.run(np.concatenate([dihedral(view) if views == VIEWS else view[None] for view in crops]))
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            both = [np.stack(values) for values in zip(*results, strict=True)]
            with replacing(path, writer=str(os.getpid())) as part_file, part_file.open("wb") as sink:
                np.savez(sink, logits=both[0], embedding=both[1])
            print(
                f"calibrate: {start + len(part)}/{len(indices)} pictures, {views} view{'s' if views > 1 else ''}",
                flush=True,
            )
        with np.load(path) as shard_file:
            logits.append(shard_file["logits"])
            embedding.append(shard_file["embedding"])
    return np.concatenate(logits), np.concatenate(embedding)
