"""Which storage of the weights to ship, by what it costs: bytes, accuracy, time.

Every candidate restores to fp32 when a session is created, so all run alike; they differ in download, in how far the
restored weights lie from the trained ones, and in the time that restoring takes. Measured are: raw, gzip and brotli
bytes (a static host such as GitHub Pages sends `.onnx` uncompressed, so the raw size is what most visitors download);
balanced accuracy and the change of the calibrated probabilities on the calibration part, with onnxruntime; session
creation and one run in onnxruntime-web's WASM build, taking turns with EfficientNet-Lite0 at 224 px (random weights:
its time does not depend on them) as the yardstick.

Candidates: fp32; fp16; int8-max and int8 (`storage.py`); int8-fit (`rounding.py`); and where that changes too much,
mixtures of int8 that keep as fp16 the tensors whose int8 copies change the probabilities most for each byte saved, one
tensor tried at a time (the layer-wise sensitivity of Wu et al. 2020, "Integer Quantization for Deep Learning
Inference", section 5.2).

The rule (`Rule`): of the candidates whose balanced accuracy (over classes with at least 30 pictures of the modality: of
fewer, a single picture moves it by more than the limit) falls by less than 0.5 points in every modality, whose
probabilities move by less than 0.02 on 99 % of the pictures, and that take no more than 1.2 times the yardstick's time,
the one with the smallest brotli download.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from .augment import recipe_view
from .calibration import fit_temperature, softmax
from .checkpoint import load_trained
from .config import Recipe
from .limits import MOST_NETWORK_BYTES
from .manifest import read_manifest
from .metrics import balanced_accuracy
from .network import Classifier
from .networks import network_named
from .onnx_export import export_onnx, run
from .preprocessing import Preprocessing
from .reading import read_bytes, read_json
from .repository import SCRIPTS, require_checkout
from .rounding import FITTED, fitting_views, store_fitted
from .storage import Plan, storable, store_weights
from .store import Store

TIMING_SCRIPT = SCRIPTS / "variants_timing.mjs"
YARDSTICK, YARDSTICK_SIDE = "efficientnet-lite0", 224
TARGET_BROTLI = 6_000_000  # bytes
# pictures of a class and modality; of fewer, one picture alone moves balanced accuracy by more than the rule allows
FEWEST = 30
SENSITIVITY_PICTURES = 128  # evenly spaced over the calibration part
MIXTURES = {"mixed": 0.015, "mixed-fine": 0.0075}  # change of probability that each is built for, below the rule's


@dataclass(frozen=True)
class Rule:
    """What a candidate may cost."""

    largest_drop: float = 0.5  # points of balanced accuracy against fp32, in any modality; to be under
    largest_change: float = 0.02  # of the most changed probability of a picture; to be under
    share: float = 0.99  # of the pictures
    slowest: float = 1.2  # times the yardstick's time of one run


@dataclass(frozen=True)
class Sample:
    """The calibration pictures: (S, S, 3) uint8 views, class indices, modalities; and what the network wants of the
    views.
    """

    views: list[np.ndarray]
    labels: np.ndarray
    modalities: np.ndarray
    preprocessing: Preprocessing

    def part(self, chosen: Sequence[int] | np.ndarray) -> Sample:
        return Sample([self.views[i] for i in chosen], self.labels[chosen], self.modalities[chosen], self.preprocessing)


@dataclass(frozen=True)
class Reference:
    """What fp32 says of the sample: logits (N, K), the temperature of each modality, balanced accuracy (0 to 1) by
    modality.
    """

    logits: np.ndarray
    temperatures: dict[str, float]
    accuracy: dict[str, float]

    def probabilities(self, logits: np.ndarray, modalities: np.ndarray) -> np.ndarray:
        return softmax(logits / np.array([self.temperatures[m] for m in modalities])[:, None])


@dataclass
class Measured:
    """One candidate. Bytes; balanced accuracy 0 to 1 and its fall in points by modality; change of the most changed
    probability of a picture; milliseconds as (median, least), None where not timed; run time over the yardstick's, of
    the least times."""

    name: str
    plan: dict[str, str]
    accuracy: dict[str, float]
    drop: dict[str, float]
    change: float  # at the rule's share of the pictures
    largest_change: float
    raw: int = 0
    gzip: int = 0
    brotli: int = 0
    create: tuple[float, float] | None = None
    run: tuple[float, float] | None = None
    ratio: float | None = None
    faults: list[str] = field(default_factory=list)


def by_modality(sample: Sample, logits: np.ndarray) -> dict[str, float]:
    parts = {str(m): sample.modalities == m for m in np.unique(sample.modalities)}
    return {m: balanced_accuracy(sample.labels[part], logits[part].argmax(1), FEWEST) for m, part in parts.items()}


def calibration_sample(store: Store, recipe: Recipe, at_most: int | None = None) -> Sample:
    """The calibration part, or `at_most` pictures of it, evenly spaced."""
    indices = [i for i in store.where("calib") if store.rows[i]["label"] in recipe.classes]
    if not indices:
        raise ValueError("the store has no calibration pictures of the recipe's classes")
    if at_most is not None and at_most < len(indices):
        indices = [indices[i] for i in np.linspace(0, len(indices) - 1, at_most).astype(int)]
    views = [recipe_view(store.picture(i), recipe) for i in indices]
    labels = np.array([recipe.classes.index(store.rows[i]["label"]) for i in indices])
    modalities = np.array([store.rows[i]["modality"] for i in indices])
    return Sample(views, labels, modalities, network_named(recipe.network).preprocessing)


def logits_of(model: onnx.ModelProto, sample: Sample) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry(
        "session.intra_op.allow_spinning", "0"
    )  # do not spin: a training run may share the machine
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return run(session, sample.views, sample.preprocessing)[0]


def reference_of(model: onnx.ModelProto, sample: Sample) -> Reference:
    logits = logits_of(model, sample)
    temperatures = {
        str(m): fit_temperature(logits[sample.modalities == m], sample.labels[sample.modalities == m])
        for m in np.unique(sample.modalities)
    }
    return Reference(logits, temperatures, by_modality(sample, logits))


def changes(
    reference: Reference, logits: np.ndarray, modalities: np.ndarray, chosen: slice | np.ndarray = slice(None)
) -> np.ndarray:
    """The greatest change of a probability of each picture, (N,). `chosen`: the reference's rows that
    `logits` are of.
    """
    exact = reference.probabilities(reference.logits[chosen], modalities)
    return np.abs(reference.probabilities(logits, modalities) - exact).max(1)


def measure(
    name: str, model: onnx.ModelProto, plan: Plan, sample: Sample, reference: Reference, rule: Rule
) -> tuple[Measured, onnx.ModelProto]:
    """What a stored model costs in accuracy."""
    logits = logits_of(model, sample)
    moved = changes(reference, logits, sample.modalities)
    accuracy = by_modality(sample, logits)
    drop = {m: 100 * (reference.accuracy[m] - accuracy[m]) for m in accuracy}
    measured = Measured(name, dict(plan), accuracy, drop, float(np.quantile(moved, rule.share)), float(moved.max()))
    drops = ", ".join(f"{m} {-d:+.2f}" for m, d in drop.items())
    print(
        f"variants: {name}: balanced accuracy {drops} points, 99 % of probabilities move by less than"
        f" {measured.change:.4f}",
        flush=True,
    )
    return measured, model


def sensitivities(fp32: bytes, sample: Sample, reference: Reference, chosen: np.ndarray) -> dict[str, float]:
    """Mean square of the change that each tensor's int8 copy alone makes, by name."""
    part = sample.part(chosen)
    found = {}
    for name in storable(onnx.load_from_string(fp32)):
        logits = logits_of(store_weights(onnx.load_from_string(fp32), {name: "int8"}), part)
        found[name] = float(np.square(changes(reference, logits, part.modalities, chosen)).mean())
    return found


def mixed_plan(
    fp32: bytes,
    sample: Sample,
    reference: Reference,
    chosen: np.ndarray,
    worst: Sequence[str],
    limit: float,
    share: float,
) -> dict[str, str]:
    """All int8 but the fewest of `worst` (in order) as fp16 that keep the change under `limit` on the chosen pictures;
    by bisection.
    """
    names = list(storable(onnx.load_from_string(fp32)))
    part = sample.part(chosen)

    def plan(count: int) -> dict[str, str]:
        kept = set(worst[:count])
        return {name: "fp16" if name in kept else "int8" for name in names}

    low, high = 0, len(worst)
    while low < high:
        middle = (low + high) // 2
        logits = logits_of(store_weights(onnx.load_from_string(fp32), plan(middle)), part)
        if np.quantile(changes(reference, logits, part.modalities, chosen), share) < limit:
            high = middle
        else:
            low = middle + 1
    return plan(low)


def faults_of(measured: Measured, rule: Rule) -> list[str]:
    """Why the rule refuses a candidate, in words; empty when it passes. Speed counts only where it was timed."""
    faults = [f"{m} falls by {drop:.2f} points" for m, drop in measured.drop.items() if drop >= rule.largest_drop]
    if measured.change >= rule.largest_change:
        faults.append(f"probabilities move by {measured.change:.3f}")
    if measured.ratio is not None and measured.ratio > rule.slowest:
        faults.append(f"{measured.ratio:.2f} times the yardstick's time")
    return faults


def choose(candidates: Sequence[Measured], rule: Rule) -> Measured | None:
    """The smallest brotli download among those that pass; of equal ones the smaller raw file. None when none passes."""
    passing = [c for c in candidates if not faults_of(c, rule)]
    return min(passing, key=lambda c: (c.brotli, c.raw, c.name), default=None)


def weigh_and_time(
    files: Mapping[str, tuple[Path, int]], rounds: int, runs: int, sizes: bool = True
) -> dict[str, dict[str, Any]]:
    """Runs `variants_timing.mjs` on name -> (file, side): sizes of all unless they are not wanted, times where `rounds`
    is over 0.
    """
    require_checkout("weighing and timing a network")
    arguments = [f"{name}={path}:{side}" for name, (path, side) in files.items()]
    command = [
        "node",
        str(TIMING_SCRIPT),
        "--rounds",
        str(rounds),
        "--runs",
        str(runs),
        *([] if sizes else ["--no-sizes"]),
        *arguments,
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise SystemExit("variants: needs Node 20 or newer, and `npm ci` in the repository") from error
    except subprocess.CalledProcessError as error:
        raise SystemExit(
            f"variants: {TIMING_SCRIPT.name} failed (is `npm ci` done in the repository?)\n{error.stderr[-2000:]}"
        ) from error
    return json.loads(done.stdout)


def fill_in(measured: Measured, found: Mapping[str, Any], yardstick: Mapping[str, Any]) -> None:
    measured.raw, measured.gzip, measured.brotli = found["raw"], found["gzip"], found["brotli"]
    if found["run"]:
        measured.create, measured.run = spread(found["create"]), spread(found["run"])
        measured.ratio = min(found["run"]) / min(yardstick["run"])


def spread(times: Sequence[float]) -> tuple[float, float]:
    return round(float(np.median(times)), 2), round(float(np.min(times)), 2)


def whole_onnx(network: Classifier, side: int, folder: Path, name: str) -> Path:
    """One .onnx file without a data file beside it."""
    path = folder / f"{name}.onnx"
    export_onnx(network, side, path)
    onnx.save(onnx.load(path), path)
    path.with_suffix(".onnx.data").unlink(missing_ok=True)
    return path


def yardstick_onnx(classes: int, folder: Path) -> Path:
    """The network that others' times are set against. Its weights are random: they do not change the time."""
    return whole_onnx(Classifier(YARDSTICK, classes, 0.0, pretrained=False), YARDSTICK_SIDE, folder, "yardstick")


def candidates_of(
    fp32: bytes, sample: Sample, reference: Reference, rule: Rule, fitting: list[np.ndarray]
) -> list[tuple[Measured, onnx.ModelProto]]:
    """All candidates with their accuracy. Mixtures are tried only where fitted int8 is refused: they are larger."""
    names = storable(onnx.load_from_string(fp32))
    made = []
    for kind in ("fp32", "fp16", "int8-max", "int8"):
        plan = {} if kind == "fp32" else dict.fromkeys(names, kind)
        made.append(measure(kind, store_weights(onnx.load_from_string(fp32), plan), plan, sample, reference, rule))
    fitted = store_fitted(onnx.load_from_string(fp32), fitting, sample.preprocessing)
    made.append(measure(FITTED, fitted, dict.fromkeys(names, FITTED), sample, reference, rule))
    if not faults_of(made[-1][0], rule):
        return made
    chosen = np.linspace(0, len(sample.labels) - 1, min(SENSITIVITY_PICTURES, len(sample.labels))).astype(int)
    harm = sensitivities(fp32, sample, reference, chosen)
    worst = sorted(names, key=lambda name: -harm[name] / names[name])
    print("variants: most sensitive to int8, per byte: " + ", ".join(worst[:5]), flush=True)
    for kind, limit in MIXTURES.items():
        plan = mixed_plan(fp32, sample, reference, chosen, worst, limit, rule.share)
        if all(plan != other.plan for other, _ in made):
            made.append(measure(kind, store_weights(onnx.load_from_string(fp32), plan), plan, sample, reference, rule))
    return made


def table_of(candidates: Sequence[Measured], choice: Measured | None, yardstick: Mapping[str, Any]) -> str:
    """The Markdown table that is printed."""
    modalities = sorted(candidates[0].accuracy)
    head = [
        "storage",
        "raw MB",
        "gzip MB",
        "brotli MB",
        *[f"{m}: balanced accuracy (change, points)" for m in modalities],
    ]
    head += [
        "99 % of probabilities move less than",
        "largest move",
        "creation ms, median (least)",
        "run ms, median (least)",
    ]
    head += ["of the yardstick", "refused because"]
    rows = []
    for c in candidates:
        times = [f"{pair[0]:.0f} ({pair[1]:.0f})" if pair else "-" for pair in (c.create, c.run)]
        accuracy = [f"{c.accuracy[m]:.4f} ({-c.drop[m]:+.2f})" for m in modalities]
        sizes = [f"{size / 1e6:.2f}" for size in (c.raw, c.gzip, c.brotli)]
        ratio = "-" if c.ratio is None else f"{c.ratio:.2f}"
        name = f"**{c.name}**" if c is choice else c.name
        rows.append(
            [
                name,
                *sizes,
                *accuracy,
                f"{c.change:.4f}",
                f"{c.largest_change:.4f}",
                *times,
                ratio,
                "; ".join(c.faults) or "-",
            ]
        )
    if yardstick["run"]:
        times = [
            f"{median:.0f} ({least:.0f})" for median, least in (spread(yardstick["create"]), spread(yardstick["run"]))
        ]
        rows.append([f"{YARDSTICK} at {YARDSTICK_SIDE}, fp32", *["-"] * (5 + len(modalities)), *times, "1.00", "-"])
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def digest(path: Path) -> str:
    return hashlib.sha256(read_bytes(path, MOST_NETWORK_BYTES)).hexdigest()


def variants(
    recipe: Recipe,
    store: Store,
    checkpoint: Path,
    out: Path | None,
    rounds: int = 5,
    runs: int = 8,
    rule: Rule | None = None,
    at_most: int | None = None,
) -> dict[str, Any]:
    """Measures all candidates, prints the table and the choice, writes both to `out` and returns what it wrote.

    Where no candidate passes, fp32 included, the network itself is too slow: the choice is then made without the speed
    rule, and said so.
    """
    rule = rule or Rule()
    sample = calibration_sample(store, recipe, at_most)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        fp32 = whole_onnx(load_trained(recipe, checkpoint), recipe.input_size, folder, "exported").read_bytes()
        reference = reference_of(onnx.load_from_string(fp32), sample)
        made = candidates_of(fp32, sample, reference, rule, fitting_views(store, recipe))
        files = {}
        for measured, model in made:
            files[measured.name] = (folder / f"{measured.name}.onnx", recipe.input_size)
            onnx.save(model, files[measured.name][0])
        yardstick = yardstick_onnx(len(recipe.classes), folder)
        found = weigh_and_time({**files, "yardstick": (yardstick, YARDSTICK_SIDE)}, rounds, runs)
    candidates = [measured for measured, _ in made]
    for measured in candidates:
        fill_in(measured, found[measured.name], found["yardstick"])
        measured.faults = faults_of(measured, rule)
    choice = choose(candidates, rule)
    too_slow = choice is None
    if too_slow:
        choice = choose(candidates, Rule(rule.largest_drop, rule.largest_change, rule.share, slowest=float("inf")))
    assert choice is not None, "fp32 changes nothing, so it passes"
    report = report_of(recipe, checkpoint, sample, rule, candidates, choice, too_slow, found["yardstick"])
    print(table_of(candidates, choice, found["yardstick"]))
    print(words_of(choice, too_slow), flush=True)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(report, indent=2) + "\n")
    return report


def words_of(choice: Measured, too_slow: bool) -> str:
    sizes = f"{choice.brotli / 1e6:.2f} MB brotli, {choice.raw / 1e6:.2f} MB raw"
    target = "within" if choice.brotli <= TARGET_BROTLI else "OVER"
    slow = " The network itself is slower than the rule allows." if too_slow else ""
    return f"variants: {choice.name} ({sizes}; {target} the target of {TARGET_BROTLI / 1e6:.0f} MB).{slow}"


def report_of(
    recipe: Recipe,
    checkpoint: Path,
    sample: Sample,
    rule: Rule,
    candidates: Sequence[Measured],
    choice: Measured,
    too_slow: bool,
    yardstick: Mapping[str, Any],
) -> dict[str, Any]:
    """The content of the table's file. Plans are given as counts by kind; the full plan of the choice is under
    `plan`.
    """
    return {
        "network": recipe.network,
        "inputSize": recipe.input_size,
        "checkpoint": digest(checkpoint),
        "pictures": {str(m): int(n) for m, n in Counter(sample.modalities.tolist()).items()},
        "rule": asdict(rule),
        "variants": [{**asdict(c), "plan": dict(Counter(c.plan.values()))} for c in candidates],
        "yardstick": {
            "network": YARDSTICK,
            "side": YARDSTICK_SIDE,
            **({"create": spread(yardstick["create"]), "run": spread(yardstick["run"])} if yardstick["run"] else {}),
        },
        "choice": choice.name,
        "tooSlow": too_slow,
        "plan": choice.plan,
    }


def keep_table(table: Path, model: Path) -> None:
    """Puts the table that the model's storage was chosen by among its figures, for the card, marked with the file that
    came of it.
    """
    report = read_json(table)
    report.pop("plan")
    sha256 = read_manifest(model)["file"]["sha256"]
    (model / "figures").mkdir(exist_ok=True)
    (model / "figures" / "variants.json").write_text(
        json.dumps({"model": {"sha256": sha256}, **report}, indent=2) + "\n"
    )


def read_choice(table: Path, checkpoint: Path) -> tuple[str, dict[str, str]]:
    """Name and plan of the choice in a table that `variants` wrote for this very checkpoint; another's
    is a ValueError.
    """
    report = read_json(table)
    if report["checkpoint"] != digest(checkpoint):
        raise ValueError(f"{table} was measured on another checkpoint than {checkpoint}: run `variants` again")
    return report["choice"], report["plan"]
