"""Readers of files that somebody else made: none waits for a pipe, reads a device, or takes a file of any size."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from shipped import TRAIN

from dermlet_train import checkpoint, reading
from dermlet_train.ablation import load_plan
from dermlet_train.calibrate.outputs import OnnxNetwork
from dermlet_train.card.plan import Plan, read_rows
from dermlet_train.config import Recipe
from dermlet_train.manifest import FILE_NAME, ManifestError, read_manifest
from dermlet_train.networks import load_imagenet
from dermlet_train.onnx_export import session_of
from dermlet_train.prepare import PrepareError
from dermlet_train.prepare.labels import ClassMap
from dermlet_train.prepare.pictures import PictureCache
from dermlet_train.prepare.tables import Folder, Table
from dermlet_train.quality import read_parts
from dermlet_train.reading import FileRefused, plain, read_bytes, read_json, read_text, read_toml, shown, table_rows
from dermlet_train.variants import digest, read_choice

posix = pytest.mark.skipif(os.name != "posix", reason="has no such files")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def endless(path: Path) -> None:
    with path.open("wb") as sink:
        sink.truncate(1 << 42)


READERS: dict[str, Callable[[Path], object]] = {
    "recipe": Recipe.load,
    "plan of runs": load_plan,
    "plan of a card": Plan.load,
    "rows of a card": lambda path: read_rows([path], "test"),
    "rows of quality": lambda path: read_parts([path], ["nv"], 0.5),
    "classes": ClassMap.load,
    "table": Table.open,
    "source": lambda path: Folder(path).tables,
    "network": session_of,
    "network with its hash": lambda path: OnnxNetwork.open(path, Recipe()),
    "weights": lambda path: load_imagenet(None, "efficientnet-lite0", str(path)),  # type: ignore[arg-type]
    "checkpoint": checkpoint.load,
    "hash": digest,
    "choice": lambda path: read_choice(path, path),
    "json": read_json,
    "toml": read_toml,
}


@posix
@pytest.mark.parametrize("make", [pipe, device, endless])
@pytest.mark.parametrize("reader", READERS)
def test_no_reader_takes_what_is_no_file(tmp_path, make, reader):
    path = tmp_path / "given.csv"
    make(path)
    with pytest.raises((FileRefused, PrepareError)) as caught:
        READERS[reader](path)
    assert {pipe: "a pipe", device: "a device", endless: "bytes, more than"}[make] in str(caught.value)


@posix
def test_a_manifest_is_a_file_too(tmp_path):
    pipe(tmp_path / FILE_NAME)
    with pytest.raises(FileRefused, match="a pipe"):
        read_manifest(tmp_path)


@posix
@pytest.mark.parametrize("make", [pipe, device, endless])
def test_a_picture_that_is_none_is_reported_and_the_rest_goes_on(tmp_path, make):
    make(tmp_path / "a.jpg")
    with PictureCache(tmp_path / "store", 64) as cache:
        entry, pixels, grey = cache._read(tmp_path / "a.jpg", {})
    assert entry.error.startswith("FileRefused: a.jpg: ") and not pixels and not grey


def test_a_file_of_exactly_the_limit_is_read(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_bytes(path, 5) == b"12345"
    with pytest.raises(FileRefused, match="5 bytes, more than the 4"):
        read_bytes(path, 4)
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "none", 4)
    with pytest.raises(FileRefused, match="a folder"):
        read_bytes(tmp_path, 4)


def test_a_file_that_grows_while_it_is_read_is_not_followed(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"1234")
    opened = reading.open_regular

    def growing(path: Path, most: int):
        handle = opened(path, most)
        with path.open("ab") as sink:
            sink.write(b"5" * 100)
        return handle

    monkeypatch.setattr(reading, "open_regular", growing)
    with pytest.raises(FileRefused, match="more than the 4 bytes"):
        read_bytes(path, 4)


def test_text_is_utf_8_with_or_without_a_mark(tmp_path):
    path = tmp_path / "a"
    path.write_bytes("\ufeffé".encode())
    assert read_text(path) == "é"
    path.write_bytes(b"ab\xff")
    with pytest.raises(FileRefused, match=r"not UTF-8 text: .* at byte 2"):
        read_text(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ('{"b": {"a": 1, "a": 1}}', "'a' stands twice"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5_000, "not JSON"),
        ("{", "not JSON"),
    ],
)
def test_json(tmp_path, text, expected):
    path = tmp_path / FILE_NAME
    path.write_text(text)
    for read in (lambda: read_json(path), lambda: read_manifest(tmp_path)):
        with pytest.raises(FileRefused, match=expected):
            read()
    path.write_text("[]")
    with pytest.raises(ManifestError, match="is no manifest"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["a = 1\na = 2", "a = " + "[" * 100_000, "a = " + "9" * 5_000, "="])
def test_toml(tmp_path, text):
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(FileRefused) as caught:
        Recipe.load(path)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b,a\n1,2,3\n", "the column 'a' twice"),
        ("a,b\n1\n", "line 2 has 1 cells"),
        ("a,b\n1,2,3\n", "line 2 has 3 cells"),
        ("b\n1\n", "lacks the columns a"),
        ("", "lacks the columns a"),
        ("a,b\n1," + "x" * 2_000_000, "no table, near line 2"),
    ],
)
def test_tables(tmp_path, text, expected):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(FileRefused, match=expected):
        list(table_rows(path, ("a",)))
    path.write_text("\ufeffa,b\n1,2\n\n3,4\n", encoding="utf-8")
    assert list(table_rows(path, ("a",))) == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"image,label,image\nx,nv,y\n", "the column 'image' twice"),
        (b"image,label\nx," + b"a" * 2_000_000 + b"\n", "near line 2: field larger"),
        (b"image,label\n" + b"x,nv\n" * 9_000 + b"x,\xff\n", "invalid start byte"),
    ],
)
def test_tables_of_prepare(tmp_path, text, expected):
    path = tmp_path / "a.csv"
    path.write_bytes(text)
    table = Table.open(path)
    assert table is not None
    with pytest.raises(PrepareError, match=expected):
        list(table)


def test_a_line_of_no_table_is_none(tmp_path):
    path = tmp_path / "readme.txt"
    path.write_text("Skin, lesions, skin and so on\n")
    assert Table.open(path) is not None  # its words may repeat: nobody reads it as a table
    path.write_text("x" * 2_000_000)
    assert Table.open(path) is None


def test_words_for_a_terminal():
    assert plain("a\x1b[2J\u202e\n") == r"a\u001b[2J\u202e\u000a" and plain("é皮 膚") == "é皮 膚"
    assert plain("x" * 50, 10) == "x" * 10 + " ..."
    nested: tuple = ()
    for _ in range(200):
        nested = (nested, nested)
    assert [shown(value) for value in (nested, 1 << 9_999, 3, None, "a" * 99)] == [
        "a tuple",
        "a number of many digits",
        "3",
        "None",
        repr("a" * 60 + "...")[:-4] + "'...",
    ]


@posix
def test_the_command_ends_with_a_sentence_and_status_2(tmp_path):
    pipe(tmp_path / "a.toml")
    words = [sys.executable, "-m", "dermlet_train", "train", "--store", "s", "--recipe", "a.toml", "--out", "o"]
    done = subprocess.run(
        words, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(TRAIN)}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.strip() == "train: a.toml: is a pipe, not a file that can be read: give a regular file"
