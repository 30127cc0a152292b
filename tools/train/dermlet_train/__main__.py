"""Command line of the training tool: one subcommand a step."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from . import card, import_keras, runs
from .config import Recipe
from .prepare import cli as prepare_cli

if TYPE_CHECKING:
    from .store import Store


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dermlet_train", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)

    step = steps.add_parser("prepare", help="merge labelled pictures from archives, folders and tables into a store")
    prepare_cli.add_arguments(step)

    step = steps.add_parser("train", help="train or resume a network")
    step.add_argument("--store", type=Path, required=True)
    step.add_argument("--recipe", type=Path, required=True)
    step.add_argument("--out", type=Path, required=True)
    step.add_argument("--workers", type=int, default=1)

    step = steps.add_parser("export", help="write a model folder: ONNX, calibration, self-test, manifest")
    step.add_argument("--store", type=Path, required=True)
    step.add_argument("--recipe", type=Path, required=True)
    step.add_argument("--checkpoint", type=Path, required=True)
    step.add_argument("--out", type=Path, required=True)
    step.add_argument("--storage", choices=("auto", "int8-fit", "int8", "fp16", "fp32"), default="fp16", help="auto: what `variants` chooses")
    step.add_argument("--variants", type=Path, help="with --storage auto: the table that `variants --out` wrote, instead of measuring again")

    step = steps.add_parser("variants", help="measure the ways to store the weights and choose one: bytes, accuracy, time")
    step.add_argument("--store", type=Path, required=True)
    step.add_argument("--recipe", type=Path, required=True)
    step.add_argument("--checkpoint", type=Path, required=True)
    step.add_argument("--out", type=Path, help="table as JSON")
    step.add_argument("--rounds", type=int, default=5, help="of timing in onnxruntime-web; 0: no timing")
    step.add_argument("--pictures", type=int, help="at most so many of the calibration part, evenly spaced; all when absent")

    card.add_arguments(steps.add_parser("card", help="measure a model through the shipped path and write its card"))
    runs.add_arguments(steps.add_parser("runs", help="keep a training run's summary and write the table of runs"))
    import_keras.add_arguments(steps.add_parser("import-keras", help="turn a Keras classifier and its class index into a model folder"))

    arguments = parser.parse_args()
    if arguments.step == "card":
        card.run(arguments)
        return
    if arguments.step == "runs":
        runs.run(arguments)
        return
    if arguments.step == "prepare":
        prepare_cli.run(arguments)
        return
    if arguments.step == "import-keras":
        import_keras.run(arguments)
        return
    recipe = Recipe.load(arguments.recipe)
    if arguments.step == "train":
        from .store import Store
        from .training import train

        train(recipe, Store.open(arguments.store), arguments.out, arguments.workers)
    elif arguments.step == "export":
        from .export import export
        from .store import Store

        description = json.loads(arguments.recipe.with_suffix(".model.json").read_text())
        store = Store.open(arguments.store)
        storage, plan = chosen_storage(arguments, recipe, store)
        export(recipe, store, arguments.checkpoint, description, arguments.out, storage, plan)
    elif arguments.step == "variants":
        from .store import Store
        from .variants import variants

        variants(recipe, Store.open(arguments.store), arguments.checkpoint, arguments.out, arguments.rounds, at_most=arguments.pictures)


def chosen_storage(arguments: argparse.Namespace, recipe: Recipe, store: Store) -> tuple[str, dict[str, str] | None]:
    """Name and plan of the storage that `export` was asked for."""
    if arguments.storage != "auto":
        return arguments.storage, None
    from .variants import read_choice, variants

    if arguments.variants:
        return read_choice(arguments.variants, arguments.checkpoint)
    report = variants(recipe, store, arguments.checkpoint, None)
    return report["choice"], report["plan"]


if __name__ == "__main__":
    main()
