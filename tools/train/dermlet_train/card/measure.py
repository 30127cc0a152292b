"""Measuring a model through the shipped path: `npm run evaluate` on pictures as they are, and on coarse copies of them.

Every picture is classified once a setting; parts, sets and skin tones are cut from the same answers. What evaluate
wrote stands unchanged in `<model>/figures/`: `evaluation.json`, `degraded.json`, `test-time-augmentation.json`; beside
them `speed.json`, the network's time in onnxruntime-web against a yardstick's, and `download.json`, the
sizes of its file.
"""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from ..manifest import read_manifest
from ..repository import ROOT, require_checkout
from .plan import Part, Plan

Row = dict[str, str]


SETTINGS = ("evaluation", "test-time-augmentation", "degraded", "speed")
SPEED_ROUNDS, SPEED_RUNS = 15, 8


def measure_model(
    model: Path, plan: Plan, rows: Sequence[Row], images: Path, split: str, jobs: int, only: Sequence[str] = SETTINGS
) -> None:
    """Measures the settings that the plan has and `only` names. Raises CalledProcessError when one fails; its own words
    go to the terminal.
    """
    require_checkout("measuring a model")
    figures = model / "figures"
    figures.mkdir(exist_ok=True)
    manifest = read_manifest(model)
    forget_others(figures, manifest["file"]["sha256"])
    common = ("--split", split, "--model", str(model.resolve()), "--jobs", str(jobs))
    paired = plan.pairs and "combination" in manifest
    whole = (*common, *_parts(plan.parts), *(["--pairs"] if paired else []))
    with tempfile.TemporaryDirectory() as folder:
        table, coarse = Path(folder) / "labels.csv", Path(folder) / "coarse"
        write_rows(table, rows)
        if "evaluation" in only:
            _measure("pictures as they are", table, images, figures / "evaluation.json", whole)
        if "test-time-augmentation" in only and plan.test_time_augmentation:
            _measure(
                "test-time augmentation",
                table,
                images,
                figures / "test-time-augmentation.json",
                (*whole, "--test-time-augmentation"),
            )
        parts = [part for part in plan.parts if part.degraded]
        if "degraded" in only and parts:
            sets = {name for part in parts for name in part.sets}
            labels = {entry["id"] for entry in manifest["classes"]}
            chosen = [row for row in rows if row["set"] in sets and row["label"] in labels]
            write_rows(table, degrade(chosen, images, coarse, plan.degraded_side))
            _measure(
                f"copies of {plan.degraded_side} px",
                table,
                coarse,
                figures / "degraded.json",
                (*common, *_parts(parts)),
            )
    if "speed" in only and plan.speed:
        measure_speed(model, manifest, figures / "speed.json")
    sizes = download_sizes(model / manifest["file"]["path"])
    (figures / "download.json").write_text(json.dumps(sizes, indent=2) + "\n")


def measure_speed(model: Path, manifest: Mapping[str, Any], out: Path) -> None:
    """Least time of one run in onnxruntime-web's WASM build, one thread, as a share of the yardstick network's, the two
    taking turns.
    """
    from ..variants import YARDSTICK, YARDSTICK_SIDE, spread, weigh_and_time, yardstick_onnx

    print(f"card: time in onnxruntime-web, beside {YARDSTICK} at {YARDSTICK_SIDE} px", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        yardstick = yardstick_onnx(len(manifest["classes"]), Path(folder))
        files = {
            "model": (model / manifest["file"]["path"], manifest["input"]["width"]),
            "yardstick": (yardstick, YARDSTICK_SIDE),
        }
        times = {
            name: found["run"] for name, found in weigh_and_time(files, SPEED_ROUNDS, SPEED_RUNS, sizes=False).items()
        }
    report = {
        "model": {"sha256": manifest["file"]["sha256"]},
        "yardstick": {"network": YARDSTICK, "side": YARDSTICK_SIDE},
        "milliseconds": {name: dict(zip(("median", "least"), spread(run), strict=True)) for name, run in times.items()},
        "ratio": round(min(times["model"]) / min(times["yardstick"]), 3),
    }
    out.write_text(json.dumps(report, indent=2) + "\n")


def forget_others(figures: Path, sha256: str) -> None:
    """Removes reports that were measured on other weights, so that no card mixes two models."""
    for path in figures.glob("*.json"):
        if json.loads(path.read_text()).get("model", {}).get("sha256", sha256) != sha256:
            print(f"card: {path.name} was measured on other weights and is removed")
            path.unlink()


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def _parts(parts: Iterable[Part]) -> list[str]:
    return [word for part in parts for word in ("--part", part.option())]


def evaluate(labels: Path, images: Path, report: Path, options: Sequence[str]) -> None:
    """`npm run evaluate`, whose figures go to `report`. Raises CalledProcessError; its own words go to the terminal."""
    command = [
        "npm",
        "run",
        "--silent",
        "evaluate",
        "--",
        "--labels",
        str(labels),
        "--images",
        str(images.resolve()),
        "--json",
        str(report.resolve()),
        *options,
    ]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=sys.stderr)


def coarse_copy(picture: Image.Image, side: int) -> Image.Image:
    """The picture brought down to a shorter side of `side` pixels and back to its own size, bicubic both ways; itself
    when it has no more.
    """
    width, height = picture.size
    scale = side / min(width, height)
    if scale >= 1:
        return picture
    small = picture.resize((max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BICUBIC)
    return small.resize((width, height), Image.Resampling.BICUBIC)


def degrade(rows: Sequence[Row], images: Path, out: Path, side: int) -> list[Row]:
    """Writes a coarse copy of every picture, upright, as PNG, so that no second compression takes part; returns the
    rows with the copies' names.
    """
    copies = []
    for row in rows:
        name = f"{row['image']}.png"
        target = out / row["set"] / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with Image.open(images / row["set"] / row["image"]) as picture:
                coarse_copy(ImageOps.exif_transpose(picture).convert("RGB"), side).save(target, compress_level=1)
        except OSError as error:  # the shipped path reads it or tells of it; here it has no copy
            print(f"card: no coarse copy of {row['set']}/{row['image']}: {error}")
            continue
        copies.append({**row, "image": name})
    return copies


def download_sizes(path: Path) -> dict[str, float]:
    """Bytes of the network's file as it is, with gzip 9 and with Brotli 11 (Node's: no package is needed), and the last
    in MB.
    """
    program = (
        "const z = require('zlib');"
        " process.stdout.write(String(z.brotliCompressSync(require('fs').readFileSync(process.argv[1])).length))"
    )
    brotli = int(
        subprocess.run(["node", "-e", program, str(path.resolve())], check=True, capture_output=True, text=True).stdout
    )
    data = path.read_bytes()
    return {
        "bytes": len(data),
        "gzip": len(gzip.compress(data, 9)),
        "brotli": brotli,
        "brotliMegabytes": round(brotli / 1e6, 3),
    }


def _measure(title: str, labels: Path, images: Path, report: Path, options: Sequence[str]) -> None:
    print(f"card: {title}", flush=True)
    evaluate(labels, images, report, options)
