"""Fine-tuning with own pictures in one command: prepare, continue training a shipped network, calibrate, export.

    python -m dermlet_train finetune --from ../../models/skin-8 --data photos/ --out my-model/

`--data` is whatever `prepare` reads, class folders first of all. Class names that the starting model knows (`melanoma`
is its `mel`) keep their weights; rows of the head for others are fitted before anything else learns. The starting
model, cut down to these classes, is measured beside every epoch on pictures that are not trained on, and is what is
exported where no epoch beats it.

The model goes to `--out`; the pictures, the recipe and the run go to a folder beside it (`my-model-training`), so that
a published model folder never contains pictures. `--set` is written into the recipe there; an
edited recipe is read as it is. Where pictures, classes or the starting model are no longer those of the run,
it is set aside and another one begins.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

import torch

from .check import CheckError, check, missing
from .checkpoint import Trained, load, load_classifier, save
from .config import Recipe, Stage
from .export import export
from .finetune_card import CardContent, SmallClass, few_means, write_card, write_license
from .from_onnx import read_model
from .held_out import BetterThanStart, HeldOut, fit_new_rows
from .limits import MOST_NETWORK_BYTES
from .network import Classifier
from .networks import fold_batch_norm
from .prepare import ClassMap, PrepareError, Settings, Source, prepare
from .prepare.cli import parse_source
from .prepare.importers import Options as ImportOptions
from .prepare.labels import NONE, OTHER, SKIP
from .prepare.manifest import file_sha256
from .prepare.pipeline import import_all
from .prepare.rows import MODALITIES
from .reading import plain, read_bytes, read_json
from .store import Store
from .tiers import DEFAULTS
from .training import Options, train

FEWEST = 4  # calibration pictures; with fewer no threshold is meaningful
CALIBRATION = 0.2  # share of the groups
# Classes with fewer pictures get a warning. Nine is what coverage of 90 % needs for a limit of a class's own; of fewer
# than 20, one picture is 5 points of recall.
FEW = {"train": 20, "calib": 9, "measured": 20}
RATE = 2e-5  # of all layers: chosen by measurement, see README.md


@dataclass(frozen=True)
class Origin:
    """The network to go on from, with batch norm folded, and what its folder says of it: nothing where it is a
    checkpoint.
    """

    trained: Trained
    path: Path
    manifest: dict[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def name(self) -> str:
        return self.manifest.get("name") or self.path.name

    @property
    def provenance(self) -> str:
        """What training began with, as the manifest and the card state it. The hash distinguishes weights of one name
        and version.
        """
        file = self.path / self.manifest["file"]["path"] if self.folder else self.path
        digest = file_sha256(file)[:12]
        return f"the weights of {self.name}{' ' + self.manifest['version'] if self.folder else ''} (sha256 {digest}...)"

    @staticmethod
    def load(path: Path) -> Origin:
        """A model folder or a checkpoint (.pt)."""
        if path.is_dir():
            network, manifest = read_model(path)
            classes = tuple(entry["id"] for entry in manifest["classes"])
            return Origin(
                Trained(network, manifest["training"]["network"], classes, manifest["input"]["width"]),
                path,
                manifest,
                path,
            )
        trained = load_classifier(path)
        fold_batch_norm(trained.network.backbone)
        return Origin(trained, path)


def add_arguments(step: argparse.ArgumentParser) -> None:
    step.add_argument(
        "--from",
        dest="origin",
        type=Path,
        required=True,
        help="model folder that `export` wrote, or a checkpoint (.pt)",
    )
    step.add_argument(
        "--data",
        action="append",
        required=True,
        metavar="[NAME=][LAYOUT:]PATH",
        help="class folders, or anything `prepare --source` reads",
    )
    step.add_argument(
        "--out", type=Path, required=True, help="the new model's folder; its last part is the model's name"
    )
    step.add_argument(
        "--work", type=Path, help="folder for pictures, recipe and run (default: beside --out, with -training)"
    )
    step.add_argument(
        "--classes",
        type=Path,
        help="mapping file of class names; without it known names are unified and every other folder is a class",
    )
    step.add_argument(
        "--concern", type=Path, help='JSON: {class: "low"|"moderate"|"high"} or {class: {"concern", "name", "plain"}}'
    )
    step.add_argument("--modality", choices=MODALITIES, default="photo", help="of pictures whose source does not say")
    step.add_argument(
        "--group-pattern",
        default="",
        help="class folders: regular expression on the path; its first group is the patient",
    )
    step.add_argument(
        "--epochs", type=int, default=12, help="at most this many; the best one is kept (default %(default)s)"
    )
    step.add_argument("--storage", choices=("int8", "fp16", "fp32"), default="fp16")
    step.add_argument(
        "--unchecked", action="store_true", help="do not let the shipped path try the model: where there is no Node"
    )


def slug(name: str) -> str:
    """A class id of the manifest: lower case, at most 32 characters."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:32].strip("-") or "class"


def class_map(sources: Sequence[Source], known: Sequence[str], path: Path) -> ClassMap:
    """Writes and loads a mapping file for the names in the sources: names of classes that the starting model has become
    those, others classes of their own.
    """
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
        raise PrepareError(
            f"these classes would all be called {clash[0]!r}: {', '.join(sorted(spelled[clash[0]]))}. Rename one, or"
            " give --classes"
        )
    classes = sorted({target for target in names.values() if target not in {OTHER, NONE, SKIP}})
    lines = [
        f"classes = {json.dumps(classes)}",
        "",
        "[names]",
        *(f"{json.dumps(name)} = {json.dumps(target)}" for name, target in sorted(names.items())),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return ClassMap.load(path)


def recipe_for(store: Store, origin: Origin, epochs: int) -> Recipe:
    """All layers, gently; an epoch shows every training picture about once, but no fewer than ten batches."""
    labels = Counter(store.rows[i]["label"] for i in store.where("train"))
    classes = tuple(sorted(set(labels) - {OTHER, NONE}))
    if len(classes) < 2:
        raise PrepareError(
            f"at least two classes with training pictures are needed; there is {', '.join(classes) or 'none'}"
        )
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
        stages=(Stage(epochs, RATE, "all", "cosine"),),
        epochs=epochs,
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


def describe(
    recipe: Recipe, store: Store, origin: Origin, spelled: dict[str, str], name: str, title: str, concern: Path | None
) -> dict[str, Any]:
    """The names and words that `export` writes. A class without a stated concern counts as high: silence must never
    read as harmless.
    """
    stated = read_json(concern) if concern else {}
    if not isinstance(stated, dict):
        raise PrepareError(f"{concern} must map classes to concerns")
    if unknown := set(stated) - set(recipe.classes):
        raise PrepareError(
            f"{concern}: {', '.join(sorted(unknown))} is no class here; there are {', '.join(recipe.classes)}"
        )
    known = {
        entry["id"]: {key: value for key, value in entry.items() if key != "id"}
        for entry in origin.manifest.get("classes", [])
    }
    classes = {}
    for k in recipe.classes:
        words = known.get(k) or {"name": spelled.get(k, k), "concern": "high"}
        own = stated.get(k, {})
        classes[k] = words | (own if isinstance(own, dict) else {"concern": own})
        if k not in known and not own:
            print(
                f"finetune: nobody said of how much concern {k!r} is: it counts as high (--concern changes that)",
                flush=True,
            )
    modalities = modalities_of(store, recipe)
    license_ = dict(origin.manifest.get("license", {"id": "LicenseRef-unstated", "nonCommercial": True})) | {
        "path": "LICENSE"
    }
    return {
        "name": name,
        "version": "0.1.0",
        "title": title,
        "license": license_,
        "defaultModality": modalities[0],
        "coverage": 0.9,
        "refusedShare": 0.05,
        "tiers": tiers_asked(origin, recipe),
        "quality": quality_for(
            origin.manifest.get("quality", {"minSide": 64, "minContrast": 8.0, "minStructure": 2.0}), modalities
        ),
        "classes": classes,
    }


def modalities_of(store: Store, recipe: Recipe) -> list[str]:
    """Modalities that the new model will have, the one with most pictures first: those that there is anything to
    calibrate of.
    """
    counts = {
        part: Counter(store.rows[i]["modality"] for i in store.where(part) if store.rows[i]["label"] in recipe.classes)
        for part in ("train", "calib")
    }
    for name in set(counts["train"]) - set(counts["calib"]):
        print(
            f"finetune: no {name} picture fell into the calibration part, so the model will not have that modality:"
            " more of them are needed",
            flush=True,
        )
    return sorted(counts["calib"], key=lambda name: (-counts["train"][name] - counts["calib"][name], name))


def tiers_asked(origin: Origin, recipe: Recipe) -> dict[str, Any]:
    """What the cuts of the starting model's tiers were fitted for, as far as its classes are here too."""
    requested = dict(origin.manifest.get("training", {}).get("calibration", {}).get("asked", {}).get("tiers", DEFAULTS))
    return requested | {"positive": [name for name in requested.get("positive", []) if name in recipe.classes]}


def quality_for(quality: dict[str, Any], modalities: Sequence[str]) -> dict[str, Any]:
    """The starting model's limits of quality, without those of modalities that the new one does not have."""
    own = {name: limits for name, limits in quality.get("modalities", {}).items() if name in modalities}
    return {key: value for key, value in quality.items() if key != "modalities"} | ({"modalities": own} if own else {})


def small_classes(store: Store, recipe: Recipe) -> list[SmallClass]:
    """Classes with too few pictures to be learnt, calibrated or measured."""
    counts = Counter(
        (store.rows[i]["label"], part) for part in ("train", "calib", "val", "test") for i in store.where(part)
    )
    found = [
        SmallClass(k, counts[k, "train"], counts[k, "calib"], counts[k, "val"] + counts[k, "test"])
        for k in recipe.classes
    ]
    return [
        one for one in found if one.train < FEW["train"] or one.calib < FEW["calib"] or one.measured < FEW["measured"]
    ]


def run(arguments: argparse.Namespace) -> None:
    """The whole step. Every part of it is resumed when the command is given again."""
    if not arguments.unchecked and (lack := missing()):
        raise CheckError(f"the finished model could not be tried, as {lack} (--unchecked goes without)")
    origin, out = Origin.load(arguments.origin), arguments.out
    work = arguments.work or out.with_name(f"{out.name}-training")
    layout = ImportOptions(modality=arguments.modality, group_pattern=arguments.group_pattern)
    sources = [parse_source(text, layout) for text in arguments.data]
    classes = (
        ClassMap.load(arguments.classes)
        if arguments.classes
        else class_map(sources, origin.trained.classes, work / "classes.toml")
    )
    prepare(sources, work / "store", Settings(calibration=CALIBRATION, calibration_by_class=True), classes)
    store = Store.open(work / "store")
    recipe = _recipe(work / "recipe.toml", store, origin, arguments)
    calibration = HeldOut.of(store, recipe, "calib")
    if len(calibration.indices) < FEWEST:
        raise PrepareError(
            f"{len(calibration.indices)} pictures are left for calibration, fewer than {FEWEST}: more pictures are"
            " needed"
        )
    known = [name for name in recipe.classes if name in origin.trained.classes]
    print(
        f"finetune: {len(recipe.classes)} classes, {len(known)} of them known to {plain(arguments.origin.name)}:"
        f" {plain(', '.join(known)) or 'none'}",
        flush=True,
    )
    small = small_classes(store, recipe)
    if small:
        print(f"finetune: warning: too few pictures of {len(small)} classes. {few_means(FEW)}", flush=True)
        for one in small:
            print(f"finetune:   {plain(one.summary)}", flush=True)

    start = with_head(origin.trained, recipe.classes)
    fit_new_rows(start, store, recipe, known)
    judge = BetterThanStart(HeldOut.of(store, recipe, "calib", "val"), start, known)
    set_aside(work / "run", store, recipe, origin.provenance)
    options = Options(arguments.workers, arguments.threads, arguments.checkpoint_steps)
    train(recipe, store, work / "run", options, start, judge, judge.floor, origin.provenance)
    chosen = work / "run" / "best.pt"
    beaten = chosen.exists()
    if not beaten:
        chosen = work / "run" / "start.pt"
        save(
            {"epoch": 0, "weights": start.state_dict(), "recipe": recipe.to_dict(), "origin": origin.provenance}, chosen
        )
        print(
            f"finetune: no epoch did better than {plain(origin.name)} on {len(judge.held.indices)} pictures not"
            f" trained on: {plain(origin.name)} is exported",
            flush=True,
        )
    spelled = {target: name for name, target in classes.names.items() if target in recipe.classes and name != target}
    title = f"{len(recipe.classes)} categories, {'trained on from' if beaten else 'with the weights of'} {origin.name}"
    description = describe(recipe, store, origin, spelled, slug(out.name), title, arguments.concern)
    description["training"] = {"chosenBy": ["calib", "val"]}
    export(recipe, store, chosen, description, out, arguments.storage)
    content = CardContent(
        store,
        recipe,
        description,
        origin.name,
        known,
        small,
        start.eval(),
        load_classifier(chosen).network,
        load(chosen)["epoch"],
        beaten,
    )
    for line in write_card(out, content, FEW):
        print(f"finetune: {plain(line)}", flush=True)
    write_license(out, origin.manifest.get("name", ""), origin.folder)
    if not arguments.unchecked:
        check(out)
    print(
        f"finetune: {out} is a model folder for the page; {work} holds pictures and run and should stay private",
        flush=True,
    )


def set_aside(run: Path, store: Store, recipe: Recipe, origin: str) -> None:
    """Renames a run that began with other pictures, classes or weights than these: what it was trained on may be
    measured on by now.

    Going on with it would be worse than beginning anew: when pictures are added, the parts are drawn anew too.
    """
    if not (run / "last.pt").exists():
        return
    state = load(run / "last.pt")
    ran = Recipe.of(state["recipe"], str(run))
    why = [
        f"another {key}"
        for key in ("network", "classes", "seed", "batch_size", "samples_per_epoch")
        if getattr(ran, key) != getattr(recipe, key)
    ]
    if state.get("data") != store.fingerprint():
        why.insert(0, "other pictures")
    if state.get("origin") != origin:
        why.append("other starting weights")
    if not why:
        return
    place = next(path for n in range(1, 10_000) if not (path := run.with_name(f"{run.name}-{n}")).exists())
    run.rename(place)
    print(
        f"finetune: the run that is there was made with {', '.join(why)}: it now stands in {place.name}, and training"
        " begins anew",
        flush=True,
    )


def _recipe(path: Path, store: Store, origin: Origin, arguments: argparse.Namespace) -> Recipe:
    """A recipe for the pictures there are, with every `--set` of this call and earlier ones; an edited recipe
    is left unchanged.

    Whether it was edited is known by its hash in `finetune.json` beside it. `--set` is written into either: nothing
    that is read later may miss it.
    """
    note = path.with_name("finetune.json")
    noted = json.loads(note.read_text()) if note.exists() else {}
    made = recipe_for(store, origin, arguments.epochs)
    if path.exists() and _digest(path) != noted.get("recipe"):
        recipe = Recipe.load(path, arguments.set)
        if recipe.classes != made.classes:
            there, wanted = ", ".join(recipe.classes), ", ".join(made.classes)
            raise PrepareError(
                f"{path} was edited and has the classes {there}, but there are pictures of {wanted}: put that right"
                " there, or delete it"
            )
        if arguments.set:
            path.write_text(recipe.to_toml())
        return recipe
    settings = [*noted.get("set", []), *arguments.set]
    recipe = made.override(settings)
    path.write_text("# Made by `finetune`; edit it and give the command again.\n" + recipe.to_toml())
    note.write_text(json.dumps({"recipe": _digest(path), "set": settings}, indent=2) + "\n")
    return recipe


def _digest(path: Path) -> str:
    return hashlib.sha256(read_bytes(path, MOST_NETWORK_BYTES)).hexdigest()
