"""How good a locator.onnx is: recall by width, false candidates, agreement on real photos, and the thresholds that the
figures suggest.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..card.tables import markdown
from ..onnx_export import session_of
from ..store import Store
from .extent import Box, extent_of
from .network import PREPROCESSING, Candidate, candidates, overlap

FALSE_SHARE = 0.05  # of pictures without a spot that may get a frame
TWICE_SHARE = 0.05  # of pictures of one spot for which a second one may be reported
LOWEST = 0.01  # candidates with a lower score are ignored


class Finder:
    """A locator.onnx in onnxruntime, read as the core reads it."""

    def __init__(self, path: Path) -> None:
        self.session = session_of(path)
        self.size = int(self.session.get_inputs()[0].shape[2])

    def find(self, pixels: np.ndarray) -> list[Candidate]:
        """(H, W, 3) uint8, upright -> candidates, best first."""
        view = np.asarray(Image.fromarray(pixels).resize((self.size, self.size), Image.Resampling.BICUBIC))
        return candidates(self.session.run(None, {"pixels": PREPROCESSING.normalise(view[None])})[0][0], LOWEST)


@dataclass(frozen=True)
class Seen:
    """What was found in a picture, and where its spots are (empty: unknown, or none)."""

    kind: str
    found: list[Candidate]
    truth: list[Box]

    @property
    def score(self) -> float:
        return self.found[0].score if self.found else 0.0

    @property
    def ratio(self) -> float:
        """The second score as a share of the first."""
        return self.found[1].score / self.found[0].score if len(self.found) > 1 else 0.0


def hit(candidate: Candidate, truth: Box) -> bool:
    """Whether a frame around the candidate would show the spot well: its centre in the middle half, its sides within a
    factor of 1.75.
    """
    box = candidate.box
    near = abs(box[0] - truth[0]) < truth[2] / 4 and abs(box[1] - truth[1]) < truth[3] / 4
    return near and all(abs(math.log(box[a] / truth[a])) < math.log(1.75) for a in (2, 3))


def inside(candidate: Candidate, truth: Box) -> bool:
    """Whether the candidate's centre lies in the truth's box."""
    return abs(candidate.box[0] - truth[0]) < truth[2] / 2 and abs(candidate.box[1] - truth[1]) < truth[3] / 2


def seen_in_folder(finder: Finder, folder: Path) -> Iterator[Seen]:
    """The pictures of a folder that `small-lesions` drew."""
    with (folder / "labels.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    for row in rows:
        with Image.open(folder / row["set"] / row["image"]) as image:
            pixels = np.asarray(image.convert("RGB"))
        height, width = pixels.shape[:2]
        truth: list[Box] = []
        for suffix in ("", "2"):
            if row["x" + suffix]:
                x, y, w, h = (float(row[key + suffix]) for key in ("x", "y", "width", "height"))
                truth.append(((x + w / 2) / width, (y + h / 2) / height, w / width, h / height))
        yield Seen(row["set"], finder.find(pixels), truth)


def seen_in_store(finder: Finder, store: Store, part: str) -> Iterator[Seen]:
    """The real pictures of a part: lesions by set, with the box that colour gives where it is plausible; what is no
    lesion by its kind.
    """
    for i in store.where(part):
        row, pixels = store.rows[i], store.picture(i)
        if row["label"] == "none":
            yield Seen(row["source_label"], finder.find(pixels), [])
        elif row["set"] != "other-skin":
            extent = extent_of(pixels)
            yield Seen(row["set"], finder.find(pixels), [extent.box] if extent.plausible else [])


def quantile_above(scores: Sequence[float], share: float) -> float:
    """The least threshold that at most `share` of the scores reach."""
    ranked = sorted(scores, reverse=True)
    allowed = int(len(ranked) * share)
    return float(np.nextafter(ranked[allowed], 2)) if allowed < len(ranked) else 0.0


def _share(values: Sequence[bool]) -> str:
    return f"{np.mean(values):.2f}" if len(values) else "-"


def _up(value: float) -> float:
    """The next number of four decimals: rounding down would let one more through."""
    return math.ceil(value * 1e4) / 1e4


@dataclass(frozen=True)
class Thresholds:
    """`spot`: the score from which a spot is there. `second`: the share of the first score, where that is a spot, from
    which a second is about as good.

    The second need not reach `spot` itself: in pictures of two spots it often falls a little short of it where the
    first does not.
    """

    spot: float
    second: float

    def two(self, seen: Seen) -> bool:
        return seen.score >= self.spot and seen.ratio >= self.second


def suggest(pictures: Sequence[Seen]) -> Thresholds:
    """Thresholds by what may go wrong: `FALSE_SHARE` of healthy skin, drawn and real each, with a spot, `TWICE_SHARE`
    of the drawn single spots with a second.

    Raises ValueError where there is no healthy skin or no drawn single spot among the pictures.
    """
    healthy = [[one.score for one in pictures if one.kind == kind] for kind in HEALTHY]
    single = [one for one in pictures if one.kind in SINGLE]
    if not any(healthy) or not single:
        raise ValueError("thresholds need pictures of healthy skin and drawn single spots: give --small")
    spot = max(quantile_above(scores, FALSE_SHARE) for scores in healthy if scores)
    ratios = [one.ratio if one.score >= spot else 0.0 for one in single]
    return Thresholds(_up(spot), _up(max(0.05, quantile_above(ratios, TWICE_SHARE))))


SINGLE = ("small-2", "small-4", "small-8", "small-12")
HEALTHY = ("small-none", "healthy_skin", "healthy")


def report(pictures: Sequence[Seen], limits: Thresholds) -> tuple[str, dict[str, dict[str, float | int]]]:
    """The tables as Markdown, and the same figures by kind."""
    with_truth, without, figures = [], [], {}
    for kind in dict.fromkeys(one.kind for one in pictures):
        here = [one for one in pictures if one.kind == kind]
        known = [one for one in here if one.truth]
        there = [one.score >= limits.spot for one in here]
        two = [limits.two(one) for one in here]
        figures[kind] = {
            "pictures": len(here),
            "spot": round(float(np.mean(there)), 4),
            "second": round(float(np.mean(two)), 4),
        }
        if not known:
            scores = [one.score for one in here]
            without.append([kind, str(len(here)), _share(there), f"{np.median(scores):.2f}", f"{max(scores):.2f}"])
            continue
        best = [one for one in known if one.found]
        hits = [any(hit(one.found[0], box) for box in one.truth) for one in best] + [False] * (len(known) - len(best))
        centred = [any(inside(one.found[0], box) for box in one.truth) for one in best] + [False] * (
            len(known) - len(best)
        )
        shared = [max(overlap(one.found[0].box, box) for box in one.truth) for one in best] + [0.0] * (
            len(known) - len(best)
        )
        useful = [
            one.score >= limits.spot and bool(one.found) and any(hit(one.found[0], box) for box in one.truth)
            for one in known
        ]
        every = [
            all(any(hit(c, box) for c in one.found if c.score >= limits.spot) for box in one.truth) for one in known
        ]
        figures[kind] |= {
            "known": len(known),
            "centred": round(float(np.mean(centred)), 4),
            "framed": round(float(np.mean(hits)), 4),
            "framed_over_threshold": round(float(np.mean(useful)), 4),
            "iou_half": round(float(np.mean([s >= 0.5 for s in shared])), 4),
            "all_found": round(float(np.mean(every)), 4),
        }
        columns = (centred, [s >= 0.3 for s in shared], [s >= 0.5 for s in shared], hits, there, useful, every, two)
        with_truth.append([kind, str(len(known)), *(_share(column) for column in columns)])
    head = [
        "pictures of",
        "place known",
        "centre in box",
        "IoU 0.3",
        "IoU 0.5",
        "framed",
        "spot said",
        "said and framed",
        "all spots framed",
        "second said",
    ]
    text = (
        markdown(head, with_truth)
        + "\n\n"
        + markdown(["no spot known", "pictures", "spot said", "median score", "highest score"], without)
    )
    return text, figures


def measure(model: Path, small: Sequence[Path], store_path: Path | None, part: str, out: Path | None) -> Thresholds:
    """Prints tables and thresholds; writes them to `out` as JSON where given. `small`: folders of `small-lesions`, the
    first of which decides thresholds.
    """
    finder = Finder(model)
    folders = [list(seen_in_folder(finder, folder)) for folder in small]
    real = list(seen_in_store(finder, Store.open(store_path), part)) if store_path else []
    limits = suggest((folders[0] if folders else []) + real)
    print(
        f"Best candidate of each picture; a spot from a score of {limits.spot}, a second from {limits.second} of the"
        " first score.\n"
    )
    written: dict[str, object] = {"spot": limits.spot, "second": limits.second, "size": finder.size}
    for name, pictures in [
        *zip((folder.name for folder in small), folders, strict=True),
        *([(part, real)] if real else []),
    ]:
        text, figures = report(pictures, limits)
        print(f"### {name}\n\n{text}\n")
        written[name] = figures
    if out is not None:
        out.write_text(json.dumps(written, indent=2) + "\n")
    return limits
