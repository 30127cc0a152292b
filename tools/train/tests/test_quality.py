"""Limits of the quality gate: the degradations, the choice of a limit, and the whole step on drawn pictures through the
shipped module.
"""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from prepare_drawn import lesion

from dermlet_train.card.measure import ROOT
from dermlet_train.gate import gate_of
from dermlet_train.metrics import auc
from dermlet_train.quality import (
    CHOOSING,
    REPORTING,
    TRAINING,
    answers_key,
    chosen_checks,
    judge,
    kept_findings,
    limits_of,
    read_parts,
)
from dermlet_train.quality.choose import choose, flagged, harmful_from, isotonic, roc_area
from dermlet_train.quality.degrade import DEGRADATIONS, Degradation, expose, shrink
from dermlet_train.quality.measure import UNDEGRADED, core_values, evenly, predict, write_pictures
from dermlet_train.quality.report import page, write_report
from dermlet_train.store import Store, write_store

RNG = np.random.default_rng(3)
INPUT = {
    "width": 96,
    "height": 96,
    "layout": "NCHW",
    "channels": "RGB",
    "fit": "cover",
    "filter": "bicubic",
    "mean": [0, 0, 0],
    "std": [1, 1, 1],
}


def test_isotonic_is_the_nearest_non_decreasing_sequence() -> None:
    assert isotonic([0, 1, 2]) == [0, 1, 2]
    assert isotonic([3, 1, 2]) == [2, 2, 2]
    assert isotonic([0, 4, 2, 5]) == [0, 3, 3, 5]


def test_harm_begins_where_it_stays() -> None:
    assert harmful_from([0, 0.05, 0.2, 0.3], 0.1) == 2
    assert harmful_from([0.15, 0.0, 0.0, 0.3], 0.1) == 3  # one unlucky step is no harm
    assert harmful_from([0, 0, 0], 0.1) == 3


def test_the_area_is_that_of_the_ranks() -> None:
    for _ in range(20):
        harmless, harmful = RNG.integers(0, 9, 30).astype(float), RNG.integers(3, 12, 20).astype(float)
        labels = np.repeat([False, True], [30, 20])
        expected = auc(np.concatenate([harmless, harmful]), labels)
        assert roc_area(harmless, harmful, highest=True) == pytest.approx(expected)
        assert roc_area(harmless, harmful, highest=False) == pytest.approx(1 - expected)


@pytest.mark.parametrize("highest", [False, True])
def test_a_limit_parts_what_can_be_parted_and_flags_no_more_than_it_may(highest: bool) -> None:
    sign = -1 if highest else 1
    clean, mild, bad = (sign * RNG.normal(mean, 1, 400) for mean in (10, 7, 0))
    limit = choose(clean, [mild], [bad], highest, 0.02)
    assert flagged(bad, limit, highest) > 0.95
    assert flagged(mild, limit, highest) < 0.05
    overlapping = sign * RNG.normal(
        9.5, 1, 400
    )  # hardly worse: whatever parts best, undegraded pictures are not given up for it
    limit = choose(clean, [], [overlapping], highest, 0.02)
    assert flagged(clean, limit, highest) <= 0.02


def test_evenly_takes_as_many_of_each_label_as_there_are() -> None:
    rows = [
        {"set": "a", "image": f"{label}{i}.jpg", "label": label}
        for label, count in (("x", 50), ("y", 3), ("z", 20))
        for i in range(count)
    ]
    labels = [row["label"] for row in evenly(rows, 23)]
    assert {label: labels.count(label) for label in "xyz"} == {"x": 10, "y": 3, "z": 10}
    assert evenly(rows, 23) == evenly(rows[::-1], 23)
    assert len(evenly(rows, 1000)) == 73


def test_every_step_of_every_degradation_moves_its_own_check_the_right_way(tmp_path: Path) -> None:
    """Through the shipped module, on the median of a few drawn lesions: values are monotonic in the degradation, as far
    as it leaves a lesion.
    """
    (tmp_path / "images" / "drawn").mkdir(parents=True)
    rows = []
    for seed in range(6):
        lesion(seed).resize((256, 192)).save(tmp_path / "images" / "drawn" / f"{seed}.png")
        rows.append({"set": "drawn", "image": f"{seed}.png", "label": "nv"})
    for degradation in DEGRADATIONS:
        folder = tmp_path / degradation.check
        folder.mkdir()
        found = core_values(write_pictures(rows, tmp_path / "images", degradation, folder), folder, INPUT)
        medians = [
            float(np.median([v[degradation.check] for (setting, _), v in found.items() if setting == name]))
            for name in degradation.names()
        ]
        worse = np.diff(medians) * (1 if degradation.highest else -1)
        if degradation.hopeless:
            assert max(medians) < 8, degradation.check
        elif degradation.check == "out_of_frame":
            # Moved a little, a lesion stays in the middle; when it has left altogether, texture alone stands out. Far
            # steps are told from near ones.
            assert min(medians[2:]) > max(medians[:2]), medians
        elif degradation.check == "collage":
            assert min(medians) > 0.6, medians  # a seam is a seam, however many there are
        else:
            assert (worse >= 0).all() and worse.sum() > 0, (degradation.check, medians)


def test_the_gate_turns_away_what_the_page_would(tmp_path: Path) -> None:
    """Of the same drawn lesion, as it is and in the dark, shown as each modality."""
    bright = lesion(1).resize((256, 192))
    dark = bright.point(lambda level: level // 8)
    rows = [
        {"set": "drawn", "image": f"{i}.png", "label": "nv", "modality": modality, "part": "calib"}
        for i, modality in enumerate(("photo", "dermoscopy", "photo", "dermoscopy"))
    ]
    pixels = np.stack([np.asarray(picture) for picture in (bright, bright, dark, dark)])
    pixels.tofile(tmp_path / "pixels.u8")
    write_store(tmp_path, rows, range(0, pixels.size, pixels[0].size), [192] * 4, [256] * 4)
    store = Store.open(tmp_path)
    limits = {"minSide": 200, "modalities": {"photo": {"minBrightness": 80.0}, "dermoscopy": {"minBrightness": 2.0}}}
    gate = gate_of({"input": INPUT, "quality": limits})
    assert gate is not None
    assert gate.usable(store, [0, 1, 2, 3]).tolist() == [True, True, False, True]
    assert gate.usable(store, [2, 0]).tolist() == [False, True]
    assert gate_of({"input": INPUT, "quality": {"minSide": 64}}) is None


def test_light_is_halved_in_linear_light_and_a_picture_is_never_enlarged() -> None:
    grey = Image.new("RGB", (4, 4), (188, 188, 188))  # half of white's light
    assert expose(grey, 1, RNG).getpixel((0, 0))[0] in (254, 255)
    assert expose(grey, -1, RNG).getpixel((0, 0))[0] == 137  # a quarter
    assert shrink(grey, 32, RNG) is grey
    assert shrink(Image.new("RGB", (400, 300)), 32, RNG).size == (43, 32)


MANIFEST = {"classes": [{"id": "mel", "concern": "high"}, {"id": "nv", "concern": "low"}]}


def test_the_gate_fires_where_accuracy_has_dropped_and_nowhere_else() -> None:
    rows = [{"set": "s", "image": f"{i}.jpg", "label": "mel" if i % 2 else "nv"} for i in range(40)]
    degradation = Degradation("blurred", "%", lambda picture, _step, _rng: picture, (1, 2, 3))
    right = {True: np.array([0.9, 0.1]), False: np.array([0.1, 0.9])}
    answers = {}
    for setting, wrong in ((UNDEGRADED, 0), ("blurred=1", 0), ("blurred=2", 2), ("blurred=3", 20)):
        for i, row in enumerate(rows):
            answers[setting, f"s/{row['image']}"] = right[(row["label"] == "mel") != (i < wrong)]
    spread = np.linspace(0, 0.1, 40)
    own = {UNDEGRADED: 1 + spread, "blurred=1": 0.8 + spread, "blurred=2": 0.6 + spread, "blurred=3": 0.2 + spread}
    finding = judge("photo", degradation, rows, answers, {CHOOSING: own, REPORTING: own}, MANIFEST, 0.1, 0.025)
    assert finding.harmful == (3,)
    assert 0.3 <= finding.limit <= 0.6
    assert finding.roc[REPORTING].caught_by_step == (0, 0, 1)
    assert finding.roc[REPORTING].area == 1
    unharmed = judge("photo", degradation, rows, answers, {CHOOSING: own, REPORTING: own}, MANIFEST, 0.9, 0.025)
    assert unharmed.limit is None and not unharmed.roc
    before = {"minSide": 64, "modalities": {"photo": {"maxNoise": 9}, "other": {"minSide": 3}}}
    assert limits_of([finding, unharmed], before) == {
        "minSide": 64,
        "modalities": {"photo": {"minSharpness": finding.limit}, "other": {"minSide": 3}},
    }
    text = page(
        {"name": "m", "version": "1.0.0"},
        [finding, unharmed],
        {"drop": 0.1, "flagged": 0.025, "pictures": 40, "undegraded": 40},
    )
    assert "| blurred | not made |" in text and "| blurred | 3 % of the shorter side | +0.500 |" in text


def test_checks_measured_before_stay_as_the_report_has_them(tmp_path: Path) -> None:
    rows = [{"set": "s", "image": f"{i}.jpg", "label": "mel" if i % 2 else "nv"} for i in range(40)]
    own = {UNDEGRADED: np.linspace(1, 2, 40), "blurred=3": np.linspace(0, 0.1, 40)}
    right = {True: np.array([0.9, 0.1]), False: np.array([0.1, 0.9])}
    answers = {
        (setting, f"s/{row['image']}"): right[(row["label"] == "mel") == (setting == UNDEGRADED)]
        for setting in own
        for row in rows
    }
    degradation = Degradation("blurred", "%", lambda picture, _step, _rng: picture, (3,))
    finding = judge("photo", degradation, rows, answers, {CHOOSING: own, REPORTING: own}, MANIFEST, 0.1, 0.025)
    model = {"name": "m", "version": "1.0.0", "file": {"sha256": "0"}}
    with pytest.raises(SystemExit, match="needs"):
        kept_findings(tmp_path, ["grey"])
    write_report(tmp_path, model, [finding], {"drop": 0.1, "flagged": 0.025, "pictures": 40, "undegraded": 40})
    assert kept_findings(tmp_path, ["blurred"]) == []
    (kept,) = kept_findings(tmp_path, chosen_checks("grey,collage"))
    assert (kept.check, kept.limit) == ("blurred", pytest.approx(finding.limit, abs=1e-4))
    assert (
        page(model, [kept], {"drop": 0.1, "flagged": 0.025, "pictures": 40, "undegraded": 40})
        == (tmp_path / "QUALITY.md").read_text()
    )
    with pytest.raises(SystemExit, match="no check gray"):
        chosen_checks("gray")


def test_parts_are_the_tables_or_cut_from_its_groups(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(
        "set,image,label,group,split\n"
        + "".join(f"s,{i}.jpg,nv,g{i // 2},{'val' if i < 10 else 'train'}\n" for i in range(200))
    )
    parts = read_parts([table], ["nv"], 0.2)
    assert len(parts[REPORTING]) == 10 and 10 < len(parts[CHOOSING]) < 80
    assert all(row["split"] == "train" for row in parts[CHOOSING])
    assert len(parts[CHOOSING]) + len(parts[TRAINING]) == 190
    with pytest.raises(SystemExit, match="no picture of the part"):
        read_parts([table], ["mel"], 0.2)


def test_kept_answers_belong_to_network_finder_and_calibration() -> None:
    manifest = json.loads((ROOT / "models" / "skin-8" / "manifest.json").read_text())
    key = answers_key(manifest)
    assert answers_key({**manifest, "quality": {}}) == key  # what is being chosen
    for part in ("file", "locator", "modalities"):
        assert answers_key({**manifest, part: {}}) != key


def test_answers_come_through_the_shipped_path_and_are_kept(tmp_path: Path) -> None:
    model = ROOT / "models" / "skin-open"
    classes = [entry["id"] for entry in json.loads((model / "manifest.json").read_text())["classes"]]
    (tmp_path / "images" / "drawn").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "pictures" / "spot.jpg", tmp_path / "images" / "drawn" / "spot.jpg")
    rows = [{"set": "drawn", "image": "spot.jpg", "label": "nv", "modality": "photo"}]
    copies = write_pictures(rows, tmp_path / "images", DEGRADATIONS[1], tmp_path)
    kept = tmp_path / "cache" / "kept.csv"
    answers = predict(copies, tmp_path, model, classes, 1, kept)
    assert set(answers) == {(name, "drawn/spot.jpg") for name in DEGRADATIONS[1].names()}
    assert all(found.sum() == pytest.approx(1, abs=1e-4) for found in answers.values())
    with kept.open(newline="") as handle:
        assert len(list(csv.DictReader(handle))) == len(copies)
    assert (
        predict(copies, tmp_path, Path("no model"), classes, 1, kept).keys() == answers.keys()
    )  # nothing is asked again
