"""Command line of `prepare`."""

from __future__ import annotations

import argparse
import os
import re
import sys
from dataclasses import fields, replace
from pathlib import Path

from ..config import Recipe
from ..reading import plain_lines
from ..repository import shipped_recipe
from .duplicates import Thresholds
from .importers import BY_NAME, Options
from .labels import DEFAULT, ClassMap
from .pictures import AUTO, READERS
from .pipeline import Settings, Source, prepare
from .rows import MODALITIES, PrepareError
from .splits import Fractions

SOURCE_HELP = (
    "a folder (or label table) to import; may be given several times; of equal copies the earlier source is kept. "
    f"Recognised by its tables; LAYOUT: asks for one of {', '.join(BY_NAME)}. NAME= replaces the set's name"
)


def add_arguments(step: argparse.ArgumentParser) -> None:
    defaults, options = Settings(), Options()
    step.add_argument("--source", action="append", default=[], metavar="[NAME=][LAYOUT:]PATH", help=SOURCE_HELP)
    step.add_argument(
        "--labels",
        type=Path,
        action="append",
        default=[],
        help="label table (set, image, label, ...), with --images where it does not lie beside its pictures",
    )
    step.add_argument(
        "--images", type=Path, help="folder of <set>/<image> for --labels, where it is not beside the table"
    )
    step.add_argument("--out", type=Path, help="store folder; a rerun into it decodes only what changed")
    step.add_argument("--look", action="store_true", help="say what the sources hold; decode and write nothing")
    step.add_argument("--classes", type=Path, default=DEFAULT, help="mapping file of class names (TOML)")
    step.add_argument(
        "--unknown",
        choices=("report", "fail"),
        default=defaults.unknown,
        help="class names that the mapping file does not hold",
    )
    step.add_argument(
        "--license", action="append", default=[], help="use only pictures with this licence; may be given several times"
    )
    step.add_argument("--recipe", type=shipped_recipe, help="take calibration_fraction and seed from a recipe")
    step.add_argument("--seed", type=int)
    step.add_argument(
        "--val",
        type=float,
        default=defaults.fractions.val,
        help="share of pictures drawn for validation where no split is stated",
    )
    step.add_argument("--test", type=float, default=defaults.fractions.test)
    step.add_argument(
        "--calibration",
        type=float,
        help=f"share of the training groups set aside for calibration (default {defaults.calibration})",
    )
    step.add_argument(
        "--official-splits",
        choices=("keep", "ignore"),
        default="keep",
        help="a challenge's own training, validation and test parts",
    )
    step.add_argument(
        "--duplicates",
        choices=("drop", "join"),
        default=defaults.duplicates,
        help="copies: keep one, or all in one group",
    )
    step.add_argument(
        "--conflicts", choices=("first", "drop"), default=defaults.conflicts, help="copies with different classes"
    )
    step.add_argument(
        "--leaks", choices=("fail", "drop"), default=defaults.leaks, help="groups that stand in two stated splits"
    )
    step.add_argument(
        "--modality", choices=MODALITIES, default=options.modality, help="for class folders and tables that state none"
    )
    step.add_argument(
        "--group-pattern",
        default="",
        help="class folders: regular expression on the path; its first group is the patient",
    )
    step.add_argument(
        "--scin-min-weight",
        type=float,
        default=options.scin_min_weight,
        help="SCIN: least weight of the dermatologists' first condition",
    )
    step.add_argument(
        "--short-side", type=int, default=defaults.short_side, help="pixels; larger pictures are shrunk to it"
    )
    step.add_argument(
        "--reader",
        choices=(AUTO, *READERS),
        default=defaults.reader,
        help="core: the page's own C++ (pip install ./tools/train/core); pillow: the same bytes, but for converted"
        " colour profiles and broken files; auto: what the store was begun with, else the core where it is installed",
    )
    step.add_argument("--workers", type=int, default=min(8, os.cpu_count() or 1))
    for item in fields(Thresholds):
        step.add_argument(
            f"--{item.name.replace('_', '-')}", type=type(item.default), default=item.default, help=argparse.SUPPRESS
        )


def parse_source(text: str, options: Options) -> Source:
    """[NAME=][LAYOUT:]PATH; a path that exists is never split."""
    layout = name = ""
    if not Path(text).exists():
        if found := re.match(r"([\w.-]+)=(.+)", text):
            name, text = found.groups()
        head, colon, tail = text.partition(":")
        if colon and head in BY_NAME:
            layout, text = head, tail
    return Source(Path(text), layout, replace(options, set_name=name))


def run(arguments: argparse.Namespace) -> None:
    """Ends the program with status 2 and a plain message where the person has to decide or repair something."""
    try:
        _run(arguments)
    except PrepareError as error:
        print(f"prepare: {plain_lines(error)}", file=sys.stderr)
        raise SystemExit(2) from error


def _run(arguments: argparse.Namespace) -> None:
    try:
        re.compile(arguments.group_pattern)
    except re.error as error:
        raise PrepareError(f"--group-pattern: {error}") from error
    options = Options(
        modality=arguments.modality,
        group_pattern=arguments.group_pattern,
        scin_min_weight=arguments.scin_min_weight,
        official_splits=arguments.official_splits == "keep",
        images=arguments.images,
    )
    sources = [parse_source(text, options) for text in arguments.source]
    sources += [Source(path, "table", options) for path in arguments.labels]
    if not sources:
        raise PrepareError("give at least one --source (or --labels)")
    if arguments.out is None and not arguments.look:
        raise PrepareError("--out is needed (or --look)")
    recipe = Recipe.load(arguments.recipe) if arguments.recipe else None
    calibration, seed = arguments.calibration, arguments.seed
    settings = Settings(
        short_side=arguments.short_side,
        seed=seed if seed is not None else recipe.seed if recipe else Settings.seed,
        fractions=Fractions(arguments.val, arguments.test),
        calibration=calibration
        if calibration is not None
        else recipe.calibration_fraction
        if recipe
        else Settings.calibration,
        thresholds=Thresholds(**{item.name: getattr(arguments, item.name) for item in fields(Thresholds)}),
        duplicates=arguments.duplicates,
        conflicts=arguments.conflicts,
        leaks=arguments.leaks,
        unknown=arguments.unknown,
        licenses=tuple(arguments.license),
        reader=arguments.reader,
        workers=arguments.workers,
    )
    prepare(sources, arguments.out, settings, ClassMap.load(arguments.classes), arguments.look)
