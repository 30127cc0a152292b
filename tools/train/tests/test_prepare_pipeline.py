"""The whole step on drawn pictures: store, manifest, resuming, leaks, copies, messages."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import prepare_drawn as drawn
import pytest
from PIL import Image, ImageCms

from dermlet_train.prepare import ClassMap, PrepareError, Settings, Source, prepare
from dermlet_train.prepare.cli import parse_source
from dermlet_train.prepare.importers import Options
from dermlet_train.prepare.pictures import PictureCache, shrink, upright_rgb
from dermlet_train.prepare.splits import Fractions, LeakError
from dermlet_train.store import Store


def table_of(root: Path, count: int = 24) -> Path:
    """Pictures of three classes, two a group, without a stated split."""
    rows = []
    for i in range(count):
        drawn.save(root / "images" / "drawn" / f"{i}.jpg", i)
        rows.append((f"{i}.jpg", ("mel", "nv", "other")[i // 2 % 3], f"g{i // 2}", ""))
    return drawn.label_table(root, rows)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


SETTINGS = Settings(short_side=64, fractions=Fractions(0.2, 0.2), calibration=0.2)


def test_store_holds_the_pictures_and_what_belongs_to_them(tmp_path: Path) -> None:
    prepare([Source(table_of(tmp_path))], tmp_path / "store", SETTINGS)
    store = Store.open(tmp_path / "store")
    assert len(store.rows) == 24
    assert {row["part"] for row in store.rows} <= {"train", "calib", "val", "test"}
    assert {"set", "image", "label", "group", "split", "modality", "source_label", "part"} <= set(store.rows[0])
    for i, row in enumerate(store.rows):
        data = (tmp_path / "images" / "drawn" / row["image"]).read_bytes()
        assert np.array_equal(store.picture(i), np.asarray(shrink(upright_rgb(data), 64)))
    manifest = json.loads((tmp_path / "store" / "manifest.json").read_text())
    assert manifest["counts"]["pictures"] == len(manifest["pictures"]) == 24
    assert str(tmp_path) not in (tmp_path / "store" / "manifest.json").read_text()
    summary = (tmp_path / "store" / "summary.md").read_text()
    assert "| set | part | mel | nv | other | all |" in summary
    ElementTree.parse(tmp_path / "store" / "summary.svg")


def test_all_archives_together(tmp_path: Path) -> None:
    for layout in (
        "ham10000",
        "isic2016",
        "isic2017",
        "isic2018",
        "isic2019",
        "isic2020",
        "pad_ufes_20",
        "milk10k",
        "scin",
        "class_folders",
    ):
        getattr(drawn, layout)(tmp_path / layout)
    names = sorted(path.name for path in tmp_path.iterdir())
    prepare([Source(tmp_path / name) for name in names], tmp_path / "store", SETTINGS)
    rows = read(tmp_path / "store" / "rows.csv")
    assert {row["set"] for row in rows} >= {
        "ham10000",
        "isic2016",
        "isic2017",
        "isic2018",
        "isic2019",
        "isic2020",
        "pad-ufes-20",
        "scin",
        "class_folders",
    }
    part = {}
    assert all(part.setdefault(row["group"], row["part"]) == row["part"] for row in rows)
    unknown = [row for row in read(tmp_path / "store" / "left-out.csv") if row["reason"] == "unknown class"]
    assert [(row["image"], row["detail"]) for row in unknown] == [("wart/p3_a.jpg", "wart")]
    # ISIC_0000002 stands in the 2016 and 2019 challenges: one group by its id, though the drawn pictures differ.
    shared = {row["group"] for row in rows if row["image"].startswith("ISIC_0000002")}
    assert len(shared) == 1


def test_same_input_same_bytes(tmp_path: Path) -> None:
    table = table_of(tmp_path)
    for name in ("one", "two"):
        prepare([Source(table)], tmp_path / name, SETTINGS)
    for name in ("rows.csv", "manifest.json", "summary.md", "summary.svg", "pixels.u8", "pairs.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_rerun_decodes_only_what_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, store = table_of(tmp_path), tmp_path / "store"
    prepare([Source(table)], store, SETTINGS)
    first = (store / "rows.csv").read_bytes()
    capsys.readouterr()
    prepare([Source(table)], store, SETTINGS)
    assert "0 files decoded, 24 unchanged" in capsys.readouterr().out
    assert (store / "rows.csv").read_bytes() == first
    drawn.save(tmp_path / "images" / "drawn" / "3.jpg", 77)
    prepare([Source(table)], store, SETTINGS)
    assert "1 files decoded, 23 unchanged" in capsys.readouterr().out
    opened = Store.open(store)
    changed = next(i for i, row in enumerate(opened.rows) if row["image"] == "3.jpg")
    assert np.array_equal(
        opened.picture(changed),
        np.asarray(shrink(upright_rgb((tmp_path / "images" / "drawn" / "3.jpg").read_bytes()), 64)),
    )


def test_files_that_only_have_another_date_or_place_keep_their_pixels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that was copied or mounted anew must not stop a training from being resumed."""
    (tmp_path / "here").mkdir()
    table, store = table_of(tmp_path / "here"), tmp_path / "store"
    twin = tmp_path / "here" / "images" / "drawn" / "3.jpg"
    twin.write_bytes((twin.parent / "4.jpg").read_bytes())
    prepare([Source(table)], store, SETTINGS)
    before, pixels = Store.open(store), (store / "pixels.u8").read_bytes()
    for path in (tmp_path / "here").rglob("*.jpg"):
        os.utime(path, (1, 1))
    capsys.readouterr()
    prepare([Source(table)], store, SETTINGS)
    assert "0 files decoded, 24 unchanged" in capsys.readouterr().out
    (tmp_path / "here").rename(tmp_path / "there")
    prepare([Source(tmp_path / "there" / table.relative_to(tmp_path / "here"))], store, SETTINGS)
    assert "0 files decoded, 24 unchanged" in capsys.readouterr().out
    assert Store.open(store).fingerprint() == before.fingerprint()
    assert (store / "pixels.u8").read_bytes() == pixels


@pytest.mark.parametrize("cut", ["journal", "pixels", "thumbs"])
def test_a_run_that_was_cut_off_goes_on(tmp_path: Path, cut: str, capsys: pytest.CaptureFixture[str]) -> None:
    table, store = table_of(tmp_path), tmp_path / "store"
    prepare([Source(table)], tmp_path / "whole", SETTINGS)
    prepare([Source(table)], store, SETTINGS)
    path = store / {"journal": "decoded.jsonl", "pixels": "pixels.u8", "thumbs": "thumbs.u8"}[cut]
    with path.open("r+b") as handle:
        handle.truncate(path.stat().st_size * 2 // 3)  # in the middle of a line or a picture
    with PictureCache(store, 64) as cache:
        assert 0 < len(cache.known) < 24
    prepare([Source(table)], store, SETTINGS)
    for name in ("pixels.u8", "rows.csv", "manifest.json"):
        assert (store / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    capsys.readouterr()
    prepare([Source(table)], store, SETTINGS)
    assert "0 files decoded" in capsys.readouterr().out


def test_a_store_of_another_kind_is_not_overwritten(tmp_path: Path) -> None:
    table = table_of(tmp_path, 6)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "pixels.u8").write_bytes(b"1")
    with pytest.raises(PrepareError, match="another tool wrote"):
        prepare([Source(table)], tmp_path / "old", SETTINGS)
    prepare([Source(table)], tmp_path / "store", SETTINGS)
    with pytest.raises(PrepareError, match="choose another folder"):
        prepare([Source(table)], tmp_path / "store", Settings(short_side=32))
    with PictureCache(tmp_path / "store", 64), pytest.raises(PrepareError, match="another run"):
        prepare([Source(table)], tmp_path / "store", SETTINGS)


def test_unreadable_files_are_reported_and_left_out(tmp_path: Path) -> None:
    table = table_of(tmp_path, 12)
    folder = tmp_path / "images" / "drawn"
    whole = (folder / "1.jpg").read_bytes()
    (folder / "1.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "2.jpg").write_bytes(b"")
    (folder / "3.jpg").write_text("<html>not found</html>")
    prepare([Source(table)], tmp_path / "store", SETTINGS)
    left = read(tmp_path / "store" / "left-out.csv")
    assert [(row["image"], row["reason"]) for row in left] == [
        ("1.jpg", "unreadable"),
        ("2.jpg", "unreadable"),
        ("3.jpg", "unreadable"),
    ]
    assert re.search("truncated|ends early", left[0]["detail"]), "by Pillow, or by the core"
    assert str(tmp_path) not in "".join(row["detail"] for row in left)
    assert len(Store.open(tmp_path / "store").rows) == 9


def copies(root: Path, first: str = "train", second: str = "val") -> Path:
    """b is a, mirrored and saved again smaller, under another group; c has a's pixels; d is another picture."""
    folder = root / "images" / "drawn"
    folder.mkdir(parents=True)
    picture = drawn.lesion(1, (240, 180))
    picture.save(folder / "a.png")
    picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((160, 120)).save(folder / "b.jpg", quality=70)
    picture.save(folder / "c.bmp")
    drawn.lesion(2, (240, 180)).save(folder / "d.png")
    return drawn.label_table(
        root,
        [
            ("a.png", "mel", "ga", first),
            ("b.jpg", "nv", "gb", second),
            ("c.bmp", "mel", "gc", first),
            ("d.png", "nv", "gd", "train"),
        ],
    )


def test_a_leak_fails_with_the_offending_rows(tmp_path: Path) -> None:
    table = copies(tmp_path)
    with pytest.raises(LeakError, match=r"ga -> train: drawn/a.png, drawn/c.bmp; val: drawn/b.jpg") as caught:
        prepare([Source(table)], tmp_path / "store", SETTINGS)
    assert "--leaks drop" in str(caught.value)
    assert not (tmp_path / "store" / "rows.csv").exists()
    assert [row["picture"] for row in read(tmp_path / "store" / "leaks.csv")] == [
        "drawn/a.png",
        "drawn/b.jpg",
        "drawn/c.bmp",
    ]


def test_a_leak_can_be_dropped_on_the_training_side(tmp_path: Path) -> None:
    prepare([Source(copies(tmp_path))], tmp_path / "store", Settings(short_side=64, leaks="drop"))
    assert [(row["image"], row["split"]) for row in read(tmp_path / "store" / "rows.csv")] == [
        ("b.jpg", "val"),
        ("d.png", "train"),
    ]
    assert Counter(row["reason"] for row in read(tmp_path / "store" / "left-out.csv")) == {"leak": 2}
    assert not (tmp_path / "store" / "leaks.csv").exists()


def test_copies_are_dropped_joined_or_refused(tmp_path: Path) -> None:
    table = copies(tmp_path, "train", "train")

    def images(name: str, **changes: str) -> list[tuple[str, str]]:
        prepare([Source(table)], tmp_path / name, Settings(short_side=64, **changes))  # type: ignore[arg-type]
        return [(row["image"], row["group"]) for row in read(tmp_path / name / "rows.csv")]

    assert images("drop") == [("a.png", "ga"), ("d.png", "gd")]
    assert images("join", duplicates="join") == [("a.png", "ga"), ("b.jpg", "ga"), ("c.bmp", "ga"), ("d.png", "gd")]
    assert images("conflicts", conflicts="drop") == [("c.bmp", "ga"), ("d.png", "gd")]
    pairs = read(tmp_path / "drop" / "pairs.csv")
    assert [(p["kind"], p["a"], p["b"], p["label_a"], p["label_b"]) for p in pairs] == [
        ("exact", "drawn/a.png", "drawn/c.bmp", "mel", "mel"),
        ("copy", "drawn/a.png", "drawn/b.jpg", "mel", "nv"),
    ]


def test_unknown_names_can_stop_the_run(tmp_path: Path) -> None:
    drawn.class_folders(tmp_path)
    with pytest.raises(PrepareError, match="unknown class name 'wart'"):
        prepare([Source(tmp_path)], tmp_path / "store", Settings(unknown="fail"))


def test_only_pictures_of_the_licences_asked_for(tmp_path: Path) -> None:
    drawn.ham10000(tmp_path / "ham")
    drawn.pad_ufes_20(tmp_path / "pad")
    prepare([Source(tmp_path / "ham"), Source(tmp_path / "pad")], tmp_path / "store", Settings(licenses=("CC BY 4.0",)))
    assert {row["set"] for row in read(tmp_path / "store" / "rows.csv")} == {"pad-ufes-20"}


def test_one_folder_given_twice_counts_once(tmp_path: Path) -> None:
    table = table_of(tmp_path, 6)
    prepare([Source(table), Source(tmp_path)], tmp_path / "store", SETTINGS)
    assert len(read(tmp_path / "store" / "rows.csv")) == 6


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, **options)  # type: ignore[arg-type]
    return data.getvalue()


def test_decoding_as_the_page_does() -> None:
    picture = drawn.lesion(5)
    exif = Image.Exif()
    exif[0x0112] = 6  # stored a quarter turn away
    upright = upright_rgb(encoded(picture, "PNG", exif=exif))
    assert np.array_equal(np.asarray(upright), np.rot90(np.asarray(picture), -1))
    clear = picture.convert("RGBA")
    clear.putalpha(0)
    assert np.asarray(upright_rgb(encoded(clear, "PNG"))).min() == 255
    sixteen = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    assert np.array_equal(np.asarray(upright_rgb(encoded(sixteen, "PNG")))[..., 0], np.asarray(picture.convert("L")))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert (
        np.abs(
            np.asarray(upright_rgb(encoded(picture, "PNG", icc_profile=profile))).astype(int) - np.asarray(picture)
        ).max()
        <= 1
    )
    assert np.array_equal(
        np.asarray(upright_rgb(encoded(picture, "PNG", icc_profile=b"nonsense"))), np.asarray(picture)
    )


def test_source_argument(tmp_path: Path) -> None:
    options = Options()
    (tmp_path / "a=b").mkdir()
    assert parse_source("ham10000:data/x", options) == Source(Path("data/x"), "ham10000", options)
    assert parse_source("mine=folders:x", options) == Source(Path("x"), "folders", Options(set_name="mine"))
    assert parse_source("C:/pictures", options).path == Path("C:/pictures")
    assert parse_source(str(tmp_path / "a=b"), options).path == tmp_path / "a=b"


def test_command_line(tmp_path: Path) -> None:
    """As a person runs it: looking first, then preparing, then a mistake."""
    drawn.ham10000(tmp_path / "ham")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dermlet_train", "prepare", *arguments]
        return subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)

    look = run("--source", str(tmp_path / "ham"), "--look")
    assert look.returncode == 0
    assert "ham10000 in HAM10000_metadata.csv: 4 ham10000" in look.stdout
    done = run(
        "--source",
        f"mine=ham10000:{tmp_path / 'ham'}",
        "--out",
        str(tmp_path / "store"),
        "--val",
        "0.25",
        "--test",
        "0",
    )
    assert done.returncode == 0, done.stderr
    assert {row["set"] for row in read(tmp_path / "store" / "rows.csv")} == {"mine"}
    wrong = run("--source", str(tmp_path / "nowhere"), "--out", str(tmp_path / "store"))
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "no such file or folder" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_shipped_class_maps_load() -> None:
    folder = ClassMap.load().path.parent
    assert ClassMap.load().classes == ("akiec", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc")
    for path in folder.glob("*.toml"):
        assert ClassMap.load(path).classes


FOREIGN = Path(__file__).resolve().parents[3] / "tests" / "pictures" / "foreign"


def test_pictures_of_phones_are_read_and_what_is_not_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """HEIC and AVIF in class folders once vanished without a word; a broken one ended the step."""
    photos, out = tmp_path / "photos", tmp_path / "store"
    drawn.save(photos / "nevus" / "a.png", 1)
    for name, source in (
        ("IMG_1.HEIC", "lossy.heic"),
        ("IMG_2.avif", "lossless.webp"),
        ("IMG_3.heic", "corrupt.heic"),
        ("IMG_4.avif", "corrupt.avif"),
    ):
        (photos / "nevus" / name).write_bytes((FOREIGN / source).read_bytes())
    for name in ("IMG_5.dng", "IMG_6.MOV", "notes.txt"):
        (photos / "nevus" / name).write_bytes(b"x")
    prepare([Source(photos)], out, Settings(), ClassMap.load())
    said = capsys.readouterr().out
    assert (
        "2 files are of a kind that is not read (1 .dng, 1 .mov): they are left out. Save them as JPEG or PNG if they"
        " are pictures." in said
    )
    left = {row["image"]: row["reason"] for row in read(out / "left-out.csv")}
    assert {
        name: left.get(f"nevus/{name}") for name in ("IMG_3.heic", "IMG_4.avif", "IMG_5.dng", "IMG_6.MOV", "notes.txt")
    } == {
        "IMG_3.heic": "unreadable",
        "IMG_4.avif": "unreadable",
        "IMG_5.dng": "kind not read",
        "IMG_6.MOV": "kind not read",
        "notes.txt": None,
    }
    assert "unreadable: photos/nevus/IMG_3.heic" in said
    kept = {row["image"] for row in read(out / "rows.csv")} | {
        name for name, reason in left.items() if reason == "copy"
    }
    assert kept == {"nevus/a.png", "nevus/IMG_1.HEIC", "nevus/IMG_2.avif"}


@pytest.mark.parametrize("name", ["lossy.heic", "orientation-6.heic"])
def test_heic_shows_what_its_drawing_shows(name: str) -> None:
    """Upright, as the page shows it (tests/e2e/foreign.spec.ts); turned the other way the drawings differ by ten
    levels.
    """
    drawing = np.asarray(Image.open(FOREIGN / "drawing.png").convert("RGB"), float)
    found = np.asarray(upright_rgb((FOREIGN / name).read_bytes()), float)
    assert found.shape == drawing.shape and np.abs(found - drawing).mean() < 2


def test_heic_without_its_reader_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dermlet_train.prepare.pictures.pi_heif", None)
    with pytest.raises(OSError, match="pi-heif, which is not installed"):
        upright_rgb((FOREIGN / "lossy.heic").read_bytes())


def test_a_calibration_part_by_class_misses_no_class(tmp_path: Path) -> None:
    """By the hash of groups alone 24 pictures of three classes may leave one without any."""
    source = Source(table_of(tmp_path / "data", 48), "table")
    prepare([source], tmp_path / "store", Settings(calibration=0.2, calibration_by_class=True))
    parts = Counter((row["part"], row["label"]) for row in read(tmp_path / "store" / "rows.csv"))
    for label in ("mel", "nv", "other"):
        assert 1 <= parts["calib", label] < parts["train", label]


def test_names_do_not_act_on_the_terminal(tmp_path: Path) -> None:
    """A class folder, a set and a picture of strangers, in what is printed and in what ends the step."""
    forged = "nevus\x1b[2J\nprepare: all well\u202e"
    photos, out = tmp_path / "photos\x1b[2J\nprepare: all well", tmp_path / "store"
    drawn.save(photos / "nevus" / "a.png", 1)
    drawn.save(photos / forged / "b.png", 2)
    (photos / "nevus" / "c\x1b[31m.png").write_bytes(b"no picture")
    command = [sys.executable, "-m", "dermlet_train", "prepare", "--source", str(photos), "--out", str(out)]
    for more, status in ((["--unknown", "report"], 0), (["--unknown", "fail"], 2)):
        done = subprocess.run(
            [*command, *more], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stderr
        said = done.stdout + done.stderr
        assert "photos\\u001b[2J\\u000aprepare: all well" in said and "nevus\\" in said
        assert not any(c in said for c in "\x1b\u202e")
        assert "\nprepare: all well" not in said
