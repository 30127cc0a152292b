"""SVG drawings from evaluate's report: the same figures give the same bytes.

Text stays text (no glyph outlines), nothing is fetched, and every drawing has a ground of its own, so that it can be
read in a light and in a dark page.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from .plan import Plan
from .reports import Report, figure
from .tables import tone_label

# Okabe and Ito's colours, in an order whose neighbours differ in lightness too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#6A4C93", "#444444")
INK, SOFT, GRID, GROUND = "#1f2933", "#5f6b76", "#e3e7eb", "#ffffff"
SHADES = LinearSegmentedColormap.from_list("dermlet", ["#ffffff", "#74b3dc"])  # light enough for dark text throughout

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "dermlet",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "figure.facecolor": GROUND,
    "savefig.facecolor": GROUND,
    "figure.constrained_layout.use": True,
}


def draw_all(plan: Plan, manifest: dict[str, Any], report: Report) -> dict[str, str]:
    """File name -> SVG."""
    positive = report["overall"]["positive"]
    names = {entry["id"]: str(entry["name"]).split(" (")[0] for entry in manifest["classes"]}
    drawings: dict[str, Callable[[], Figure]] = {
        "reliability.svg": lambda: reliability(report["byModality"]),
        "roc.svg": lambda: roc(plan, report, names[positive["class"]] if positive else None),
        "classes.svg": lambda: classes(plan, report),
        "set-sizes.svg": lambda: set_sizes(report["byModality"]),
    }
    for part in plan.parts:
        drawings[f"confusion-{part.name}.svg"] = partial(confusion, part.title, report["parts"][part.name])
    if report["bySkinTone"]:
        drawings["skin-tone.svg"] = lambda: skin_tone(report["bySkinTone"])
    with matplotlib.rc_context(_STYLE):
        return {name: svg(draw()) for name, draw in drawings.items()}


def svg(drawing: Figure) -> str:
    """The drawing as SVG text without date, and without the trailing blanks that matplotlib leaves."""
    out = io.StringIO()
    drawing.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return re.sub(r"[ \t]+\n", "\n", out.getvalue())


def reliability(modalities: Report) -> Figure:
    """A diagram a modality: share right against mean probability of each bin, and how many pictures each bin holds."""
    drawing = Figure(figsize=(4.3 * len(modalities), 4.7))
    grid = np.atleast_2d(drawing.subplots(2, len(modalities), sharex=True, squeeze=False, height_ratios=(3.2, 1)))
    for column, (name, own) in enumerate(modalities.items()):
        top, bottom = grid[0, column], grid[1, column]
        bins = own["reliability"]
        counts = np.array(bins["pictures"])
        edges = np.linspace(0, 1, len(counts) + 1)
        filled = counts > 0
        confidence = np.array([value or 0 for value in bins["confidence"]])[filled]
        right = np.array([value or 0 for value in bins["accuracy"]])[filled]
        spread = 1.96 * np.sqrt(right * (1 - right) / counts[filled])
        spread = np.minimum(spread, [right, 1 - right])  # a share stays within 0 and 1
        top.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        top.errorbar(confidence, right, spread, fmt="o", color=COLOURS[0], markersize=4.5, elinewidth=1, capsize=0)
        top.set(xlim=(0, 1), ylim=(0, 1), title=f"{name}, {own['pictures']} pictures")
        error, perfect = figure(own, "calibrationError").value, own["calibrationErrorIfPerfect"]["median"]
        top.text(
            0.04,
            0.96,
            f"calibration error {error:.3f}\nif perfect about {perfect:.3f}",
            va="top",
            transform=top.transAxes,
        )
        bottom.bar(edges[:-1], counts, np.diff(edges), align="edge", color=COLOURS[5], edgecolor=GROUND, linewidth=0.8)
        bottom.set(xlabel="probability of the first-ranked category")
        bottom.grid(axis="x", visible=False)
        if column == 0:
            top.set_ylabel("share right")
            bottom.set_ylabel("pictures")
    return drawing


def roc(plan: Plan, report: Report, positive: str | None) -> Figure:
    """Two panels, a curve a part: the class of the one-against-all figures, and the malignant classes together."""
    panels = [("positive", positive, "positiveAuc")] if positive else []
    panels += [("malignant", "Malignant", "malignantAuc")]
    drawing = Figure(figsize=(4.6 * len(panels), 4.95))
    axes = drawing.subplots(1, len(panels), squeeze=False)[0]
    for panel, (key, title, name) in zip(axes, panels, strict=True):
        panel.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        for part, colour in zip(plan.parts, COLOURS * 4, strict=False):
            own = report["parts"][part.name]["lesions"]
            points = own["roc"][key]
            if points:
                label = f"{_short(part.title)}: {figure(own, name).value:.3f}"
                panel.plot([x for x, _ in points], [y for _, y in points], color=colour, linewidth=1.6, label=label)
        panel.set(xlim=(-0.01, 1), ylim=(0, 1.01), xlabel="false positive rate", title=f"{title} against the rest")
        if panel.lines[1:]:
            panel.legend(
                loc="lower right", title="area under the curve", fontsize=8, title_fontsize=8, alignment="left"
            )
    axes[0].set_ylabel("true positive rate (sensitivity)")
    return drawing


def _short(title: str) -> str:
    """A part's title without its count of categories."""
    return re.sub(r", \d+ categories$", "", title)


def confusion(title: str, part: Report) -> Figure:
    """Rows the truth, columns the first-ranked category; shade the share of the row, text the pictures. Classes without
    pictures have no row.
    """
    counts = np.array(part["lesions"]["confusion"])
    ids: Sequence[str] = part["classes"]
    rows = [i for i in range(len(ids)) if counts[i].sum() > 0]
    shares = counts[rows] / counts[rows].sum(1, keepdims=True)
    drawing = Figure(figsize=(0.62 * len(ids) + 1.5, 0.5 * len(rows) + 1.3))
    panel = drawing.subplots()
    panel.pcolormesh(shares, cmap=SHADES, vmin=0, vmax=1, edgecolors=GRID, linewidth=0.6)
    for row, i in enumerate(rows):
        for column in range(len(ids)):
            if counts[i, column]:
                _cell(panel, column, row, str(counts[i, column]), bold=i == column)
    _axes_of_table(panel, ids, [f"{ids[i]} ({counts[i].sum()})" for i in rows])
    panel.set(xlabel="first-ranked category", ylabel="true category (pictures)")
    panel.set_title(title, loc="left")
    return drawing


def _cell(panel: Axes, column: int, row: int, text: str, bold: bool = False) -> None:
    panel.text(
        column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=8.5, fontweight="bold" if bold else "normal"
    )


def _axes_of_table(panel: Axes, columns: Sequence[str], rows: Sequence[str]) -> None:
    panel.set_xticks([i + 0.5 for i in range(len(columns))], columns)
    panel.set_yticks([i + 0.5 for i in range(len(rows))], rows)
    panel.tick_params(length=0)
    panel.invert_yaxis()
    panel.grid(visible=False)
    for spine in panel.spines.values():
        spine.set_visible(False)


def classes(plan: Plan, report: Report) -> Figure:
    """A table: recall of each category in each part, with its pictures."""
    ids: Sequence[str] = report["classes"]
    drawing = Figure(figsize=(1.75 * len(plan.parts) + 1.1, 0.42 * len(ids) + 1.2))
    panel = drawing.subplots()
    shares = np.full((len(ids), len(plan.parts)), np.nan)
    for column, part in enumerate(plan.parts):
        for row, name in enumerate(ids):
            own = report["parts"][part.name]["lesions"]["perClass"].get(name)
            if own and own["pictures"]:
                shares[row, column] = own["recall"]
                _cell(panel, column, row, f"{own['recall']:.2f} of {own['pictures']}")
            else:
                panel.text(
                    column + 0.5,
                    row + 0.5,
                    "none" if own else "merged",
                    ha="center",
                    va="center",
                    color=SOFT,
                    fontsize=8.5,
                )
    panel.pcolormesh(np.ma.masked_invalid(shares), cmap=SHADES, vmin=0, vmax=1, edgecolors=GRID, linewidth=0.6)
    _axes_of_table(panel, [_short(part.title).replace(", ", ",\n") for part in plan.parts], ids)
    panel.set_title("Recall: share of each category's pictures that are ranked first", loc="left")
    return drawing


def set_sizes(modalities: Report) -> Figure:
    """Share of answered pictures by size of their prediction set, a bar a modality."""
    drawing = Figure(figsize=(6.2, 3.2))
    panel = drawing.subplots()
    width = 0.8 / len(modalities)
    for i, (name, own) in enumerate(modalities.items()):
        counts = np.array(own["setSizes"][1:])
        shares = counts / max(1, counts.sum())
        mean = figure(own, "meanSetSize").value
        places = np.arange(1, len(counts) + 1) - 0.4 + width * (i + 0.5)
        panel.bar(places, shares * 100, width * 0.94, color=COLOURS[i], label=f"{name}, mean {mean:.2f}")
    panel.set(xlabel="categories in the set", ylabel="answered pictures, %", xticks=range(1, len(counts) + 1))
    panel.grid(axis="x", visible=False)
    panel.legend()
    return drawing


def skin_tone(sets: Report) -> Figure:
    """Balanced accuracy by set and tone with its interval; a row in words where there are too few."""
    rows = [(name, tone, row) for name, tones in sets.items() for tone, row in tones.items()]
    drawing = Figure(figsize=(7.4, 0.27 * len(rows) + 1.2))
    panel = drawing.subplots()
    order = list(sets)
    for place, (name, _tone, row) in enumerate(rows):
        if row["figures"] is None:
            panel.text(0.01, place, "too few to say", va="center", color=SOFT, fontsize=8)
            continue
        value = figure(row["figures"], "balancedAccuracy")
        colour = COLOURS[order.index(name) % len(COLOURS)]
        assert value.value is not None
        if value.interval:
            panel.plot(value.interval, [place, place], color=colour, linewidth=1.6)
        panel.plot([value.value], [place], "o", color=colour, markersize=5)
    panel.set_yticks(range(len(rows)), [f"{name}, {tone_label(tone)} ({row['pictures']})" for name, tone, row in rows])
    panel.set(
        xlim=(0, 1), ylim=(len(rows) - 0.4, -0.6), xlabel="balanced accuracy, 95 % interval (pictures in brackets)"
    )
    panel.grid(axis="y", visible=False)
    panel.tick_params(axis="y", length=0)
    return drawing
