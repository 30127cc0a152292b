"""What both examples share: which pictures are still to do, a picture's row, and folders of rows that are whole or not
there.

An archive is worked through in chunks. Each becomes one folder of Parquet files, `rows-<hash of its paths>`, which is
written under another name and renamed when it is complete. So a run that was stopped, however roughly, loses at most
its last chunk; the next run leaves out every path that has a row. The output must lie on a file system that all workers
share and that can rename folders; object stores cannot.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset

from dermlet_core import Classifier, DermletError

SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("error", pa.string()),  # the stable code; null where there is a result
        ("message", pa.string()),
        ("outcome", pa.string()),
        ("tier", pa.string()),
        ("modality", pa.string()),
        ("framing", pa.string()),
        ("prediction_set", pa.list_(pa.string())),
        ("result", pa.string()),  # all of it, as JSON: a line of `dermlet classify --ndjson`
        ("began", pa.float64()),  # seconds since 1970
        ("seconds", pa.float64()),
        ("processor", pa.float64()),  # seconds of a core: what a busy machine changes least
        ("worker", pa.string()),  # the process
    ]
)
PICTURES = (".jpg", ".jpeg", ".png", ".bmp")


def options(about: str) -> Namespace:
    """The command line of both examples."""
    parser = ArgumentParser(description=about)
    parser.add_argument("--images", type=Path, required=True, help="folder, searched for JPEG, PNG and BMP")
    parser.add_argument("--model", type=Path, required=True, help="model folder, the same on every worker")
    parser.add_argument("--out", type=Path, required=True, help="folder of rows; goes on where an earlier run stopped")
    parser.add_argument("--workers", type=int, default=2, help="classifiers at once, one core each")
    parser.add_argument("--chunk", type=int, default=10_000, help="pictures between two safe points")
    parser.add_argument("--limit", type=int, help="the first so many pictures only")
    parser.add_argument("--address", help="of a running cluster; without it one is started here")
    chosen = parser.parse_args()
    if chosen.workers < 1 or chosen.chunk < 1:
        parser.error("--workers and --chunk must be at least 1")
    for name in ("images", "model", "out"):
        setattr(chosen, name, getattr(chosen, name).resolve())
    if not chosen.images.is_dir():
        parser.error(f"{chosen.images} is not a folder")
    return chosen


def pictures_in(folder: Path, limit: int | None = None) -> list[str]:
    """Paths in order of their names."""
    found = sorted(str(path) for path in folder.rglob("*") if path.suffix.lower() in PICTURES and path.is_file())
    return found[:limit]


def row_of(classifier: Classifier, path: str) -> dict[str, Any]:
    """One picture's row. A file that cannot be read is a row with an error's code, and ends nothing else."""
    began, processor = time.time(), time.process_time()
    row: dict[str, Any] = dict.fromkeys(SCHEMA.names)
    row |= {"path": path, "began": began, "worker": f"{os.uname().nodename}:{os.getpid()}"}
    try:
        result = classifier.classify(Path(path).read_bytes())
    except DermletError as error:
        row |= {"error": error.code, "message": error.message}
    except OSError as error:
        row |= {"error": "UNREADABLE_FILE", "message": error.strerror or str(error)}
    else:
        row |= {key: result[key] for key in ("outcome", "tier", "modality")}
        row |= {"framing": result["frame"]["framing"], "prediction_set": result["predictionSet"]}
        row["result"] = json.dumps({"file": path} | result, ensure_ascii=False)
    row |= {"seconds": time.time() - began, "processor": time.process_time() - processor}
    return row


def table_of(classifier: Classifier, paths: list[str]) -> pa.Table:
    return pa.Table.from_pylist([row_of(classifier, path) for path in paths], SCHEMA)


def _settle(out: Path, model: Path) -> None:
    """Rows of two models may not lie in one folder. Raises SystemExit."""
    out.mkdir(parents=True, exist_ok=True)
    mine = {"model": json.loads((model / "manifest.json").read_text())["file"]["sha256"]}
    kept = out / "run.json"
    if not kept.exists():
        making = out / ".making-run.json"
        making.write_text(json.dumps(mine))
        making.rename(kept)
    elif json.loads(kept.read_text()) != mine:
        raise SystemExit(f"{out} holds the rows of another model: choose another folder")


def rows_in(out: Path, columns: list[str]) -> pa.Table:
    """Columns of all rows that are complete."""
    files = sorted(str(path) for path in out.glob("rows-*/*.parquet"))
    if not files:
        return SCHEMA.empty_table().select(columns)
    return pa.dataset.dataset(files, schema=SCHEMA).to_table(columns=columns)


def chunks_to_do(chosen: Namespace) -> Iterator[list[str]]:
    """What is left, in order, a chunk at a time. Raises SystemExit where there is no picture."""
    _settle(chosen.out, chosen.model)
    paths = pictures_in(chosen.images, chosen.limit)
    if not paths:
        raise SystemExit(f"{chosen.images} holds no JPEG, PNG or BMP")
    known = set(rows_in(chosen.out, ["path"])["path"].to_pylist())
    left = [path for path in paths if path not in known]
    print(f"{len(paths)} pictures, {len(paths) - len(left)} of them known", flush=True)
    for at in range(0, len(left), chosen.chunk):
        yield left[at : at + chosen.chunk]


def run(chosen: Namespace, write_chunk: Callable[[list[str], Path], None]) -> None:
    """`write_chunk` classifies paths and writes Parquet files of SCHEMA into the folder."""
    began = time.time()
    for paths in chunks_to_do(chosen):
        digest = hashlib.sha256("\0".join(paths).encode()).hexdigest()
        name = f"rows-{digest[:16]}"
        making = chosen.out / f".making-{name}"
        shutil.rmtree(making, ignore_errors=True)
        write_chunk(paths, making)
        making.rename(chosen.out / name)
        print(f"{name}: {len(paths)} pictures", flush=True)
    rows = rows_in(chosen.out, ["error", "began", "seconds", "processor", "worker"]).to_pylist()
    rows = [row for row in rows if row["began"] >= began]
    if not rows:
        return
    # From the first picture to the last: starting the workers is no part of a rate that holds for a million.
    span = max(row["began"] + row["seconds"] for row in rows) - min(row["began"] for row in rows)
    report = {
        "pictures": len(rows),
        "errors": dict(Counter(row["error"] for row in rows if row["error"] is not None).most_common()),
        "workers": len({row["worker"] for row in rows}),
        "picturesPerSecond": round(len(rows) / span, 2),
        "picturesPerCoreSecond": round(len(rows) / sum(row["processor"] for row in rows), 2),
        "secondsAll": round(time.time() - began, 1),
    }
    print(json.dumps(report), flush=True)
