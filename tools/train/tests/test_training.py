"""Training on drawn pictures: resuming, stopping, stages, teachers, processes, overrides, ablations."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from training_drawn import CLASSES, draw, drawn_store, tiny_recipe

from dermlet_train.ablation import ablate, load_plan
from dermlet_train.augment import evaluation_view, training_view
from dermlet_train.checkpoint import average, load, load_classifier, save
from dermlet_train.config import Recipe, Stage
from dermlet_train.distillation import Teachers
from dermlet_train.evaluation import report
from dermlet_train.metrics import auc
from dermlet_train.network import Classifier
from dermlet_train.preprocessing import frame_of, shades_of_grey
from dermlet_train.sampling import Batches, TrainingSamples
from dermlet_train.stages import rate_factor, set_trainable, train_mode, weighted_layers
from dermlet_train.store import Store
from dermlet_train.training import Options, Stopped, Trainer, loss_of, precision_of, train

RECIPES = Path(__file__).parents[1] / "recipes"
ALONE = Options(workers=0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return drawn_store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def finished(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run."""
    out = tmp_path_factory.mktemp("run")
    train(tiny_recipe(), store, out, ALONE)
    return out


def same_weights(a: Path, b: Path) -> bool:
    left, right = load(a)["weights"], load(b)["weights"]
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


def after_step(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], None]) -> None:
    """Calls `act` when the `number`-th step of this process is done."""
    taken, step = [0], Trainer._step

    def counted(self: Trainer, *arguments: object) -> float:
        loss = step(self, *arguments)
        taken[0] += 1
        if taken[0] == number:
            act()
        return loss

    monkeypatch.setattr(Trainer, "_step", counted)


# ---- resuming
# ------------------------------------------------------------------------------


def test_a_run_leaves_what_it_says(finished: Path) -> None:
    lines = [json.loads(line) for line in (finished / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert {"loss", "seconds", "calib ham", "calib ham mel-auc", "calib pad malignant-auc", "calib mean"} <= set(
        lines[1]
    )
    told = json.loads((finished / "run.json").read_text())
    assert told["finished"] and told["figures"] == lines[1] and told["recipe"]["classes"] == list(CLASSES)
    assert set(told["versions"]) >= {"python", "torch"} and told["processes"] == 1 and told["seconds"] >= 0
    assert Recipe.of(load(finished / "ema.pt")["recipe"], "checkpoint") == tiny_recipe()
    assert not list(finished.glob("*.part"))


@pytest.mark.parametrize("step", [2, 3, 5])
def test_ctrl_c_leaves_a_checkpoint_and_resuming_equals_never_stopping(
    store: Store, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        after_step(patch, step, lambda: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(Stopped):
            train(tiny_recipe(), store, tmp_path, ALONE)
    assert signal.getsignal(signal.SIGINT) is before
    assert not json.loads((tmp_path / "run.json").read_text())["finished"]
    train(tiny_recipe(), store, tmp_path, ALONE)
    assert same_weights(tmp_path / "ema.pt", finished / "ema.pt")


def test_a_killed_run_goes_on_from_its_last_step_checkpoint(
    store: Store, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die() -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        after_step(patch, 3, die)
        with pytest.raises(RuntimeError, match="power cut"):
            train(tiny_recipe(), store, tmp_path, Options(workers=0, checkpoint_steps=2))
    assert load(tmp_path / "last.pt")["progress"]["step"] == 2
    train(tiny_recipe(), store, tmp_path, ALONE)
    assert same_weights(tmp_path / "ema.pt", finished / "ema.pt")


def test_a_checkpoint_of_the_first_version_goes_on(
    store: Store, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds network, average, optimiser, schedule and epoch, and nothing else."""
    with monkeypatch.context() as patch:
        after_step(patch, 4, lambda: os.kill(os.getpid(), signal.SIGINT))
        patch.setattr(
            Trainer, "_save", lambda self: save_first_version(self, tmp_path) if self.progress.step == 0 else None
        )
        with pytest.raises(Stopped):
            train(tiny_recipe(), store, tmp_path, ALONE)
    assert set(load(tmp_path / "last.pt")) == {"network", "average", "optimiser", "schedule", "epoch"}
    train(tiny_recipe(), store, tmp_path, ALONE)
    assert same_weights(tmp_path / "ema.pt", finished / "ema.pt")


def save_first_version(trainer: Trainer, out: Path) -> None:
    state = {
        "network": trainer.network.state_dict(),
        "average": trainer.average.state_dict(),
        "optimiser": trainer.optimiser.state_dict(),
    }
    save(
        state | {"schedule": {"last_epoch": 3, "base_lrs": [0.002, 0.002]}, "epoch": trainer.progress.epoch},
        out / "last.pt",
    )


def test_workers_change_nothing(store: Store, finished: Path, tmp_path: Path) -> None:
    train(tiny_recipe(), store, tmp_path, Options(workers=2))
    assert same_weights(tmp_path / "ema.pt", finished / "ema.pt")


def test_a_folder_of_another_recipe_is_refused(store: Store, finished: Path) -> None:
    with pytest.raises(ValueError, match="another classes, seed"):
        train(tiny_recipe(seed=5, classes=("mel", "nv")), store, finished, ALONE)


def test_training_learns(store: Store, tmp_path: Path) -> None:
    figures = train(
        tiny_recipe(
            epochs=5,
            folded=True,
            learning_rate=1e-3,
            mixup_alpha=0.0,
            ema_decay=0.5,
            label_smoothing=0.0,
            augment=("geometry",),
            samples_per_epoch=40,
        ),
        store,
        tmp_path,
        ALONE,
    )
    assert min(figures["calib ham mel-auc"], figures["calib pad mel-auc"]) > 0.85, (
        "colours that far apart are learnt in 25 steps; half would be luck"
    )


# ---- what an epoch is made of
# ------------------------------------------------------------------------------


def test_processes_share_the_same_epoch(store: Store) -> None:
    samples = TrainingSamples(store, tiny_recipe(negatives_per_batch=4), 0)
    whole = list(Batches(samples, 0, 0, 1))
    shares = [list(Batches(samples, 0, rank, 2)) for rank in range(2)]
    assert len(whole) == 3 and whole[0] == list(range(12))
    for step in range(3):
        assert sorted(shares[0][step] + shares[1][step]) == whole[step]
        labels = [[samples[position][1] for position in share[step]] for share in shares]
        assert [sum(label >= 0 for label in row) for row in labels] == [4, 4]
    assert list(Batches(samples, 2, 1, 2)) == shares[1][2:]


def test_modalities_and_sets_can_be_left_out_of_training(store: Store) -> None:
    def used(**changes: object) -> set[str]:
        samples = TrainingSamples(store, tiny_recipe(**changes), 0)
        return {store.rows[i]["set"] for i in samples.order}

    assert {"ham10000", "pad-ufes-20"} <= used()
    assert "pad-ufes-20" not in used(train_modalities=("dermoscopy",))
    assert "ham10000" not in used(train_sets=("pad-ufes-20",))
    with pytest.raises(ValueError, match="no training picture"):
        used(train_sets=("isic2020",))


def test_a_share_of_the_lesions_is_part_of_every_larger_share(store: Store) -> None:
    def used(share: float) -> set[int]:
        samples = TrainingSamples(store, tiny_recipe(train_share=share, samples_per_epoch=4096, batch_size=8), 0)
        return {i for i in samples.order if store.rows[i]["group"]}

    half, most, whole = used(0.5), used(0.8), used(1.0)
    assert half < most < whole
    groups = {store.rows[i]["group"] for i in half}
    assert {i for i in whole if store.rows[i]["group"] in groups} == half, "a lesion is in it with all its pictures"
    for share in (0, 1.5):
        with pytest.raises(ValueError, match="train_share"):
            tiny_recipe(train_share=share)


def test_augmentation_families_switch_off() -> None:
    pixels = draw("mel", 1, 60)
    for crop in ("cover", "stretch"):
        plain = training_view(pixels, 32, np.random.default_rng(1), (), crop)
        assert np.abs(plain.astype(int) - evaluation_view(pixels, 32, crop)).max() <= 12, (
            "the same frame, but for the filter's reach beyond it"
        )
    views = {}
    for family in ("geometry", "colour", "degrade", "overlays"):
        some = [training_view(pixels, 32, np.random.default_rng(seed), (family,)) for seed in range(12)]
        assert all(view.shape == (32, 32, 3) and view.dtype == np.uint8 for view in some)
        views[family] = max(float(np.abs(view.astype(int) - evaluation_view(pixels, 32)).mean()) for view in some)
    assert min(views.values()) > 0.5


def test_frames() -> None:
    assert frame_of(100, 60, "cover") == (20, 0, 80, 60)
    assert frame_of(100, 60, "stretch") == (0, 0, 100, 60)
    assert frame_of(100, 60, "cover", 0.8) == (26, 6, 74, 54)
    assert frame_of(100, 60, "stretch", 0.5) == (25, 15, 75, 45)
    assert frame_of(1, 3, "cover", 0.25) == (0, 1, 1, 2), "never nothing"


def test_shades_of_grey_takes_a_cast_out() -> None:
    pixels = np.random.default_rng(2).integers(20, 150, (40, 40, 3)).astype(np.uint8)
    cast = np.rint(pixels * np.array([1.5, 1.0, 0.7])).astype(np.uint8)
    ratio = [
        np.divide(*(shades_of_grey(p).reshape(-1, 3).mean(0)[list(pair)])) for p in (cast,) for pair in ((0, 1), (2, 1))
    ]
    assert np.allclose(ratio, 1, atol=0.03)
    assert np.divide(*cast.reshape(-1, 3).mean(0)[[0, 1]]) > 1.4


# ---- stages
# ------------------------------------------------------------------------------


def test_what_learns_and_what_stays() -> None:
    network = Classifier("efficientnet-lite0", 3, 0.2, pretrained=False)
    layers = weighted_layers(network.backbone)
    assert len(layers) == sum(isinstance(m, nn.Conv2d) for m in network.backbone.modules()) and all(
        len(layer) == 2 for layer in layers
    )
    for trainable, count in (("head", 0), ("last:2", 2), ("all", len(layers))):
        set_trainable(network, trainable)
        train_mode(network)
        for k, layer in enumerate(layers):
            learns = k >= len(layers) - count
            assert all(p.requires_grad == learns for module in layer for p in module.parameters(recurse=False))
            assert all(module.training == learns for module in layer if isinstance(module, nn.BatchNorm2d))
        assert all(p.requires_grad for p in network.head.parameters())
    with pytest.raises(ValueError, match="has 49 layers"):
        set_trainable(network, "last:50")


def test_frozen_batch_norm_keeps_its_statistics(store: Store, tmp_path: Path) -> None:
    recipe = tiny_recipe(
        stages=[{"epochs": 1, "learning_rate": 1e-3, "trainable": "last:2", "schedule": "constant"}], epochs=1
    )
    torch.manual_seed(1)
    start = Classifier(recipe.network, 3, 0.2, pretrained=False)
    train(recipe, store, tmp_path, ALONE, start)
    before, after = start.state_dict(), load(tmp_path / "last.pt")["network"]
    changed = {
        key.removeprefix("backbone.").split(".")[0] for key in before if not torch.equal(before[key], after[key])
    }
    assert changed == {"_conv_head", "_bn1", "_blocks", "head"}
    blocks = {
        ".".join(key.split(".")[2:4]) for key in before if "_blocks" in key and not torch.equal(before[key], after[key])
    }
    assert blocks == {"15._project_conv", "15._bn2"}


def test_rates() -> None:
    recipe = tiny_recipe(warmup_fraction=0.1)
    cosine = [rate_factor(recipe, Stage(1, 1.0), step, 100, 1.0) for step in range(100)]
    assert cosine[0] == 0 and cosine[10] == 1 and cosine[55] == pytest.approx(0.5) and cosine[99] < 0.001
    assert rate_factor(recipe, Stage(1, 1.0, "all", "constant"), 50, 100, 0.3) == 1
    assert rate_factor(recipe, Stage(1, 1.0, "all", "plateau"), 50, 100, 0.3) == 0.3


def test_vgg16s_three_stages(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The committed recipe, made small; stopped in its second stage and gone on with."""
    recipe = Recipe.load(RECIPES / "vgg16.toml")
    assert [(stage.trainable, stage.schedule) for stage in recipe.stages] == [
        ("head", "constant"),
        ("last:4", "constant"),
        ("last:8", "plateau"),
    ]
    stages = [
        {"epochs": 1, "learning_rate": 1e-4, "trainable": stage.trainable, "schedule": stage.schedule}
        for stage in recipe.stages
    ]
    small = {
        "stages": stages,
        "epochs": 3,
        "classes": CLASSES,
        "train_size": 32,
        "input_size": 32,
        "samples_per_epoch": 8,
        "batch_size": 4,
    }
    recipe = Recipe.of(recipe.to_dict() | small, "vgg16.toml")
    snapshots: list[dict[str, torch.Tensor]] = []
    end = Trainer._end_of_epoch

    def noted(self: Trainer, *arguments: object) -> None:
        snapshots.append({key: value.clone() for key, value in self.network.state_dict().items()})
        end(self, *arguments)

    monkeypatch.setattr(Trainer, "_end_of_epoch", noted)
    enter = Trainer._enter

    def entered(self: Trainer, *arguments: object) -> None:
        enter(self, *arguments)
        snapshots.append({key: value.clone() for key, value in self.network.state_dict().items()})

    monkeypatch.setattr(Trainer, "_enter", entered)
    with monkeypatch.context() as patch:
        after_step(patch, 3, lambda: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(Stopped):
            train(recipe, store, tmp_path, ALONE)
    middle = len(snapshots)
    train(recipe, store, tmp_path, ALONE)
    assert load(tmp_path / "last.pt")["progress"]["epoch"] == 3 and (tmp_path / "best.pt").exists()
    convolutions = [f"backbone.features.{n}" for n in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)]

    def changed(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
        return {key.rpartition(".")[0] for key in before if not torch.equal(before[key], after[key])}

    # Entered, end of stage 1; entered stage 2, stopped; resumed in stage 2, its end; entered stage 3, its end.
    assert changed(snapshots[0], snapshots[1]) == {"head"}
    assert middle == 3 and changed(snapshots[2], snapshots[4]) == {"head", *convolutions[-4:]}
    assert changed(snapshots[5], snapshots[6]) == {"head", *convolutions[-8:]}
    told = capsys.readouterr().out
    assert (
        "stage 2/3: last:4 learns" in told
        and "no ImageNet weights for vgg16" in told
        and "resumed after epoch 1, step 1" in told
    )


def test_a_stage_ends_when_nothing_gets_better(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = {"epochs": 4, "learning_rate": 1e-3, "trainable": "head", "schedule": "plateau"}
    recipe = tiny_recipe(
        stages=[stage, {**stage, "epochs": 1}],
        epochs=5,
        samples_per_epoch=8,
        patience=2,
        plateau_patience=1,
        watch="score",
    )
    values = iter([0.5, 0.7, 0.6, 0.6, 0.9])
    monkeypatch.setattr("dermlet_train.training.report", lambda *arguments: {"score": next(values)})
    kept: list[Path] = []
    monkeypatch.setattr(
        Trainer, "_save_average", lambda self, name: kept.append((name, self.progress.epoch, self.progress.scale))
    )
    train(recipe, store, tmp_path, ALONE)
    assert [(name, epoch) for name, epoch, _ in kept if name == "best.pt"] == [
        ("best.pt", 1),
        ("best.pt", 2),
        ("best.pt", 5),
    ]
    assert [epoch for name, epoch, _ in kept if name == "ema.pt"] == [1, 2, 3, 4, 5]
    assert [round(scale, 3) for name, _, scale in kept if name == "ema.pt"] == [1.0, 1.0, 0.3, 0.09, 1.0]
    assert "stage 1 ends" not in capsys.readouterr().out, "the stage's last epoch is its end anyway"
    monkeypatch.setattr("dermlet_train.training.report", lambda *arguments: {"score": next(again)})
    again = iter([0.5, 0.4, 0.4, 0.9])
    train(recipe, store, tmp_path / "early", ALONE)
    assert "no better score for 2 epochs: stage 1 ends" in capsys.readouterr().out
    assert [json.loads(line)["epoch"] for line in (tmp_path / "early" / "log.jsonl").read_text().splitlines()] == [
        1,
        2,
        3,
        5,
    ]


# ---- precision, teachers, processes
# ------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["fp16", "fp32"])
def test_other_precisions_train(store: Store, tmp_path: Path, precision: str) -> None:
    figures = train(tiny_recipe(epochs=1, precision=precision), store, tmp_path, ALONE)
    assert np.isfinite(figures["loss"])
    scaler = load(tmp_path / "last.pt")["scaler"]
    assert bool(scaler) == (precision == "fp16"), "losses are scaled for fp16 alone"


@pytest.mark.parametrize(
    "instructions, expected",
    [
        ({"avx2": True, "amx_bf16": False, "avx512_bf16": False}, torch.float32),
        ({"avx2": True, "amx_bf16": True, "avx512_bf16": False}, torch.bfloat16),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"neon": True, "bf16": True}, torch.bfloat16),
        ({"neon": True, "bf16": False}, torch.float32),
    ],
)
def test_a_cpu_computes_in_bf16_only_where_it_has_instructions_for_it(
    monkeypatch: pytest.MonkeyPatch, instructions: dict[str, bool], expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)
    assert precision_of(tiny_recipe(), torch.device("cpu")) == expected
    assert precision_of(tiny_recipe(precision="bf16"), torch.device("cpu")) == torch.bfloat16


def test_a_students_loss_holds_the_teachers_answers(finished: Path, tmp_path: Path) -> None:
    torch.manual_seed(3)
    other = tiny_recipe(network="mobilenet-v3-large", classes=("nv", "df", "mel", "bcc"), input_size=64)
    big = Classifier(other.network, 4, 0.0, pretrained=False)
    save({"epoch": 1, "weights": big.state_dict(), "recipe": other.to_dict()}, tmp_path / "teacher.pt")
    teacher = (str(finished / "ema.pt"), str(tmp_path / "teacher.pt"))
    recipe = tiny_recipe(
        teacher=teacher, distill_weight=0.3, distill_temperature=3.0, mixup_alpha=0.0, label_smoothing=0.0
    )
    student = Classifier(recipe.network, 3, 0.0, pretrained=False).eval()
    teachers = Teachers(recipe, student.preprocessing, torch.device("cpu"))
    views = np.stack([evaluation_view(draw(label, k), 32) for k, label in enumerate(CLASSES)])
    pixels, labels = torch.from_numpy(student.preprocessing.normalise(views)), torch.tensor([0, 1, 2])

    with torch.no_grad():
        first = load_classifier(Path(teacher[0])).network(pixels)
        seen = nn.functional.interpolate(
            student.preprocessing.convert(pixels, big.preprocessing), (64, 64), mode="bilinear"
        )
        second = big.eval()(seen)[:, [3, 2, 0]]
        expected = ((first / 3).softmax(1) + (second / 3).softmax(1)) / 2
    targets = teachers.targets(pixels)
    assert torch.allclose(targets, expected, atol=1e-4) and torch.allclose(targets.sum(1), torch.ones(3))

    def loss(with_teachers: Teachers | None, used: Recipe) -> float:
        return loss_of(student, pixels, labels, used, np.random.default_rng(1), with_teachers).item()

    logits = student(pixels)
    divergence = 9 * (expected * (expected.log() - (logits / 3).log_softmax(1))).sum(1).mean()
    plain = nn.functional.cross_entropy(logits, labels)
    assert loss(teachers, recipe) == pytest.approx((0.7 * plain + 0.3 * divergence).item(), rel=1e-3)
    assert loss(None, recipe) == pytest.approx(plain.item(), rel=1e-5)
    with pytest.raises(ValueError, match="does not know vasc"):
        Teachers(tiny_recipe(teacher=teacher[1:], classes=("mel", "vasc")), student.preprocessing, torch.device("cpu"))


def test_teachers_and_mixup_together(store: Store, finished: Path, tmp_path: Path) -> None:
    recipe = tiny_recipe(teacher=(str(finished / "ema.pt"),), mixup_alpha=0.4, distill_weight=1.0, epochs=1)
    train(recipe, store, tmp_path / "taught", ALONE)
    train(Recipe.of(recipe.to_dict() | {"teacher": ()}, "test"), store, tmp_path / "untaught", ALONE)
    assert not same_weights(tmp_path / "taught" / "ema.pt", tmp_path / "untaught" / "ema.pt")


def test_a_run_begins_with_a_checkpoint(store: Store, finished: Path, tmp_path: Path) -> None:
    """At a rate of nothing the weights stay those of the start; batch norm's statistics alone move."""
    recipe = tiny_recipe(start=str(finished / "ema.pt"), learning_rate=0.0, epochs=1)
    train(recipe, store, tmp_path, ALONE)
    began, after = load(finished / "ema.pt")["weights"], load(tmp_path / "last.pt")["network"]
    same = {key for key in began if torch.equal(began[key], after[key])}
    assert same == {key for key in began if not key.endswith(("running_mean", "running_var", "num_batches_tracked"))}


def test_average_of_checkpoints(finished: Path, tmp_path: Path) -> None:
    one = load(finished / "ema.pt")
    other = {key: value + 1 if value.is_floating_point() else value for key, value in one["weights"].items()}
    save({"epoch": 5, "weights": other}, tmp_path / "other.pt")
    average([finished / "ema.pt", tmp_path / "other.pt"], tmp_path / "mean.pt")
    mean = load(tmp_path / "mean.pt")
    assert mean["epoch"] == one["epoch"] + 5 and mean["recipe"] == one["recipe"]
    for key, value in one["weights"].items():
        torch.testing.assert_close(mean["weights"][key], (value + 0.5) if value.is_floating_point() else value)
    assert load_classifier(tmp_path / "mean.pt").name == "efficientnet-lite0"
    strange = Classifier("mobilenet-v3-large", 3, 0.0, pretrained=False).state_dict()
    save({"epoch": 1, "weights": strange}, tmp_path / "strange.pt")
    with pytest.raises(ValueError, match="one and the same network"):
        average([finished / "ema.pt", tmp_path / "strange.pt"], tmp_path / "no.pt")


def test_a_checkpoint_without_a_recipe_is_known_by_its_weights(tmp_path: Path) -> None:
    network = Classifier("mobilenet-v3-large", 3, 0.0, pretrained=False, folded=True)
    save({"epoch": 1, "weights": network.state_dict()}, tmp_path / "old.pt")
    found = load_classifier(tmp_path / "old.pt")
    assert (found.name, found.classes, found.network.head.out_features) == ("mobilenet-v3-large", (), 3)


def test_two_processes_train_as_one(tmp_path: Path) -> None:
    """VGG16 has no batch norm, so nothing but the order of additions differs; no mixup and dropout, which each process
    draws for itself.
    """
    drawn_store(tmp_path / "store", train=4, calib=2)
    changes = {
        "network": "vgg16",
        "samples_per_epoch": 16,
        "batch_size": 8,
        "negatives_per_batch": 2,
        "learning_rate": 1e-4,
        "epochs": 1,
    }
    recipe = tiny_recipe(**changes, precision="fp32", mixup_alpha=0.0, dropout=0.0)
    (tmp_path / "recipe.toml").write_text(recipe.to_toml())
    command = [
        "-m",
        "dermlet_train",
        "train",
        "--store",
        str(tmp_path / "store"),
        "--recipe",
        str(tmp_path / "recipe.toml"),
        "--workers",
        "0",
        "--out",
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    spread = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    for name, launch in (("one", [sys.executable]), ("two", spread)):
        done = subprocess.run(
            [*launch, *command, str(tmp_path / name)],
            cwd=RECIPES.parent,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert done.stdout.count('"epoch": 1,') == 1, "the first process alone reports"
    one, two = (load(tmp_path / name / "ema.pt")["weights"] for name in ("one", "two"))
    start = torch.cat([v.flatten() for v in one.values()])
    torch.manual_seed(recipe.seed)
    fresh = torch.cat([v.flatten() for v in Classifier("vgg16", 3, 0.0, pretrained=False).state_dict().values()])
    apart = (start - torch.cat([v.flatten() for v in two.values()])).norm() / (start - fresh).norm()
    assert apart < 0.02, f"two processes end {apart:.4f} of the way apart that training went"
    logs = [json.loads((tmp_path / name / "log.jsonl").read_text()) for name in ("one", "two")]
    assert logs[0]["loss"] == pytest.approx(logs[1]["loss"], rel=1e-3)
    assert json.loads((tmp_path / "two" / "run.json").read_text())["processes"] == 2


# ---- recipes, figures, ablations
# ------------------------------------------------------------------------------


PLANS = ("ablations", "learning-curve")
TRAINABLE = [
    path for path in sorted(RECIPES.glob("*.toml")) if path.stem not in PLANS and not path.stem.endswith(".card")
]


@pytest.mark.parametrize("path", TRAINABLE, ids=lambda path: path.stem)
def test_every_recipe_reads_and_writes(path: Path) -> None:
    recipe = Recipe.load(path)
    assert Recipe.of(tomllib.loads(recipe.to_toml()), "written") == recipe
    assert Recipe.of(json.loads(json.dumps(recipe.to_dict())), "json") == recipe


def test_overrides() -> None:
    recipe = Recipe.load(
        RECIPES / "skin-8-lite2.toml",
        ["train_size=128", "epochs=3", "augment=['colour']", "network=vgg16", "learning_rate=1", "crop=stretch"],
    )
    assert (recipe.train_size, recipe.epochs, recipe.augment, recipe.network, recipe.learning_rate) == (
        128,
        3,
        ("colour",),
        "vgg16",
        1.0,
    )
    for wrong in (
        "epoch=3",
        "epochs=many",
        "train_size=100",
        "crop=round",
        "augment=['noise']",
        "epochs",
        "patience=true",
    ):
        with pytest.raises(ValueError, match=wrong.split("=")[0]):
            recipe.override([wrong])
    with pytest.raises(ValueError, match="the stages have 45"):
        Recipe.load(RECIPES / "vgg16.toml", ["epochs=3"])


def test_auc_against_counting_pairs() -> None:
    rng = np.random.default_rng(4)
    scores, positive = rng.integers(0, 6, 50).astype(float), rng.random(50) < 0.3
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[positive] for b in scores[~positive]]
    assert auc(scores, positive) == pytest.approx(np.mean(pairs))
    assert auc(scores, np.zeros(50, bool)) is None


def test_report_knows_the_seven_classes_and_leaves_out_what_it_cannot_say(store: Store) -> None:
    class Sure(Classifier):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[0.0, 1.0, 0.0]]).expand(len(pixels), 3)

    network = Sure("efficientnet-lite0", 3, 0.0, pretrained=False)
    figures = report(network, store, tiny_recipe(), "calib", 32, torch.device("cpu"))
    assert figures["ham"] == figures["ham-7"] == figures["pad"] == figures["mean"] == pytest.approx(1 / 3, abs=1e-3)
    assert figures["ham mel-auc"] == 0.5
    assert "ham mel-auc" not in report(network, store, tiny_recipe(positive="vasc"), "calib", 32, torch.device("cpu"))
    assert report(network, store, tiny_recipe(), "test", 32, torch.device("cpu")) == {}


def test_ablations_run_once_and_make_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.toml"
    base = tiny_recipe(epochs=1, samples_per_epoch=8).to_toml()
    rows = (
        ("base", ""),
        ("No overlays", 'augment = ["geometry"]'),
        ("colour constancy", "colour_constancy = true, crop_pct = 0.8"),
    )
    plan.write_text(
        "[base]\n" + base + "".join(f'[[rows]]\nname = "{name}"\nset = {{ {keys} }}\n' for name, keys in rows)
    )
    small = drawn_store(tmp_path / "store", train=4, calib=2)
    ablate(plan, small, tmp_path / "out", ALONE, only=["base"])
    results = ablate(plan, small, tmp_path / "out", ALONE)
    told = capsys.readouterr().out
    assert list(results) == ["base", "No overlays", "colour constancy"] and told.count("ablate: 1/3 base") == 1
    lines = (tmp_path / "out" / "table.md").read_text().splitlines()
    assert (
        lines[0].startswith("| run | mean | ham ") and len(lines) == 5 and "(+" in lines[3] + lines[4]
    ) or "(-" in lines[3] + lines[4]
    ablate(plan, small, tmp_path / "out", ALONE)
    assert "epoch 1/1" not in capsys.readouterr().out, "nothing is run twice"
    assert Recipe.load(tmp_path / "out" / "ablations" / "no-overlays.toml").augment == ("geometry",)
    with pytest.raises(ValueError, match="no row"):
        ablate(plan, small, tmp_path / "out", ALONE, only=["bass"])


def test_the_committed_plans_read() -> None:
    curve = load_plan(RECIPES / "learning-curve.toml")
    assert {row.recipe.train_share for row in curve} == {0.25, 0.5, 1}
    rows = load_plan(RECIPES / "ablations.toml")
    assert rows[0].name == "base" and len({row.folder for row in rows}) == len(rows) >= 14
    assert all(row.recipe.samples_per_epoch == 3360 and row.recipe.epochs == 4 for row in rows)


def test_a_run_does_not_go_on_with_other_pictures(tmp_path: Path) -> None:
    """What it was trained on may stand in another part by now."""
    train(tiny_recipe(epochs=1), drawn_store(tmp_path / "store"), tmp_path / "run", 0)
    same = drawn_store(tmp_path / "store")
    assert train(tiny_recipe(epochs=1), same, tmp_path / "run", 0)["epoch"] == 1
    with pytest.raises(ValueError, match="trained on other pictures than the store holds now"):
        train(tiny_recipe(epochs=2), drawn_store(tmp_path / "store", train=9), tmp_path / "run", 0)


def test_a_judge_keeps_the_best_epoch(tmp_path: Path) -> None:
    """Only what is worth more than the floor, and than every epoch before; what a run began with is kept with it."""
    store, seen = drawn_store(tmp_path / "store"), []

    def judge(network: torch.nn.Module) -> tuple[float, dict[str, float]]:
        seen.append({key: value.clone() for key, value in network.state_dict().items()})
        return (0.4, 0.7, 0.6)[len(seen) - 1], {"worth": float(len(seen))}

    figures = train(tiny_recipe(epochs=3), store, tmp_path / "run", 0, None, judge, 0.5)
    best = torch.load(tmp_path / "run" / "best.pt", weights_only=True)
    assert len(seen) == 3 and best["epoch"] == 2 and figures["worth"] == 3.0
    assert all(torch.equal(value, seen[1][key]) for key, value in best["weights"].items())
    assert best["origin"] == "ImageNet weights"
    train(tiny_recipe(epochs=1), store, tmp_path / "none", 0, None, lambda network: (0.5, {}), 0.5)
    assert not (tmp_path / "none" / "best.pt").exists() and (tmp_path / "none" / "ema.pt").exists()
