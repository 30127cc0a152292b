"""The prepared set for people: a Markdown table and an SVG plot of classes per set and part. No plotting library is
needed for stacked bars.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

PARTS = ("train", "calib", "val", "test")
# Okabe and Ito's colours, told apart with any colour vision; further classes reuse them.
_COLOURS = (
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#999999",
    "#6A4C93",
    "#444444",
)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; zeros are left blank, since what is absent is what one looks for."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join("" if cell == 0 else str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _cells(rows: Sequence[Mapping[str, str]]) -> tuple[Counter[tuple[str, str, str]], list[tuple[str, str]]]:
    counts = Counter((row["set"], row["part"], row["label"]) for row in rows)
    order = sorted({(s, p) for s, p, _ in counts}, key=lambda key: (key[0], PARTS.index(key[1])))
    return counts, order


def markdown(rows: Sequence[Mapping[str, str]], labels: Sequence[str], notes: Sequence[str]) -> str:
    """Pictures and groups per set, part and class; skin tones; then the remarks of the run."""
    counts, order = _cells(rows)
    body = [
        [s, p, *(counts[s, p, label] for label in labels), sum(counts[s, p, label] for label in labels)]
        for s, p in order
    ]
    parts = [p for p in PARTS if any(p == part for _, part in order)]
    by_part = Counter((row["part"], row["label"]) for row in rows)
    body += [
        ["**all**", p, *(by_part[p, label] for label in labels), sum(by_part[p, label] for label in labels)]
        for p in parts
    ]
    groups = {p: len({row["group"] for row in rows if row["part"] == p}) for p in parts}
    text = ["# Prepared pictures", "", table(["set", "part", *labels, "all"], body), ""]
    text += [
        "Groups (a lesion, a patient, or copies; never in two parts): "
        + ", ".join(f"{groups[p]} in {p}" for p in parts)
        + ".",
        "",
    ]
    tones = Counter((row["set"], row["skin_tone"], row["part"]) for row in rows if row.get("skin_tone"))
    if tones:
        keys = sorted({(s, t) for s, t, _ in tones})
        text += [
            "## Skin tone, as the source states it",
            "",
            table(["set", "tone", *parts], [[s, t, *(tones[s, t, p] for p in parts)] for s, t in keys]),
            "",
        ]
    if notes:
        text += ["## Remarks", "", *(f"- {note}" for note in notes), ""]
    return "\n".join(text)


def svg(rows: Sequence[Mapping[str, str]], labels: Sequence[str]) -> str:
    """Stacked horizontal bars, one per set and part, each of full width (shares), with the number of pictures beside
    it.
    """
    counts, order = _cells(rows)
    left, width, bar, gap, top = 210, 640, 18, 6, 58
    height = top + len(order) * (bar + gap) + 12
    colour = {label: _COLOURS[i % len(_COLOURS)] for i, label in enumerate(labels)}
    out = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 90} {height}"'
            ' font-family="sans-serif" font-size="12" role="img">'
        ),
        "<title>Share of each class per set and part</title>",
        f'<rect width="100%" height="{height}" fill="#ffffff"/>',
    ]
    for i, label in enumerate(labels):
        x, y = left + (i % 8) * 80, 12 + (i // 8) * 18
        out.append(
            f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colour[label]}"/><text x="{x + 17}" y="{y + 11}"'
            f' fill="#222222">{escape(label)}</text>'
        )
    for i, (set_name, part) in enumerate(order):
        y, start = top + i * (bar + gap), float(left)
        total = sum(counts[set_name, part, label] for label in labels)
        out.append(
            f'<text x="{left - 8}" y="{y + 13}" text-anchor="end" fill="#222222">{escape(set_name)}, {part}</text>'
        )
        for label in labels:
            count = counts[set_name, part, label]
            if not count:
                continue
            share = width * count / total
            title = f"{escape(set_name)}, {part}, {escape(label)}: {count} of {total}"
            out.append(
                f'<rect x="{start:.1f}" y="{y}" width="{share:.1f}" height="{bar}"'
                f' fill="{colour[label]}"><title>{title}</title></rect>'
            )
            start += share
        out.append(f'<text x="{left + width + 8}" y="{y + 13}" fill="#222222">{total}</text>')
    return "\n".join([*out, "</svg>", ""])
