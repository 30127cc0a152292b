"""The wheel that `pip install ./tools/train` builds, installed into an environment of its own and run from a folder
outside the repository.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from documents import sample
from training_drawn import drawn_store

from dermlet_train import repository

TRAIN = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed console script. Heavy packages come from this environment; the tool itself only from the wheel."""
    folder = tmp_path_factory.mktemp("package")
    source = folder / "source"
    shutil.copytree(TRAIN, source, ignore=shutil.ignore_patterns("tests", "__pycache__", "build", "*.egg-info", ".*"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps"]
    subprocess.run([*pip, "wheel", *offline, "--no-build-isolation", "-w", folder, source], check=True)
    (wheel,) = folder.glob("dermlet_train-*.whl")
    environment = folder / "venv"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    subprocess.run([*pip, "--python", python, "install", *offline, wheel], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    shared = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "shared.pth").write_text("".join(f"{path}\n" for path in shared))
    return environment / "bin" / "dermlet-train"


def called(script: Path, folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [script, *map(str, arguments)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def documented() -> list[list[str]]:
    """The commands by which README.md begins, as words: what installs the tool, its help, a training."""
    lines = sample("tools/train/README.md", "dermlet-train --help").splitlines()
    return [shlex.split(line, comments=True) for line in lines]


def test_help_names_every_step(script: Path, tmp_path: Path) -> None:
    install, words, _train = documented()
    assert install == ["pip", "install", "./tools/train"], "what `script` does without a network"
    assert words[0] == script.name
    done = called(script, tmp_path, *words[1:])
    assert done.returncode == 0 and done.stdout.startswith("usage: dermlet-train")
    assert all(step in done.stdout for step in ("prepare", "train", "finetune", "export", "calibrate", "import-keras"))


def test_every_module_and_data_file_is_in_the_wheel(script: Path) -> None:
    (installed,) = script.parents[1].glob("lib/python*/site-packages/dermlet_train")
    modules = {path.relative_to(TRAIN / "dermlet_train") for path in (TRAIN / "dermlet_train").rglob("*.py")}
    data = {
        path.relative_to(TRAIN / "dermlet_train")
        for ending in ("*.toml", "*.json")
        for path in (TRAIN / "dermlet_train").rglob(ending)
    }
    recipes = {path.relative_to(TRAIN) for path in (TRAIN / "recipes").iterdir()}
    found = {path.relative_to(installed) for path in installed.rglob("*") if path.suffix in (".py", ".toml", ".json")}
    assert data and found == modules | data | recipes


def test_a_shipped_recipe_trains_by_its_name(script: Path, tmp_path: Path) -> None:
    drawn_store(tmp_path / "store")
    *_, words = documented()
    assert words[0] == script.name
    done = called(script, tmp_path, *words[1:], *tiny())
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "ema.pt").exists()


def tiny() -> list[str]:
    sizes = (
        "train_size=32",
        "input_size=32",
        "epochs=1",
        "samples_per_epoch=8",
        "batch_size=4",
        "negatives_per_batch=2",
    )
    settings = ('classes=["bcc", "mel", "nv"]', *sizes)
    return [word for setting in settings for word in ("--set", setting)]


def test_a_recipe_that_there_is_not_names_those_there_are(script: Path, tmp_path: Path) -> None:
    done = called(script, tmp_path, "train", "--store", "store", "--recipe", "other.toml", "--out", "run")
    assert done.returncode == 2
    assert "there is no file other.toml" in done.stderr and "skin-8-lite2.toml" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("check", "--model", "model"),
        ("quality", "--model", "model", "--labels", "labels.csv", "--images", "images"),
    ],
)
def test_what_drives_the_shipped_path_says_that_it_needs_a_checkout(
    script: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = called(script, tmp_path, *words)
    assert done.returncode != 0
    assert "needs a checkout of the Dermlet repository" in done.stderr and "Traceback" not in done.stderr


def test_a_checkout_is_known_as_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    repository.require_checkout("this test")
    monkeypatch.setattr(repository, "SCRIPTS", tmp_path)
    with pytest.raises(repository.NeedsCheckout, match=r"^this test needs a checkout"):
        repository.require_checkout("this test")
