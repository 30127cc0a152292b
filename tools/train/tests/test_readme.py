"""README.md: every command in it is one that the tool takes, and its recipes are there. What of them is run stands in
tests/doc-samples.mjs.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from dermlet_train.__main__ import parser

TRAIN = Path(__file__).resolve().parents[1]
RUNS = ("first", "second", "third")


def commands() -> list[list[str]]:
    """The words after the tool's name, of each command in a block. What may be left out is not."""
    found = []
    for block in re.findall(r"```(?:sh)?\n(.*?)```", (TRAIN / "README.md").read_text(), re.DOTALL):
        for line in block.splitlines():
            called = re.search(r"(?:-m dermlet_train|^dermlet-train) ([^;]*)", line)
            if called:
                words = re.sub(r"[\[\]](?=-|$|\s)", " ", called[1])
                found += [
                    shlex.split(words.replace("$run", run), comments=True)
                    for run in (RUNS if "$run" in words else RUNS[:1])
                ]
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_each_command_is_one_that_the_tool_takes(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(TRAIN)
    try:
        asked = parser().parse_args(words)
    except SystemExit as end:
        assert end.code == 0 and words == ["--help"], capsys.readouterr().err
        return
    for name in ("recipe", "plan", "classes"):
        path = getattr(asked, name, None)
        if isinstance(path, Path) and path.suffix == ".toml":
            assert path.exists(), path


def test_every_step_of_the_tool_is_in_it() -> None:
    [steps] = [action.choices for action in parser()._actions if action.dest == "step"]
    assert {words[0] for words in commands()} - {"--help"} == set(steps)
