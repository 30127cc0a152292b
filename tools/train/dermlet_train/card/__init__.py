"""The model card: measured through the shipped path, written and drawn from what was measured, by one command."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..manifest import read_manifest
from ..repository import RECIPES, shipped_recipe
from .measure import SETTINGS, measure_model
from .page import card_text, load_reports, write_readme
from .plan import Plan, read_rows


def add_arguments(step: argparse.ArgumentParser) -> None:
    step.add_argument("--model", type=Path, required=True)
    step.add_argument(
        "--labels",
        type=Path,
        action="append",
        help="label table, may be given several times; none: write from the figures there are",
    )
    step.add_argument("--images", type=Path)
    step.add_argument("--split", default="val")
    step.add_argument("--jobs", type=int, default=2)
    step.add_argument(
        "--only",
        choices=SETTINGS,
        action="append",
        help="measure this setting alone, others keep their figures; may be given several times",
    )
    step.add_argument(
        "--plan",
        type=shipped_recipe,
        help="what to measure and say; recipes/<model>.card.toml when absent, a part for each set when there is none",
    )


def run(arguments: argparse.Namespace) -> None:
    model: Path = arguments.model
    if bool(arguments.labels) != bool(arguments.images):
        raise SystemExit("card: --labels and --images belong together")
    manifest = read_manifest(model)
    rows = read_rows(arguments.labels, arguments.split) if arguments.labels else []
    plan = find_plan(manifest["name"], arguments.plan, rows, {entry["id"] for entry in manifest["classes"]}, model)
    if arguments.labels:
        measure_model(model, plan, rows, arguments.images, arguments.split, arguments.jobs, arguments.only or SETTINGS)
    write_card(model, plan)
    if plan.readme:
        write_readme(plan, manifest, load_reports(model))
    print(f"card: wrote {model.name}/MODEL_CARD.md and {model.name}/figures/*.svg")


def find_plan(name: str, given: Path | None, rows: list[dict[str, str]], labels: set[str], model: Path) -> Plan:
    """The plan given, the model's own, or one from the data: the rows, or what was measured before."""
    path = given or RECIPES / f"{name}.card.toml"
    if given or path.exists():
        return Plan.load(path)
    return Plan.from_rows(rows, labels) if rows else Plan.from_report(load_reports(model)["evaluation"])


def write_card(model: Path, plan: Plan) -> None:
    """MODEL_CARD.md and its drawings from the figures that there are."""
    from .plots import draw_all

    manifest = read_manifest(model)
    reports = load_reports(model)
    for old in (model / "figures").glob("*.svg"):
        old.unlink()
    for name, svg in draw_all(plan, manifest, reports["evaluation"]).items():
        (model / "figures" / name).write_text(svg)
    (model / "MODEL_CARD.md").write_text(card_text(manifest, plan, reports))
