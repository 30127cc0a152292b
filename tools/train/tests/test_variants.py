"""How weights are stored, fitted rounding, and the choice by measurement, on a network small enough to be looked at."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from dermlet_train import variants as module
from dermlet_train.augment import normalise
from dermlet_train.config import Recipe
from dermlet_train.metrics import balanced_accuracy
from dermlet_train.rounding import (
    FITTED,
    Layer,
    columns_at,
    fit,
    fitting_views,
    layers_of,
    rounded,
    store_fitted,
    store_network,
)
from dermlet_train.storage import channel_scales, restored, storable, store_weights
from dermlet_train.store import Store, write_store
from dermlet_train.variants import Measured, Rule, choose, faults_of, read_choice, table_of, variants, weigh_and_time

SIDE = 32
CLASSES = ("a", "b", "c")
NODE_MODULES = Path(__file__).parents[3] / "node_modules" / "onnxruntime-web"
needs_node = pytest.mark.skipif(not NODE_MODULES.exists(), reason="npm packages are not installed")


def tiny() -> onnx.ModelProto:
    """Stem with stride and one-sided pads, depthwise, pointwise, head: what the real networks consist of. 3 x 32 x 32
    -> 3 classes.
    """
    rng = np.random.default_rng(5)
    widths = {"stem.w": (24, 3, 3, 3), "deep.w": (24, 1, 5, 5), "point.w": (96, 24, 1, 1), "head.w": (3, 96)}
    held = {
        name: rng.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape).astype(np.float32) for name, shape in widths.items()
    }
    held |= {f"{name[:-1]}b": rng.normal(0, 0.1, shape[0]).astype(np.float32) for name, shape in widths.items()}
    held["low"], held["high"] = np.float32(0), np.float32(6)
    nodes = []

    def convolution(name: str, source: str, **attributes: object) -> str:
        nodes.append(helper.make_node("Conv", [source, f"{name}.w", f"{name}.b"], [f"{name}.raw"], **attributes))
        nodes.append(helper.make_node("Clip", [f"{name}.raw", "low", "high"], [f"{name}.out"]))
        return f"{name}.out"

    features = convolution("stem", "pixels", strides=[2, 2], pads=[0, 0, 1, 1])
    features = convolution("deep", features, group=24, pads=[2, 2, 2, 2])
    features = convolution("point", features)
    held["axes"] = np.array([2, 3], np.int64)
    nodes.append(helper.make_node("ReduceMean", [features, "axes"], ["embedding"], keepdims=0))
    nodes.append(helper.make_node("Gemm", ["embedding", "head.w", "head.b"], ["logits"], transB=1))
    nodes.append(helper.make_node("Identity", [features], ["maps"]))
    outputs = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, s)
        for n, s in (("logits", [1, 3]), ("maps", [1, 96, 16, 16]), ("embedding", [1, 96]))
    ]
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    graph = helper.make_graph(
        nodes, "tiny", [pixels], outputs, [numpy_helper.from_array(v, n) for n, v in held.items()]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    return model


def pictures(count: int, seed: int) -> list[np.ndarray]:
    """Smooth coloured pictures, (S, S, 3) uint8: neighbours are alike, as in photos."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    drawn = []
    for _ in range(count):
        a, b, c = rng.uniform(0, 1, (3, 3))
        spot = np.exp(-((x - rng.uniform(0.3, 0.7)) ** 2 + (y - rng.uniform(0.3, 0.7)) ** 2) / rng.uniform(0.01, 0.08))[
            ..., None
        ]
        drawn.append(np.clip((a + b * x[..., None] - c * spot) * 180 + 30, 0, 255).astype(np.uint8))
    return drawn


def logits(model: onnx.ModelProto, views: list[np.ndarray]) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(["logits"], {"pixels": normalise(view[None])})[0] for view in views])


def values_of(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    return {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}


class TestStorage:
    def test_what_is_small_or_a_bias_is_left_alone(self) -> None:
        assert storable(tiny()) == {"stem.w": 648, "deep.w": 600, "point.w": 2304}
        before, after = values_of(tiny()), values_of(store_weights(tiny(), "int8"))
        for name in ("head.w", "stem.b", "deep.b", "point.b", "head.b", "axes"):
            assert np.array_equal(before[name], after[name])

    @pytest.mark.parametrize("kind", ["int8", "int8-max"])
    def test_int8_comes_back_within_half_a_step_but_for_clipped_tails(self, kind: str) -> None:
        stored = store_weights(tiny(), kind)
        back, held = restored(stored), values_of(stored)
        for name in storable(tiny()):
            exact, scale = values_of(tiny())[name], held[f"{name}.scale"]
            assert held[f"{name}.i8"].dtype == np.int8
            assert scale.shape == (len(exact),) + (1,) * (exact.ndim - 1)
            clipped = np.abs(exact) > 127.5 * scale
            assert (np.abs(back[name] - exact)[~clipped] <= (scale / 2 * 1.001 + np.zeros_like(exact))[~clipped]).all()
            assert (kind == "int8" or not clipped.any()) and clipped.mean() < 0.02

    def test_the_searched_scale_loses_no_more_than_the_plain_one(self) -> None:
        for values in values_of(tiny()).values():
            if values.ndim < 2:
                continue

            def lost(scale: np.ndarray, values: np.ndarray = values) -> np.ndarray:
                return (
                    np.square(np.clip(np.rint(values / scale), -127, 127) * scale - values)
                    .reshape(len(values), -1)
                    .sum(1)
                )

            assert (lost(channel_scales(values)) <= lost(channel_scales(values, search=False)) * 1.000001).all()

    def test_a_channel_of_zeros_stays_zeros(self) -> None:
        model = tiny()
        held = {t.name: t for t in model.graph.initializer}
        values = numpy_helper.to_array(held["point.w"]).copy()
        values[3] = 0
        held["point.w"].CopyFrom(numpy_helper.from_array(values, "point.w"))
        assert (restored(store_weights(model, "int8"))["point.w"][3] == 0).all()

    def test_half_floats_come_back_within_their_precision(self) -> None:
        back = restored(store_weights(tiny(), "fp16"))
        for name in storable(tiny()):
            exact = values_of(tiny())[name]
            assert np.abs(back[name] - exact).max() <= np.abs(exact).max() * 2**-11

    def test_values_beyond_half_floats_are_refused(self) -> None:
        model = tiny()
        held = {t.name: t for t in model.graph.initializer}
        held["point.w"].CopyFrom(numpy_helper.from_array(numpy_helper.to_array(held["point.w"]) * 1e6, "point.w"))
        with pytest.raises(ValueError, match=r"point\.w"):
            store_weights(model, "fp16")

    @pytest.mark.parametrize("storage", ["fp32", "fp16", "int8", {"stem.w": "fp16", "point.w": "int8"}])
    def test_a_session_runs_with_the_restored_weights(self, storage: str | dict[str, str]) -> None:
        views = pictures(4, 1)
        stored = store_weights(tiny(), storage)
        plain = tiny()
        for tensor in plain.graph.initializer:
            tensor.CopyFrom(numpy_helper.from_array(np.asarray(restored(stored)[tensor.name]), tensor.name))
        assert np.allclose(logits(stored, views), logits(plain, views), atol=1e-5)

    def test_a_plan_stores_each_tensor_as_it_says(self) -> None:
        held = values_of(store_weights(tiny(), {"stem.w": "fp16", "point.w": "int8"}))
        assert {"stem.w.f16", "point.w.i8", "point.w.scale", "deep.w"} <= set(held)
        assert "deep.w.i8" not in held and "point.w" not in held

    @pytest.mark.parametrize("storage", ["int4", {"stem.w": "int4"}, {"nothing.w": "int8"}, {"stem.b": "int8"}])
    def test_what_is_not_known_is_refused(self, storage: str | dict[str, str]) -> None:
        with pytest.raises(ValueError, match="cannot be stored"):
            store_weights(tiny(), storage)


class TestRounding:
    def test_the_columns_are_what_the_kernel_meets(self) -> None:
        model = tiny()
        held = values_of(model)
        rng = np.random.default_rng(3)
        layers = layers_of(model)
        assert [layer.weight for layer in layers] == ["stem.w", "deep.w", "point.w"]
        for layer in layers:
            weights = held[layer.weight]
            features = rng.normal(size=(weights.shape[1] * layer.group, 12, 12)).astype(np.float32)
            columns = columns_at(layer, features)
            found = np.einsum(
                "grk,gkp->grp", weights.reshape(layer.group, len(weights) // layer.group, -1), columns
            ).reshape(len(weights), -1)
            assert np.allclose(found, conv_of(layer, weights, features).reshape(len(weights), -1), atol=1e-4)

    def test_without_correlation_it_is_plain_rounding(self) -> None:
        rng = np.random.default_rng(4)
        weights, scales = rng.normal(size=(2, 5, 70)), np.full((2, 5, 1), 0.02)
        moments = np.eye(70)[None] * rng.uniform(0.5, 2, (2, 1, 70))
        assert np.array_equal(rounded(weights, scales, moments), np.clip(np.rint(weights / 0.02), -127, 127))

    def test_with_correlation_the_output_errs_less(self) -> None:
        rng = np.random.default_rng(6)
        columns = rng.normal(size=(1, 80, 12)) @ rng.normal(0.5, 1, (1, 12, 500))
        weights, scales = rng.normal(size=(1, 20, 80)), np.full((1, 20, 1), 0.03)
        steps = rounded(weights, scales, columns @ columns.transpose(0, 2, 1) / 500)
        assert np.abs(steps).max() <= 127 and np.array_equal(steps, np.rint(steps))
        error = np.square((steps * scales - weights) @ columns).mean()
        plain = np.square((np.rint(weights / scales) * scales - weights) @ columns).mean()
        assert error < plain / 5

    def test_a_fitted_network_errs_less_on_other_pictures_and_loses_nothing_when_stored(self) -> None:
        views, others = pictures(24, 7), pictures(40, 8)
        fitted, scales = fit(tiny(), views)
        stored = store_fitted(tiny(), views)
        back = restored(stored)
        for name, scale in scales.items():
            values = values_of(fitted)[name]
            steps = np.rint(values / scale)
            assert np.abs(steps).max() <= 127 and np.allclose(steps * scale, values, rtol=1e-6, atol=0)
            assert np.array_equal(back[name], values)
        assert len(stored.SerializeToString()) <= len(store_weights(tiny(), "int8").SerializeToString()) + 4
        exact = logits(tiny(), others)
        error = np.square(logits(stored, others) - exact).mean()
        assert error < np.square(logits(store_weights(tiny(), "int8"), others) - exact).mean() / 2


def conv_of(layer: Layer, weights: np.ndarray, features: np.ndarray) -> np.ndarray:
    """onnxruntime's own convolution, without bias."""
    node = helper.make_node(
        "Conv", ["x", "w"], ["y"], group=layer.group, strides=list(layer.stride), pads=list(layer.pads)
    )
    x, y = (
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, *features.shape]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
    )
    model = helper.make_model(
        helper.make_graph([node], "conv", [x], [y], [numpy_helper.from_array(weights, "w")]),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(
        None, {"x": features[None]}
    )[0][0]


def candidate(
    name: str, brotli: int, drop: float = 0.0, change: float = 0.0, ratio: float | None = 1.0, raw: int = 0
) -> Measured:
    return Measured(
        name, {}, {"photo": 0.5}, {"photo": drop}, change, change, raw or brotli, brotli, brotli, None, None, ratio
    )


class TestChoice:
    def test_classes_with_few_pictures_do_not_decide(self) -> None:
        labels = np.repeat([0, 1, 2], [40, 30, 4])
        predicted = labels.copy()
        predicted[[0, 1, 70]] = 1  # two of forty, one of four
        assert balanced_accuracy(labels, predicted, module.FEWEST) == pytest.approx((38 / 40 + 1) / 2)
        few = labels[::8]
        assert balanced_accuracy(few, few, module.FEWEST) == 1.0

    def test_the_smallest_that_passes(self) -> None:
        small = candidate("small", 3)
        assert choose([candidate("large", 9), small, candidate("middle", 5)], Rule()) is small

    @pytest.mark.parametrize(
        ("refused", "why"),
        [
            (candidate("drop", 1, drop=0.5), "photo falls by 0.50 points"),
            (candidate("change", 1, change=0.02), "probabilities move by 0.020"),
            (candidate("slow", 1, ratio=1.21), "1.21 times"),
        ],
    )
    def test_each_limit_refuses(self, refused: Measured, why: str) -> None:
        fine = candidate("fine", 9, drop=0.49, change=0.0199, ratio=1.2)
        assert choose([refused, fine], Rule()) is fine
        assert faults_of(fine, Rule()) == []
        assert [fault.startswith(why) for fault in faults_of(refused, Rule())] == [True]

    def test_a_gain_in_accuracy_is_no_fault_and_an_untimed_one_is_not_slow(self) -> None:
        assert faults_of(candidate("x", 1, drop=-3.0, ratio=None), Rule()) == []

    def test_of_equal_downloads_the_smaller_file(self) -> None:
        assert choose([candidate("a", 3, raw=8), candidate("b", 3, raw=7)], Rule()).name == "b"

    def test_none_where_none_passes(self) -> None:
        assert choose([candidate("slow", 1, ratio=2.0)], Rule()) is None

    def test_the_table_says_what_was_measured_and_why_it_was_refused(self) -> None:
        refused = candidate("int8", 4_000_000, drop=0.8, change=0.05)
        refused.faults = faults_of(refused, Rule())
        fine = candidate("fp16", 8_000_000)
        lines = table_of([refused, fine], fine, {"run": []}).splitlines()
        assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1
        assert "photo falls by 0.80 points; probabilities move by 0.050" in lines[2]
        assert lines[3].startswith("| **fp16** | 8.00 |")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """60 drawn pictures for training and 60 for calibration, two modalities, three classes."""
    views = pictures(120, 11)
    (tmp_path / "pixels.u8").write_bytes(b"".join(view.tobytes() for view in views))
    kinds = [
        ("train" if i < 60 else "calib", "photo" if i % 2 else "dermoscopy", CLASSES[i // 2 % 3]) for i in range(120)
    ]
    rows = [
        {"part": part, "modality": modality, "label": label, "split": "train", "group": str(i)}
        for i, (part, modality, label) in enumerate(kinds)
    ]
    write_store(tmp_path, rows, [i * SIDE * SIDE * 3 for i in range(120)], [SIDE] * 120, [SIDE] * 120)
    return Store.open(tmp_path)


RECIPE = Recipe(classes=CLASSES, input_size=SIDE)


def test_a_network_is_measured_with_the_pixels_that_it_wants(store: Store) -> None:
    lite, vgg = (
        module.calibration_sample(store, RECIPE),
        module.calibration_sample(store, replace(RECIPE, network="vgg16")),
    )
    assert lite.preprocessing != vgg.preprocessing
    assert not np.allclose(module.logits_of(tiny(), lite.part([0, 1])), module.logits_of(tiny(), vgg.part([0, 1])))


def test_only_training_pictures_are_fitted_to(store: Store) -> None:
    views = fitting_views(store, RECIPE)
    drawn = {view.tobytes() for view in pictures(120, 11)[:60]}
    assert len(views) == 60 and {view.tobytes() for view in views} == drawn


@needs_node
class TestWithNode:
    def test_sizes_and_times_of_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "tiny.onnx"
        onnx.save(tiny(), path)
        found = weigh_and_time({"one": (path, SIDE), "two": (path, SIDE)}, rounds=2, runs=3)
        for entry in found.values():
            assert entry["raw"] == path.stat().st_size
            assert entry["raw"] > entry["gzip"] > entry["brotli"] > 1000
            assert abs(entry["gzip"] - len(gzip.compress(path.read_bytes(), 9))) < 100
            assert len(entry["create"]) == 2 and len(entry["run"]) == 6 and min(entry["run"]) > 0

    def test_a_file_that_is_no_network_is_an_error_with_the_reason(self, tmp_path: Path) -> None:
        (tmp_path / "broken.onnx").write_bytes(b"no network")
        with pytest.raises(SystemExit, match="variants_timing"):
            weigh_and_time({"broken": (tmp_path / "broken.onnx", SIDE)}, rounds=1, runs=1)

    def test_the_whole_step(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(module, "YARDSTICK_SIDE", SIDE)
        monkeypatch.setattr(module, "load_trained", lambda recipe, checkpoint: None)
        monkeypatch.setattr(module, "Classifier", lambda *arguments, **options: None)
        monkeypatch.setattr(module, "whole_onnx", tiny_file)
        checkpoint, table = tmp_path / "ema.pt", tmp_path / "out" / "table.json"
        checkpoint.write_bytes(b"weights")
        report = variants(RECIPE, store, checkpoint, table, rounds=2, runs=3, rule=Rule(slowest=50))
        assert json.loads(table.read_text()) == json.loads(json.dumps(report))
        found = {entry["name"]: entry for entry in report["variants"]}
        assert {"fp32", "fp16", "int8-max", "int8", FITTED} <= set(found)
        assert found["fp32"]["change"] == 0 and found["fp32"]["drop"] == {"dermoscopy": 0, "photo": 0}
        assert found[FITTED]["change"] < found["int8"]["change"] and found["fp16"]["change"] < found["int8"]["change"]
        assert found["int8"]["raw"] < found["fp16"]["raw"] < found["fp32"]["raw"]
        passing = [entry for entry in found.values() if not entry["faults"]]
        assert (
            report["choice"] == min(passing, key=lambda entry: (entry["brotli"], entry["raw"], entry["name"]))["name"]
        )
        assert report["pictures"] == {"dermoscopy": 30, "photo": 30}
        assert f"**{report['choice']}**" in capsys.readouterr().out
        name, plan = read_choice(table, checkpoint)
        assert name == report["choice"]
        stored = store_network(tiny(), name, plan, store, RECIPE)
        assert abs(len(stored.SerializeToString()) - found[name]["raw"]) < 64
        checkpoint.write_bytes(b"other weights")
        with pytest.raises(ValueError, match="another checkpoint"):
            read_choice(table, checkpoint)

    def test_mixtures_are_tried_where_fitted_int8_is_refused(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sample = module.calibration_sample(store, RECIPE)
        reference = module.reference_of(tiny(), sample)
        made = module.candidates_of(
            tiny().SerializeToString(), sample, reference, Rule(largest_change=1e-9), fitting_views(store, RECIPE)
        )
        harm = module.sensitivities(tiny().SerializeToString(), sample, reference, np.arange(60))
        assert set(harm) == set(storable(tiny())) and min(harm.values()) > 0
        assert [measured.name for measured, _ in made][:5] == ["fp32", "fp16", "int8-max", "int8", FITTED]
        limit = float(np.mean([made[1][0].change, made[3][0].change]))
        worst = sorted(harm, key=lambda name: -harm[name])
        plan = module.mixed_plan(tiny().SerializeToString(), sample, reference, np.arange(60), worst, limit, 0.99)
        assert set(plan.values()) == {"fp16", "int8"}
        moved = module.measure("mixed", store_weights(tiny(), plan), plan, sample, reference, Rule())[0].change
        assert moved < limit


def tiny_file(_network: object, _side: int, folder: Path, name: str) -> Path:
    onnx.save(tiny(), folder / f"{name}.onnx")
    return folder / f"{name}.onnx"
