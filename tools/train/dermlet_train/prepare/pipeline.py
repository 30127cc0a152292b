"""The whole step, top to bottom: import, unify names, decode, find copies, group, check for leaks, drop copies, split,
write.
"""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..reading import plain
from ..store import part_of, write_store
from .duplicates import Pair, Thresholds, find_duplicates
from .importers import Import, Options, import_source
from .labels import DEFAULT, NONE, OTHER, SKIP, ClassMap
from .manifest import file_sha256, write_manifest
from .pictures import AUTO, Decoded, PictureCache
from .rows import LeftOut, PrepareError, Row
from .splits import Fractions, LeakError, assign_splits, find_groups, find_leaks, lower_split_rows
from .summary import markdown, svg

LEAK_HINT = (
    "Repair the table, or run with --leaks drop: of each such group only the pictures of the split held out most stay"
    " (test before val before train). pairs.csv in the output folder shows which copies joined groups."
)


@dataclass(frozen=True)
class Source:
    """A folder or table to import; `layout` empty means: recognise it."""

    path: Path
    layout: str = ""
    options: Options = field(default_factory=Options)


@dataclass(frozen=True)
class Settings:
    """Everything that decides what a store holds.

    duplicates: `drop` keeps one picture of each exact or near copy, `join` keeps all of them in one group. leaks:
    `fail` or `drop`. conflicts (copies of one picture with different classes): `first` keeps the preferred copy with
    its class, `drop` leaves all of them out. unknown (class names that the mapping file does not hold): `report` leaves
    them out, `fail` stops. licenses: if given, only rows with one of these. reader: one of pictures.READERS, or
    pictures.AUTO.
    """

    short_side: int = 256
    seed: int = 1
    fractions: Fractions = field(default_factory=Fractions)
    calibration: float = 0.08
    calibration_by_class: bool = (
        False  # stratify the calibration part like val and test, so that no rare class is missed by chance
    )
    thresholds: Thresholds = field(default_factory=Thresholds)
    duplicates: str = "drop"
    conflicts: str = "first"
    leaks: str = "fail"
    unknown: str = "report"
    licenses: tuple[str, ...] = ()
    reader: str = AUTO
    workers: int = 2


@dataclass
class Report:
    """What a run did: counts for people and tests."""

    counts: dict[str, int]
    notes: list[str]


def say(message: str) -> None:
    """One line; what strangers named cannot act on the terminal."""
    print(f"prepare: {plain(message)}", flush=True)


def import_all(sources: Sequence[Source]) -> list[Import]:
    """Imports every source and says what was found. A file that two tables describe counts once, as its first table has
    it.
    """
    imports: list[Import] = []
    seen: dict[Path, str] = {}
    for source in sources:
        for found in import_source(source.path, source.layout, source.options):
            fresh = []
            for row in found.rows:
                if row.path in seen:
                    found.left_out.append(
                        LeftOut(row.set, row.image, "listed twice", f"already read for {seen[row.path]}")
                    )
                else:
                    seen[row.path] = row.set
                    fresh.append(row)
            found.rows = fresh
            sets = ", ".join(f"{n} {name}" for name, n in sorted(Counter(row.set for row in fresh).items()))
            reasons = "".join(
                f"; {n} {reason}" for reason, n in sorted(Counter(entry.reason for entry in found.left_out).items())
            )
            say(
                f"{source.path}: {found.layout} in {', '.join(t.name for t in found.tables) or 'folders'}:"
                f" {sets or 'nothing new'}{reasons}"
            )
            for note in found.notes:
                say(f"  {note}")
            imports.append(found)
    taken = Counter((row.set, row.image) for found in imports for row in found.rows)
    if clash := [f"{s}/{i}" for (s, i), n in taken.items() if n > 1]:
        raise PrepareError(
            f"{len(clash)} pictures share set and name, for instance {clash[0]}: give one of the sources another set"
            " name (NAME=path)"
        )
    return imports


def unify(
    rows: Iterable[Row], classes: ClassMap, settings: Settings
) -> tuple[list[tuple[Row, str]], list[LeftOut], list[str]]:
    """Rows with their class, what was left out, and remarks on names that the mapping file does not hold."""
    kept: list[tuple[Row, str]] = []
    left_out: list[LeftOut] = []
    unknown: Counter[tuple[str, str]] = Counter()
    for row in rows:
        target = classes.unify(row.set, row.name)
        if settings.licenses and row.license not in settings.licenses:
            left_out.append(LeftOut(row.set, row.image, "licence", row.license or "none stated"))
        elif target is None:
            unknown[row.set, row.name] += 1
            left_out.append(LeftOut(row.set, row.image, "unknown class", row.name))
        elif target == SKIP:
            left_out.append(LeftOut(row.set, row.image, "left out by the mapping", row.name))
        else:
            kept.append((row, target))
    notes = [
        f"unknown class name {name!r} in {set_name}: {n} pictures left out"
        for (set_name, name), n in sorted(unknown.items())
    ]
    if unknown and settings.unknown == "fail":
        raise PrepareError("\n".join([f"{classes.path.name} does not hold these names:", *map(plain, notes)]))
    return kept, left_out, notes


def choose_copies(pairs: Sequence[Pair], order: Sequence[int]) -> dict[int, Pair]:
    """Which rows to drop as copies and the pair that says of what. `order` ranks the rows: a copy goes if a better
    ranked kept row is its copy.
    """
    rank = {i: place for place, i in enumerate(order)}
    partners: dict[int, list[Pair]] = {}
    for pair in pairs:
        if pair.kind != "alike" and pair.a in rank and pair.b in rank:
            for i in (pair.a, pair.b):
                partners.setdefault(i, []).append(pair)
    dropped: dict[int, Pair] = {}
    for i in order:
        for pair in partners.get(i, []):
            other = pair.b if pair.a == i else pair.a
            if rank[other] < rank[i] and other not in dropped:
                dropped[i] = pair
                break
    return dropped


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(header)
        writer.writerows(rows)


def _ticker(what: str, every: float = 10.0) -> Callable[[int, int], None]:
    """A progress line at most every ten seconds, and at the end."""
    started = last = time.monotonic()

    def tick(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done == total or now - last >= every:
            last = now
            say(f"{what} {done}/{total}, {done / max(now - started, 1e-3):.0f} a second")

    return tick


@dataclass
class Material:
    """Everything known before anything is decided: `rows`, `labels` and `entries` run in parallel, pairs hold indices
    into them.
    """

    imports: list[Import]
    rows: list[Row]
    labels: list[str]
    entries: list[Decoded]
    pairs: list[Pair]
    left_out: list[LeftOut]
    notes: list[str]

    def name(self, i: int) -> str:
        return f"{self.rows[i].set}/{self.rows[i].image}"


def prepare(
    sources: Sequence[Source], out: Path | None, settings: Settings, classes: ClassMap | None = None, look: bool = False
) -> Report:
    """Runs the step. With `look` only the sources are read and reported, nothing is decoded or written.

    Writes into `out`: the store (see store.py), manifest.json, summary.md, summary.svg, pairs.csv (copies found),
    left-out.csv. Raises PrepareError.
    """
    classes = classes or ClassMap.load(DEFAULT)
    imports = import_all(sources)
    kept, dropped, unknown = unify((row for found in imports for row in found.rows), classes, settings)
    for note in unknown:
        say(note)
    if not kept:
        raise PrepareError(
            "no picture is left after unifying class names" + (" and licences" if settings.licenses else "")
        )
    left_out = [entry for found in imports for entry in found.left_out] + dropped
    notes = [f"{found.layout}: {note}" for found in imports for note in found.notes] + unknown
    if look or out is None:
        for (set_name, label), n in sorted(Counter((row.set, label) for row, label in kept).items()):
            say(f"{set_name}: {n} {label}")
        return Report({"pictures": len(kept), "left out": len(left_out)}, notes)
    material = _decode(
        Material(imports, [row for row, _ in kept], [label for _, label in kept], [], [], left_out, notes),
        out,
        settings,
    )
    groups = find_groups([row.links for row in material.rows], ((p.a, p.b) for p in material.pairs))
    gone = _leave_out(material, groups, out, settings)
    return _write(material, groups, gone, out, settings, classes)


def _decode(material: Material, out: Path, settings: Settings) -> Material:
    """Fills in what the pixels tell, without the pictures that cannot be read."""
    with PictureCache(out, settings.short_side, settings.reader) as cache:
        say("pictures are read by " + ("the page's own core" if cache.reader == "core" else "Pillow"))
        fresh = cache.decode([row.path for row in material.rows], settings.workers, _ticker("decoded"))
        say(f"{fresh} files decoded, {len(material.rows) - fresh} unchanged since an earlier run")
        entries = [cache.known[str(row.path)] for row in material.rows]
        bad = [i for i, entry in enumerate(entries) if entry.error]
        for i in bad[:20]:
            say(f"unreadable: {material.name(i)}: {entries[i].error}")
        if len(bad) > 20:
            say(f"... and {len(bad) - 20} more unreadable files (left-out.csv)")
        good = [i for i, entry in enumerate(entries) if not entry.error]
        if not good:
            raise PrepareError("no picture could be read")
        unreadable = [
            LeftOut(material.rows[i].set, material.rows[i].image, "unreadable", entries[i].error) for i in bad
        ]
        kept = [entries[i] for i in good]
        pairs = find_duplicates(
            [entry.pixels for entry in kept], cache.thumbs(kept), settings.thresholds, _ticker("compared")
        )
    rows, labels = [material.rows[i] for i in good], [material.labels[i] for i in good]
    return replace(
        material, rows=rows, labels=labels, entries=kept, pairs=pairs, left_out=material.left_out + unreadable
    )


def _rank(rows: Sequence[Row], entries: Sequence[Decoded]) -> list[int]:
    """Best copy first: with a stated split before without (a held-out set stays whole), larger before smaller, earlier
    source before later.
    """
    return sorted(
        range(len(rows)), key=lambda i: (not rows[i].split, -entries[i].source_width * entries[i].source_height, i)
    )


def _leave_out(material: Material, groups: Sequence[str], out: Path, settings: Settings) -> dict[int, LeftOut]:
    """Rows that leave because of leaks, contradictions and copies, in this order. Raises LeakError unless leaks are to
    be dropped.
    """
    rows, labels, pairs = material.rows, material.labels, material.pairs
    stated, names = [row.split for row in rows], [material.name(i) for i in range(len(rows))]
    counts = Counter(p.kind for p in pairs)
    differ = [p for p in pairs if p.kind != "alike" and labels[p.a] != labels[p.b]]
    _write_table(
        out / "pairs.csv",
        ("kind", "a", "b", "label_a", "label_b", "split_a", "split_b", "turn", "bits", "whole", "detail"),
        (
            (
                p.kind,
                names[p.a],
                names[p.b],
                labels[p.a],
                labels[p.b],
                stated[p.a],
                stated[p.b],
                p.turn,
                p.bits,
                p.whole,
                p.detail,
            )
            for p in pairs
        ),
    )
    say(
        f"{counts['exact']} exact and {counts['copy']} near copies, {counts['alike']} pairs alike; {len(differ)} copies"
        " with another class (pairs.csv)"
    )
    leaks = find_leaks(groups, stated)
    if leaks and settings.leaks == "fail":
        _write_table(
            out / "leaks.csv",
            ("group", "picture", "split"),
            ((leak.group, names[i], stated[i]) for leak in leaks for i in leak.rows),
        )
        raise LeakError(leaks, names, stated, LEAK_HINT)
    (out / "leaks.csv").unlink(missing_ok=True)
    gone: dict[int, LeftOut] = {}

    def leave(i: int, reason: str, detail: str) -> None:
        gone.setdefault(i, LeftOut(rows[i].set, rows[i].image, reason, detail))

    for i in lower_split_rows(leaks, stated):
        leave(i, "leak", f"group {groups[i]} is held out elsewhere")
    if settings.conflicts == "drop":
        for p in differ:
            leave(p.a, "copies disagree", f"{labels[p.a]}, but {names[p.b]} is {labels[p.b]}")
            leave(p.b, "copies disagree", f"{labels[p.b]}, but {names[p.a]} is {labels[p.a]}")
    if settings.duplicates == "drop":
        for i, pair in choose_copies(pairs, [i for i in _rank(rows, material.entries) if i not in gone]).items():
            leave(i, "copy", f"{pair.kind} of {names[pair.b if pair.a == i else pair.a]}")
    return gone


def _records(
    material: Material, groups: Sequence[str], stay: Sequence[int], settings: Settings
) -> list[dict[str, str]]:
    """The store's rows with split and part. Checks once more that no group is in two parts."""
    rows, labels = material.rows, material.labels
    own = [groups[i] for i in stay]
    splits = assign_splits(
        own,
        [labels[i] for i in stay],
        [rows[i].set for i in stay],
        [rows[i].split for i in stay],
        settings.fractions,
        settings.seed,
    )
    records = []
    for i, split in zip(stay, splits, strict=True):
        row = rows[i]
        record = {
            "set": row.set,
            "image": row.image,
            "label": labels[i],
            "group": groups[i],
            "split": split,
            "modality": row.modality,
        }
        record |= {
            "source_label": row.source_label,
            "skin_tone": row.skin_tone,
            "license": row.license,
            "source_repo": row.source_repo,
        }
        records.append(record | {"part": part_of(record, settings.calibration)})
    if settings.calibration_by_class:
        training = [record for record in records if record["split"] == "train"]
        groups, labels, sets = ([record[key] for record in training] for key in ("group", "label", "set"))
        fractions = Fractions(settings.calibration, 0.0)
        drawn = assign_splits(groups, labels, sets, [""] * len(training), fractions, settings.seed)
        for record, split in zip(training, drawn, strict=True):
            record["part"] = "calib" if split == "val" else "train"
    parts = [record["part"] for record in records]
    if leaks := find_leaks(own, parts):
        raise LeakError(
            leaks, [material.name(i) for i in stay], parts, "This is a fault of the splitting code: please report it."
        )
    return records


def _write(
    material: Material,
    groups: Sequence[str],
    gone: Mapping[int, LeftOut],
    out: Path,
    settings: Settings,
    classes: ClassMap,
) -> Report:
    """Draws the splits and writes store, manifest, summary and the list of what was left out."""
    stay = [i for i in range(len(material.rows)) if i not in gone]
    if not stay:
        raise PrepareError("no picture is left: see left-out.csv")
    records, entries = _records(material, groups, stay, settings), [material.entries[i] for i in stay]
    left_out = sorted([*material.left_out, *gone.values()], key=lambda entry: (entry.set, entry.image, entry.reason))
    _write_table(
        out / "left-out.csv",
        ("set", "image", "reason", "detail"),
        ((e.set, e.image, e.reason, e.detail) for e in left_out),
    )
    kinds, reasons, parts = (
        Counter(p.kind for p in material.pairs),
        Counter(e.reason for e in left_out),
        Counter(r["part"] for r in records),
    )
    totals = {"pictures": len(records), "groups": len({r["group"] for r in records}), "left out": len(left_out)}
    totals |= {f"pairs {kind}": kinds[kind] for kind in ("exact", "copy", "alike")} | {
        f"left out: {k}": n for k, n in sorted(reasons.items())
    }
    totals |= {f"part {part}": n for part, n in sorted(parts.items())}
    largest, size = Counter(r["group"] for r in records).most_common(1)[0]
    notes = [
        *material.notes,
        f"the largest group ({largest}) has {size} pictures",
        *(f"left out, {k}: {n}" for k, n in sorted(reasons.items())),
    ]
    present = {r["label"] for r in records}
    order = [label for label in (*classes.classes, OTHER, NONE) if label in present]
    write_store(out, records, [e.offset for e in entries], [e.height for e in entries], [e.width for e in entries])
    pictures = [_picture(record, entry) for record, entry in zip(records, entries, strict=True)]
    write_manifest(out / "manifest.json", _head(material.imports, settings, classes, totals, notes), pictures)
    (out / "summary.md").write_text(
        markdown(records, order, notes) + "\n![Share of each class per set and part](summary.svg)\n", encoding="utf-8"
    )
    (out / "summary.svg").write_text(svg(records, order), encoding="utf-8")
    counted = ", ".join(f"{n} {part}" for part, n in sorted(parts.items()))
    say(f"{len(records)} pictures in {totals['groups']} groups: {counted}; {len(left_out)} left out (left-out.csv)")
    return Report(totals, notes)


def _head(
    imports: Sequence[Import], settings: Settings, classes: ClassMap, totals: Mapping[str, int], notes: Sequence[str]
) -> dict[str, Any]:
    sources = []
    for found in imports:
        tables = [{"name": t.name, "sha256": file_sha256(t)} for t in found.tables]
        sources.append({"layout": found.layout, "tables": tables, "pictures": len(found.rows)})
    chosen = asdict(settings)
    del chosen["workers"]  # decides the time, not the result
    names = {"file": classes.path.name, "sha256": classes.sha256, "classes": list(classes.classes)}
    return {"settings": chosen, "classMap": names, "sources": sources, "counts": dict(totals), "remarks": list(notes)}


def _picture(row: Mapping[str, str], entry: Decoded) -> dict[str, Any]:
    short = {key: row[key] for key in ("set", "image", "label", "group", "split", "part")}
    return short | {
        "sha256": entry.sha256,
        "pixels": entry.pixels,
        "width": entry.source_width,
        "height": entry.source_height,
    }
