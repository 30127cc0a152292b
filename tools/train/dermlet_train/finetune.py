"""One's own pictures, one command: prepare, train on from one of our networks, calibrate, export.

    python -m dermlet_train finetune --from ../../models/skin-8 --data photos/ --out my-model/

`--data` is whatever `prepare` reads, class folders first of all. Class names that the starting model knows (`melanoma` is its `mel`) keep their weights; others
begin anew. The model goes to `--out`; the pictures, the recipe and the run go to a folder beside it (`my-model-training`), so that a model folder that is
published never carries anybody's pictures. The recipe is written there once and read again: edit it, or delete the run, and give the command once more.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

import torch

from .checkpoint import Trained, load_classifier
from .config import Recipe, Stage
from .export import export
from .from_onnx import read_model
from .network import Classifier
from .networks import fold_batch_norm
from .prepare import ClassMap, PrepareError, Settings, Source, prepare
from .prepare.cli import parse_source
from .prepare.importers import Options as ImportOptions
from .prepare.labels import NONE, OTHER, SKIP
from .prepare.pipeline import import_all
from .prepare.rows import MODALITIES
from .store import Store
from .tiers import DEFAULTS
from .training import Options, train

FEWEST = 4  # calibration pictures, without which no threshold would mean anything
CALIBRATION = 0.2  # share of the groups


@dataclass(frozen=True)
class Origin:
    """The network to go on from, with batch norm folded, and what its folder says of it: nothing where it is a checkpoint."""

    trained: Trained
    manifest: dict[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    @staticmethod
    def load(path: Path) -> Origin:
        """A model folder or a checkpoint (.pt)."""
        if path.is_dir():
            network, manifest = read_model(path)
            classes = tuple(entry["id"] for entry in manifest["classes"])
            return Origin(Trained(network, manifest["training"]["network"], classes, manifest["input"]["width"]), manifest, path)
        trained = load_classifier(path)
        fold_batch_norm(trained.network.backbone)
        return Origin(trained)


def add_arguments(step: argparse.ArgumentParser) -> None:
    step.add_argument("--from", dest="origin", type=Path, required=True, help="model folder that `export` wrote, or a checkpoint (.pt)")
    step.add_argument("--data", action="append", required=True, metavar="[NAME=][LAYOUT:]PATH", help="class folders, or anything `prepare --source` reads")
    step.add_argument("--out", type=Path, required=True, help="the new model's folder; its last part is the model's name")
    step.add_argument("--work", type=Path, help="folder for pictures, recipe and run (default: beside --out, with -training)")
    step.add_argument("--classes", type=Path, help="mapping file of class names; without it known names are unified and every other folder is a class")
    step.add_argument("--concern", type=Path, help='JSON: {class: "low"|"moderate"|"high"} or {class: {"concern", "name", "plain"}}')
    step.add_argument("--modality", choices=MODALITIES, default="photo", help="of pictures whose source does not say")
    step.add_argument("--group-pattern", default="", help="class folders: regular expression on the path; its first group is the patient")
    step.add_argument("--epochs", type=int, default=12, help="with all layers, after two for the head alone")
    step.add_argument("--storage", choices=("int8", "fp16", "fp32"), default="fp16")


def slug(name: str) -> str:
    """A class id of the manifest: lower case, at most 32 characters."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:32].strip("-") or "class"


def class_map(sources: Sequence[Source], known: Sequence[str], path: Path) -> ClassMap:
    """Writes and loads a mapping file for the names in the sources: names of classes that the starting model has become those, others classes of their own."""
    default = ClassMap.load()
    names: dict[str, str] = {}
    for row in (row for found in import_all(sources) for row in found.rows):
        target = default.unify(row.set, row.name)
        names[row.name] = target if target in {*known, OTHER, NONE, SKIP} else slug(row.name)
    spelled: dict[str, set[str]] = {}
    for name, target in names.items():
        spelled.setdefault(target, set()).add(name.replace("_", " ").casefold())
    own = [target for target in names.values() if target not in {*known, OTHER, NONE, SKIP}]
    if clash := [target for target in own if len(spelled[target]) > 1]:
        raise PrepareError(f"these classes would all be called {clash[0]!r}: {', '.join(sorted(spelled[clash[0]]))}. Rename one, or give --classes")
    classes = sorted({target for target in names.values() if target not in {OTHER, NONE, SKIP}})
    lines = [f"classes = {json.dumps(classes)}", "", "[names]", *(f"{json.dumps(name)} = {json.dumps(target)}" for name, target in sorted(names.items()))]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return ClassMap.load(path)


def recipe_for(store: Store, origin: Origin, epochs: int) -> Recipe:
    """Head first, then everything gently; an epoch shows every training picture about once, but no fewer than ten batches."""
    labels = Counter(store.rows[i]["label"] for i in store.where("train"))
    classes = tuple(sorted(set(labels) - {OTHER, NONE}))
    if len(classes) < 2:
        raise PrepareError(f"at least two classes with training pictures are needed; there is {', '.join(classes) or 'none'}")
    pictures = sum(labels[name] for name in classes)
    batch = 32 if pictures >= 320 else 8
    side = ceil((origin.trained.size or 224) / 32) * 32
    return Recipe(
        network=origin.trained.name,
        classes=classes,
        folded=True,
        train_size=side,
        input_size=side,
        crop_pct=origin.manifest.get("input", {}).get("cropPct", 1.0),
        stages=(Stage(2, 2e-3, "head", "constant"), Stage(epochs, 2e-4, "all", "cosine")),
        epochs=2 + epochs,
        samples_per_epoch=batch * min(max(ceil(pictures / batch), 10), 400),
        batch_size=batch,
        ema_decay=0.98,
    )


def with_head(origin: Trained, classes: Sequence[str]) -> Classifier:
    """The network with a head for `classes`: rows of classes that it knows are kept, others are drawn small."""
    network = Classifier(origin.name, len(classes), 0.0, pretrained=False, folded=True)
    network.backbone.load_state_dict(origin.network.backbone.state_dict())
    with torch.no_grad():
        network.head.weight.normal_(0, 0.01, generator=torch.Generator().manual_seed(1))
        network.head.bias.zero_()
        for k, name in enumerate(classes):
            if name in origin.classes:
                network.head.weight[k] = origin.network.head.weight[origin.classes.index(name)]
                network.head.bias[k] = origin.network.head.bias[origin.classes.index(name)]
    return network


def describe(recipe: Recipe, store: Store, origin: Origin, spelled: dict[str, str], name: str, concern: Path | None) -> dict[str, Any]:
    """What `export` needs to say in words. A class whose concern nobody stated counts as high: silence must never read as harmless."""
    stated = json.loads(concern.read_text()) if concern else {}
    if unknown := set(stated) - set(recipe.classes):
        raise PrepareError(f"{concern}: {', '.join(sorted(unknown))} is no class here; there are {', '.join(recipe.classes)}")
    known = {entry["id"]: {key: value for key, value in entry.items() if key != "id"} for entry in origin.manifest.get("classes", [])}
    classes = {}
    for k in recipe.classes:
        words = known.get(k) or {"name": spelled.get(k, k), "concern": "high"}
        own = stated.get(k, {})
        classes[k] = words | (own if isinstance(own, dict) else {"concern": own})
        if k not in known and not own:
            print(f"finetune: nobody said of how much concern {k!r} is: it counts as high (--concern changes that)", flush=True)
    modalities = Counter(store.rows[i]["modality"] for i in store.where("train"))
    license_ = dict(origin.manifest.get("license", {"id": "LicenseRef-unstated", "nonCommercial": True})) | {"path": "LICENSE"}
    return {
        "name": name,
        "version": "0.1.0",
        "title": f"{len(classes)} categories, trained on from {origin.manifest.get('name', origin.trained.name)}",
        "license": license_,
        "defaultModality": modalities.most_common(1)[0][0],
        "coverage": 0.9,
        "refusedShare": 0.05,
        "tiers": tiers_asked(origin, recipe),
        "quality": origin.manifest.get("quality", {"minSide": 64, "minContrast": 8.0, "minStructure": 2.0}),
        "classes": classes,
    }


def tiers_asked(origin: Origin, recipe: Recipe) -> dict[str, Any]:
    """What the cuts of the starting model's tiers were fitted for, as far as its classes are here too."""
    asked = dict(origin.manifest.get("training", {}).get("calibration", {}).get("asked", {}).get("tiers", DEFAULTS))
    return asked | {"positive": [name for name in asked.get("positive", []) if name in recipe.classes]}


CARD = """# {name}

{title}. A research and teaching model, not a medical device. If a spot is new, changing, bleeding or worries you, see a doctor whatever this
page shows.

| id | category | training pictures | calibration | validation |
|---|---|---|---|---|
{rows}

Figures on the calibration pictures, which it was not trained on but whose thresholds were fitted to them (balanced accuracy, areas under ROC
curves):

{figures}

They say little where pictures are few. `npm run evaluate -- --model` this folder measures the model through the code that runs in the page.
"""


def write_words(out: Path, recipe: Recipe, store: Store, origin: Origin, description: dict[str, Any], figures: dict[str, float]) -> None:
    """MODEL_CARD.md and LICENSE, as far as they can be written without knowing the pictures."""
    parts = Counter((row["part"], row["label"]) for row in store.rows)
    rows = []
    for k in recipe.classes:
        counts = " | ".join(str(parts[part, k]) for part in ("train", "calib", "val"))
        rows.append(f"| {k} | {description['classes'][k]['name']} | {counts} |")
    told = [f"- {key.removeprefix('calib ')}: {value:.3f}" for key, value in figures.items() if key.startswith("calib ")]
    words = {"name": description["name"], "title": description["title"], "rows": "\n".join(rows), "figures": "\n".join(told)}
    (out / "MODEL_CARD.md").write_text(CARD.format(**words))
    source = origin.folder / "LICENSE" if origin.folder else None
    text = "Licence of these weights: not stated. Ask whoever trained them before passing them on.\n"
    if source and source.exists():
        text = f"These weights were trained on from {origin.manifest['name']}, and its terms go on to apply:\n\n{source.read_text()}"
    (out / "LICENSE").write_text(text)


def run(arguments: argparse.Namespace) -> None:
    """The whole step. Every part of it is resumed when the command is given again."""
    origin, out = Origin.load(arguments.origin), arguments.out
    work = arguments.work or out.with_name(f"{out.name}-training")
    layout = ImportOptions(modality=arguments.modality, group_pattern=arguments.group_pattern)
    sources = [parse_source(text, layout) for text in arguments.data]
    classes = ClassMap.load(arguments.classes) if arguments.classes else class_map(sources, origin.trained.classes, work / "classes.toml")
    prepare(sources, work / "store", Settings(calibration=CALIBRATION), classes)
    store = Store.open(work / "store")
    recipe = _recipe(work / "recipe.toml", store, origin, arguments)
    calibration = [i for i in store.where("calib") if store.rows[i]["label"] in recipe.classes]
    if len(calibration) < FEWEST:
        raise PrepareError(f"{len(calibration)} pictures are left for calibration, fewer than {FEWEST}: more pictures are needed")
    kept = [name for name in recipe.classes if name in origin.trained.classes]
    print(f"finetune: {len(recipe.classes)} classes, {len(kept)} of them known to {arguments.origin.name}: {', '.join(kept) or 'none'}", flush=True)
    options = Options(arguments.workers, arguments.threads, arguments.checkpoint_steps)
    figures = train(recipe, store, work / "run", options, with_head(origin.trained, recipe.classes))
    spelled = {target: name for name, target in classes.names.items() if target in recipe.classes and name != target}
    description = describe(recipe, store, origin, spelled, slug(out.name), arguments.concern)
    best = work / "run" / "best.pt"
    export(recipe, store, best if best.exists() else work / "run" / "ema.pt", description, out, arguments.storage)
    write_words(out, recipe, store, origin, description, figures)
    print(f"finetune: {out} is a model folder for the page; {work} holds pictures and run and should stay private", flush=True)


def _recipe(path: Path, store: Store, origin: Origin, arguments: argparse.Namespace) -> Recipe:
    """The recipe of an earlier call, or a new one; `--set` overrides either."""
    if not path.exists():
        path.write_text("# Made by `finetune`; edit it and give the command again.\n" + recipe_for(store, origin, arguments.epochs).to_toml())
    return Recipe.load(path, arguments.set)
