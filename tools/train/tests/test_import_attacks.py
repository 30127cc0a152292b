"""import-keras given files that were made to hang it, to take all memory, or to end it in a traceback: each gets a
sentence that names the cause, soon. All are drawn here; the largest has some MB.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import re
import struct
import subprocess
import sys
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shipped import TRAIN

os.environ["KERAS_BACKEND"] = "torch"
h5py = pytest.importorskip("h5py", reason="needs requirements-keras.txt")
keras = pytest.importorskip("keras", reason="needs requirements-keras.txt")

from dermlet_train import import_keras as step  # noqa: E402
from dermlet_train import keras_file, keras_weights, limits  # noqa: E402
from dermlet_train.class_index import ClassIndexError, read_class_names, read_pickle  # noqa: E402
from dermlet_train.keras_file import KerasFileError, open_keras_file  # noqa: E402
from dermlet_train.keras_network import load_network  # noqa: E402
from dermlet_train.reading import FileRefused, Told  # noqa: E402

KERAS_2 = Path(__file__).resolve().parent / "keras-2"
posix = pytest.mark.skipif(os.name != "posix", reason="has no such files")
SOON = 20  # seconds; most take milliseconds


@pytest.fixture(autouse=True)
def soon() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 6 * SOON


def told(call: Callable[[], object], kind: type[Told] = Told) -> str:
    began = time.monotonic()
    with pytest.raises(kind) as caught:
        call()
    assert time.monotonic() - began < SOON
    message = str(caught.value)
    assert message and len(message) < 1000
    return message


# Class indices


def laughs(levels: int = 60) -> tuple:
    """Nested tuples, each twice in the next: written out they would have 2^60 parts."""
    nested: tuple = ()
    for _ in range(levels):
        nested = (nested, nested)
    return nested


def encoded_again_and_again() -> bytes:
    """One text of 700 kB, and ten thousand calls that turn it into bytes."""
    text = b"a" * 700_000
    head = (
        b"\x80\x02c_codecs\nencode\nq\x00"
        + b"X"
        + struct.pack("<I", len(text))
        + text
        + b"q\x01X\x06\0\0\0latin1\x86q\x02"
    )
    return head + b"h\x00h\x02R" * 10_000 + b"."


PICKLES: dict[str, tuple[bytes, str]] = {
    "laughs-value": (pickle.dumps({"a": laughs(), "b": 1}), "must be"),
    "laughs-list": (pickle.dumps([laughs(), "b"]), "must be text, not a tuple"),
    "laughs-key": (pickle.dumps({laughs(3): 0, "b": 1}), "a key of type tuple"),
    "laughs-named": (pickle.dumps(laughs())[:-1] + b"\x8c\x01a\x93.", "what is no text"),
    "deep": (b"]" * 400_000 + b"a" * 399_999 + b".", "must be text"),
    "deep-tuples": (b")" + b"\x85" * 900_000 + b".", "must be text"),
    "itself": (b"]q\x00h\x00ah\x00a.", "must be text"),
    "long-number": (pickle.dumps({"a": 0, "b": 1 << 400_000}), "many digits"),
    "long-digits": (b"(dS'a'\nI" + b"9" * 900_000 + b"\ns.", "cannot be read"),
    "long-key": (pickle.dumps({1 << 4_000: "a"}), "many digits"),
    "many-names": (b"\x80\x02" + b"".join(b"cm%d\nf\n0" % k for k in range(60_000)) + b".", "more than plain data"),
    "endless-name": (b"c" + b"m" * 500_000 + b"\nf\n.", "endless name"),
    "called-endless": (b"c_codecs\nencode\n)R" * 40_000 + b".", "more than plain data"),
    "encoded": (encoded_again_and_again(), "unpack to more"),
    "memory": (b"}" * 900_000 + b".", "does not end with one value"),
    "too-many": (pickle.dumps([f"c{k}" for k in range(3_000)]), "3000 classes"),
    "long-name": (pickle.dumps(["a" * 300_000, "b"]), "more than 200 characters"),
    "one-long-name": (
        b"\x80\x02]X" + struct.pack("<I", 500_000) + b" " * 499_999 + b"aq\x00a(" + b"h\x00" * 1_900 + b"e.",
        "more than 200 characters",
    ),
    "surrogate": (pickle.dumps(["a\ud800", "b"]), "not text that can be written"),
    "true-and-one": (b"}(K\x01U\x01aI01\nU\x01bu.", "twice"),
    "bytes-and-text": (pickle.dumps({"a": 0, b"a": 1}), "'a' twice"),
    "huge-float": (pickle.dumps({"a": 0, "b": 1e308}), "must be 0 to 1"),
    "infinite": (pickle.dumps({"a": 0, "b": float("inf")}), "must be"),
}


@pytest.mark.parametrize("name", PICKLES)
def test_pickles(tmp_path, name):
    data, expected = PICKLES[name]
    assert len(data) <= limits.MOST_CLASS_INDEX_BYTES
    path = tmp_path / "classes.pkl"
    path.write_bytes(data)
    assert re.search(expected, told(lambda: read_class_names(path), ClassIndexError))


def test_a_kilobyte_is_enough_for_the_worst_of_them():
    assert len(PICKLES["laughs-list"][0]) < 1_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[" * 200_000, "nested too deeply"),
        ('{"a": 0, "b": ' + "9" * 5_000 + "}", "not JSON"),
        ('{"a": 0, "b": ' + "9" * 4_000 + "}", "many digits"),
        ('{"a": 0, "b": 1e999}', "must be"),
        ('{"0": "a", "00": "b"}', "once each"),
        ('{"a": 0, "a": 1}', "'a' stands twice"),
        ('["a", "a "]', "twice"),
        ('["a", "\\u001b[2J"]' + "x", "not JSON"),
        ("\udcff".encode("utf-8", "surrogateescape").decode("latin-1") + "x", "not JSON"),
    ],
)
def test_json_indices(tmp_path, text, expected):
    path = tmp_path / "classes.json"
    path.write_text(text, encoding="utf-8")
    assert expected in told(lambda: read_class_names(path), ClassIndexError)


def test_a_pickle_asks_for_ten_thousand_things_and_twelve_are_named():
    message = told(lambda: read_pickle(PICKLES["many-names"][0]))
    assert "m0.f" in message and "m11.f" in message and "m12.f" not in message


def stated(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "concern.json"
    path.write_text(text)
    return path


def test_concern_keys_that_collide(tmp_path):
    twice = stated(tmp_path, '{"a": "low", "a": "high", "b": "low"}')
    assert "'a' stands twice" in told(lambda: step.describe_classes(["a", "b"], twice))
    both = stated(tmp_path, '{"A b": "low", "a-b": "high", "c": "low"}')
    assert "'A b' twice, by its name and by its id" in told(lambda: step.describe_classes(["A b", "c"], both))


def test_the_name_of_one_class_that_is_the_id_of_another_is_its_own(tmp_path):
    names = ["A b", "a-b"]
    assert step.class_ids(names) == ["a-b", "a-b-2"]
    path = stated(tmp_path, '{"A b": "low", "a-b": "high"}')
    assert [entry["concern"] for entry in step.describe_classes(names, path)] == ["low", "high"]
    only = stated(tmp_path, '{"a-b": "low"}')
    assert "says nothing of: A b" in told(lambda: step.describe_classes(names, only))


# What is no file


def arguments(model: Path, classes: Path, out: Path, *more: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    step.add_arguments(parser)
    return parser.parse_args([str(model), "--classes", str(classes), "--name", "imported", "--out", str(out), *more])


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def device(path: Path) -> Path:
    path.symlink_to("/dev/zero")
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def huge(path: Path) -> Path:
    with path.open("wb") as sink:
        sink.truncate(1 << 40)
    return path


def classes_of(tmp_path: Path) -> Path:
    path = tmp_path / "good.json"
    path.write_text('["a", "b", "c", "d"]')
    return path


@posix
@pytest.mark.parametrize("make", [pipe, device, folder, huge])
@pytest.mark.parametrize("place", ["model", "classes", "concern", "predictions", "labels"])
def test_what_is_no_file_is_not_read(tmp_path, make, place):
    bad, good = make(tmp_path / "bad.json"), classes_of(tmp_path)
    if place in ("predictions", "labels"):
        predictions, labels = tables(tmp_path)
        given = (bad, labels) if place == "predictions" else (predictions, bad)
        classes = [{"id": "a", "concern": "low"}, {"id": "b", "concern": "high"}]
        message = told(lambda: step.calibrated(*given, classes, 0.9))
    else:
        more = ["--concern", str(bad)] if place == "concern" else []
        model, names = bad if place == "model" else KERAS_2 / "tiny.h5", bad if place == "classes" else good
        message = told(lambda: step.draft(arguments(model, names, tmp_path, *more), tmp_path))
    word = {pipe: "pipe", device: "device", folder: "folder", huge: "bytes, more than"}[make]
    assert word in message


def tables(tmp_path: Path, predictions: str = "s,1,0.5,0.5\n", labels: str = "s,1,a\n") -> tuple[Path, Path]:
    (tmp_path / "p.csv").write_text("set,image,a,b\n" + predictions)
    (tmp_path / "l.csv").write_text("set,image,label\n" + labels)
    return tmp_path / "p.csv", tmp_path / "l.csv"


@pytest.mark.parametrize(
    ("predictions", "labels", "expected"),
    [
        ("s,1,1.5,-0.5\n", "s,1,a\n", "between 0 and 1"),
        ("s,1,0.9,0.9\n", "s,1,a\n", "do not sum to 1"),
        ("s,1,nan,1\n", "s,1,a\n", "finite"),
        ("s,1,0.5\n", "s,1,a\n", "line 2 has 3 cells"),
        ("s,1,0.5,0.5,0\n", "s,1,a\n", "line 2 has 5 cells"),
        ("s,1,0.5,0.5\n" * 2, "s,1,a\n", "'s/1' twice"),
        ("s,1,0.5,0.5\n", "s,1,a\ns,1,b\n", "'s/1' twice"),
        ("s,1,x,0.5\n", "s,1,a\n", "could not convert"),
        ("s,1,0.5,0.5\n", "s,1," + "a" * 2_000_000 + "\n", "no table"),
        ("s,1,0.5,0.5\n", 's,1,"a\n', "no picture"),
    ],
)
def test_calibration_tables(tmp_path, predictions, labels, expected):
    made = tables(tmp_path, predictions, labels)
    classes = [{"id": "a", "concern": "low"}, {"id": "b", "concern": "high"}]
    assert expected in told(lambda: step.calibrated(*made, classes, 0.9))


# Archives and HDF5


def checked(path: Path) -> str:
    """What is said before Keras sees anything of the file."""
    return told(lambda: open_keras_file(path).write_checked(path.parent), KerasFileError)


def members() -> dict[str, bytes]:
    with zipfile.ZipFile(KERAS_2 / "tiny.keras") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive_of(path: Path, change: Callable[[zipfile.ZipFile], None], **given: bytes | None) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")
        for name, data in members().items():
            data = given.get(name.split(".")[0], data)
            if data is not None:
                archive.writestr(name, data)
        change(archive)
    return path


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda z: z.writestr("config.json", "{}"), "'config.json' twice"),
        (lambda z: z.writestr("../../evil.py", "x"), "outside its folder"),
        (lambda z: z.writestr("/etc/evil", "x"), "outside its folder"),
        (lambda z: z.writestr("..\\evil", "x"), "outside its folder"),
        (lambda z: z.writestr("C:\\evil", "x"), "outside its folder"),
        (lambda z: [z.writestr(f"{k}", "") for k in range(3_000)], "3003 members"),
        (lambda z: [z.writestr(f"{k}" + "a" * 60_000, "") for k in range(40)], "43 members"),
    ],
)
def test_archives_whose_members_are_not_a_models(tmp_path, change, expected):
    assert expected in checked(archive_of(tmp_path / "a.keras", change))


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_members_packed_so_that_one_step_may_unpack_to_anything(tmp_path, packing):
    def add(archive: zipfile.ZipFile) -> None:
        archive.writestr("config.json", b" " * 1_000_000, packing)

    assert "Keras does not use" in checked(archive_of(tmp_path / "a.keras", add, config=None))


def test_a_description_that_unpacks_to_much(tmp_path):
    def add(archive: zipfile.ZipFile) -> None:
        archive.writestr("config.json", b" " * 20_000_000, zipfile.ZIP_DEFLATED)

    path = archive_of(tmp_path / "a.keras", add, config=None)
    assert path.stat().st_size < 100_000 and "larger than any model's" in checked(path)


def patched(path: Path, at: int, value: bytes) -> Path:
    """A field of config.json's entry in the archive's directory."""
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02", 0, data.rindex(b"config.json"))
    data[entry + at : entry + at + len(value)] = value
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("at", "value", "expected"),
    [
        (8, b"\x01\x00", "damaged"),  # encrypted
        (10, b"\x63\x00", "Keras does not use"),  # an unknown packing
        (24, b"\xff\xff\xff\x7f", "larger than any"),  # says that it unpacks to 2 GiB
        (24, b"\x05\x00\x00\x00", "damaged"),  # ... to less than it does
        (42, b"\xff\xff\xff\x7f", "damaged"),  # begins behind the file's end
    ],
)
def test_directories_that_lie(tmp_path, at, value, expected):
    path = patched(archive_of(tmp_path / "a.keras", lambda archive: None), at, value)
    assert expected in checked(path)


@pytest.mark.parametrize("kind", ["keras", "h5"])
def test_files_cut_anywhere(tmp_path, kind):
    whole = (KERAS_2 / f"tiny.{kind}").read_bytes()
    path = tmp_path / f"cut.{kind}"
    for part in range(1, 60):
        path.write_bytes(whole[: len(whole) * part // 60])
        checked(path)


@pytest.mark.parametrize("kind", ["keras", "h5"])
def test_files_with_changed_bytes_are_read_or_refused(tmp_path, kind):
    whole = (KERAS_2 / f"tiny.{kind}").read_bytes()
    path = tmp_path / f"changed.{kind}"
    rng = np.random.default_rng(3)
    for _ in range(150):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), 3):
            data[at] ^= int(rng.integers(1, 256))
        path.write_bytes(data)
        try:
            open_keras_file(path).write_checked(tmp_path)
        except Told:
            continue


def h5_of(path: Path, change: Callable[[Any], None]) -> Path:
    path.write_bytes((KERAS_2 / "tiny.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def keras_of(path: Path, change: Callable[[Any], None]) -> Path:
    """The same, in the weights within a .keras file."""
    weights = path.with_suffix(".h5")
    weights.write_bytes(members()["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        file.create_group("model_weights")
        change(file)
    return archive_of(path, lambda archive: archive.writestr("model.weights.h5", weights.read_bytes()), model=None)


def put(name: str, value: object) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        file["model_weights"][name] = value

    return change


def circle(file: Any) -> None:
    file["model_weights/a/b/c"] = np.zeros(2)
    file["model_weights/a/b/up"] = file["model_weights/a"]


def second_name(file: Any) -> None:
    file["model_weights/a"] = np.zeros(2)
    file["model_weights/b"] = file["model_weights/a"]


def laughing_groups(file: Any) -> None:
    """Each group twice in the next: 2^40 ways down."""
    at = file["model_weights"]
    for _ in range(40):
        below = at.create_group("a")
        at["b"] = below
        at = below


def deep(file: Any) -> None:
    file["model_weights/" + "/".join("g" * 200)] = 1.0


def many(file: Any) -> None:
    for k in range(60):
        file[f"model_weights/many/{k}"] = 1.0


def never_written(file: Any) -> None:
    file["model_weights"].create_dataset("a", shape=(1 << 20,), dtype="f4")


def promised(file: Any) -> None:
    file["model_weights"].create_dataset("a", shape=(1 << 20, 1 << 20), dtype="f4", chunks=(64, 64), compression="gzip")


def packed_strangely(file: Any) -> None:
    file["model_weights"].create_dataset("a", data=np.arange(4096), chunks=(64,), scaleoffset=4)


def outside(file: Any) -> None:
    file["model_weights"].create_dataset("a", shape=(4,), dtype="f4", external=[("/etc/passwd", 0, 16)])


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("other.h5", "a", shape=(4,))
    file["model_weights"].create_virtual_dataset("a", layout)


def named_type(file: Any) -> None:
    file["model_weights/a"] = np.dtype("f4")


def names_twice(file: Any) -> None:
    file["model_weights"].attrs["layer_names"] = ["a", "b", "a"]


def large_attribute(file: Any) -> None:
    with h5py.File(file.filename + ".new", "w", libver="latest") as other:  # only newer files hold such attributes
        other.attrs["words"] = np.zeros(2_000_000, np.int8)
        file.copy(other["/"], "model_weights/a")
    Path(file.filename + ".new").unlink()


STRUCTURES: list[tuple[Callable[[Any], None], str]] = [
    (circle, "under a second name, or a circle"),
    (second_name, "under a second name"),
    (laughing_groups, "under a second name"),
    (put("a", h5py.SoftLink("/model_weights")), "link to elsewhere"),
    (put("a", h5py.ExternalLink("/dev/zero", "/a")), "link to elsewhere"),
    (put("a", h5py.SoftLink("a")), "link to elsewhere"),
    (deep, "nested more than 50"),
    (never_written, "missing or cut short"),
    (promised, "unpack to more than 2 GiB"),
    (packed_strangely, "packed by the filter"),
    (outside, "stand in another file"),
    (virtual, "stand in another file"),
    (named_type, "neither a group nor numbers"),
    (put("a", "text"), "no plain numbers"),
    (put("a", np.zeros(3, [("x", "f4")])), "no plain numbers"),
    (put("a", np.array([1, np.nan])), "not finite"),
    (put("a", np.array(np.inf)), "not finite"),
    (put("a", np.full((3, 2), -np.inf, np.float16)), "not finite"),
    (names_twice, "names 'a' twice"),
    (large_attribute, "larger than any model's"),
]


@pytest.mark.parametrize("make", [h5_of, keras_of])
@pytest.mark.parametrize(("change", "expected"), STRUCTURES, ids=[expected for _, expected in STRUCTURES])
def test_weights_that_are_more_than_weights(tmp_path, make, change, expected):
    path = make(tmp_path / ("a.keras" if make is keras_of else "b.h5"), change)
    assert path.stat().st_size < 4_000_000
    assert expected in checked(path)


def test_parts_without_number(tmp_path, monkeypatch):
    monkeypatch.setattr(keras_weights, "MOST_HDF5_PARTS", 40)
    assert "more than 40 parts" in checked(h5_of(tmp_path / "a.h5", many))


def test_weights_are_checked_slab_by_slab(tmp_path, monkeypatch):
    monkeypatch.setattr(keras_weights, "_SLAB", 64)
    values = np.zeros((40, 3, 5), np.float32)
    path = h5_of(tmp_path / "a.h5", put("a", values))
    copy = open_keras_file(path).write_checked(tmp_path)
    with h5py.File(copy) as file:
        assert file["model_weights/a"].shape == (40, 3, 5)
    values[39, 2, 4] = np.nan
    assert "not finite" in checked(h5_of(tmp_path / "a.h5", put("a", values)))


def test_what_keras_gets_holds_the_weights_and_nothing_else(tmp_path):
    def add(file: Any) -> None:
        file["optimizer_weights/m"] = np.array([np.nan])
        file["model_weights/optimizer/a"] = np.array([np.nan])
        file["elsewhere"] = h5py.ExternalLink("/dev/zero", "/a")
        file.attrs["more"] = "words"

    copy = open_keras_file(h5_of(tmp_path / "a.h5", add)).write_checked(tmp_path)
    with h5py.File(copy) as file:
        assert set(file) == {"model_weights"} and set(file.attrs) == {"model_config", "keras_version"}
        assert "optimizer" not in file["model_weights"]
        names = [
            name.decode() if isinstance(name, bytes) else name for name in file["model_weights"].attrs["layer_names"]
        ]
        assert "dense" in names
    config_of_lists = h5_of(tmp_path / "b.h5", lambda file: file.attrs.__setitem__("model_config", ["{}", "{}"]))
    assert "not one text" in checked(config_of_lists)
    nothing = h5_of(tmp_path / "c.h5", lambda file: file.__delitem__("model_weights"))
    assert "no weights" in checked(nothing)
    link = h5_of(
        tmp_path / "d.h5",
        lambda file: (file.move("model_weights", "m"), file.__setitem__("model_weights", h5py.SoftLink("/m"))),
    )
    assert "no weights of its own" in checked(link)


# Descriptions


def described(tmp_path: Path, kind: str, change: Callable[[dict[str, Any]], object]) -> Path:
    """tiny.h5 or tiny.keras with another description."""
    if kind == "h5":
        with h5py.File(KERAS_2 / "tiny.h5") as file:
            config = json.loads(file.attrs["model_config"])
        text = change(config) or config
        text = text if isinstance(text, str) else json.dumps(text)
        return h5_of(tmp_path / "a.h5", lambda file: file.attrs.__setitem__("model_config", text))
    config = json.loads(members()["config.json"])
    text = change(config) or config
    text = text if isinstance(text, str) else json.dumps(text)
    return archive_of(tmp_path / "a.keras", lambda archive: None, config=text.encode())


def layer(config: dict[str, Any], kind: str) -> dict[str, Any]:
    """The configuration of the first layer of a kind."""
    found = next(entry for entry in keras_file.objects_of(config) if entry["class_name"] == kind)
    return found["config"]


def sets(kind: str, **values: object) -> Callable[[dict[str, Any]], object]:
    return lambda config: layer(config, kind).update(values)


def base_of(config: dict[str, Any]) -> list[dict[str, Any]]:
    return next(entry for entry in config["config"]["layers"] if entry["config"]["name"] == "base")["config"]["layers"]


def waiting_circle(config: dict[str, Any]) -> None:
    layers = {entry["config"]["name"]: entry for entry in base_of(config)}
    layers["rescaling"]["inbound_nodes"] = [[["zero_padding2d", 0, 0, {}]]]


def waits_for_itself(config: dict[str, Any]) -> None:
    layers = {entry["config"]["name"]: entry for entry in base_of(config)}
    layers["rescaling"]["inbound_nodes"] = [[["rescaling", 0, 0, {}]]]


def waits_for_nothing(config: dict[str, Any]) -> None:
    layers = {entry["config"]["name"]: entry for entry in base_of(config)}
    layers["rescaling"]["inbound_nodes"] = [[["input_1", 7, 0, {}]]]


def waits_in_keras_3(config: dict[str, Any]) -> None:
    tensor = {"class_name": "__keras_tensor__", "config": {"shape": [1], "keras_history": ["zero_padding2d", 0, 0]}}
    layers = {entry["config"]["name"]: entry for entry in base_of(config)}
    layers["rescaling"]["inbound_nodes"] = [{"args": [tensor], "kwargs": {}}]


def two_of_one_name(config: dict[str, Any]) -> None:
    for entry in base_of(config)[3:5]:
        entry["name"] = entry["config"]["name"] = "same"


def long_circle(config: dict[str, Any]) -> None:
    names = [f"l{k}" for k in range(2_000)]
    config["config"]["layers"] = [
        {"class_name": "Identity", "config": {"name": name}, "name": name, "inbound_nodes": [[[before, 0, 0, {}]]]}
        for name, before in zip(names, names[-1:] + names[:-1], strict=True)
    ]


def endless_layers(config: dict[str, Any]) -> None:
    config["config"]["layers"] = [{"class_name": "Identity", "config": {"name": f"l{k}"}} for k in range(5_000)]


def deep_lists(config: dict[str, Any]) -> None:
    nested: list = []
    for _ in range(300):
        nested = [nested]
    config["config"]["more"] = nested


def too_deep_to_parse(config: dict[str, Any]) -> str:
    return '{"class_name": "Functional", "config": ' + "[" * 100_000 + "]" * 100_000 + "}"


def key_twice(config: dict[str, Any]) -> str:
    return json.dumps(config)[:-1] + ', "class_name": "Lambda"}'


DESCRIPTIONS: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (sets("Dense", units=2_000_000_000), "has units 2000000000; whole numbers from 1 to 131072"),
    (sets("Dense", units=100_000), "has 100000 units, but the file holds only"),
    (sets("Conv2D", filters=130_000), "has 130000 units, but the file holds only"),
    (sets("Conv2D", filters=0), "has filters 0"),
    (sets("Conv2D", filters=10**30), "many digits"),
    (sets("Conv2D", kernel_size=[1_000_000, 1_000_000]), "has kernel_size 1000000"),
    (sets("Conv2D", kernel_size=[[[3], -3]]), "has kernel_size -3"),
    (sets("Conv2D", strides=[0, 0]), "has strides 0"),
    (sets("Conv2D", strides=[1.5, 1]), "has strides 1.5"),
    (sets("Conv2D", strides=[True, 1]), "has strides True"),
    (sets("Conv2D", dilation_rate=[1 << 30, 1]), "has dilation_rate"),
    (sets("Conv2D", groups=-5), "has groups -5"),
    (sets("ZeroPadding2D", padding=[[0, 1 << 40], [0, 1]]), "has padding"),
    (sets("ZeroPadding2D", padding=-1), "has padding -1"),
    (sets("DepthwiseConv2D", depth_multiplier=1 << 29), "has depth_multiplier"),
    (sets("InputLayer", batch_input_shape=[None, 1 << 40, 1 << 40, 3]), "has batch_input_shape"),
    (sets("InputLayer", batch_input_shape=[None, -32, 32, 3]), "has batch_input_shape -32"),
    (sets("Rescaling", scale=float("nan")), "not finite"),
    (sets("Rescaling", scale=float("-inf")), "not finite"),
    (waiting_circle, "wait for each other in a circle"),
    (waits_for_itself, "wait for each other in a circle"),
    (waits_in_keras_3, "wait for each other in a circle"),
    (long_circle, "wait for each other in a circle"),
    (waits_for_nothing, "takes what call 7 of 'input_1' gives, which has 1"),
    (two_of_one_name, "are called 'same'"),
    (endless_layers, "5000 layers"),
    (deep_lists, "levels deep"),
    (too_deep_to_parse, "nested too deeply"),
    (key_twice, "'class_name' stands twice"),
    (lambda config: "[]", "does not describe a model"),
    (lambda config: '{"class_name": []}', "does not describe a model"),
    (lambda config: "{" + " " * 9_000_000, "longer than any|larger than any"),
]


@pytest.mark.parametrize("kind", ["h5", "keras"])
@pytest.mark.parametrize(("change", "expected"), DESCRIPTIONS, ids=[expected[:40] for _, expected in DESCRIPTIONS])
def test_descriptions(tmp_path, kind, change, expected):
    message = checked(described(tmp_path, kind, change))
    assert any(part in message for part in expected.split("|")), message


def test_words_of_a_stranger_do_not_reach_the_terminal_raw(tmp_path):
    bad = sets("Dense", name="\x1b[2Jsafe\u202e", units=0)
    message = checked(described(tmp_path, "h5", bad))
    assert "\x1b" not in message and "\u202e" not in message


# Through Keras


def test_a_layer_wider_than_its_weights_is_refused_before_it_is_allocated(tmp_path):
    """Where the file holds as many numbers as it has units, but not as many as it has weights."""
    path = described(tmp_path, "h5", sets("Dense", units=60_000))
    with h5py.File(path, "r+") as file:
        file["model_weights"]["more"] = np.zeros(100_000, np.float32)
    message = told(lambda: load_network(open_keras_file(path), None), KerasFileError)
    assert "cannot load" in message and "(12, 60000)" in message


def test_outputs_larger_than_any_memory(tmp_path):
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.UpSampling2D(64), keras.layers.UpSampling2D(64)]
    layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(4, activation="softmax")]
    keras.Sequential([keras.Input((32, 32, 3)), *layers]).save(tmp_path / "a.keras")
    message = told(lambda: load_network(open_keras_file(tmp_path / "a.keras"), None), KerasFileError)
    assert "51539607552 numbers for one picture" in message


def softmax_then(*behind: Any):
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.GlobalAveragePooling2D()]
    return keras.Sequential([keras.Input((32, 32, 3)), *layers, *behind])


def test_heads_are_read_for_what_they_give(tmp_path):
    """Sigmoids, of one class or several, do not exclude each other; a linear layer behind a softmax changes nothing."""
    Dense, Activation = keras.layers.Dense, keras.layers.Activation
    for head, kind in [
        ((Dense(4, activation="softmax"),), "probabilities"),
        ((Dense(4), keras.layers.Softmax()), "probabilities"),
        ((Dense(4, activation="softmax"), Activation("linear")), "probabilities"),
        ((Dense(4),), "logits"),
        ((Dense(4), Activation("linear")), "logits"),
    ]:
        softmax_then(*head).save(tmp_path / "a.keras")
        assert load_network(open_keras_file(tmp_path / "a.keras"), None).scores_are == kind
    for head, said in [
        ((Dense(4, activation="sigmoid"),), "ends with sigmoid"),
        ((Dense(4, activation="sigmoid"), Activation("linear")), "ends with sigmoid"),
        ((Dense(1, activation="sigmoid"),), "two classes or more"),
        ((Dense(1),), "two classes or more"),
        ((Dense(4, activation="softmax"), keras.layers.Rescaling(2.0)), "not with softmax"),
    ]:
        softmax_then(*head).save(tmp_path / "a.keras")
        assert said in told(lambda: load_network(open_keras_file(tmp_path / "a.keras"), None))


@pytest.mark.parametrize(
    ("scores", "why"),
    [
        ([[0.25, 0.75]], None),
        ([[-1e-6, 1.000001]], None),
        ([[0.2502, 0.7502]], None),
        ([[0.6, 0.6]], "do not sum to 1"),
        ([[-0.2, 1.2]], "do not all lie between 0 and 1"),
        ([[np.nan, 1]], "are not all finite numbers"),
    ],
)
def test_what_probabilities_are(scores, why):
    assert step.no_probabilities(np.array(scores)) == why


# The command


def command(tmp_path: Path, *given: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "dermlet_train", "import-keras", *given, "--name", "x", "--out", "out"]
    temporary = tmp_path / "temporary"
    temporary.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(TRAIN), "TMPDIR": str(temporary)}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    # ONNX Runtime leaves a name of its own there when it is imported.
    assert not (tmp_path / "out").exists() and not [path for path in temporary.iterdir() if path.name != ".ses"]
    assert done.stderr.strip().splitlines()[-1].startswith("import-keras: ")
    return done


@posix
def test_the_command_does_not_wait_for_a_pipe(tmp_path):
    done = command(tmp_path, str(pipe(tmp_path / "a.keras")), "--classes", str(classes_of(tmp_path)))
    assert "is a pipe" in done.stderr


def test_the_command_refuses_an_evil_file_in_a_sentence(tmp_path):
    path = tmp_path / "classes.pkl"
    path.write_bytes(PICKLES["laughs-list"][0])
    done = command(tmp_path, str(KERAS_2 / "tiny.h5"), "--classes", str(path))
    assert "must be text, not a tuple" in done.stderr
    dense = described(tmp_path, "h5", sets("Dense", units=2_000_000_000))
    assert "has units 2000000000" in command(tmp_path, str(dense), "--classes", str(classes_of(tmp_path))).stderr


@posix
def test_the_command_says_which_bound_was_met(tmp_path):
    given = [str(KERAS_2 / "tiny.h5"), "--classes", str(classes_of(tmp_path))]
    done = command(tmp_path, *given, "--minutes", "0.017")
    assert "1.02 seconds of processor time" in done.stderr or "longer than 2.04 seconds" in done.stderr
    assert "--minutes and --gigabytes" in done.stderr
    if sys.platform == "linux":
        assert "0.5 GiB" in command(tmp_path, *given, "--gigabytes", "0.5").stderr


def test_a_file_within_the_bounds_is_imported(tmp_path):
    step.import_keras(arguments(KERAS_2 / "tiny.h5", classes_of(tmp_path), tmp_path / "out"), step.confined_draft)
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["outputs"]["scoresAre"] == "probabilities"


def test_file_refusals_are_errors_of_the_system_too():
    """Whoever catches OSError catches them: no reader needs a clause of its own."""
    assert issubclass(FileRefused, OSError) and issubclass(FileRefused, Told)
