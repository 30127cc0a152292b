"""The simulation of what an archive takes. The cluster examples themselves need Ray and Spark, and are run by hand
(docs/cluster.md).
"""

from __future__ import annotations

import random
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from documents import ROOT, sample

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
sys.path.append(str(EXAMPLES))

import cost  # noqa: E402

GUIDE = "docs/cluster.md"


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
