"""Trains a classifier from a recipe and a store; resumable after any epoch, seeded by (seed, epoch, sample)."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from .augment import evaluation_view, normalise, training_view
from .config import FAMILY_SHARE, Recipe, family_of
from .depthwise import keep_memory
from .network import Classifier
from .store import Store


class TrainingSamples(Dataset[tuple[np.ndarray, int]]):
    """One epoch as batches: `batch_size` labelled pictures followed by `negatives_per_batch` negatives (label -1)."""

    def __init__(self, store: Store, recipe: Recipe, epoch: int) -> None:
        self.store, self.recipe, self.epoch = store, recipe, epoch
        rng = np.random.default_rng((recipe.seed, epoch))
        labelled, negatives, others = [], [], []
        for i in store.where("train"):
            label = store.rows[i]["label"]
            if label in recipe.classes:
                labelled.append(i)
            elif label == "none":
                negatives.append(i)
            elif label == "other":
                others.append(i)
        cells = Counter(self._cell(i) for i in labelled)
        families = Counter[str]()
        for (family, _), count in cells.items():
            families[family] += count**recipe.class_balance
        weights = np.array([cells[self._cell(i)] ** (recipe.class_balance - 1) / families[self._cell(i)[0]] for i in labelled])
        weights *= np.array([FAMILY_SHARE.get(self._cell(i)[0], 0.1) for i in labelled])
        chosen = rng.choice(labelled, recipe.samples_per_epoch, p=weights / weights.sum())
        batches = chosen.reshape(-1, recipe.batch_size)
        other = recipe.negatives_per_batch // 3 if others else 0
        pools = [(negatives, recipe.negatives_per_batch - other if negatives else 0), (others, other)]
        extra = np.concatenate([rng.choice(pool, (len(batches), count)) if count else np.empty((len(batches), 0), int) for pool, count in pools], 1)
        self.order = np.concatenate([batches, extra], 1).astype(int).ravel()
        self.batch = batches.shape[1] + extra.shape[1]

    def _cell(self, i: int) -> tuple[str, str]:
        row = self.store.rows[i]
        return family_of(row["set"]), row["label"]

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, position: int) -> tuple[np.ndarray, int]:
        i = int(self.order[position])
        rng = np.random.default_rng((self.recipe.seed, self.epoch, position))
        label = self.store.rows[i]["label"]
        view = training_view(self.store.picture(i), self.recipe.side_at(self.epoch), rng)
        return view, self.recipe.classes.index(label) if label in self.recipe.classes else -1


def _collate(samples: list[tuple[np.ndarray, int]]) -> tuple[Tensor, Tensor]:
    views = np.stack([view for view, _ in samples])
    return torch.from_numpy(normalise(views)), torch.tensor([label for _, label in samples])


def loss_of(network: nn.Module, pixels: Tensor, labels: Tensor, recipe: Recipe, rng: np.random.Generator) -> Tensor:
    """Cross-entropy with mixup on the labelled pictures; negatives get a flat softmax and energy margins (Hendrycks 2019, Liu 2020)."""
    known = labels >= 0
    pictures, target = pixels[known], nn.functional.one_hot(labels[known], len(recipe.classes)).float()
    share = rng.beta(recipe.mixup_alpha, recipe.mixup_alpha) if recipe.mixup_alpha else 1.0
    partner = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(int(rng.integers(2**31))))
    mixed = share * pictures + (1 - share) * pictures[partner]
    logits = network(torch.cat([mixed, pixels[~known]]).contiguous(memory_format=torch.channels_last)).float()
    inside, outside = logits[: len(pictures)], logits[len(pictures) :]
    target = share * target + (1 - share) * target[partner]
    loss = nn.functional.cross_entropy(inside, target, label_smoothing=recipe.label_smoothing)
    if len(outside):
        flat = -outside.log_softmax(1).mean()
        energy = (recipe.energy_margin_in - inside.logsumexp(1)).relu().square().mean()
        energy = energy + (outside.logsumexp(1) - recipe.energy_margin_out).relu().square().mean()
        loss = loss + recipe.negative_weight * (flat + energy)
    return loss


@torch.inference_mode()
def logits_of(network: Classifier, store: Store, indices: list[int], size: int, device: torch.device) -> np.ndarray:
    """(N, K) float32 logits of the evaluation views of the given pictures."""
    network.eval()
    parts = []
    for start in range(0, len(indices), 32):
        views = np.stack([evaluation_view(store.picture(i), size) for i in indices[start : start + 32]])
        pixels = torch.from_numpy(normalise(views)).to(device).contiguous(memory_format=torch.channels_last)
        parts.append(network(pixels).float().cpu().numpy())
    return np.concatenate(parts)


def balanced_accuracy(truth: list[str], guess: list[str]) -> float:
    """Mean recall over the classes present in `truth`."""
    total, right = Counter(truth), Counter(t for t, g in zip(truth, guess, strict=True) if t == g)
    return float(np.mean([right[c] / n for c, n in total.items()]))


def report(network: Classifier, store: Store, recipe: Recipe, part: str, size: int, device: torch.device) -> dict[str, float]:
    """Balanced accuracy per family on a part; `ham-7` merges scc into akiec as the seven-class benchmark has it."""
    indices = [i for i in store.where(part) if store.rows[i]["label"] in recipe.classes]
    guesses = [recipe.classes[k] for k in logits_of(network, store, indices, size, device).argmax(1)]
    figures: dict[str, float] = {}
    by_family: dict[str, tuple[list[str], list[str]]] = {}
    for i, guess in zip(indices, guesses, strict=True):
        row = store.rows[i]
        truths, told = by_family.setdefault(family_of(row["set"]), ([], []))
        truths.append(row["label"])
        told.append(guess)
        if row["set"].startswith("ham"):
            truths, told = by_family.setdefault("ham-7", ([], []))
            truths.append("akiec" if row["label"] == "scc" else row["label"])
            told.append("akiec" if guess == "scc" else guess)
    for family, (truths, told) in sorted(by_family.items()):
        figures[family] = round(balanced_accuracy(truths, told), 4)
    return figures


def train(recipe: Recipe, store: Store, out: Path, workers: int) -> None:
    """Runs or resumes training. Writes `last.pt` (everything needed to resume) and `ema.pt` (averaged weights) after every epoch."""
    out.mkdir(parents=True, exist_ok=True)
    keep_memory()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(recipe.seed)
    network = Classifier(recipe.network, len(recipe.classes), recipe.dropout, pretrained=True).to(device, memory_format=torch.channels_last)
    average = Classifier(recipe.network, len(recipe.classes), recipe.dropout, pretrained=False).to(device, memory_format=torch.channels_last)
    average.load_state_dict(network.state_dict())
    decay = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decay, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, recipe.learning_rate)
    steps_per_epoch = recipe.samples_per_epoch // recipe.batch_size
    total = steps_per_epoch * recipe.epochs
    warmup = max(1, int(total * recipe.warmup_fraction))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda s: s / warmup if s < warmup else 0.5 * (1 + math.cos(math.pi * (s - warmup) / max(1, total - warmup)))
    )
    first = 0
    if (out / "last.pt").exists():
        state = torch.load(out / "last.pt", map_location=device, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        first = state["epoch"]
        print(f"train: resumed after epoch {first}", flush=True)
    for epoch in range(first, recipe.epochs):
        samples = TrainingSamples(store, recipe, epoch)
        loader = DataLoader(samples, samples.batch, num_workers=workers, collate_fn=_collate, prefetch_factor=4 if workers else None)
        rng = np.random.default_rng((recipe.seed, epoch, 7))
        network.train()
        started, seen, running = time.monotonic(), 0, 0.0
        for step, (pixels, labels) in enumerate(loader, 1):
            with torch.autocast(device.type, torch.bfloat16):
                loss = loss_of(network, pixels.to(device), labels.to(device), recipe, rng)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            taken = epoch * steps_per_epoch + step
            _average(average, network, min(recipe.ema_decay, (1 + taken) / (10 + taken)))  # the ramp forgets the first weights
            seen += len(pixels)
            running += (loss.item() - running) / min(step, 50)
            if step % 20 == 0 or step == steps_per_epoch:
                rate = seen / (time.monotonic() - started)
                print(f"train: epoch {epoch + 1}/{recipe.epochs} step {step}/{steps_per_epoch} loss {running:.3f} {rate:.1f} pictures/s", flush=True)
        figures = {"epoch": epoch + 1, "loss": round(running, 4), "seconds": round(time.monotonic() - started)}
        figures |= {f"calib {k}": v for k, v in report(average, store, recipe, "calib", recipe.input_size, device).items()}
        print(f"train: {json.dumps(figures)}", flush=True)
        with (out / "log.jsonl").open("a") as log:
            log.write(json.dumps(figures) + "\n")
        state = {"network": network.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict()}
        state |= {"schedule": schedule.state_dict(), "epoch": epoch + 1}
        torch.save(state, out / "last.pt.part")
        (out / "last.pt.part").replace(out / "last.pt")
        torch.save({"epoch": epoch + 1, "weights": average.state_dict()}, out / "ema.pt")


@torch.no_grad()
def _average(average: nn.Module, network: nn.Module, decay: float) -> None:
    for kept, fresh in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(fresh, 1 - decay)
        else:
            kept.copy_(fresh)
