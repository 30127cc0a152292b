"""The table of training runs: a small committed summary a run, and TRAINING.md made from all of them.

`runs --run RUN/ --recipe RECIPE.toml` reads what `train` left (`log.jsonl`, one line an epoch) and writes
`<model>/runs/<name>.json`; TRAINING.md is then written from the summaries alone, so that the table outlives the run
folders. Recipes in a folder `ablations` are set against the one of them called `base`.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .card.tables import markdown
from .config import Recipe
from .repository import shipped_recipe

Summary = Mapping[str, Any]
BASE = "base"
# Keys of a log line that are no figure of a set.
_NO_FIGURE = ("epoch", "loss", "seconds")


def add_arguments(step: argparse.ArgumentParser) -> None:
    step.add_argument("--model", type=Path, required=True, help="the model folder that keeps the summaries")
    step.add_argument(
        "--run", type=Path, help="a training run's folder to summarise; without it only the table is written"
    )
    step.add_argument("--recipe", type=shipped_recipe, help="the recipe of that run")
    step.add_argument("--ablations", type=Path, help="the folder that `ablate` wrote: a summary of every row")
    step.add_argument("--name", help="what the run is called; the recipe's name when absent")
    step.add_argument("--note", default="", help="a sentence about the run")


def run(arguments: argparse.Namespace) -> None:
    folder: Path = arguments.model / "runs"
    if bool(arguments.run) != bool(arguments.recipe):
        raise SystemExit("runs: --run and --recipe belong together")
    taken = [(arguments.run, arguments.recipe)] if arguments.run else []
    if (
        arguments.ablations
    ):  # what `ablate` wrote: a recipe a row in a folder `ablations`, beside a run's folder of the same name
        rows = [
            (arguments.ablations / path.stem, path)
            for path in sorted((arguments.ablations / "ablations").glob("*.toml"))
        ]
        taken += [(run, recipe) for run, recipe in rows if (run / "log.jsonl").exists()]
    for source, recipe in taken:
        summary = summarise(
            source,
            recipe,
            arguments.name if arguments.name and recipe == arguments.recipe else recipe.stem,
            arguments.note,
        )
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{summary['run']}.json").write_text(json.dumps(summary, indent=2) + "\n")
        print(f"runs: wrote {arguments.model.name}/runs/{summary['run']}.json")
    summaries = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    (arguments.model / "TRAINING.md").write_text(training_text(arguments.model.name, summaries))
    print(f"runs: wrote {arguments.model.name}/TRAINING.md, {len(summaries)} runs")


def summarise(folder: Path, recipe_path: Path, name: str, note: str = "") -> dict[str, Any]:
    """Raises ValueError for a name that is no file name, or a log without an epoch. An epoch that was run again counts
    once, as it was last.

    Settings are those that the run itself wrote down: `--set` may have changed the recipe's.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise ValueError(f"not a name for a run: {name!r}")
    recipe = Recipe.load(recipe_path)
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines() if line.strip()]
    epochs = {line["epoch"]: line for line in lines}
    if not epochs:
        raise ValueError(f"{folder}: log.jsonl has no epoch")
    last = epochs[max(epochs)]
    run_file = folder / "run.json"
    ran = json.loads(run_file.read_text())["recipe"] if run_file.exists() else {}
    settings = {key: _without_machine(value) for key, value in (asdict(recipe) | ran).items()}
    return {
        "run": name,
        "group": recipe_path.parent.name if recipe_path.parent.name == "ablations" else "",
        "recipe": recipe_path.name,
        "about": leading_comment(recipe_path.read_text()),
        "note": note,
        "settings": settings,
        "epochs": len(epochs),
        "seconds": sum(line["seconds"] for line in epochs.values()),
        "loss": last["loss"],
        "figures": {key: value for key, value in last.items() if key not in _NO_FIGURE},
    }


def _without_machine(value: Any) -> Any:
    """Of a path that says where on a machine a file lay, the file, its folder and that one's: summaries are published."""
    if isinstance(value, (list, tuple)):
        return [_without_machine(each) for each in value]
    return "/".join(Path(value).parts[-3:]) if isinstance(value, str) and Path(value).is_absolute() else value


def leading_comment(text: str) -> str:
    """A recipe's first lines, as far as they are comments."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# ").rstrip())
    return " ".join(lines)


def duration(seconds: int) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def figure_names(summaries: Sequence[Summary]) -> list[str]:
    """All sets whose balanced accuracy any run has, in the order in which they were met."""
    return list(
        dict.fromkeys(name for summary in summaries for name in summary["figures"] if not name.endswith("-auc"))
    )


def mean_area(summary: Summary) -> float | None:
    """Mean of a run's AUCs: melanoma and malignant classes, each in every set. Runs that logged none have none."""
    areas = [value for name, value in summary["figures"].items() if name.endswith("-auc")]
    return sum(areas) / len(areas) if areas else None


def changes(settings: Mapping[str, Any], base: Mapping[str, Any]) -> str:
    """What differs from the base, `seed` included: two seeds are not the same run. A key that the older summary lacks
    is not named.
    """
    differences = [
        f"{key} {_worded(value)} (base {_worded(base[key])})"
        for key, value in settings.items()
        if key in base and value != base[key]
    ]
    return "; ".join(differences) or "-"


def _worded(value: Any) -> str:
    return (
        json.dumps(value)
        if isinstance(value, list | tuple | bool)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def run_table(summaries: Sequence[Summary]) -> str:
    names = figure_names(summaries)
    rows = []
    for summary in summaries:
        settings = summary["settings"]
        epochs = (
            f"{summary['epochs']} of {settings['epochs']}"
            if summary["epochs"] != settings["epochs"]
            else str(summary["epochs"])
        )
        cells = [
            summary["run"],
            f"`{summary['recipe']}`",
            settings["network"],
            sizes(settings),
            epochs,
            duration(summary["seconds"]),
        ]
        rows.append([*cells, *(_cell(summary["figures"].get(name)) for name in names), _cell(mean_area(summary))])
    return markdown(["run", "recipe", "network", "trained at, run at (px)", "epochs", "time", *names, "mean AUC"], rows)


def sizes(settings: Mapping[str, Any]) -> str:
    """`128, 160, 192; 192`: the sides trained at, one after the other, and the side that the network is run at."""
    steps = [side for _, side in settings.get("train_size_steps", ())]
    return f"{', '.join(str(side) for side in [*steps, settings['train_size']])}; {settings['input_size']}"


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def ablation_table(summaries: Sequence[Summary]) -> str:
    """Each run against the base: what differs, the figures, and the mean difference over the sets that both have.
    Without a base nothing is compared.
    """
    base = next((summary for summary in summaries if summary["run"].removeprefix("ablation-") == BASE), None)
    names = figure_names(summaries)
    rows = []
    for summary in sorted(summaries, key=lambda one: (one is not base, one["run"])):
        differs = "the base" if summary is base else changes(summary["settings"], base["settings"]) if base else "-"
        shared = [name for name in names if base and name in base["figures"] and name in summary["figures"]]
        gains = [summary["figures"][name] - base["figures"][name] for name in shared] if base else []
        gain = f"{sum(gains) / len(gains):+.3f}" if gains and summary is not base else "-"
        rows.append(
            [
                summary["run"],
                differs,
                str(summary["epochs"]),
                duration(summary["seconds"]),
                *(_cell(summary["figures"].get(n)) for n in names),
                gain,
            ]
        )
        rows[-1].append(_cell(mean_area(summary)))
    return markdown(["run", "differs in", "epochs", "time", *names, "mean difference", "mean AUC"], rows)


def remarks(summaries: Sequence[Summary]) -> str:
    notes = [(one["run"], " ".join(filter(None, (one["about"], one["note"])))) for one in summaries]
    return "\n".join(f"- **{name}**: {words}" for name, words in notes if words)


def training_text(model: str, summaries: Sequence[Summary]) -> str:
    whole = [summary for summary in summaries if not summary["group"]]
    ablations = [summary for summary in summaries if summary["group"]]
    parts = [
        f"""# Training of {model}

Made by `python -m dermlet_train runs` from the summaries in `runs/`. Figures are balanced accuracies of the averaged weights after the last epoch, by set,
on pictures of the training split that were never trained on (`calib`); `ham-7` has scc merged into akiec. The mean AUC is that of melanoma and of the
malignant categories, each against the rest, over the sets. They served to choose between runs; what the
shipped model reaches on pictures that served for nothing stands in the [model card](MODEL_CARD.md). Times are wall clock, on whatever else the machine did."""
    ]
    if whole:
        parts += [f"## Runs\n\n{run_table(whole)}", remarks(whole)]
    if ablations:
        heading = (
            "## Ablations\n\nShort runs that differ in one thing. One run each: a difference no greater than another"
            " seed's (its row) says nothing."
        )
        parts += [heading, ablation_table(ablations), remarks(ablations)]
    return "\n\n".join(part for part in parts if part) + "\n"
