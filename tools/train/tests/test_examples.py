"""What both cluster examples share, with the rows written by this process in place of a cluster, and the simulation of
what an archive takes. The examples themselves need Ray and Spark, and are run by hand (docs/cluster.md).
"""

from __future__ import annotations

import json
import random
import re
import shlex
import shutil
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from documents import ROOT, sample

from dermlet_core import Classifier

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
sys.path.append(str(EXAMPLES))

import archive  # noqa: E402
import cost  # noqa: E402

GUIDE = "docs/cluster.md"
MODEL = ROOT / "models" / "skin-8"
PICTURES = ("spot.jpg", "spot.png", "spot-422.jpg", "spot.bmp", "corrupt.jpg")


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(MODEL)


def asked(folder: Path, out: str, **changes: Any) -> Namespace:
    """The command line of an example, for a folder that gets five pictures; chunks of two."""
    images = folder / "images"
    if not images.exists():
        images.mkdir()
        for name in PICTURES:
            shutil.copy(ROOT / "tests" / "pictures" / name, images)
    given = {"images": images, "model": MODEL, "out": folder / out, "workers": 1, "chunk": 2, "limit": None}
    return Namespace(**given | changes)


class Killed(BaseException):
    """As a signal ends a program: nothing that it would do next is done."""


def writer(classifier: Classifier, seen: list[str], kill_at: str = "") -> Callable[[list[str], Path], None]:
    """A `write_chunk` with a file for each picture, that is killed once it has written that of `kill_at`."""

    def write_chunk(paths: list[str], folder: Path) -> None:
        folder.mkdir()
        for at, path in enumerate(paths):
            seen.append(Path(path).name)
            pyarrow.parquet.write_table(archive.table_of(classifier, [path]), folder / f"{at}.parquet")
            if Path(path).name == kill_at:
                raise Killed

    return write_chunk


def rows(out: Path) -> list[dict[str, Any]]:
    """What does not depend on how long it took, in order of the paths."""
    columns = [name for name in archive.SCHEMA.names if name not in ("began", "seconds", "processor", "worker")]
    found = archive.rows_in(out, columns).to_pylist()
    for row in found:
        if row["result"] is not None:
            row["result"] = {key: value for key, value in json.loads(row["result"]).items() if key != "runtime"}
    return sorted(found, key=lambda row: row["path"])


def test_an_archive_that_was_stopped_goes_on_and_has_the_rows_of_one_run(
    tmp_path: Path, classifier: Classifier, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = asked(tmp_path, "whole")
    archive.run(whole, writer(classifier, []))
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (report["pictures"], report["errors"], report["workers"]) == (5, {"CORRUPT_IMAGE": 1}, 1)
    expected = rows(whole.out)
    assert [Path(row["path"]).name for row in expected] == sorted(PICTURES)
    assert [row["error"] for row in expected] == ["CORRUPT_IMAGE", None, None, None, None]
    assert all(row["result"]["outcome"] == row["outcome"] for row in expected[1:])

    stopped = asked(tmp_path, "stopped")
    seen: list[str] = []
    # In the middle of the second chunk: a file of it is written, and does not count.
    with pytest.raises(Killed):
        archive.run(stopped, writer(classifier, seen, kill_at="spot.bmp"))
    assert seen == ["corrupt.jpg", "spot-422.jpg", "spot.bmp"]
    assert [Path(row["path"]).name for row in rows(stopped.out)] == ["corrupt.jpg", "spot-422.jpg"]
    archive.run(stopped, writer(classifier, seen))
    assert seen[3:] == ["spot.bmp", "spot.jpg", "spot.png"], "only the chunk that was not complete is repeated"
    assert rows(stopped.out) == expected
    assert not list(stopped.out.glob(".making-*")), "what was begun is gone"
    capsys.readouterr()
    archive.run(stopped, writer(classifier, seen))
    assert capsys.readouterr().out == "5 pictures, 5 of them known\n"
    assert len(seen) == 6


def test_rows_of_another_model_and_folders_without_pictures_are_refused(tmp_path: Path, classifier: Classifier) -> None:
    first = asked(tmp_path, "rows", limit=1)
    archive.run(first, writer(classifier, []))
    before = rows(first.out)
    other = ROOT / "models" / "skin-open"
    with pytest.raises(SystemExit, match="holds the rows of another model"):
        archive.run(asked(tmp_path, "rows", model=other), writer(classifier, []))
    assert rows(first.out) == before
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match="holds no JPEG, PNG or BMP"):
        archive.run(asked(tmp_path, "none", images=tmp_path / "empty"), writer(classifier, []))


def hours(pictures: int, cores: int, rates: list[float], start: float = 0, batch: int = 100) -> float:
    return cost.simulated(pictures, cores, rates, start, batch, random.Random(3))


def test_one_rate_is_a_division() -> None:
    assert hours(7200, 1, [2.0]) == pytest.approx(1)
    assert hours(7200, 4, [2.0]) == pytest.approx(0.25)
    assert hours(7200, 1, [2.0], start=360) == pytest.approx(1.1)


def test_the_last_batch_is_waited_for() -> None:
    assert hours(300, 2, [1.0]) == pytest.approx(200 / 3600), "three batches on two cores"
    assert hours(301, 2, [1.0]) == pytest.approx(200 / 3600), "one picture alone, on the core that is free"
    assert hours(50, 8, [1.0]) == pytest.approx(50 / 3600), "cores without work end nothing later"


def test_mixed_rates_lie_between_their_extremes() -> None:
    found = hours(100_000, 5, [1.0, 4.0])
    assert 100_000 / 5 / 4 / 3600 < found < 100_000 / 5 / 3600
    # The mean of the times counts, not that of the rates.
    assert found == pytest.approx(100_000 / 5 * (1 + 0.25) / 2 / 3600, rel=0.1)


def table(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, EXAMPLES / "cost.py", *words], capture_output=True, text=True, check=False)


def test_table_has_a_price_only_where_one_is_given() -> None:
    words = ("--rate", "10", "--pictures", "36000", "--cores", "2", "--start", "0", "--runs", "3")
    assert table(*words).stdout.splitlines()[-1] == "| 2 | 0.50 (0.50 to 0.50) | 1.0 |"
    assert table(*words, "--price", "0.5").stdout.splitlines()[-1] == "| 2 | 0.50 (0.50 to 0.50) | 1.0 | 0.50 |"


@pytest.mark.parametrize(
    "words", [("--rate", "0"), ("--rate", "3", "--cores", "0"), ("--rate", "3", "--price", "-1"), ()]
)
def test_what_makes_no_sense_is_refused(words: tuple[str, ...]) -> None:
    assert table(*words).returncode == 2


def test_the_guide_has_what_its_command_prints() -> None:
    python, program, *words = shlex.split(sample(GUIDE, "PRICE_OF_A_CORE_HOUR"))
    assert (python, program) == ("python", "cost.py")
    words[words.index("PRICE_OF_A_CORE_HOUR")] = "0.05"
    title, _line, *rows = table(*words).stdout.splitlines()
    assert title == "| cores | hours | core hours | cost |"
    assert [row.split(" | ")[0] for row in rows] == ["| 16", "| 64"]
    # Its table: the same rates, all numbers of cores and no price.
    rates = [word for at, word in enumerate(words) if "--rate" in words[max(at - 1, 0) : at + 1]]
    printed = table(*rates).stdout
    stands = (ROOT / GUIDE).read_text().split(printed.splitlines()[0] + "\n")[1].split("\n\n")[0]
    numbers = [[float(number) for number in re.findall(r"[\d.]+", text)] for text in (printed, stands)]
    assert len(numbers[0]) == 20
    assert numbers[1] == pytest.approx(numbers[0], abs=0.011), "the last digit is a rounding"
