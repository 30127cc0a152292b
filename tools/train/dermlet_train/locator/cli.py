"""Command line of the lesion finder's steps."""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any

from ..reading import plain_lines

STEPS = ("train-locator", "export-locator", "install-locator", "small-lesions", "measure-locator")


def add_steps(steps: Any) -> None:
    """Adds the subcommands to what `add_subparsers` made."""
    step = steps.add_parser("train-locator", help="train or resume the lesion finder")
    step.add_argument("--store", type=Path, required=True)
    step.add_argument(
        "--out",
        type=Path,
        required=True,
        help="folder of the run: checkpoints, log, and the scenes (about 1 GB by default)",
    )
    step.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a value of the plan, such as epochs=20",
    )
    step.add_argument(
        "--start", type=Path, help="an ema.pt, or an exported locator.onnx, whose weights a fresh run begins with"
    )
    step.add_argument(
        "--minutes",
        type=float,
        default=0,
        help="stop after the epoch in which so many minutes have passed; the run can be resumed",
    )
    step.add_argument("--threads", type=int, default=1, help="CPU threads")

    step = steps.add_parser("export-locator", help="write the lesion finder as locator.onnx")
    step.add_argument("--checkpoint", type=Path, required=True)
    step.add_argument("--out", type=Path, required=True, help="the .onnx file")
    step.add_argument("--storage", choices=("int8", "fp16", "fp32"), default="int8")
    step.add_argument("--size", type=int, help="side of its input, pixels; that of the run's scenes when absent")

    step = steps.add_parser("install-locator", help="put a locator.onnx into a model folder; `calibrate` afterwards")
    step.add_argument("--model", type=Path, required=True, help="the model folder")
    step.add_argument("--locator", type=Path, required=True, help="the .onnx file of export-locator")
    step.add_argument(
        "--look",
        action="append",
        default=[],
        metavar="MODALITY=ALONE,BOTH",
        help="a spot shorter than ALONE of the picture's shorter side is scored in its frame alone, one shorter than"
        " BOTH in the picture and its frame together; may be given several times",
    )
    step.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a limit, such as frameScale=2.2",
    )

    step = steps.add_parser(
        "small-lesions", help="draw a test set: lesions of a part at several widths in pictures of healthy skin"
    )
    step.add_argument("--images", type=Path, required=True, help="folder that holds <set>/<image>")
    step.add_argument(
        "--labels",
        type=Path,
        action="append",
        required=True,
        help="labels.csv; may be given several times, such as for negatives.csv",
    )
    step.add_argument("--split", default="val")
    step.add_argument("--out", type=Path, required=True)
    step.add_argument("--lesions", type=int, default=200, help="lesions at most; each is drawn at every width")
    step.add_argument(
        "--paste",
        choices=("lesion", "picture"),
        default="lesion",
        help="what has the stated width: the lesion itself, or its whole picture",
    )
    step.add_argument("--seed", type=int, default=1)
    step.add_argument("--side", type=int, default=2400, help="longer side of the frames, pixels")

    step = steps.add_parser(
        "measure-locator", help="recall by width, false candidates and thresholds of a locator.onnx, as Markdown"
    )
    step.add_argument("--model", type=Path, required=True, help="the .onnx file")
    step.add_argument(
        "--small",
        type=Path,
        action="append",
        default=[],
        help="folder that `small-lesions` wrote; may be given several times",
    )
    step.add_argument("--store", type=Path, help="store with the real pictures of the part, and its negatives")
    step.add_argument("--part", default="val")
    step.add_argument("--out", type=Path, help="write thresholds and figures as JSON")


def _overrides(settings: list[str]) -> dict[str, Any]:
    """`key=value` with a number each. Raises ValueError."""
    from .training import Plan

    values: dict[str, Any] = {}
    for setting in settings:
        key, _, text = setting.partition("=")
        if key not in Plan.__dataclass_fields__:
            raise ValueError(f"{setting!r}: the plan has {', '.join(Plan.__dataclass_fields__)}")
        try:
            value = tomllib.loads(f"x = {text}")["x"]
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{setting!r}: give key=value with a number") from error
        wanted = type(getattr(Plan(), key))
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or (wanted is int and not isinstance(value, int))
        ):
            raise ValueError(f"{setting!r}: a number like {getattr(Plan(), key)} is expected")
        values[key] = wanted(value)
    return values


def run(arguments: argparse.Namespace) -> None:
    """Status 2 with a plain sentence where the arguments cannot be followed."""
    try:
        _run(arguments)
    except (ValueError, FileNotFoundError) as error:
        print(f"{arguments.step}: {plain_lines(error)}", file=sys.stderr)
        raise SystemExit(2) from error


def _run(arguments: argparse.Namespace) -> None:
    if arguments.step == "train-locator":
        import torch

        from ..store import Store
        from .training import Plan, train

        torch.set_num_threads(max(1, arguments.threads))
        train(
            Plan(**_overrides(arguments.set)),
            Store.open(arguments.store),
            arguments.out,
            arguments.minutes,
            arguments.start,
        )
    elif arguments.step == "export-locator":
        from .export import export

        export(arguments.checkpoint, arguments.out, arguments.storage, arguments.size)
    elif arguments.step == "install-locator":
        from .install import install, parse_look

        install(
            arguments.model,
            arguments.locator,
            dict(parse_look(text) for text in arguments.look),
            {key: float(value) for key, _, value in (text.partition("=") for text in arguments.set)},
        )
    elif arguments.step == "small-lesions":
        from .small_lesions import draw

        draw(
            arguments.images,
            arguments.labels,
            arguments.split,
            arguments.out,
            arguments.lesions,
            arguments.paste,
            arguments.seed,
            arguments.side,
        )
    else:
        from .measure import measure

        measure(arguments.model, arguments.small, arguments.store, arguments.part, arguments.out)
