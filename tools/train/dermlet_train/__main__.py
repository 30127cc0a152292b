"""Command line of the training tool: one subcommand a step."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import card, check, finetune, import_keras, quality, runs
from .calibrate import cli as calibrate_cli
from .config import Recipe
from .locator import cli as locator_cli
from .prepare import cli as prepare_cli
from .reading import Told, plain, plain_lines
from .repository import NeedsCheckout, shipped_recipe

if TYPE_CHECKING:
    from .store import Store


def add_training_options(step: argparse.ArgumentParser) -> None:
    """Options of all steps that train."""
    step.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a key of the recipe; may be given several times",
    )
    step.add_argument("--workers", type=int, default=1, help="processes that read and augment pictures")
    step.add_argument("--threads", type=int, default=0, help="CPU threads of the network (0: PyTorch's choice)")
    step.add_argument("--checkpoint-steps", type=int, default=0, help="also write a checkpoint every N steps")


TRAINING = ("train", "finetune", "ablate")


def run_training(arguments: argparse.Namespace) -> None:
    """The steps that train. Exit status 130 after Ctrl-C (a checkpoint is left), 2 with a message for errors
    that the user can fix.
    """
    from .ablation import ablate
    from .prepare import PrepareError
    from .store import Store
    from .training import Options, Stopped, train

    options = Options(arguments.workers, arguments.threads, arguments.checkpoint_steps)
    try:
        if arguments.step == "finetune":
            finetune.run(arguments)
        elif arguments.step == "ablate":
            ablate(arguments.plan, Store.open(arguments.store), arguments.out, options, arguments.only, arguments.set)
        else:
            train(Recipe.load(arguments.recipe, arguments.set), Store.open(arguments.store), arguments.out, options)
    except Stopped:
        raise SystemExit(130) from None
    except (PrepareError, ValueError) as error:
        print(f"{arguments.step}: {plain_lines(error)}", file=sys.stderr)
        raise SystemExit(2) from error


def parser() -> argparse.ArgumentParser:
    """Of all steps and their options."""
    parser = argparse.ArgumentParser(prog="dermlet-train", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)

    step = steps.add_parser("prepare", help="merge labelled pictures from archives, folders and tables into a store")
    prepare_cli.add_arguments(step)

    step = steps.add_parser("train", help="train or resume a network")
    step.add_argument("--store", type=Path, required=True)
    step.add_argument("--recipe", type=shipped_recipe, required=True)
    step.add_argument("--out", type=Path, required=True)
    add_training_options(step)

    step = steps.add_parser(
        "finetune",
        help="train one of our models on with your own pictures: prepare, train, calibrate and export in one command",
    )
    finetune.add_arguments(step)
    add_training_options(step)

    step = steps.add_parser("ablate", help="short runs that differ in one thing each, and their table")
    step.add_argument("--store", type=Path, required=True)
    step.add_argument("--plan", type=shipped_recipe, required=True)
    step.add_argument("--out", type=Path, required=True)
    step.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="ROW",
        help="run only the row of this name; may be given several times",
    )
    add_training_options(step)

    step = steps.add_parser(
        "average", help="the mean of several checkpoints' weights, runs that began at one checkpoint"
    )
    step.add_argument("checkpoints", type=Path, nargs="+")
    step.add_argument("--out", type=Path, required=True)

    step = steps.add_parser("export", help="write a model folder: ONNX, calibration, self-test, manifest")
    step.add_argument("--store", type=Path, required=True)
    step.add_argument("--recipe", type=shipped_recipe, required=True)
    step.add_argument("--checkpoint", type=Path, required=True)
    step.add_argument("--out", type=Path, required=True)
    step.add_argument(
        "--storage",
        choices=("auto", "int8-fit", "int8", "fp16", "fp32"),
        default="fp16",
        help="auto: what `variants` chooses",
    )
    step.add_argument(
        "--variants",
        type=Path,
        help="with --storage auto: the table that `variants --out` wrote, instead of measuring again",
    )
    step.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a key; what the training was given by --set is known",
    )
    step.add_argument(
        "--unchecked", action="store_true", help="do not let the shipped path try the model: where there is no Node"
    )

    step = steps.add_parser(
        "variants", help="measure the ways to store the weights and choose one: bytes, accuracy, time"
    )
    step.add_argument("--store", type=Path, required=True)
    step.add_argument("--recipe", type=shipped_recipe, required=True)
    step.add_argument("--checkpoint", type=Path, required=True)
    step.add_argument("--out", type=Path, help="table as JSON")
    step.add_argument("--rounds", type=int, default=5, help="of timing in onnxruntime-web; 0: no timing")
    step.add_argument(
        "--pictures", type=int, help="use at most this many of the calibration part, evenly spaced (default: all)"
    )

    step = steps.add_parser(
        "calibrate",
        help="fit temperature, prediction sets, rejection, test-time augmentation and pairs; write a manifest",
    )
    calibrate_cli.add_arguments(step)

    check.add_arguments(
        steps.add_parser(
            "check", help="hold a model folder against the manifest's schema and let the shipped path run it once"
        )
    )
    card.add_arguments(steps.add_parser("card", help="measure a model through the shipped path and write its card"))
    quality.add_arguments(
        steps.add_parser("quality", help="choose the limits of the quality gate by degrading pictures in steps")
    )
    runs.add_arguments(steps.add_parser("runs", help="keep a training run's summary and write the table of runs"))
    import_keras.add_arguments(
        steps.add_parser("import-keras", help="turn a Keras classifier and its class index into a model folder")
    )
    locator_cli.add_steps(steps)
    return parser


def main() -> None:
    arguments = parser().parse_args()
    try:
        run_step(arguments)
    except (NeedsCheckout, Told) as error:
        print(f"{arguments.step}: {plain(error)}", file=sys.stderr)
        raise SystemExit(2) from error


def run_step(arguments: argparse.Namespace) -> None:
    if arguments.step == "check":
        check.run(arguments)
        return
    if arguments.step == "card":
        card.run(arguments)
        return
    if arguments.step == "quality":
        quality.run(arguments)
        return
    if arguments.step == "runs":
        runs.run(arguments)
        return
    if arguments.step == "prepare":
        prepare_cli.run(arguments)
        return
    if arguments.step == "calibrate":
        calibrate_cli.run(arguments)
        return
    if arguments.step == "import-keras":
        import_keras.run(arguments)
        return
    if arguments.step in locator_cli.STEPS:
        locator_cli.run(arguments)
        return
    if arguments.step == "average":
        from .checkpoint import average

        average(arguments.checkpoints, arguments.out)
        return
    if arguments.step in TRAINING:
        run_training(arguments)
        return
    recipe = Recipe.load(arguments.recipe)
    if arguments.step == "export":
        from .checkpoint import recipe_of_run
        from .export import export
        from .store import Store

        description = json.loads(arguments.recipe.with_suffix(".model.json").read_text())
        store = Store.open(arguments.store)
        try:
            recipe = recipe_of_run(recipe, arguments.checkpoint, arguments.set)
            storage, plan = chosen_storage(arguments, recipe, store)
            export(recipe, store, arguments.checkpoint, description, arguments.out, storage, plan)
        except ValueError as error:
            raise SystemExit(f"export: {error}") from error
        if arguments.variants:
            from .variants import keep_table

            keep_table(arguments.variants, arguments.out)
        if not arguments.unchecked:
            check.run(argparse.Namespace(model=arguments.out))
    elif arguments.step == "variants":
        from .checkpoint import recipe_of_run
        from .store import Store
        from .variants import variants

        recipe = recipe_of_run(recipe, arguments.checkpoint)
        variants(
            recipe,
            Store.open(arguments.store),
            arguments.checkpoint,
            arguments.out,
            arguments.rounds,
            at_most=arguments.pictures,
        )


def chosen_storage(arguments: argparse.Namespace, recipe: Recipe, store: Store) -> tuple[str, dict[str, str] | None]:
    """Name and plan of the storage for `export`."""
    if arguments.storage != "auto":
        return arguments.storage, None
    from .variants import read_choice, variants

    if arguments.variants:
        return read_choice(arguments.variants, arguments.checkpoint)
    report = variants(recipe, store, arguments.checkpoint, None)
    return report["choice"], report["plan"]


if __name__ == "__main__":
    main()
