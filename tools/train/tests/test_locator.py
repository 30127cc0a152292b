"""The lesion finder on drawn pictures: places are where the spots are, answers read back, training resumes, the file
answers as PyTorch does.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter

from dermlet_train.augment import normalise
from dermlet_train.locator import export, install, measure, restore, small_lesions
from dermlet_train.locator.extent import Extents, box_of, components, extent_of, filled, training_pictures
from dermlet_train.locator.network import SIZE, Candidate, Locator, candidates, multiply_adds, overlap, targets
from dermlet_train.locator.scenes import STRIDE, Sources, blend, clipped, scene
from dermlet_train.locator.training import Plan, Scenes, train, turned_scene
from dermlet_train.manifest import problems
from dermlet_train.onnx_export import session_of
from dermlet_train.store import Store, write_store

SKIN, SPOT = (214, 170, 148), (96, 58, 44)
FIELDS = ("set", "image", "label", "group", "split", "modality", "source_label", "skin_tone", "part")


def drawn(width: int, height: int, box: tuple[float, float, float, float] | None, seed: int = 0) -> np.ndarray:
    """Skin with grain and, where a box is given, an ellipse that fills it."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (width, height), SKIN)
    if box is not None:
        x, y, w, h = box
        corners = ((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width - 1, (y + h / 2) * height - 1)
        ImageDraw.Draw(picture).ellipse(corners, fill=SPOT)
        picture = picture.filter(ImageFilter.GaussianBlur(0.6))
    return np.clip(np.asarray(picture) + rng.normal(0, 3, (height, width, 1)), 0, 255).astype(np.uint8)


def rows_of(folder: Path) -> list[tuple[dict[str, str], np.ndarray]]:
    """Lesions, healthy skin and something else, for the parts train and val."""
    made = []
    for split in ("train", "val"):
        for n in range(6):
            row = dict.fromkeys(FIELDS, "") | {
                "set": "drawn",
                "image": f"{split}-{n}.jpg",
                "label": "nv",
                "group": f"{split}{n}",
                "split": split,
                "part": split,
            }
            row["modality"] = "photo" if n < 4 else "dermoscopy"
            made.append((row, drawn(96, 72, (0.45 + 0.02 * n, 0.5, 0.3, 0.32), n)))
        for n, kind in enumerate(("healthy_skin", "healthy_skin", "everyday")):
            row = dict.fromkeys(FIELDS, "") | {
                "set": "none",
                "image": f"{split}-{kind}{n}.jpg",
                "label": "none",
                "group": f"{split}-{n}",
                "split": split,
            }
            row |= {"part": split, "modality": "photo", "source_label": kind}
            plain = (
                drawn(64, 64, None, 20 + n)
                if kind == "healthy_skin"
                else np.random.default_rng(n).integers(0, 256, (64, 64, 3), np.uint8)
            )
            made.append((row, plain))
    folder.mkdir(parents=True, exist_ok=True)
    return made


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("store")
    made = rows_of(folder)
    offsets = np.cumsum([0, *(pixels.size for _, pixels in made)])[:-1]
    (folder / "pixels.u8").write_bytes(b"".join(pixels.tobytes() for _, pixels in made))
    write_store(
        folder, [row for row, _ in made], offsets.tolist(), [p.shape[0] for _, p in made], [p.shape[1] for _, p in made]
    )
    return Store.open(folder)


@pytest.fixture(scope="module")
def sources(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Sources:
    extents = Extents.read_or_make(tmp_path_factory.mktemp("extents") / "extents.npz", store, training_pictures(store))
    return Sources.of(store, extents)


@pytest.mark.parametrize("box", [(0.5, 0.5, 0.2, 0.25), (0.42, 0.58, 0.5, 0.4), (0.55, 0.45, 0.12, 0.12)])
def test_extent_is_where_the_spot_is(box: tuple[float, float, float, float]) -> None:
    found = extent_of(drawn(320, 240, box))
    assert found.plausible
    assert overlap(found.box, box) > 0.75
    assert np.abs(found.skin - np.array(SKIN)).max() < 8


def test_extent_of_skin_alone_is_not_plausible() -> None:
    assert not any(extent_of(drawn(200, 200, None, seed)).plausible for seed in range(5))


def test_components_and_holes() -> None:
    ring = np.zeros((12, 12), bool)
    ring[2:9, 2:9] = True
    ring[4:7, 4:7] = False
    ring[10, 10] = True
    assert len(np.unique(components(ring))) == 3
    assert filled(ring)[5, 5]
    assert not filled(ring)[0, 0]
    assert box_of(ring) == (6.5 / 12, 6.5 / 12, 9 / 12, 9 / 12)


@pytest.mark.parametrize("whole", [False, True])
def test_blended_lesion_lies_in_its_box(whole: bool) -> None:
    pixels = drawn(96, 72, (0.5, 0.5, 0.3, 0.32))
    canvas = np.full((120, 160, 3), (120, 90, 80), np.float32)
    out, box = blend(canvas, pixels, extent_of(pixels), (0.3, 0.6, 0.2, 0.3), whole, 1.0, 0.05, 1.0)
    assert overlap(box, (0.3, 0.6, 0.2, 0.3)) > 0.8
    changed = np.abs(out - canvas).mean(-1) > 25
    assert overlap(box_of(changed), box) > 0.7
    assert np.array_equal(out[:, 120:], canvas[:, 120:])


def test_lesion_beyond_the_rim_keeps_the_part_in_the_frame() -> None:
    pixels = drawn(96, 72, (0.5, 0.5, 0.3, 0.32))
    canvas = np.full((100, 100, 3), 150, np.float32)
    _, box = blend(canvas, pixels, extent_of(pixels), (0.0, 0.5, 0.4, 0.4), False, 1.0, 0.05, 1.0)
    kept = clipped(box)
    assert kept[0] - kept[2] / 2 >= 0
    assert abs(kept[2] - 0.2) < 0.04
    assert blend(canvas, pixels, extent_of(pixels), (-0.6, 0.5, 0.2, 0.2), False, 1.0, 0.05, 1.0) is None


def test_scenes_depend_on_their_generator_alone(sources: Sources) -> None:
    first, again = (scene(sources, 64, np.random.default_rng((5, 3))) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)
    assert first.boxes == again.boxes
    made = [scene(sources, 96, np.random.default_rng((1, k))) for k in range(40)]
    assert all(one.pixels.shape == (96, 96, 3) and one.unsure.shape == (96 // STRIDE,) * 2 for one in made)
    boxes = [box for one in made for box in one.boxes]
    assert len(boxes) > 20
    assert all(
        box[a] - box[a + 2] / 2 + 1e-9 >= 0 and box[a] + box[a + 2] / 2 <= 1 + 1e-9 for box in boxes for a in (0, 1)
    )
    assert {len(one.boxes) for one in made} >= {0, 1, 2}


def test_turned_scene_moves_boxes_with_the_pixels() -> None:
    pixels = drawn(64, 64, (0.3, 0.4, 0.25, 0.4))
    for turn in range(8):
        shown = turned_scene(pixels, [(0.3, 0.4, 0.25, 0.4)], np.zeros((8, 8), bool), turn)
        dark = shown.pixels.mean(-1) < 130
        assert overlap(box_of(dark), shown.boxes[0]) > 0.8, turn


def answers_for(boxes: list[tuple[float, float, float, float]], grid: int) -> np.ndarray:
    """What a perfect network would say."""
    wanted = targets(boxes, grid)
    heat = np.clip(wanted.heat, 1e-4, 1 - 1e-4)
    return np.concatenate([np.log(heat / (1 - heat))[None], wanted.sides])


def test_targets_are_read_back_as_the_same_spots() -> None:
    boxes = [(0.2, 0.25, 0.1, 0.15), (0.7, 0.6, 0.4, 0.5), (0.31, 0.83, 1 / 12, 1 / 12)]
    found = candidates(answers_for(boxes, 24), lowest=0.5)
    assert len(found) == len(boxes)
    for box in boxes:
        best = max(found, key=lambda one: overlap(one.box, box))
        assert overlap(best.box, box) > 0.6
        assert np.allclose(best.box[2:], box[2:], rtol=0.02)
    assert not candidates(answers_for([], 24), lowest=0.5)
    whole = candidates(answers_for([(0.5, 0.5, 1.0, 1.0)], 24), lowest=0.5)
    assert len(whole) == 1
    assert whole[0].box[2] == 1


def test_candidates_within_a_better_one_are_left_out() -> None:
    answers = np.full((3, 24, 24), -6.0)
    answers[0, 12, 12], answers[0, 12, 15], answers[0, 3, 3] = 3.0, 2.0, 1.0
    answers[1:] = -1.0
    answers[1:, 3, 3] = -3.0
    assert [round(one.score, 3) for one in candidates(answers)] == [0.953, 0.731]


def test_network_keeps_its_budget(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Locator()
    network.train()(
        torch.rand(2, 3, 64, 64)
    )  # batch norm that is not the identity, or biases that are all zero would share one tensor
    network.eval()
    assert multiply_adds(network) <= 70e6
    export.write_onnx(network, tmp_path / "locator.onnx")
    assert (tmp_path / "locator.onnx").stat().st_size <= 300e3


def test_exported_file_answers_as_pytorch_does(tmp_path: Path) -> None:
    torch.manual_seed(3)
    network = Locator()
    pixels = torch.from_numpy(normalise(np.stack([drawn(SIZE, SIZE, (0.5, 0.4, 0.2, 0.3), n) for n in range(2)])))
    network.train()(pixels)  # batch norm that is not the identity
    network.eval()
    with torch.inference_mode():
        exact = network(pixels).numpy()
    path = tmp_path / "locator.onnx"
    export.write_onnx(network, path, "fp32")
    session = session_of(path)
    assert [(i.name, i.shape) for i in session.get_inputs()] == [("pixels", [1, 3, SIZE, SIZE])]
    assert [(o.name, o.shape) for o in session.get_outputs()] == [("spots", [1, 3, SIZE // STRIDE, SIZE // STRIDE])]
    assert all(
        np.allclose(session.run(None, {"pixels": pixels[n : n + 1].numpy()})[0], exact[n : n + 1], atol=1e-4)
        for n in range(2)
    )
    text = path.read_bytes()
    assert b"dermlet" not in text
    assert b".py" not in text
    assert onnx.load(path).opset_import[0].version == 18


def test_an_exported_file_can_be_trained_on(tmp_path: Path) -> None:
    torch.manual_seed(4)
    network, pixels = Locator(), torch.rand(8, 3, 64, 64) * 2 - 1
    for _ in range(3):
        network.train()(torch.rand(8, 3, 64, 64) * 3 - 1)
    path = tmp_path / "locator.onnx"
    export.write_onnx(network.eval(), path, "int8", 64)
    assert restore.size_of(path) == 64
    again = restore.restored(path, pixels)
    session = session_of(path)
    with torch.inference_mode():
        found = again(pixels).numpy()
        assert np.allclose(again.train()(pixels).numpy(), found, atol=1e-4)  # the norms' own statistics are theirs
    for n in range(8):
        assert np.allclose(session.run(None, {"pixels": pixels[n : n + 1].numpy()})[0], found[n : n + 1], atol=1e-4)
    with pytest.raises(ValueError, match="is not a locator"):
        restore.restored(Path(__file__).parents[3] / "models" / "skin-8" / "skin-8.onnx", pixels)


def test_a_network_goes_over_to_larger_inputs() -> None:
    network, pixels = Locator().eval(), torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        before = network(pixels)
        network.seen_at(2.0)
        after = network(pixels)
    assert torch.allclose(after[:, 0], before[:, 0])
    assert torch.allclose(after[:, 1:], before[:, 1:] - 1, atol=1e-5)


def test_locator_is_installed_beside_a_model(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    shipped = Path(__file__).parents[3] / "models" / "skin-8" / "manifest.json"
    manifest = json.loads(shipped.read_text())
    del manifest["locator"]
    for modality in manifest["modalities"]:
        del modality["look"]
    (model / "manifest.json").write_text(json.dumps(manifest))
    file = tmp_path / "found.onnx"
    export.write_onnx(Locator().eval(), file, "fp32", 320)

    install.install(model, file, dict([install.parse_look("photo=0.3,0.7")]), {"frameScale": 2.0})
    written = json.loads((model / "manifest.json").read_text())
    assert problems(written) == []
    assert (model / "locator.onnx").read_bytes() == file.read_bytes()
    assert (written["locator"]["input"]["width"], written["locator"]["frameScale"]) == (320, 2.0)
    looks = {entry["id"]: entry.get("look") for entry in written["modalities"]}
    assert looks == {"dermoscopy": None, "photo": {"aloneShare": 0.3, "bothShare": 0.7}}

    install.install(model, file, {}, {"spotScore": 0.25})
    again = json.loads((model / "manifest.json").read_text())
    assert (again["locator"]["spotScore"], again["locator"]["frameScale"]) == (0.25, 2.0)
    assert again["modalities"] == written["modalities"]

    before = (model / "manifest.json").read_bytes()
    for looks, limits in (({"smell": {}}, {}), ({}, {"spot": 0.2})):
        with pytest.raises(ValueError, match="unknown"):
            install.install(model, file, looks, limits)
    for text in ("photo", "photo=0.7,0.3", "=0.1,0.2", "photo=a,b"):
        with pytest.raises(ValueError, match=r"photo|MODALITY|shares"):
            install.parse_look(text)
    assert (model / "manifest.json").read_bytes() == before


def test_stopped_run_goes_on_to_the_same_bytes(store: Store, tmp_path: Path) -> None:
    plan = Plan(size=64, epochs=2, new_scenes=6, most_scenes=9, samples=8, batch=4)
    train(plan, store, tmp_path / "through")
    train(plan, store, tmp_path / "stopped", minutes=1e-6)
    assert len(Scenes(tmp_path / "stopped", 64)) == 6
    with (tmp_path / "stopped/scenes.u8").open("ab") as sink:
        sink.write(b"half a scene")  # as a run that was killed while it drew leaves it
    train(plan, store, tmp_path / "stopped")
    for name in ("ema.pt", "scenes.u8", "scenes.jsonl", "log.jsonl"):
        assert (tmp_path / "through" / name).read_bytes() == (tmp_path / "stopped" / name).read_bytes(), name
    train(
        plan, store, tmp_path / "cycle", start=tmp_path / "through/ema.pt"
    )  # a run that begins with another's weights is another run
    assert (tmp_path / "cycle/ema.pt").read_bytes() != (tmp_path / "through/ema.pt").read_bytes()
    with pytest.raises(ValueError, match="another plan"):
        train(Plan(size=64, epochs=3), store, tmp_path / "through")


def shared_folder(folder: Path) -> Path:
    """The drawn pictures as `shared/data` has them."""
    made = rows_of(folder)
    for row, pixels in made:
        (folder / "images" / row["set"]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / "images" / row["set"] / row["image"], quality=95)
    with (folder / "labels.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, FIELDS)
        writer.writeheader()
        writer.writerows(row for row, _ in made)
    return folder


@pytest.mark.parametrize("paste", ["lesion", "picture"])
def test_small_lesions_are_drawn_where_the_table_says(tmp_path: Path, paste: str) -> None:
    data = shared_folder(tmp_path / "data")
    for name in ("one", "two"):
        small_lesions.draw(
            data / "images", [data / "labels.csv"], "val", tmp_path / name, lesions=3, paste=paste, side=240
        )
    rows = list(csv.DictReader((tmp_path / "one/labels.csv").open(newline="")))
    assert {row["set"] for row in rows} == {
        "small-1",
        "small-2",
        "small-4",
        "small-8",
        "small-12",
        "small-2-framed",
        "small-4-framed",
        "small-8-framed",
        "small-12-framed",
        "small-two",
        "small-none",
        "healthy",
    }
    assert (tmp_path / "one/labels.csv").read_bytes() == (tmp_path / "two/labels.csv").read_bytes()
    for row in rows:
        path = Path(row["set"]) / row["image"]
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
        assert row["split"] == "val"
        assert row["label"] == ("none" if row["set"] in ("healthy", "small-none") else "nv")
        dark = np.asarray(Image.open(tmp_path / "one" / path)).mean(-1) < 125
        if row["set"].endswith("-framed"):
            height, width = dark.shape
            assert width == height
            assert 0.1 < dark.mean() < 0.5  # the lesion takes 1 / 1.8 of the longer side
        if not row["x"]:
            continue
        x, y, w, h = (float(row[key]) for key in ("x", "y", "width", "height"))
        patch = dark[round(y) : round(y + h), round(x) : round(x + w)]
        assert patch.mean() > 0.5, row
        if row["set"] in ("small-4", "small-8") and paste == "lesion":
            assert abs(w / dark.shape[1] * int(row["set"][6:]) - 1) < 0.25


def test_small_lesions_never_go_into_a_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(ValueError, match="repository"):
        small_lesions.draw(tmp_path, [], "val", tmp_path / "deep/er")


def test_thresholds_keep_their_promises() -> None:
    def seen(kind: str, *scores: float) -> measure.Seen:
        return measure.Seen(
            kind, [Candidate((0.2 + 0.3 * n, 0.5, 0.1, 0.1), score) for n, score in enumerate(scores)], []
        )

    healthy = [seen("small-none", 0.01 * n) for n in range(40)]
    single = [seen("small-4", 0.9, 0.02 * n) for n in range(40)]
    limits = measure.suggest([*healthy, *single])
    assert sum(one.score >= limits.spot for one in healthy) <= 2
    assert sum(one.score >= limits.spot - 0.011 for one in healthy) > 2
    assert sum(limits.two(one) for one in single) <= 2
    with pytest.raises(ValueError, match="healthy skin"):
        measure.suggest(single)


def test_figures_tell_a_right_frame_from_a_wrong_one() -> None:
    truth = (0.5, 0.5, 0.2, 0.2)
    right, large, beside = ((0.51, 0.49, 0.22, 0.19), (0.5, 0.5, 0.5, 0.5), (0.7, 0.5, 0.2, 0.2))
    assert [measure.hit(Candidate(box, 0.9), truth) for box in (right, large, beside)] == [True, False, False]
    pictures = [measure.Seen("small-4", [Candidate(box, 0.9)], [truth]) for box in (right, large, beside)] + [
        measure.Seen("healthy", [], [])
    ]
    text, figures = measure.report(pictures, measure.Thresholds(0.5, 0.5))
    assert figures["small-4"]["framed"] == pytest.approx(1 / 3, abs=1e-3)
    assert figures["small-4"]["centred"] == pytest.approx(2 / 3, abs=1e-3)
    assert figures["healthy"]["spot"] == 0
    assert "| small-4 | 3 | 0.67 |" in text
