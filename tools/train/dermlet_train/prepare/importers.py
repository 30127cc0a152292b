"""Readers for labelled skin pictures as their archives ship them; each yields the same typed `Row`.

Sources of the formats (columns as the archives write them): HAM10000 on Harvard Dataverse (doi 10.7910/DVN/DBW86T), the
ISIC challenges 2016-2020 (challenge.isic-archive.com/data), PAD-UFES-20 (doi 10.17632/zr7vgbcyr2.1), MILK10k
(challenge.isic-archive.com/landing/milk10k), SCIN (github.com/google-research-datasets/scin, dataset_schema.md). A
table is known by its columns, not by its file name.

A challenge's own division into training, validation and test is kept as the stated split when the source holds more
than the training part; where it holds only that, the split is left open and drawn later.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from .rows import MODALITIES, SPLITS, LeftOut, PrepareError, Row
from .tables import Folder, Table

ISIC_2018 = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
ISIC_2019 = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")
MILK10K = ("AKIEC", "BCC", "BEN_OTH", "BKL", "DF", "INF", "MAL_OTH", "MEL", "NV", "SCCKA", "VASC")
UNREAD = "Save them as JPEG or PNG if they are pictures."
MILK10K_SETS = {"dermoscopy": "milk10k-derm", "photo": "milk10k-clinical"}
_SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}
_ISIC_ID = re.compile(r"ISIC_\d{7}")


@dataclass(frozen=True)
class Options:
    """What a folder alone cannot say. `set_name` replaces the layout's own name; `modality` is for layouts that state
    none.
    """

    set_name: str = ""
    modality: str = "photo"
    group_pattern: str = ""
    scin_min_weight: float = 0.5
    official_splits: bool = True
    images: Path | None = None  # label tables: folder of <set>/<image>, where it is not beside the table


@dataclass
class Import:
    """What one layout gave: rows, what was left out and why, and remarks worth printing."""

    layout: str
    tables: list[Path]
    rows: list[Row] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Layout:
    """`find` gives the tables that prove the layout is there (empty: it is not); `read` fills an `Import` from them."""

    name: str
    title: str
    find: Callable[[Folder], list[Table]]
    read: Callable[[Folder, list[Table], Options, Import], None]


def _columns(*needed: str, without: tuple[str, ...] = ()) -> Callable[[Folder], list[Table]]:
    return lambda folder: [t for t in folder.tables if t.has(*needed) and not set(without) & set(t.header)]


def _official(table: Table) -> str:
    """The part of a challenge that a ground-truth file name states; training where it says nothing."""
    name = table.path.stem.lower()
    return "test" if "test" in name else "val" if "validation" in name else "train"


def _isic_links(stem: str, *keys: str) -> tuple[str, ...]:
    """Lesion and patient keys first (the first one names the group), then the archive-wide picture id, which joins
    copies across challenges.
    """
    found = _ISIC_ID.match(stem)
    return tuple(k for k in (*keys, found.group() if found else stem) if k)


def _one_hot(line: dict[str, str], columns: tuple[str, ...], table: Table) -> str:
    """The column that is 1. A submission with probabilities, or a line without exactly one class, is refused."""
    try:
        values = [float(line[c] or 0) for c in columns]
    except ValueError as error:
        raise PrepareError(f"{table.path.name}: {error}") from error
    if sorted(values)[-1:] != [1.0] or sum(values) != 1.0:
        raise PrepareError(
            f"{table.path.name}: {next(iter(line.values()))} does not have exactly one class set to 1 (is this a ground"
            " truth?)"
        )
    return columns[values.index(1.0)]


class _Collector:
    """Adds rows to an `Import`, looking every picture up and noting those that are missing."""

    def __init__(self, folder: Folder, into: Import, name: str) -> None:
        self.folder, self.into, self.name = folder, into, name

    def add(self, stem: str, name: str, path: Path | None = None, set_name: str = "", **rest: object) -> None:
        found = path or self.folder.picture(stem)
        chosen = set_name or self.name
        if found is None:
            self.into.left_out.append(
                LeftOut(chosen, stem, "no file", "the table names a picture that is not under the folder")
            )
            return
        self.into.rows.append(Row(chosen, found.name, found, name, **rest))  # type: ignore[arg-type]


def _drop_single_part(into: Import) -> None:
    """A source with one part only states no split: training pictures alone still need a validation part."""
    parts = {row.split for row in into.rows if row.split}
    if parts == {"train"}:
        into.rows = [replace(row, split="") for row in into.rows]
    elif parts:
        counts = Counter(row.split or "open" for row in into.rows)
        into.notes.append(
            "the archive's own split is kept: " + ", ".join(f"{n} {s}" for s, n in sorted(counts.items()))
        )


def _read_ham10000(folder: Folder, tables: list[Table], options: Options, into: Import) -> None:
    out = _Collector(folder, into, options.set_name or "ham10000")
    for table in tables:
        for line in table:
            how = f"{line['dx']}/{line['dx_type']}" if line.get("dx_type") else line["dx"]
            links = _isic_links(line["image_id"], line["lesion_id"])
            out.add(
                line["image_id"],
                line["dx"],
                links=links,
                split=_official(table),
                modality="dermoscopy",
                source_label=how,
                license="CC BY-NC 4.0",
            )


def _find_isic2016(folder: Folder) -> list[Table]:
    return [t for t in folder.tables if not t.header and t.first[1] in ("benign", "malignant", "0.0", "1.0", "0", "1")]


def _read_isic2016(folder: Folder, tables: list[Table], options: Options, into: Import) -> None:
    words = {"0.0": "benign", "0": "benign", "1.0": "malignant", "1": "malignant"}
    out = _Collector(folder, into, options.set_name or "isic2016")
    for table in tables:
        for line in table:
            name = words.get(line["1"], line["1"])
            links = _isic_links(line["0"])
            out.add(
                line["0"],
                name,
                links=links,
                split=_official(table),
                modality="dermoscopy",
                source_label=name,
                license="CC0 1.0",
            )


def _read_isic2017(folder: Folder, tables: list[Table], options: Options, into: Import) -> None:
    out = _Collector(folder, into, options.set_name or "isic2017")
    for table in tables:
        for line in table:
            flags = (float(line["melanoma"]), float(line["seborrheic_keratosis"]))
            name = {(1.0, 0.0): "melanoma", (0.0, 1.0): "seborrheic_keratosis", (0.0, 0.0): "neither"}.get(flags)
            if name is None:
                raise PrepareError(f"{table.path.name}: {line['image_id']} is neither one class nor none ({flags})")
            links = _isic_links(line["image_id"])
            out.add(
                line["image_id"],
                name,
                links=links,
                split=_official(table),
                modality="dermoscopy",
                source_label=name,
                license="CC0 1.0",
            )


def _lesions(tables: Iterable[Table]) -> dict[str, str]:
    """Picture id -> lesion id from whichever companion table is there: LesionGroupings (2018), Metadata (2019) or
    HAM10000_metadata.
    """
    lesions: dict[str, str] = {}
    for table in tables:
        key = next((c for c in ("image", "image_id") if table.has(c, "lesion_id")), None)
        lesions |= {line[key]: line["lesion_id"] for line in table if line["lesion_id"]} if key else {}
    return lesions


def _read_one_hot(name: str, columns: tuple[str, ...]) -> Callable[[Folder, list[Table], Options, Import], None]:
    def read(folder: Folder, tables: list[Table], options: Options, into: Import) -> None:
        lesions = _lesions(t for t in folder.tables if t not in tables)
        present = [tuple(c for c in columns if c in table.header) for table in tables]
        out = _Collector(folder, into, options.set_name or name)
        unknown = 0
        for table, names in zip(tables, present, strict=True):
            for line in table:
                image, label = line["image"], _one_hot(line, names, table)
                lesion = lesions.get(image, "")
                unknown += not lesion
                links = _isic_links(image, lesion)
                out.add(
                    image,
                    label,
                    links=links,
                    split=_official(table),
                    modality="dermoscopy",
                    source_label=label,
                    license="CC BY-NC 4.0",
                )
        if unknown:
            into.notes.append(
                f"{unknown} pictures without a lesion id: each is a group of its own unless a duplicate joins it"
            )

    return read


def _read_isic2020(folder: Folder, tables: list[Table], options: Options, into: Import) -> None:
    same = {
        line["image_name_1"]: line["image_name_2"]
        for t in folder.tables
        if t.has("image_name_1", "image_name_2")
        for line in t
    }
    out = _Collector(folder, into, options.set_name or "isic2020")
    seen: set[str] = set()
    for table in tables:  # the v2 file (with lesion_id) repeats the first one's lines
        for line in table:
            image = line["image_name"]
            if image in seen:
                continue
            seen.add(image)
            links = _isic_links(image, line["patient_id"], line.get("lesion_id", ""), same.get(image, ""))
            source_label = f"{line['diagnosis']}/{line['benign_malignant']}"
            out.add(
                image,
                line["diagnosis"],
                links=links,
                modality="dermoscopy",
                source_label=source_label,
                license="CC BY-NC 4.0",
            )


def _read_pad(folder: Folder, tables: list[Table], options: Options, into: Import) -> None:
    out = _Collector(folder, into, options.set_name or "pad-ufes-20")
    for table in tables:
        for line in table:
            tone = line.get("fitspatrick", "")
            tone = f"fitzpatrick:{int(float(tone))}" if tone else ""
            how = line["diagnostic"] + ("/biopsed" if line.get("biopsed", "").lower() == "true" else "")
            stem = Path(line["img_id"]).stem
            links = (line["patient_id"], stem)
            out.add(
                stem,
                line["diagnostic"],
                links=links,
                modality="photo",
                source_label=how,
                skin_tone=tone,
                license="CC BY 4.0",
            )


def _read_milk10k(folder: Folder, tables: list[Table], options: Options, into: Import) -> None:
    diagnosis = {line["lesion_id"]: _one_hot(line, MILK10K, table) for table in tables for line in table}
    details = {
        line["isic_id"]: line["diagnosis_full"]
        for t in folder.tables
        if t.has("isic_id", "diagnosis_full")
        for line in t
    }
    metadata = [t for t in folder.tables if t.has("lesion_id", "isic_id", "image_type")]
    if not metadata:
        raise PrepareError(
            f"{tables[0].path.name} needs MILK10k_Training_Metadata.csv (lesion_id, isic_id, image_type) beside it"
        )
    out = _Collector(folder, into, options.set_name)
    unlabelled = 0
    for table in metadata:
        for line in table:
            label = diagnosis.get(line["lesion_id"])
            if label is None:
                unlabelled += 1
                continue
            modality = "dermoscopy" if line["image_type"].startswith("dermoscop") else "photo"
            full = details.get(line["isic_id"], "")
            tone = line.get("skin_tone_class", "")
            out.add(
                line["isic_id"],
                label,
                set_name=f"{options.set_name}-{modality}" if options.set_name else MILK10K_SETS[modality],
                links=_isic_links(line["isic_id"], line["lesion_id"]),
                modality=modality,
                source_label=f"{label}/{full}" if full else label,
                skin_tone=f"milk:{int(float(tone))}" if tone else "",
                license=line.get("copyright_license", "").replace("CC-BY-NC", "CC BY-NC 4.0") or "CC BY-NC 4.0",
            )
    if unlabelled:
        into.notes.append(
            f"{unlabelled} pictures have no ground truth (the benchmark's test part) and are not imported"
        )


def _literal(text: str, kind: type, where: str) -> object:
    """SCIN writes Python literals into cells; only literals are read, nothing is run."""
    if not text:
        return kind()
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        raise PrepareError(f"{where}: cannot read {text[:60]!r}") from error
    if not isinstance(value, kind):
        raise PrepareError(f"{where}: expected a {kind.__name__}, found {text[:60]!r}")
    return value


def _scin_tone(label: dict[str, str], case: dict[str, str]) -> str:
    """Dermatologists' Fitzpatrick estimate (median of up to three), else the Monk scale estimate, else what the person
    said of themselves.
    """
    estimates = sorted(
        int(m.group())
        for i in (1, 2, 3)
        if (m := re.search(r"[1-6]", label.get(f"dermatologist_fitzpatrick_skin_type_label_{i}", "")))
    )
    if estimates:
        return f"fitzpatrick:{estimates[(len(estimates) - 1) // 2]}"
    for column in ("monk_skin_tone_label_us", "monk_skin_tone_label_india"):
        if label.get(column):
            return f"monk:{int(float(label[column]))}"
    own = re.search(r"[1-6]", case.get("fitzpatrick_skin_type", ""))
    return f"fitzpatrick-self:{own.group()}" if own else ""


def _read_scin(folder: Folder, tables: list[Table], options: Options, into: Import) -> None:
    labels = {
        line["case_id"]: line for t in folder.tables if t.has("case_id", "weighted_skin_condition_label") for line in t
    }
    if not labels:
        raise PrepareError(
            f"{tables[0].path.name} needs scin_labels.csv (case_id, weighted_skin_condition_label) beside it"
        )
    set_name = options.set_name or "scin"
    out = _Collector(folder, into, set_name)
    for case in (line for table in tables for line in table):
        case_id = case["case_id"]
        label = labels.get(case_id, {})
        weights = _literal(label.get("weighted_skin_condition_label", ""), dict, f"case {case_id}")
        assert isinstance(weights, dict)
        paths = [case.get(f"image_{i}_path", "") for i in (1, 2, 3)]
        best = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:2]
        tie = len(best) == 2 and best[0][1] == best[1][1]
        if not best or tie or best[0][1] < options.scin_min_weight:
            why = (
                "no dermatologist's label"
                if not best
                else f"{best[0][0]} has {best[0][1]:.2f}, less than {options.scin_min_weight} or tied"
            )
            into.left_out += [LeftOut(set_name, Path(p).name, "uncertain label", why) for p in paths if p]
            continue
        name, weight = best[0]
        votes = (
            label.get("dermatologist_skin_condition_on_label_name")
            or label.get("dermatologist_skin_condition_label_name")
            or "[]"
        )
        count = len(_literal(votes, list, f"case {case_id}"))  # type: ignore[arg-type]
        for path in filter(None, paths):
            links = (f"scin:{case_id}", f"scin-image:{Path(path).stem}")
            source_label = f"{name}/{weight:.2f} of {count} votes"
            tone = _scin_tone(label, case)
            out.add(
                Path(path).stem,
                name,
                links=links,
                modality="photo",
                source_label=source_label,
                skin_tone=tone,
                license="SCIN Data Use License",
            )


def _read_tables(folder: Folder, tables: list[Table], options: Options, into: Import) -> None:
    """Our own label tables: set, image, label; optional group, split, modality, source_label, skin_tone, license,
    source_repo.
    """
    for table in tables:
        beside = table.path.parent
        bases = [options.images] if options.images else [beside / "images", beside, folder.base / "images"]
        for line in table:
            set_name, image, split = line["set"], line["image"], line.get("split", "")
            modality = line.get("modality") or options.modality
            if split and split not in SPLITS:
                raise PrepareError(
                    f"{table.path.name}: {set_name}/{image} has the split {split!r}; known are {', '.join(SPLITS)}"
                )
            if modality not in MODALITIES:
                raise PrepareError(
                    f"{table.path.name}: {set_name}/{image} has the modality {modality!r}; known are"
                    f" {', '.join(MODALITIES)}"
                )
            path = next((p for base in bases if (p := base / set_name / image).is_file()), None)
            if path is None:
                into.left_out.append(
                    LeftOut(
                        set_name,
                        image,
                        "no file",
                        f"no {set_name}/{image} in images/ beside the table, or in the folder given",
                    )
                )
                continue
            key = Path(image).stem if _ISIC_ID.fullmatch(Path(image).stem) else f"{set_name}/{image}"
            links = tuple(k for k in (line.get("group", ""), key) if k)
            rest = {c: line.get(c, "") for c in ("source_label", "skin_tone", "license", "source_repo")}
            into.rows.append(Row(set_name, image, path, line["label"], links, split, modality, **rest))


def _find_folders(folder: Folder) -> list[Table]:
    return []  # proven by pictures, not tables: see `detect`


def _read_folders(folder: Folder, tables: list[Table], options: Options, into: Import) -> None:
    """root/<class>/.../<image> or root/<train|val|test>/<class>/.../<image>."""
    pattern = re.compile(options.group_pattern) if options.group_pattern else None
    set_name = options.set_name or folder.base.resolve().name
    loose = unmatched = 0
    for path in folder.pictures:
        parts = path.relative_to(folder.base).parts
        split = _SPLIT_FOLDERS.get(parts[0].lower(), "") if len(parts) > 2 else ""
        if len(parts) < (3 if split else 2):
            loose += 1
            into.left_out.append(LeftOut(set_name, path.name, "no class", "the picture lies in no class folder"))
            continue
        relative = path.relative_to(folder.base).as_posix()
        found = pattern.search(relative) if pattern else None
        unmatched += pattern is not None and found is None
        own = f"{set_name}/{found.group(1) if found and found.groups() else found.group()}" if found else ""
        links = (
            tuple(k for k in (own, *_isic_links(path.stem)) if k)
            if _ISIC_ID.match(path.stem)
            else (own or f"{set_name}/{relative}",)
        )
        name = parts[1] if split else parts[0]
        into.rows.append(Row(set_name, relative, path, name, links, split, options.modality, name))
    for path in folder.unread:
        into.left_out.append(LeftOut(set_name, path.relative_to(folder.base).as_posix(), "kind not read", UNREAD))
    if kinds := Counter(path.suffix.lower() or "no ending" for path in folder.unread):
        counted = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
        into.notes.append(
            f"{sum(kinds.values())} files are of a kind that is not read ({counted}): they are left out. {UNREAD}"
        )
    if unmatched:
        into.notes.append(
            f"the group pattern fits {unmatched} of {len(into.rows)} pictures not: each of them is a group of its own"
        )
    if not pattern:
        into.notes.append(
            "no lesion or patient is known: each picture is a group of its own (give a group pattern if names tell)"
        )
    if loose:
        into.notes.append(f"{loose} pictures lie in no class folder and are left out")


LAYOUTS: tuple[Layout, ...] = (
    Layout("table", "label table (set, image, label, ...)", _columns("set", "image", "label"), _read_tables),
    Layout("ham10000", "HAM10000", _columns("lesion_id", "image_id", "dx"), _read_ham10000),
    Layout("isic2016", "ISIC 2016, part 3", _find_isic2016, _read_isic2016),
    Layout("isic2017", "ISIC 2017, part 3", _columns("image_id", "melanoma", "seborrheic_keratosis"), _read_isic2017),
    Layout("isic2018", "ISIC 2018, task 3", _columns("image", *ISIC_2018), _read_one_hot("isic2018", ISIC_2018)),
    Layout("isic2019", "ISIC 2019", _columns("image", *ISIC_2019[:8]), _read_one_hot("isic2019", ISIC_2019)),
    Layout(
        "isic2020",
        "ISIC 2020 (SIIM-ISIC)",
        _columns("image_name", "patient_id", "diagnosis", "benign_malignant"),
        _read_isic2020,
    ),
    Layout("pad-ufes-20", "PAD-UFES-20", _columns("patient_id", "img_id", "diagnostic"), _read_pad),
    Layout("milk10k", "MILK10k", _columns("lesion_id", *MILK10K), _read_milk10k),
    Layout("scin", "SCIN", _columns("case_id", "image_1_path"), _read_scin),
    Layout("folders", "class folders", _find_folders, _read_folders),
)
BY_NAME = {layout.name: layout for layout in LAYOUTS}


def detect(folder: Folder) -> list[tuple[Layout, list[Table]]]:
    """Every layout whose tables lie under the folder; class folders only where there is no table of a known layout."""
    found = [(layout, tables) for layout in LAYOUTS if (tables := layout.find(folder))]
    if found:
        return found
    inside = [p for p in folder.pictures if len(p.relative_to(folder.base).parts) > 1]
    return [(BY_NAME["folders"], [])] if inside else []


def import_source(root: Path, layout: str = "", options: Options | None = None) -> Iterator[Import]:
    """Reads a folder or table. Without `layout` everything that is recognised is read.

    Raises PrepareError when nothing is recognised, the requested layout is not there, or none of a layout's pictures
    is.
    """
    options = options or Options()
    if not root.exists():
        raise PrepareError(f"{root}: no such file or folder")
    if layout and layout not in BY_NAME:
        raise PrepareError(f"unknown layout {layout!r}; known are {', '.join(BY_NAME)}")
    folder = Folder(root)
    if layout:
        chosen = BY_NAME[layout]
        tables = chosen.find(folder)
        if not tables and layout != "folders":
            seen = ", ".join(t.path.name for t in folder.tables[:8]) or "no table at all"
            raise PrepareError(f"{root}: no table with the columns of {chosen.title} (found {seen})")
        found = [(chosen, tables)]
    else:
        found = detect(folder)
    if not found:
        known = "; ".join(f"{item.name} ({item.title})" for item in LAYOUTS)
        raise PrepareError(f"{root}: neither a known table nor class folders with pictures. Known layouts: {known}")
    for item, tables in found:
        result = Import(item.name, [t.path for t in tables])
        item.read(folder, tables, options, result)
        if not result.rows:
            reasons = Counter(entry.reason for entry in result.left_out)
            raise PrepareError(
                f"{root}: {item.title} gave no picture ({dict(reasons) or 'empty tables'}). Are the pictures unpacked"
                " under this folder?"
            )
        if not options.official_splits and item.name != "table":
            result.rows = [replace(row, split="") for row in result.rows]
        if item.name != "table":  # a table says what it means
            _drop_single_part(result)
        result.notes += folder.notes
        folder.notes = []
        yield result
