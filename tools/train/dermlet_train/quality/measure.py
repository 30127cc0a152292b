"""Degraded pictures through the shipped path: the network's answers (`npm run evaluate`) and the core's quality values
(`quality_values.mjs`).
"""

from __future__ import annotations

import csv
import json
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from ..card.measure import Row, evaluate, write_rows
from ..files import replacing
from ..repository import SCRIPTS
from .degrade import Degradation

UNDEGRADED = "undegraded"
VALUES_SCRIPT = SCRIPTS / "quality_values.mjs"
Answers = dict[tuple[str, str], np.ndarray]  # (setting, picture) -> (K,) probabilities


def identity(row: Row) -> str:
    return f"{row['set']}/{row['image']}"


def evenly(rows: Sequence[Row], count: int) -> list[Row]:
    """At most `count` rows, as many of each label as there are and room for; the same ones each time."""
    by_label: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=identity):
        by_label[row["label"]].append(row)
    waiting = {label: _spread(own) for label, own in sorted(by_label.items())}
    chosen: list[Row] = []
    while len(chosen) < count and any(waiting.values()):
        for own in waiting.values():
            if own and len(chosen) < count:
                chosen.append(own.pop())
    return chosen


def _spread(rows: list[Row]) -> list[Row]:
    """A fixed order in which any beginning is spread over all of the list (and so over the sets)."""
    order = np.random.default_rng(0).permutation(len(rows))
    return [rows[i] for i in order]


def write_pictures(rows: Iterable[Row], images: Path, degradation: Degradation | None, out: Path) -> list[Row]:
    """Every setting's copy of every picture under `out/<setting>/`, uncompressed PNG; the rows of the copies. Without
    one: links to the pictures.
    """
    copies: list[Row] = []
    for row in rows:
        source = images / row["set"] / row["image"]
        name = f"{row['set']}__{row['image']}"
        if degradation is None:
            (out / UNDEGRADED).mkdir(exist_ok=True)
            (out / UNDEGRADED / name).symlink_to(source.resolve())
            copies.append({**row, "set": UNDEGRADED, "image": name})
            continue
        with Image.open(source) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
        steps = (*([] if degradation.reference is None else [degradation.reference]), *degradation.steps)
        for step in steps:
            setting = degradation.name(step)
            (out / setting).mkdir(exist_ok=True)
            degradation.apply(picture, step, identity(row)).save(out / setting / f"{name}.png", compress_level=0)
            copies.append({**row, "set": setting, "image": f"{name}.png"})
    return copies


def original(image: str) -> str:
    """`set/image` of a copy's name."""
    return image.replace("__", "/", 1).removesuffix(".png")


def predict(copies: Sequence[Row], folder: Path, model: Path, classes: Sequence[str], jobs: int, kept: Path) -> Answers:
    """Probabilities of every copy. Rows of the table `kept` are reused; new ones are added to it."""
    answers = _read_answers(kept, classes)
    missing = [row for row in copies if (row["set"], original(row["image"])) not in answers]
    if missing:
        with tempfile.TemporaryDirectory() as made:
            labels, found, report = (Path(made) / name for name in ("labels.csv", "found.csv", "report.json"))
            write_rows(labels, missing)
            options = ("--predictions", str(found), "--model", str(model.resolve()), "--jobs", str(jobs))
            evaluate(labels, folder, report, options)
            answers |= _read_answers(found, classes)
        _write_answers(kept, answers, classes)
    wanted = {(row["set"], original(row["image"])) for row in copies}
    return {key: value for key, value in answers.items() if key in wanted}


def _read_answers(path: Path, classes: Sequence[str]) -> Answers:
    if not path.exists():
        return {}
    with path.open(newline="") as handle:
        return {
            (row["set"], original(row["image"])): np.array([float(row[k]) for k in classes])
            for row in csv.DictReader(handle)
        }


def _write_answers(path: Path, answers: Answers, classes: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"set": setting, "image": image, **{k: f"{p:.6g}" for k, p in zip(classes, probabilities, strict=True)}}
        for (setting, image), probabilities in sorted(answers.items(), key=lambda entry: entry[0])
    ]
    with replacing(path) as part:
        write_rows(part, rows)


def core_values(
    copies: Sequence[Row], folder: Path, given: Mapping[str, Any]
) -> dict[tuple[str, str], dict[str, float]]:
    """What the core's checks measure on every copy, by check; `given` is the manifest's `input`. Raises
    CalledProcessError.
    """
    files = [str((folder / row["set"] / row["image"]).resolve()) for row in copies]
    request = json.dumps({"input": dict(given), "files": files})
    output = subprocess.run(
        ["node", str(VALUES_SCRIPT)], input=request, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return {
        (row["set"], original(row["image"])): json.loads(line)
        for row, line in zip(copies, output.splitlines(), strict=True)
    }
