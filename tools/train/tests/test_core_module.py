"""The C++ core as a Python module, and the classifier around it: the same answers as the command line in Node, and the
same pixels as Pillow. `npm test` builds the module before (tools/build/artifacts.mjs, pythonModule).
"""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from documents import sample
from PIL import Image
from test_core_parity import drawn, written

import dermlet_core
from dermlet_core import Classifier, DermletError
from dermlet_train.contract import QUALITY_CHECKS
from dermlet_train.prepare import pictures
from dermlet_train.prepare.pictures import CoreRefused, PictureCache, read_picture, upright_rgb
from dermlet_train.prepare.rows import PrepareError

ROOT = Path(__file__).resolve().parents[3]
PICTURES = ROOT / "tests" / "pictures"
MODEL = ROOT / "models" / "skin-8"
DECODED_HERE = (".jpg", ".png", ".bmp")


def spec(**changes: Any) -> dict[str, Any]:
    return {
        "width": 40,
        "height": 30,
        "layout": "NCHW",
        "channels": "RGB",
        "fit": "cover",
        "cropPct": 1,
        "filter": "bicubic",
        "mean": [127.0, 127.0, 127.0],
        "std": [128.0, 128.0, 128.0],
        "quality": {},
        "previewSide": 0,
        "views": 1,
        "whole": None,
    } | changes


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(MODEL)


@pytest.fixture(scope="module")
def jpeg(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("jpeg") / "drawn.jpg"
    drawn(320, 256, 3).save(file, quality=88)
    return file.read_bytes()


def refused(call: Any, *arguments: Any, **named: Any) -> DermletError:
    with pytest.raises(DermletError) as caught:
        call(*arguments, **named)
    return caught.value


# --- the module


def test_tensor_view_and_quality(jpeg: bytes) -> None:
    limits = {"too_small": 10, "flat": 200}
    made = dermlet_core.prepare(jpeg, spec(previewSide=64, quality=limits, views=4, whole=spec(width=8, height=8)))
    tensor, view = made["tensor"], made["view"]
    assert tensor.shape == (4, 3, 30, 40) and tensor.dtype == np.float32
    assert view.shape == (30, 40, 3) and view.dtype == np.uint8
    assert made["preview"].shape == (51, 64, 3) and made["whole"].shape == (1, 3, 8, 8)
    assert np.array_equal(tensor[0], ((view.astype(np.float32) - 127) / 128).transpose(2, 0, 1))
    assert np.array_equal(tensor[1], tensor[0][:, :, ::-1])
    assert made["source"] == {"format": "jpeg", "width": 320, "height": 256, "orientation": 1, "colour": "assumed-srgb"}
    assert [check["id"] for check in made["quality"]["checks"]] == ["too_small", "flat"]
    assert [check["passed"] for check in made["quality"]["checks"]] == [True, False]
    assert not made["quality"]["usable"] and len(made["qualityValues"]) == len(QUALITY_CHECKS)
    assert dermlet_core.judge_quality(made["qualityValues"], limits) == made["quality"]


def test_channels_last_and_a_crop(jpeg: bytes) -> None:
    crop = {"x": 10, "y": 20, "width": 100, "height": 75}
    planes, pixels = (dermlet_core.prepare(jpeg, spec(layout=layout), crop) for layout in ("NCHW", "NHWC"))
    assert planes["region"] == crop
    assert np.array_equal(pixels["tensor"], planes["tensor"].transpose(0, 2, 3, 1))


def test_arrays_outlive_the_call_and_one_another(jpeg: bytes) -> None:
    made = dermlet_core.prepare(jpeg, spec())
    tensor, copy = made["tensor"], made["tensor"].copy()
    del made
    for _ in range(20):  # takes the memory, had it been given back
        dermlet_core.prepare(jpeg, spec())
    assert tensor.flags.owndata is False and tensor.flags.writeable and np.array_equal(tensor, copy)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: np.frombuffer(data, np.uint8)])
def test_whatever_holds_bytes_is_a_file(jpeg: bytes, kind: Any) -> None:
    assert dermlet_core.inspect(kind(jpeg))["width"] == 320
    assert np.array_equal(dermlet_core.prepare(kind(jpeg), spec())["view"], dermlet_core.prepare(jpeg, spec())["view"])


WRONG = [
    ({"width": 0}, "spec.width must be a whole number, at least 1, at most 4096"),
    ({"width": 1.5}, "spec.width must be a whole number, at least 1, at most 4096"),
    ({"width": True}, "spec.width must be a whole number, at least 1, at most 4096"),
    ({"width": 10**400}, "spec.width must be a whole number, at least 1, at most 4096"),
    ({"layout": "HWC"}, "spec.layout must be NCHW or NHWC"),
    ({"filter": None}, "spec.filter must be bilinear, bicubic or lanczos"),
    ({"filter": "\ud800"}, "spec.filter must be bilinear, bicubic or lanczos"),
    ({"mean": [1, 2]}, "spec.mean must be a list of 3 finite numbers"),
    ({"mean": [1, 2, float("nan")]}, "spec.mean must be a list of 3 finite numbers"),
    ({"mean": np.zeros(3)}, "spec.mean must be a list of 3 finite numbers"),
    ({"std": [1, 0, 1]}, "spec.std must be numbers other than 0"),
    ({"cropPct": 0}, "spec.cropPct must be a finite number, over 0, at most 1"),
    ({"quality": {"sharpness": 1}}, "spec.quality.sharpness must be left out: there is nothing of that name"),
    ({"quality": {3: 1}}, "spec.quality.? must be left out: there is nothing of that name"),
    ({"quality": None}, "spec.quality must be a dictionary"),
    ({"views": 3}, "spec.views must be 1, 4 or, of a square, 8"),
    ({"views": 8}, "spec.views must be 1, 4 or, of a square, 8"),
    ({"whole": {"width": 8}}, "spec.whole.height must be a whole number, at least 1, at most 4096"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_a_field_that_is_wrong_is_named(jpeg: bytes, change: dict[str, Any], message: str) -> None:
    error = refused(dermlet_core.prepare, jpeg, spec(**change))
    assert (error.code, error.message) == ("INVALID_ARGUMENT", message)


@pytest.mark.parametrize("missing", sorted(spec()))
def test_no_field_may_be_left_out(jpeg: bytes, missing: str) -> None:
    wanted = spec()
    del wanted[missing]
    error = refused(dermlet_core.prepare, jpeg, wanted)
    assert error.code == "INVALID_ARGUMENT" and error.message.startswith(f"spec.{missing}")


def test_what_is_no_file_or_lies_outside(jpeg: bytes) -> None:
    for wrong in ("text", 3, None, [1, 2], np.zeros(4, np.float32), np.zeros((4, 4), np.uint8)[:, ::2]):
        assert refused(dermlet_core.prepare, wrong, spec()).message == "source must be bytes, or a header and pixels"
    assert refused(dermlet_core.inspect, "text").message == "bytes must be bytes"
    outside = {"x": 300, "y": 0, "width": 30, "height": 30}
    assert refused(dermlet_core.prepare, jpeg, spec(), outside).code == "INVALID_ARGUMENT"
    assert refused(dermlet_core.prepare, jpeg, spec(), {"x": 3}).message.startswith("crop.y must be")
    assert refused(dermlet_core.inspect, bytes((64 << 20) + 1)).code == "IMAGE_TOO_LARGE"


def test_codes_of_broken_files() -> None:
    code = {
        name: refused(dermlet_core.read, (PICTURES / name).read_bytes()).code
        for name in (
            "document.pdf",
            "corrupt.jpg",
            "corrupt.png",
            "cut-off.jpg",
            "empty.jpg",
            "huge.png",
            "picture.webp",
        )
    }
    assert code.pop("huge.png") == "IMAGE_TOO_LARGE"
    assert {code.pop(name) for name in ("document.pdf", "picture.webp")} == {"UNSUPPORTED_FORMAT"}
    assert set(code.values()) == {"CORRUPT_IMAGE"}


@pytest.mark.parametrize("name", ["spot-422.jpg", "spot-large-progressive.jpg", "spot-gray.bmp", "spot-alpha.png"])
def test_a_cut_file_is_an_error_or_the_whole_picture(name: str) -> None:
    data = (PICTURES / name).read_bytes()
    whole = dermlet_core.prepare(data, spec())["tensor"]
    lengths = {*range(0, 64, 3), *np.linspace(64, len(data) - 1, 60).astype(int).tolist()}
    refusals = 0
    for length in sorted(lengths):
        try:
            cut = dermlet_core.prepare(data[:length], spec())["tensor"]
        except DermletError as error:
            assert error.code in ("CORRUPT_IMAGE", "UNSUPPORTED_FORMAT"), length
            refusals += 1
        else:
            assert np.array_equal(cut, whole), length
    assert refusals > 60


def test_errors_come_back_whole_from_another_process() -> None:
    error = refused(dermlet_core.read, b"nothing")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is DermletError and (again.code, again.message) == (error.code, error.message)
    assert str(error) == f"{error.code}: {error.message}"
    with pytest.raises(ValueError, match="no code"):
        DermletError("NO_SUCH_CODE", "")  # type: ignore[arg-type]


def test_threads_at_once_give_what_one_gives() -> None:
    files = [path.read_bytes() for path in sorted(PICTURES.glob("spot-*")) if path.suffix in DECODED_HERE]
    alone = [dermlet_core.prepare(data, spec())["tensor"] for data in files]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda data: dermlet_core.prepare(data, spec())["tensor"], files * 5))
    assert len(files) > 8
    assert all(np.array_equal(tensor, alone[i % len(files)]) for i, tensor in enumerate(together))


def test_a_picture_decoded_elsewhere_is_turned_by_its_header() -> None:
    data = (PICTURES / "picture.webp").read_bytes()
    header = dermlet_core.inspect(data)
    del header["neutralising"]
    pixels = np.zeros((header["height"], header["width"], 4), np.uint8)
    pixels[..., 0], pixels[..., 3] = 200, 255
    source = {
        "header": header | {"orientation": 6},
        "pixels": {"width": header["width"], "height": header["height"], "rgba": pixels},
    }
    made = dermlet_core.read(source)
    assert made["pixels"].shape == (header["width"], header["height"], 3)
    assert (made["pixels"] == (200, 0, 0)).all()
    source["pixels"]["rgba"] = pixels[:-1].copy()
    assert refused(dermlet_core.read, source).code == "INVALID_ARGUMENT"


# --- equal to Pillow


def test_read_equals_pillow(tmp_path: Path) -> None:
    """Every kind of file that training reads, byte for byte."""
    for file in written(tmp_path):
        data = file.read_bytes()
        assert np.array_equal(dermlet_core.read(data)["pixels"], np.asarray(upright_rgb(data))), file.name


def test_a_store_of_either_reader_holds_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    files = [*written(tmp_path / "files"), PICTURES / "picture.webp", PICTURES / "cut-off.jpg"]
    stores = {}
    for reader in pictures.READERS:
        with PictureCache(tmp_path / reader, 128, reader) as cache:
            cache.decode(files, 2, lambda done, total: None)
            stores[reader] = {path: entry.pixels for path, entry in cache.known.items()}
            assert bool(cache.known[str(PICTURES / "cut-off.jpg")].error)
    assert stores["core"] == stores["pillow"]
    for name in ("pixels.u8", "thumbs.u8"):
        assert (tmp_path / "core" / name).read_bytes() == (tmp_path / "pillow" / name).read_bytes()
    with pytest.raises(PrepareError, match="the reader core: choose another folder"):
        PictureCache(tmp_path / "pillow", 128, "core").__enter__()


def test_a_store_begun_before_there_were_two_readers_is_pillows(tmp_path: Path) -> None:
    (tmp_path / "decoded.jsonl").write_text('{"version": 1, "short_side": 128}\n')
    with PictureCache(tmp_path, 128) as cache:
        assert cache.known == {}
    with pytest.raises(PrepareError, match="choose another folder"):
        PictureCache(tmp_path, 128, "core").__enter__()


def test_the_core_reads_where_it_is_installed_and_a_store_keeps_its_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PictureCache(tmp_path / "core", 128) as cache:
        assert cache.reader == "core"
    with PictureCache(tmp_path / "pillow", 128, "pillow"):
        pass
    with PictureCache(tmp_path / "pillow", 128) as cache:
        assert cache.reader == "pillow"
    monkeypatch.setattr(pictures, "find_spec", lambda name: None)
    with PictureCache(tmp_path / "without", 128) as cache:
        assert cache.reader == "pillow"
    with PictureCache(tmp_path / "core", 128) as cache:
        assert cache.reader == "core", "a store is of one reader"


def test_the_core_refuses_in_its_words() -> None:
    with pytest.raises(CoreRefused, match=r"^CORRUPT_IMAGE: "):
        read_picture((PICTURES / "cut-off.jpg").read_bytes(), "core")


@pytest.mark.parametrize("filter", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("size", [(256, 205), (37, 300), (320, 256), (1, 1), (700, 300)])
def test_resample_equals_pillow(filter: str, size: tuple[int, int]) -> None:
    """Except where the height is reduced much more than the width: Pillow 13 begins with that, the core never does."""
    picture = drawn(320, 256, 5)
    pixels = np.asarray(picture)
    ours = dermlet_core.resample(
        np.ascontiguousarray(pixels),
        {"width": 320, "height": 256},
        dict(zip(("width", "height"), size, strict=True)),
        filter,
    )
    assert np.array_equal(ours, np.asarray(picture.resize(size, Image.Resampling[filter.upper()])))


def test_resample_refuses_pixels_of_another_size() -> None:
    size = {"width": 4, "height": 4}
    error = refused(dermlet_core.resample, bytes(47), size, size, "bicubic")
    assert error.message == "pixels must be width * height * 3 bytes of RGB"


# --- the classifier


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn pictures of every framing and of several outcomes, and broken files."""
    folder = tmp_path_factory.mktemp("archive")
    for name in ("spot-alpha.png", "p3.jpg", "orientation-6.jpg", "flat.png", "cut-off.jpg", "corrupt.png"):
        shutil.copy(PICTURES / name, folder)
    for path in (ROOT / "tests" / "spots").glob("*.jpg"):
        shutil.copy(path, folder)
    return folder


def from_command_line(folder: Path, *options: str) -> dict[str, dict[str, Any]]:
    """Rows of `dermlet classify --ndjson` by the file's name."""
    command = ["npm", "run", "--silent", "classify", "--", folder, "--ndjson", "--model", MODEL, *options]
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, timeout=300)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows, done.stderr
    for row in rows:
        del row["run"]
    return {Path(row.pop("file")).name: row for row in rows}


def same(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Where two results differ; numbers may by 1e-5, relative to those over 1."""
    if isinstance(theirs, dict):
        if not isinstance(ours, dict) or ours.keys() != theirs.keys():
            return [f"{path}: {ours} for {theirs}"]
        return [line for key in theirs for line in same(ours[key], theirs[key], f"{path}.{key}")]
    if isinstance(theirs, list):
        if not isinstance(ours, list) or len(ours) != len(theirs):
            return [f"{path}: {ours} for {theirs}"]
        return [line for i, each in enumerate(theirs) for line in same(ours[i], each, f"{path}[{i}]")]
    if isinstance(theirs, float) or isinstance(ours, float):
        near = abs(ours - theirs) <= 1e-5 * max(1, abs(theirs))
        return [] if near else [f"{path}: {ours!r} for {theirs!r}"]
    return [] if ours == theirs else [f"{path}: {ours!r} for {theirs!r}"]


def test_results_are_those_of_the_command_line(archive: Path, classifier: Classifier) -> None:
    rows = from_command_line(archive, "--explain")
    assert rows.keys() == {path.name for path in archive.iterdir()}
    framings, outcomes, errors = set(), set(), set()
    for name, theirs in rows.items():
        try:
            ours = classifier.classify((archive / name).read_bytes(), explain=True)
        except DermletError as error:
            assert theirs == {"error": {"code": error.code, "message": error.message}}
            errors.add(name)
            continue
        assert "error" not in theirs and ours.pop("runtime").keys() == theirs.pop("runtime").keys()
        assert json.loads(json.dumps(ours)) == ours, "plain data"
        assert not same(ours, theirs), name
        framings.add(ours["frame"]["framing"])
        outcomes.add(ours["outcome"])
    assert errors == {"corrupt.png", "cut-off.jpg"}
    assert {"spot", "several", "none"} <= framings and len(outcomes) >= 3


def test_the_sample_of_the_guide(tmp_path: Path) -> None:
    (tmp_path / "models").symlink_to(ROOT / "models")
    shutil.copy(PICTURES / "spot.jpg", tmp_path / "photo.jpg")
    code = sample("docs/cluster.md", "from dermlet_core import")
    installed = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for after, expected in [("print(len(result['ranking']))", "8"), ("", "UNSUPPORTED_FORMAT")]:
        words = [sys.executable, "-c", f"{code}\n{after}"]
        assert subprocess.check_output(words, cwd=tmp_path, env=installed, text=True).strip() == expected
        (tmp_path / "photo.jpg").write_text("no picture")


def test_a_lesion_seen_from_all_sides_is_that_of_the_command_line(archive: Path, classifier: Classifier) -> None:
    names, modalities = ("small.jpg", "orientation-6.jpg"), ("photo", "dermoscopy")
    command = ["npm", "run", "--silent", "classify", "--", *(str(archive / name) for name in names), "--lesion"]
    command += ["--json", "--model", str(MODEL), "--modality", ",".join(modalities), "--test-time-augmentation"]
    theirs = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300).stdout)
    pairs = zip(names, modalities, strict=True)
    pictures = [{"bytes": (archive / name).read_bytes(), "modality": modality} for name, modality in pairs]
    ours = classifier.classify_lesion(pictures, test_time_augmentation=True)
    assert ours["testTimeAugmentation"] and len(ours["lesion"]["perPicture"]) == 2
    for result in (ours, theirs):
        del result["runtime"]
    assert [Path(file).name for file in theirs.pop("files")] == list(names)
    assert not same(ours, theirs)


def test_threads_share_a_classifier(archive: Path, classifier: Classifier) -> None:
    files = [(archive / name).read_bytes() for name in ("small.jpg", "large.jpg", "two.jpg")]
    alone = [classifier.classify(data)["ranking"] for data in files]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda data: classifier.classify(data)["ranking"], files * 4))
    assert all(not same(ranking, alone[i % 3]) for i, ranking in enumerate(together))


def test_options_that_make_no_sense(classifier: Classifier, jpeg: bytes) -> None:
    for named in ({"modality": "x-ray"}, {"explain": "no class"}, {"crop": "middle"}, {"crop": {"x": 1}}):
        assert refused(classifier.classify, jpeg, **named).code == "INVALID_ARGUMENT"
    assert refused(classifier.classify_lesion, []).code == "INVALID_ARGUMENT"
    second = refused(classifier.classify_lesion, [{"bytes": jpeg}, {"bytes": b"nothing"}])
    assert second.message.startswith("Picture 2: ")


def test_foreign_formats_want_a_decoder(jpeg: bytes) -> None:
    webp = (PICTURES / "picture.webp").read_bytes()
    assert refused(Classifier(MODEL).classify, webp).code == "UNSUPPORTED_FORMAT"

    def decode(data: bytes, format: str) -> np.ndarray:
        assert format == "webp"
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))

    source = Classifier(MODEL, decode_foreign=decode).classify(webp)["source"]
    assert (source["format"], source["decodePath"], source["bitExact"]) == ("webp", "caller", False)
    broken = Classifier(MODEL, decode_foreign=lambda data, format: np.zeros(3, np.uint8))
    assert refused(broken.classify, webp).code == "INVALID_ARGUMENT"


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(MODEL, folder / "model", ignore=shutil.ignore_patterns("runs", "figures")))


def test_a_model_that_is_not_as_it_promises_is_refused(tmp_path: Path) -> None:
    assert refused(Classifier, tmp_path / "missing").code == "MODEL_UNAVAILABLE"
    model = copied(tmp_path)
    path = model / "manifest.json"
    manifest = json.loads(path.read_text())

    def code_of(**changes: Any) -> str:
        path.write_text(json.dumps(manifest | changes))
        return refused(Classifier, model).code

    assert code_of(manifestVersion=manifest["manifestVersion"] + 1) == "MODEL_TOO_NEW"
    assert code_of(manifestVersion="three") == "MODEL_CORRUPT"
    assert code_of(input=manifest["input"] | {"channels": "BGR"}) == "MODEL_CORRUPT"  # by the self-test
    assert code_of(input=manifest["input"] | {"width": 64}) == "MODEL_CORRUPT"
    assert code_of(input=manifest["input"] | {"filter": "nearest"}) in ("MODEL_CORRUPT", "INVALID_ARGUMENT")
    assert code_of(outputs=manifest["outputs"] | {"scores": "nothing"}) == "MODEL_CORRUPT"
    assert code_of(file=manifest["file"] | {"path": "../skin-8.onnx"}) == "MODEL_CORRUPT"
    assert code_of(locator={"input": {}}) == "MODEL_CORRUPT"
    path.write_text("{")
    assert refused(Classifier, model).code == "MODEL_CORRUPT"
    path.write_text(json.dumps(manifest))
    (model / "skin-8.onnx").write_bytes(b"other")
    assert refused(Classifier, model).code == "MODEL_CORRUPT"


def test_one_version_of_nanobind_and_onnxruntime() -> None:
    """What npm test builds with is what pip builds with."""
    project = tomllib.loads((ROOT / "tools/train/core/pyproject.toml").read_text())
    pins = {*project["build-system"]["requires"], *project["project"]["dependencies"]}
    locked = (ROOT / "tools/train/locked.txt").read_text()
    for name in ("nanobind", "onnxruntime"):
        (pin,) = (pin for pin in pins if pin.startswith(f"{name}=="))
        assert f"\n{pin} " in locked
