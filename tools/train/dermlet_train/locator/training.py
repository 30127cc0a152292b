"""Trains the lesion finder: scenes are drawn once, kept beside the run, and seen again turned, mirrored and recoloured.

Drawing a scene takes longer than learning from it. So each epoch draws some new ones and learns from a sample of all
there are. Scene k depends on seed and k alone, an epoch's sample on seed and epoch: a run that was stopped goes on to
the same bytes.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..checkpoint import load, save
from ..depthwise import channels_last, keep_memory
from ..store import Store
from .extent import Box, Extents, training_pictures
from .network import PREPROCESSING, SIZE, Locator, Targets, candidates, loss_of, overlap, targets
from .restore import restored, size_of
from .scenes import STRIDE, Scene, Sources, scene


@dataclass(frozen=True)
class Plan:
    """What decides a run. A stopped run goes on only with the same plan."""

    seed: int = 1
    size: int = SIZE  # pixels, side of the scenes
    epochs: int = 16
    new_scenes: int = 500  # drawn before each epoch, until there are `most_scenes`
    most_scenes: int = 12000
    samples: int = 3200  # scenes an epoch learns from
    batch: int = 32
    learning_rate: float = 3e-3  # AdamW: linear warm-up over `warmup` of the steps, cosine to zero
    weight_decay: float = 0.01
    warmup: float = 0.03
    ema_decay: float = 0.998  # per step; the averaged weights are exported


class Scenes:
    """Scenes on disk: `scenes.u8` holds the pixels, `scenes.jsonl` a line each of boxes and unsure cells. Written in
    order, whole ones only count.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self.size, self.pixels_path, self.lines_path = size, folder / "scenes.u8", folder / "scenes.jsonl"
        lines = self.lines_path.read_text().splitlines() if self.lines_path.exists() else []
        bytes_each = size * size * 3
        count = self.pixels_path.stat().st_size // bytes_each if self.pixels_path.exists() else 0
        self.notes = [json.loads(line) for line in lines[:count] if line.endswith("}")]
        with self.pixels_path.open("ab") as sink:
            sink.truncate(len(self.notes) * bytes_each)
        self.lines_path.write_text("".join(json.dumps(note) + "\n" for note in self.notes))

    def __len__(self) -> int:
        return len(self.notes)

    def extend(self, scenes: Iterator[Scene]) -> None:
        with self.pixels_path.open("ab") as pixels, self.lines_path.open("a") as lines:
            for one in scenes:
                note = {"boxes": one.boxes, "unsure": np.flatnonzero(one.unsure).tolist()}
                pixels.write(np.ascontiguousarray(one.pixels).tobytes())
                lines.write(json.dumps(note) + "\n")
                self.notes.append(json.loads(json.dumps(note)))

    def mapped(self) -> np.ndarray:
        """(N, S, S, 3) uint8."""
        return np.memmap(self.pixels_path, np.uint8, "r", shape=(len(self), self.size, self.size, 3))


def turned_scene(pixels: np.ndarray, boxes: Sequence[Box], unsure: np.ndarray, turn: int) -> Scene:
    """A scene under one of the square's eight symmetries: `turn % 4` quarter turns against the clock, then mirrored
    from 4 on.
    """
    out = list(boxes)
    for _ in range(turn % 4):
        out = [(y, 1 - x, h, w) for x, y, w, h in out]
    pixels, unsure = np.rot90(pixels, turn % 4), np.rot90(unsure, turn % 4)
    if turn >= 4:
        out, pixels, unsure = [(1 - x, y, w, h) for x, y, w, h in out], pixels[:, ::-1], unsure[:, ::-1]
    return Scene(pixels, out, unsure)


def _recoloured(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A little of what `scenes` does, so that no scene is seen twice: a gain per channel and a gamma."""
    gain = np.exp(rng.normal(0, 0.05, 3)) * math.exp(rng.normal(0, 0.08))
    ramp = (np.linspace(0, 1, 256) ** math.exp(rng.normal(0, 0.08)))[:, None] * gain
    table = np.clip(ramp * 255, 0, 255).astype(np.uint8)
    return np.stack([table[:, c][pixels[..., c]] for c in range(3)], -1)


def batch_of(scenes: Sequence[Scene]) -> tuple[Tensor, list[Tensor]]:
    """Normalised pixels (N, 3, S, S) and the stacked targets: heat, sides, size_weight, counted."""
    pixels = np.stack([one.pixels for one in scenes])
    grid = pixels.shape[1] // STRIDE
    wanted: list[Targets] = [targets(one.boxes, grid, one.unsure) for one in scenes]
    stacked = [
        torch.from_numpy(np.stack([getattr(t, name) for t in wanted]))
        for name in ("heat", "sides", "size_weight", "counted")
    ]
    return torch.from_numpy(PREPROCESSING.normalise(pixels)).contiguous(memory_format=torch.channels_last), stacked


def agreeing(extents: Extents, store: Store, network: Locator, size: int, least: float = 0.4) -> Extents:
    """Extents without those that a trained network does not share: one in ten is wrong, each in a way of its own, and a
    small network learns what they have in common. `size`: side of what the network was trained on, pixels; at another
    one its boxes are too large or too small. `least`: intersection over union of the extent's box and the
    network's best candidate. A network that shares less than half of them is too weak to judge, and all are kept."""
    plausible = extents.plausible.copy()
    network.eval()
    with torch.inference_mode():
        for picture, row in extents.index.items():
            if plausible[row]:
                view = np.asarray(
                    Image.fromarray(store.picture(picture)).resize((size, size), Image.Resampling.BICUBIC)
                )
                found = candidates(network(torch.from_numpy(PREPROCESSING.normalise(view[None])))[0].numpy())
                plausible[row] = bool(found) and overlap(found[0].box, tuple(extents.boxes[row].tolist())) >= least
    print(
        f"places: {int(plausible.sum())} of {int(extents.plausible.sum())} are shared by the earlier network",
        flush=True,
    )
    return replace(extents, plausible=plausible) if 2 * plausible.sum() >= extents.plausible.sum() else extents


def begun(start: Path, sources: Sources, plan: Plan) -> tuple[Locator, int]:
    """The network of an `ema.pt` or an exported .onnx file, and the side of what it was trained on, pixels."""
    if start.suffix == ".onnx":
        first = [scene(sources, plan.size, np.random.default_rng((plan.seed, k))) for k in range(plan.batch)]
        return restored(start, batch_of(first)[0]), size_of(start)
    state, network = load(start), Locator()
    network.load_state_dict(state["weights"])
    return network, int(state.get("size", SIZE))


def rate_at(plan: Plan, step: int, steps: int) -> float:
    """The learning rate of a step."""
    warm = max(1, int(steps * plan.warmup))
    if step < warm:
        return plan.learning_rate * (step + 1) / warm
    return plan.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def train(plan: Plan, store: Store, folder: Path, minutes: float = 0.0, start: Path | None = None) -> Path:
    """Trains, or goes on from `last.pt`; writes `ema.pt` (averaged weights) after every epoch and returns its path.

    `start`: an `ema.pt` of an earlier cycle or an exported file, whose weights a fresh run begins with and whose
    answers weed out wrong places. `minutes`: stop at the end of the epoch in which so much time has passed; 0: never.
    Raises ValueError when the folder holds a run of another plan.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keep_memory()
    torch.manual_seed(plan.seed)
    extents = Extents.read_or_make(folder / "extents.npz", store, training_pictures(store))
    sources = Sources.of(store, extents)
    network, average = Locator(), Locator().requires_grad_(False)
    if start is not None:
        network, size = begun(start, sources, plan)
        sources = Sources.of(store, agreeing(extents, store, network, size))
        network.seen_at(plan.size / size)
    channels_last(network)
    average.load_state_dict(network.state_dict())
    decayed = [p for p in network.parameters() if p.ndim > 1]
    without_decay = [p for p in network.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": plan.weight_decay}, {"params": without_decay, "weight_decay": 0.0}],
        lr=plan.learning_rate,
    )
    begin, log, last = 0, folder / "log.jsonl", folder / "last.pt"
    if last.exists():
        state = load(last)
        if state["plan"] != asdict(plan):
            raise ValueError(f"{folder} holds a run of another plan: give another folder")
        network.load_state_dict(state["network"])
        average.load_state_dict(state["weights"])
        optimiser.load_state_dict(state["optimiser"])
        begin = state["epoch"]
    kept = Scenes(folder, plan.size)
    per_epoch = plan.samples // plan.batch
    steps, began = plan.epochs * per_epoch, time.monotonic()
    for epoch in range(begin, plan.epochs):
        there = min(plan.most_scenes, (epoch + 1) * plan.new_scenes)
        kept.extend(scene(sources, plan.size, np.random.default_rng((plan.seed, k))) for k in range(len(kept), there))
        rng = np.random.default_rng((plan.seed, epoch, 1))
        pixels, sum_of_losses = kept.mapped(), 0.0
        order = np.concatenate([rng.permutation(there) for _ in range(-(-plan.samples // there))])[
            : per_epoch * plan.batch
        ]
        network.train()
        for n in range(per_epoch):
            chosen = order[n * plan.batch : (n + 1) * plan.batch]
            scenes: list[Scene] = []
            for k in chosen:
                note = kept.notes[k]
                unsure = np.zeros((plan.size // STRIDE) ** 2, bool)
                unsure[note["unsure"]] = True
                augmented = turned_scene(
                    pixels[k], note["boxes"], unsure.reshape(plan.size // STRIDE, -1), int(rng.integers(8))
                )
                augmented.pixels = _recoloured(augmented.pixels, rng)
                scenes.append(augmented)
            batch, wanted = batch_of(scenes)
            step = epoch * per_epoch + n
            for group in optimiser.param_groups:
                group["lr"] = rate_at(plan, step, steps)
            loss = loss_of(network(batch), *wanted)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
            optimiser.step()
            decay = min(plan.ema_decay, (step + 1) / (step + 10))
            with torch.no_grad():
                for mean, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
                    if mean.is_floating_point():
                        mean.lerp_(new, 1 - decay)
                    else:
                        mean.copy_(new)
            sum_of_losses += float(loss.detach())
        entry = {"epoch": epoch + 1, "loss": round(sum_of_losses / per_epoch, 4), "scenes": there}
        weights = {"epoch": epoch + 1, "size": plan.size, "weights": average.state_dict()}
        save(
            {**weights, "plan": asdict(plan), "network": network.state_dict(), "optimiser": optimiser.state_dict()},
            last,
        )
        save(weights, folder / "ema.pt")
        with log.open("a") as sink:
            sink.write(json.dumps(entry) + "\n")
        now = time.monotonic()
        print(
            f"epoch {epoch + 1}/{plan.epochs}: loss {entry['loss']:.3f}, {there} scenes, {(now - began) / 60:.1f} min",
            flush=True,
        )
        if minutes and now - began > 60 * minutes:
            break
    return folder / "ema.pt"
