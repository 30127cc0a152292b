"""The table of training runs: what stands in it is what the logs say."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

import pytest

from dermlet_train import runs

RECIPE = (
    '# A short run.\n# Of two lines.\nnetwork = "efficientnet-lite0"\nclasses = ["a", "b"]\nepochs = 3\ntrain_size ='
    " 192\ntrain_size_steps = [[1, 128]]\n"
)
LOG = [
    {"epoch": 1, "loss": 2.0, "seconds": 60, "calib ham": 0.5},
    {"epoch": 2, "loss": 1.5, "seconds": 60, "calib ham": 0.55},
    {"epoch": 2, "loss": 1.4, "seconds": 90, "calib ham": 0.6, "calib pad": 0.4},  # run again after it was cut off
]


def make_run(folder: Path, name: str, recipe: str = RECIPE, log: list[dict[str, float]] = LOG) -> tuple[Path, Path]:
    run = folder / name
    run.mkdir(parents=True)
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    path = run / f"{name}.toml"
    path.write_text(recipe)
    return run, path


def test_summary(tmp_path: Path) -> None:
    summary = runs.summarise(*make_run(tmp_path, "short"), "short", "Stopped early.")
    assert summary["about"] == "A short run. Of two lines."
    assert (summary["epochs"], summary["seconds"], summary["loss"]) == (2, 150, 1.4)
    assert summary["figures"] == {"calib ham": 0.6, "calib pad": 0.4}
    assert summary["settings"]["train_size"] == 192 and summary["settings"]["batch_size"] == 48
    assert summary["group"] == ""
    assert len(json.dumps(summary)) < 4096


def test_settings_are_those_that_were_run(tmp_path: Path) -> None:
    run, recipe = make_run(tmp_path, "short")
    (run / "run.json").write_text(json.dumps({"recipe": {"train_size": 160}}))
    settings = runs.summarise(run, recipe, "short")["settings"]
    assert settings["train_size"] == 160 and settings["epochs"] == 3


def test_a_summary_names_no_folder_of_the_machine(tmp_path: Path) -> None:
    run, recipe = make_run(tmp_path, "second")
    start = tmp_path / "runs" / "first" / "ema.pt"
    (run / "run.json").write_text(json.dumps({"recipe": {"start": str(start), "teachers": [str(start)]}}))
    summary = runs.summarise(run, recipe, "second")
    assert summary["settings"]["start"] == "runs/first/ema.pt"
    assert str(tmp_path) not in json.dumps(summary)


def test_nothing_to_tell_is_an_error(tmp_path: Path) -> None:
    run, recipe = make_run(tmp_path, "empty", log=[])
    with pytest.raises(ValueError, match="no epoch"):
        runs.summarise(run, recipe, "empty")
    with pytest.raises(ValueError, match="not a name"):
        runs.summarise(run, recipe, "../empty")


def test_tables_by_the_command(tmp_path: Path) -> None:
    model = tmp_path / "skin"
    model.mkdir()
    ablations = tmp_path / "ablations"
    ablations.mkdir()
    for name, size, ham in (("base", 192, 0.6), ("size-224", 224, 0.65)):
        (ablations / f"{name}.toml").write_text(RECIPE.replace("train_size = 192", f"train_size = {size}"))
        make_run(
            tmp_path,
            name,
            log=[
                {
                    "epoch": 3,
                    "loss": 1,
                    "seconds": 3700,
                    "calib ham": ham,
                    "calib pad": 0.4,
                    "calib ham mel-auc": ham + 0.2,
                }
            ],
        )
    (ablations / "not-run-yet.toml").write_text(RECIPE)
    runs.run(Namespace(model=model, run=None, recipe=None, ablations=tmp_path, name=None, note=""))
    run, recipe = make_run(tmp_path, "whole")
    runs.run(Namespace(model=model, run=run, recipe=recipe, ablations=None, name=None, note="Was cut off."))
    text = (model / "TRAINING.md").read_text()
    assert "| whole | `whole.toml` | efficientnet-lite0 | 128, 192; 224 | 2 of 3 | 2 min | 0.600 | 0.400 | - |" in text
    assert "- **whole**: A short run. Of two lines. Was cut off." in text
    lines = text.split("## Ablations")[1].splitlines()
    assert [line.split(" | ")[0] for line in lines if line.startswith("| ")] == ["| run", "| base", "| size-224"]
    assert "| size-224 | train_size 224 (base 192) | 1 | 1 h 2 min | 0.650 | 0.400 | +0.025 | 0.850 |" in text
    before = text
    runs.run(Namespace(model=model, run=None, recipe=None, ablations=None, name=None, note=""))
    assert (model / "TRAINING.md").read_text() == before


def test_ablations_without_a_base_are_not_compared(tmp_path: Path) -> None:
    one = {**runs.summarise(*make_run(tmp_path, "one"), "one"), "group": "ablations"}
    assert "| one | - | 2 | 2 min | 0.600 | 0.400 | - | - |" in runs.ablation_table([one])


def test_a_setting_that_an_older_summary_lacks_is_not_named() -> None:
    assert (
        runs.changes({"new": 1, "train_size": 160, "mix": 0.2}, {"train_size": 192, "mix": 0.2})
        == "train_size 160 (base 192)"
    )
