"""Trains a classifier from a recipe and a store: resumable after any step, with the same result however often it is
interrupted.

Everything random is drawn from (seed, epoch, sample) or (seed, epoch, step, process), so a run needs no generator state
to resume. The same command runs in one process or, under `torchrun`, in many, on one machine or several.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from . import checkpoint
from .config import MODALITIES, Recipe, Stage
from .depthwise import channels_last, keep_memory
from .distillation import Teachers
from .distributed import Group, joined
from .evaluation import report
from .files import write_json
from .network import Classifier
from .networks import NETWORKS
from .sampling import Batches, Collate, TrainingSamples
from .stages import rate_factor, set_trainable, train_mode
from .store import Store

Judge = Callable[
    [Classifier], tuple[float, dict[str, float]]
]  # averaged weights -> their score (higher is better) and figures for the log


class Stopped(Exception):
    """The run was stopped (Ctrl-C or SIGTERM) and left a checkpoint."""


@dataclass(frozen=True)
class Options:
    """What decides how fast a run is, not what comes out. `threads` 0: PyTorch's choice; `checkpoint_steps` 0: a
    checkpoint after every epoch alone.
    """

    workers: int = 1
    threads: int = 0
    checkpoint_steps: int = 0


@dataclass
class Progress:
    """The state of a run. `epoch` counts planned epochs: a stage that ends early jumps to the next one's first. `step`
    is within the epoch.
    """

    epoch: int = 0
    step: int = 0
    stage: int = 0  # the stage that the optimiser belongs to
    best: float = float("-inf")
    since_best: int = 0
    since_cut: int = 0
    scale: float = 1.0  # of the learning rate, after plateaus
    loss: float = 0.0
    seconds: float = 0.0  # spent, all starts together
    before: float = 0.0  # of these, before this epoch


@dataclass(frozen=True)
class ModalityLoss:
    """Asks the embedding for the modality: (N,) indices of `MODALITIES`, -1 where there is none, and the linear layer
    that tells them.
    """

    head: nn.Linear
    modalities: Tensor


def loss_of(
    network: nn.Module,
    pixels: Tensor,
    labels: Tensor,
    recipe: Recipe,
    rng: np.random.Generator,
    teachers: Teachers | None = None,
    modality: ModalityLoss | None = None,
) -> Tensor:
    """Cross-entropy with mixup on the labelled pictures, shared with the teachers' answers where there are any, and
    with the modality loss if given.

    Negatives get a flat softmax and energy margins (Hendrycks 2019, Liu 2020).
    """
    known = labels >= 0
    pictures, target = pixels[known], nn.functional.one_hot(labels[known], len(recipe.classes)).float()
    share = rng.beta(recipe.mixup_alpha, recipe.mixup_alpha) if recipe.mixup_alpha else 1.0
    partner = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(int(rng.integers(2**31)))).to(
        pictures.device
    )
    mixed = share * pictures + (1 - share) * pictures[partner] if share < 1 else pictures
    logits, embedding = network(
        torch.cat([mixed, pixels[~known]]).contiguous(memory_format=torch.channels_last), with_embedding=True
    )
    logits = logits.float()
    inside, outside = logits[: len(pictures)], logits[len(pictures) :]
    target = share * target + (1 - share) * target[partner]
    loss = nn.functional.cross_entropy(inside, target, label_smoothing=recipe.label_smoothing)
    if teachers:
        loss = (1 - recipe.distill_weight) * loss + recipe.distill_weight * teachers.loss(
            inside, teachers.targets(mixed)
        )
    if modality:
        # The modality labels of a mixed picture are mixed like its class labels.
        own = modality.modalities[known]
        log_likelihoods = modality.head(embedding[: len(pictures)].float()).log_softmax(1)
        each = [
            nn.functional.nll_loss(log_likelihoods, which, ignore_index=-1, reduction="sum")
            for which in (own, own[partner])
        ]
        loss = loss + recipe.modality_weight * (share * each[0] + (1 - share) * each[1]) / max(1, int((own >= 0).sum()))
    if len(outside):
        flat = -outside.log_softmax(1).mean()
        energy = (recipe.energy_margin_in - inside.logsumexp(1)).relu().square().mean()
        energy = energy + (outside.logsumexp(1) - recipe.energy_margin_out).relu().square().mean()
        loss = loss + recipe.negative_weight * (flat + energy)
    return loss


def precision_of(recipe: Recipe, device: torch.device) -> torch.dtype:
    """The type that convolutions are computed in. `auto`: bfloat16 where the device computes with it, else float16 on a
    GPU and float32 on a CPU, which without such instructions is several times slower in bfloat16.
    """
    if recipe.precision == "auto":
        if device.type == "cuda":
            return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
        has = torch.cpu.get_capabilities()
        # x86: tiles or AVX-512; Arm: its own name.
        fast = any(has.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16"))
        return torch.bfloat16 if device.type != "cpu" or fast else torch.float32
    return {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[recipe.precision]


@contextmanager
def _collected_signals() -> Iterator[list[int]]:
    """Collects the signals to stop instead of ending the process; a second one ends it."""
    signals: list[int] = []

    def note(number: int, frame: object) -> None:
        signals.append(number)
        if len(signals) > 1:
            raise KeyboardInterrupt

    try:
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # only the main thread handles signals
        before = {}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals(worker: int) -> None:
    """Ctrl-C reaches the loader's processes too; the run itself decides when they end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    torch.set_num_threads(1)


def _duration(seconds: float) -> str:
    minutes = int(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min {int(seconds) % 60:02d} s"


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("torch", "numpy", "pillow", "efficientnet-lite-pytorch"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


class Trainer:
    """One run. Build it, then `run()`."""

    def __init__(
        self,
        recipe: Recipe,
        store: Store,
        out: Path,
        options: Options,
        group: Group,
        start: Classifier | None,
        judge: Judge | None = None,
        floor: float = float("-inf"),
        origin: str = "",
    ) -> None:
        if recipe.batch_size % group.world:
            raise ValueError(f"batch_size {recipe.batch_size} cannot be shared among {group.world} processes")
        self.recipe, self.store, self.out, self.options, self.group, self.judge = (
            recipe,
            store,
            out,
            options,
            group,
            judge,
        )
        self.data = store.fingerprint()
        self.origin = origin
        self.plan = recipe.plan()
        self.steps = recipe.samples_per_epoch // recipe.batch_size
        self.precision = precision_of(recipe, group.device)
        torch.manual_seed(recipe.seed)
        self.network = self._classifier(start)
        self.average = Classifier(
            recipe.network, len(recipe.classes), recipe.dropout, pretrained=False, folded=recipe.folded
        )
        self.average.load_state_dict(self.network.state_dict())
        for net in (self.network, self.average):
            channels_last(net.to(group.device))
        if recipe.sync_batch_norm and group.world > 1 and group.device.type == "cuda":
            self.network = nn.SyncBatchNorm.convert_sync_batchnorm(self.network)
        self.teachers = Teachers(recipe, self.network.preprocessing, group.device) if recipe.teacher else None
        self.modality_head = self._modality_head()
        self.scaler = torch.amp.GradScaler(group.device.type, enabled=self.precision == torch.float16)
        self.progress = Progress(stage=-1, best=floor)
        self.figures: dict[str, float] = {}

    def _classifier(self, start: Classifier | None) -> Classifier:
        """The network that a fresh run begins with; a run that goes on needs no ImageNet weights."""
        recipe = self.recipe
        begun = (self.out / "last.pt").exists()
        if start is None and recipe.start and not begun:
            start = checkpoint.load_classifier(Path(recipe.start)).network
            self.origin = checkpoint.origin_of(Path(recipe.start))
        fresh = start is None and not begun
        if fresh:
            self.origin = (
                "ImageNet weights" if recipe.weights or NETWORKS[recipe.network].packaged else "random weights"
            )
        network = Classifier(
            recipe.network,
            len(recipe.classes),
            recipe.dropout,
            pretrained=fresh,
            weights=recipe.weights,
            folded=recipe.folded,
        )
        if start is not None:
            network.load_state_dict(start.state_dict())
        return network

    def _modality_head(self) -> nn.Linear | None:
        """Learns beside the network, with an optimiser of its own, and is left behind: the shipped probe is fitted anew
        on the finished embedding.
        """
        if not self.recipe.modality_weight:
            return None
        head = nn.Linear(self.network.head.in_features, len(MODALITIES)).to(self.group.device)
        nn.init.zeros_(head.weight)
        self.modality_optimiser = torch.optim.AdamW(head.parameters(), 1e-3)
        return head

    def say(self, text: str) -> None:
        if self.group.first:
            print(f"train: {text}", flush=True)

    # ---- stages
    # ------------------------------------------------------------------------------

    def _begins(self, stage: int) -> int:
        """The planned epoch that a stage begins with."""
        return sum(part.epochs for part in self.plan[:stage])

    def _stage_at(self, epoch: int) -> int:
        return next(k for k in range(len(self.plan)) if epoch < self._begins(k + 1))

    def _enter(self, number: int, optimiser_state: dict[str, Any] | None = None) -> None:
        """Freezes what the stage freezes and gives it a fresh optimiser, or the one it had when the run was cut off."""
        stage, recipe = self.plan[number], self.recipe
        best = self.out / "best.pt"
        if optimiser_state is None and number > 0 and recipe.patience and self.group.shared(best.exists()):
            weights = self.group.shared(checkpoint.load(best)["weights"] if self.group.first else None)
            self.network.load_state_dict(weights)
            self.average.load_state_dict(weights)
        set_trainable(self.network, stage.trainable)
        learning = [p for p in self.network.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in learning if p.ndim > 1], "weight_decay": recipe.weight_decay},
            {"params": [p for p in learning if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, stage.learning_rate)
        if optimiser_state is not None:
            self.optimiser.load_state_dict(optimiser_state)
        else:
            self.progress.stage, self.progress.since_best, self.progress.since_cut, self.progress.scale = (
                number,
                0,
                0,
                1.0,
            )
        self.wrapped: nn.Module = self.network
        if self.group.world > 1:
            devices = [self.group.device] if self.group.device.type == "cuda" else None
            self.wrapped = DistributedDataParallel(self.network, device_ids=devices)
        if len(self.plan) > 1:
            counts = [sum(p.numel() for p in part) for part in (learning, list(self.network.parameters()))]
            rate = f"{stage.learning_rate:g}, {stage.schedule}"
            self.say(
                f"stage {number + 1}/{len(self.plan)}: {stage.trainable} learns ({counts[0]:,} of {counts[1]:,}"
                f" parameters), rate {rate}"
            )

    def _set_rate(self, step: int) -> None:
        """`step` of the stage, from 0."""
        stage = self.plan[self.progress.stage]
        factor = rate_factor(self.recipe, stage, step, stage.epochs * self.steps, self.progress.scale)
        for group in self.optimiser.param_groups:
            group["lr"] = stage.learning_rate * factor

    # ---- checkpoints
    # ------------------------------------------------------------------------------

    def _save(self) -> None:
        if not self.group.first:
            return
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        state |= {"data": self.data, "origin": self.origin}
        state |= {
            "scaler": self.scaler.state_dict(),
            "epoch": self.progress.epoch,
            "progress": asdict(self.progress),
            "recipe": self.recipe.to_dict(),
        }
        if self.modality_head:
            state["modality"] = {
                "head": self.modality_head.state_dict(),
                "optimiser": self.modality_optimiser.state_dict(),
            }
        checkpoint.save(state, self.out / "last.pt")

    def _save_average(self, name: str) -> None:
        if self.group.first:
            state = {
                "epoch": self.progress.epoch,
                "weights": self.average.state_dict(),
                "recipe": self.recipe.to_dict(),
            }
            state["origin"] = self.origin
            checkpoint.save(state, self.out / name)

    def _resume(self) -> None:
        """Resumes from `last.pt`. A checkpoint of the first version holds whole epochs only."""
        path = self.out / "last.pt"
        if not self.group.shared(path.exists()):
            return
        state = self.group.shared(checkpoint.load(path, "cpu") if self.group.first else None)
        before = state.get("recipe", {})
        changed = sorted(
            key
            for key, value in self.recipe.to_dict().items()
            if key in before and _plain(before[key]) != _plain(value)
        )
        if decisive := sorted(
            {"network", "classes", "folded", "seed", "batch_size", "samples_per_epoch"} & set(changed)
        ):
            raise ValueError(f"{path} was made with another {', '.join(decisive)}: choose another folder")
        if state.get("data", self.data) != self.data:
            raise ValueError(
                f"{path} was trained on other pictures than the store holds now, and what was trained on may stand in"
                " another part: choose another folder (`start` in the recipe begins there with these weights)"
            )
        self.origin = state.get("origin", "")
        if changed:
            self.say(f"going on with another {', '.join(changed)} than the run began with")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.progress = Progress(**state["progress"]) if "progress" in state else Progress(epoch=state["epoch"])
        self._enter(self.progress.stage, state["optimiser"])
        self.scaler.load_state_dict(state.get("scaler", {}))
        if self.modality_head and "modality" in state:  # the modality loss may be switched on in a resumed run
            self.modality_head.load_state_dict(state["modality"]["head"])
            self.modality_optimiser.load_state_dict(state["modality"]["optimiser"])
        self.say(
            f"resumed after epoch {self.progress.epoch}"
            + (f", step {self.progress.step}" if self.progress.step else "")
        )

    def _write_run(self, finished: bool) -> None:
        """run.json: what was run, with what, how long, and the last figures."""
        if not self.group.first:
            return
        device = (
            torch.cuda.get_device_name(self.group.device)
            if self.group.device.type == "cuda"
            else f"CPU, {torch.get_num_threads()} threads"
        )
        parts = {part: len(self.store.where(part)) for part in ("train", "calib", "val", "test")}
        record: dict[str, Any] = {
            "recipe": self.recipe.to_dict(),
            "versions": _versions(),
            "device": device,
            "processes": self.group.world,
        }
        record |= {
            "precision": str(self.precision).removeprefix("torch."),
            "pictures": parts,
            "epochs": self.progress.epoch,
        }
        record |= {"seconds": round(self.progress.seconds), "finished": finished, "figures": self.figures}
        write_json(self.out / "run.json", record)

    # ---- the run
    # ------------------------------------------------------------------------------

    def run(self) -> dict[str, float]:
        """Trains to the end; returns the last epoch's figures. Raises Stopped on a signal to stop."""
        self._resume()
        if self.recipe.patience and not self.store.where("calib"):
            raise ValueError("patience needs a calib part, and the store has none")
        self._write_run(finished=False)
        with _collected_signals() as signals:
            while self.progress.epoch < self.recipe.epochs:
                number = self._stage_at(self.progress.epoch)
                if number != self.progress.stage:
                    self._enter(number)
                self._epoch(self.plan[number], signals)
                self._end_of_epoch(self.plan[number], number)
        if not self.figures and (self.out / "log.jsonl").exists():
            self.figures = json.loads((self.out / "log.jsonl").read_text().splitlines()[-1])
        self._write_run(finished=True)
        return self.figures

    def _epoch(self, stage: Stage, signals: list[int]) -> None:
        recipe, progress, group = self.recipe, self.progress, self.group
        samples = TrainingSamples(self.store, recipe, progress.epoch)
        on_gpu = group.device.type == "cuda"
        loader = DataLoader(
            samples,
            batch_sampler=Batches(samples, progress.step, group.rank, group.world),
            num_workers=self.options.workers,
            collate_fn=Collate(self.network.preprocessing, raw=on_gpu),
            prefetch_factor=4 if self.options.workers else None,
            pin_memory=on_gpu,
            worker_init_fn=_ignore_signals,
        )
        train_mode(self.network)
        began, seconds, first = time.monotonic(), progress.seconds, progress.step
        for pixels, labels, modalities in loader:
            pixels = self.network.preprocessing.normalise_on(pixels, group.device) if on_gpu else pixels
            loss = self._step(pixels, labels.to(group.device), modalities.to(group.device))
            progress.step += 1
            progress.loss += (loss - progress.loss) / min(progress.step, 50)
            progress.seconds = seconds + time.monotonic() - began
            if progress.step % 20 == 0 or progress.step == self.steps:
                self._tell((progress.step - first) / (time.monotonic() - began), samples.batch)
            stopping = group.any(bool(signals))
            if stopping or (
                self.options.checkpoint_steps
                and progress.step % self.options.checkpoint_steps == 0
                and progress.step < self.steps
            ):
                self._save()
            if stopping:
                self._write_run(finished=False)
                self.say(
                    f"stopped in epoch {progress.epoch + 1} after step {progress.step}; the same command goes on from"
                    " here"
                )
                raise Stopped

    def _step(self, pixels: Tensor, labels: Tensor, modalities: Tensor) -> float:
        recipe, progress, device = self.recipe, self.progress, self.group.device
        here = (recipe.seed, progress.epoch, 7, progress.step, self.group.rank)
        torch.manual_seed(int(np.random.SeedSequence(here).generate_state(1, np.uint64)[0] >> 1))  # dropout
        self._set_rate((progress.epoch - self._begins(progress.stage)) * self.steps + progress.step)
        with torch.autocast(device.type, self.precision, enabled=self.precision != torch.float32):
            modality_loss = ModalityLoss(self.modality_head, modalities) if self.modality_head else None
            loss = loss_of(
                self.wrapped, pixels, labels, recipe, np.random.default_rng(here), self.teachers, modality_loss
            )
        self.optimiser.zero_grad(set_to_none=True)
        if self.modality_head:
            self.modality_optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimiser)
        nn.utils.clip_grad_norm_([p for p in self.network.parameters() if p.requires_grad], 5.0)
        self.scaler.step(self.optimiser)
        if self.modality_head:
            self._share_modality_gradient()
            self.modality_optimiser.step()
        self.scaler.update()
        steps_taken = progress.epoch * self.steps + progress.step + 1
        if self.group.first:
            _average(
                self.average, self.network, min(recipe.ema_decay, (1 + steps_taken) / (10 + steps_taken))
            )  # the ramp forgets the first weights
        return loss.item()

    def _share_modality_gradient(self) -> None:
        """The head's gradient in plain units, and the mean of all processes: it is outside what DistributedDataParallel
        sees to.
        """
        assert self.modality_head is not None
        for parameter in self.modality_head.parameters():
            if parameter.grad is not None:
                parameter.grad = self.group.mean_of(parameter.grad / self.scaler.get_scale())

    def _tell(self, rate: float, batch: int) -> None:
        """`rate` in steps a second, of which this start measured."""
        left = (self.recipe.epochs - self.progress.epoch) * self.steps - self.progress.step
        at = f"epoch {self.progress.epoch + 1}/{self.recipe.epochs} step {self.progress.step}/{self.steps}"
        self.say(f"{at} loss {self.progress.loss:.3f} {rate * batch:.1f} pictures/s, {_duration(left / rate)} left")

    def _end_of_epoch(self, stage: Stage, number: int) -> None:
        recipe, progress = self.recipe, self.progress
        progress.epoch, progress.step = progress.epoch + 1, 0
        figures: dict[str, Any] = {
            "epoch": progress.epoch,
            "loss": round(self.group.mean(progress.loss), 4),
            "seconds": round(progress.seconds - progress.before),
        }
        progress.before = progress.seconds
        found = self.group.shared(
            report(self.average, self.store, recipe, "calib", recipe.input_size, self.group.device)
            if self.group.first
            else None
        )
        self.figures = figures | {f"calib {key}": value for key, value in found.items()}
        worth = None
        if self.judge:
            worth, judged = self.group.shared(self.judge(self.average) if self.group.first else None)
            self.figures |= judged
        self.say(json.dumps(self.figures))
        if self.group.first:
            with (self.out / "log.jsonl").open("a") as log:
                log.write(json.dumps(self.figures) + "\n")
        self._judge(stage, number, found, worth)
        progress.loss = 0.0
        self._save()
        self._save_average("ema.pt")
        self._write_run(finished=False)

    def _judge(self, stage: Stage, number: int, found: dict[str, float], worth: float | None) -> None:
        """Keeps the best, cuts the rate on a plateau, ends a stage that no longer gets better. `worth`: what the run's
        own judge said, if it has one.
        """
        recipe, progress = self.recipe, self.progress
        if worth is None and not recipe.patience and stage.schedule != "plateau":
            return
        if worth is None and recipe.watch not in found:
            raise ValueError(f"watch = {recipe.watch!r}: the calib part gives {', '.join(found) or 'no figure'}")
        value = found[recipe.watch] if worth is None else worth
        progress.since_best, progress.since_cut = progress.since_best + 1, progress.since_cut + 1
        if value > progress.best:
            progress.best, progress.since_best, progress.since_cut = value, 0, 0
            self._save_average("best.pt")
        if stage.schedule == "plateau" and progress.since_cut >= recipe.plateau_patience:
            progress.scale, progress.since_cut = progress.scale * recipe.plateau_factor, 0
            self.say(
                f"no better {recipe.watch} for {recipe.plateau_patience} epochs: learning rate times"
                f" {recipe.plateau_factor:g}"
            )
        if recipe.patience and progress.since_best >= recipe.patience and progress.epoch < self._begins(number + 1):
            self.say(f"no better {recipe.watch} for {recipe.patience} epochs: stage {number + 1} ends")
            progress.epoch = self._begins(number + 1)


def _plain(value: object) -> object:
    """Lists and tuples alike: a checkpoint may hold either."""
    return json.loads(json.dumps(value))


def train(
    recipe: Recipe,
    store: Store,
    out: Path,
    options: Options | int = Options(),
    start: Classifier | None = None,
    judge: Judge | None = None,
    floor: float = float("-inf"),
    origin: str = "",
) -> dict[str, float]:
    """Runs or resumes training; returns the last epoch's figures. `start`: a network to begin with instead of ImageNet
    weights.

    `origin` says in words what `start` is, for the manifest and the card.
    `judge` looks at the averaged weights after every epoch; the best that it finds worth more than `floor` are kept in
    `best.pt`.

    Writes `last.pt` (everything needed to go on), `ema.pt` (averaged weights), with patience or a judge `best.pt`,
    `log.jsonl` (a line an epoch) and `run.json`. Raises ValueError where the folder holds a run of another network,
    recipe or store.
    """
    options = Options(workers=options) if isinstance(options, int) else options
    out.mkdir(parents=True, exist_ok=True)
    keep_memory()
    if options.threads:
        torch.set_num_threads(options.threads)
    elif int(os.environ.get("WORLD_SIZE", "1")) > 1 and not torch.cuda.is_available():
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))
    with joined() as group:
        return Trainer(recipe, store, out, options, group, start, judge, floor, origin).run()


@torch.no_grad()
def _average(average: nn.Module, network: nn.Module, decay: float) -> None:
    for kept, fresh in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(fresh, 1 - decay)
        else:
            kept.copy_(fresh)
