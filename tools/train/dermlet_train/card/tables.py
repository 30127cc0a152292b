"""Markdown tables from evaluate's reports. Nothing is worked out here: every number is one of a report's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .plan import Plan, Target
from .reports import Report, Value, figure, section


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(
        f"| {' | '.join(cells)} |" if cells else "|" + "---|" * len(header) for cells in [header, (), *rows]
    )


def dense(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table without the columns in which nothing is defined, such as melanoma's for a model that has no melanoma."""
    kept = [i for i in range(len(header)) if not rows or any(row[i] not in ("-", "") for row in rows)]
    return markdown([header[i] for i in kept], [[row[i] for i in kept] for row in rows])


def share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def short(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


FEW = "fewer than 20 lesions or patients of"  # the column of `few`; the bound is evaluate's


def few(own: Report | None) -> str:
    """The categories that few lesions or patients of a section stand for, each with how many."""
    return "" if own is None else ", ".join(f"{name} {count}" for name, count in own.get("few", {}).items())


def summary_table(plan: Plan, report: Report, positive: str) -> str:
    """One row a part, intervals in brackets. `positive` is what a reader calls the class of the one-against-all
    figures.
    """
    name = positive.lower()
    columns = {
        "balanced accuracy": "balancedAccuracy",
        "macro AUC": "macroAuc",
        f"{name} AUC": "positiveAuc",
        f"{name} sensitivity at 95 % specificity": "positiveSensitivityAt95Specificity",
        "malignant AUC": "malignantAuc",
        "calibration error": "calibrationError",
        "coverage of sets": "coverage",
        "mean set size": "meanSetSize",
        "malignant in tier high": "tierHighSensitivity",
        "malignant in tier low": "malignantLow",
        "benign in tier high": "benignHigh",
        "benign in tier low": "benignLow",
    }
    rows = []
    for part in plan.parts:
        own = report["parts"][part.name]["lesions"]
        rows.append(
            [
                part.title,
                str(own["pictures"]),
                *(figure(own, key).text(2 if key == "meanSetSize" else 3) for key in columns.values()),
                few(own),
            ]
        )
    title = "validation part" if report["options"]["split"] == "val" else "part"
    return dense([title, "pictures", *columns, FEW], rows)


def class_table(own: Report) -> str:
    rows = []
    for name, row in own["perClass"].items():
        values = [short(row[key]) for key in ("recall", "precision", "auc", "coverage", "meanSetSize")]
        rows.append([name, str(row["pictures"]), *values] if row["pictures"] else [name, "0", *["-"] * len(values)])
    return markdown(["category", "pictures", "recall", "precision", "AUC", "coverage", "mean set size"], rows)


def bound(target: Target) -> str:
    words = [f"at least {target.at_least:g}"] if target.at_least is not None else []
    words += [f"at most {target.at_most:g}"] if target.at_most is not None else []
    return " and ".join(words)


def reached(target: Target, reports: Report) -> Value:
    """The target's figure; of a difference the value alone, since two measurements of other pictures have no common
    interval.
    """
    value = figure(section(reports, target.at), target.figure)
    if target.less is None or value.value is None:
        return value
    other = figure(section(reports, target.less), target.figure)
    return Value(None if other.value is None else value.value - other.value)


def met(target: Target, value: Value) -> str:
    """Whether the figure itself, not its interval, is within the bounds."""
    if value.value is None:
        return "not measured"
    low = target.at_least is None or value.value >= target.at_least
    high = target.at_most is None or value.value <= target.at_most
    return "yes" if low and high else "no"


def target_table(plan: Plan, reports: Report) -> str:
    rows = []
    for target in plan.targets:
        value = reached(target, reports)
        # A difference of pairs has no pictures of its own: those that were joined are the same lesions.
        own = section(reports, target.at.partition(".difference.")[0] + ".together") or section(reports, target.at)
        rows.append(
            [target.title, bound(target), value.text(), met(target, value), few(own) if value.value is not None else ""]
        )
    return dense(["target", "asked", "reached", "met", FEW], rows)


def published_table(plan: Plan, about: str = "figures") -> str:
    """What others published about one thing; empty where the plan names nothing."""
    rows = [[entry.what, entry.figure, entry.caveat] for entry in plan.published if entry.about == about]
    return markdown(["what", "figure", "what to know before comparing"], rows) if rows else ""


def tier_table(report: Report, positive: str) -> str:
    """Answered pictures by what they are and the tier they got, a block a modality."""
    kinds = {
        "malignant": "malignant",
        "positive": f"of them {positive.lower()}",
        "others": "all others",
        "benign": "of them of low concern",
    }
    rows = []
    for name, own in [*report["byModality"].items(), ("all", report["overall"])]:
        for kind, title in kinds.items():
            counts = own["tiers"][kind]
            if counts:
                rows.append([name, title, *(str(counts[key]) for key in ("pictures", "low", "moderate", "high"))])
    return markdown(["modality", "pictures that are", "how many", "low", "moderate", "high"], rows)


def cut_table(plan: Plan, report: Report, positive: str) -> str:
    """Sensitivity and specificity of both cuts, by modality, part and skin tone."""
    own = [*report["byModality"].items(), *((part.title, report["parts"][part.name]["lesions"]) for part in plan.parts)]
    tones = [
        (f"{name}, {tone_label(tone)}", row["figures"])
        for name, by in report["bySkinTone"].items()
        for tone, row in by.items()
        if row["figures"]
    ]
    columns = {
        "high: sensitivity": "tierHighSensitivity",
        "high: specificity": "tierHighSpecificity",
        "low: sensitivity": "tierLowSensitivity",
        "low: specificity": "tierLowSpecificity",
        f"{positive.lower()} in low": "positiveLow",
        "benign in low": "benignLow",
        "benign in high": "benignHigh",
    }
    rows = [
        [
            name,
            str(each["tiers"]["malignant"]["pictures"]),
            *(figure(each, key).text() for key in columns.values()),
            few(each),
        ]
        for name, each in [*own, *tones]
    ]
    return dense(["", "malignant pictures", *columns, FEW], rows)


def best_cut_table(report: Report) -> str:
    """Benign pictures in the outer tiers, beside what the best cuts of all would do; empty for older reports."""
    rows = []
    for name, own in report["byModality"].items():
        if best := own["tiers"].get("best"):
            cells = [(figure(own, key).text(), Value(best[key]).text()) for key in ("benignLow", "benignHigh")]
            rows.append([name, *(cell for pair in cells for cell in pair)])
    columns = ["benign in low", "with the best cuts", "benign in high", "with the best cuts"]
    return markdown(["modality", *columns], rows) if rows else ""


def calibration_table(report: Report) -> str:
    """A row a modality: the error, and what the same predictions would show if they were perfectly calibrated."""
    rows = []
    for name, own in report["byModality"].items():
        perfect = own["calibrationErrorIfPerfect"]
        rows.append(
            [
                name,
                str(own["pictures"]),
                figure(own, "calibrationError").text(),
                f"{perfect['median']:.3f}",
                f"{perfect['percentile95']:.3f}",
            ]
        )
    return markdown(
        ["modality", "pictures", "calibration error", "if perfect: median", "if perfect: 95th percentile"], rows
    )


def set_table(report: Report, positive: str) -> str:
    """A row a modality and one for all."""
    rows = []
    for name, own in [*report["byModality"].items(), ("all", report["overall"])]:
        sets = own["predictionSets"]
        cells = [
            figure(own, "coverage").text(),
            figure(own, "positiveCoverage").text(),
            figure(own, "meanSetSize").text(2),
            share(sets["shareSingle"]),
        ]
        rows.append([name, str(sets["answered"]), *cells])
    return dense(
        [
            "modality",
            "answered",
            "coverage",
            f"{positive.lower()}'s own coverage",
            "mean set size",
            "one category alone",
        ],
        rows,
    )


def tone_label(tone: str) -> str:
    """`fitzpatrick:3` -> Fitzpatrick 3; the scales run in opposite ways, which the text says."""
    scale, _, step = tone.partition(":")
    return f"{scale.capitalize()} {step}" if step else tone


def tone_table(report: Report, positive: str) -> str:
    rows = []
    for name, tones in report["bySkinTone"].items():
        for tone, row in tones.items():
            own = row["figures"]
            start = [name, tone_label(tone), str(row["pictures"]), str(row["groups"])]
            keys = (
                "balancedAccuracy",
                "macroAuc",
                "positiveAuc",
                "malignantAuc",
                "calibrationError",
                "coverage",
                "shareRefused",
            )
            rows.append(
                [*start, *(figure(own, key).text(2) for key in keys), few(own)]
                if own
                else [*start, "too few to say", *[""] * 7]
            )
    header = [
        "set",
        "tone",
        "pictures",
        "lesions or patients",
        "balanced accuracy",
        "macro AUC",
        f"{positive.lower()} AUC",
        "malignant AUC",
    ]
    return dense([*header, "calibration error", "coverage", "refused", FEW], rows)


def refusal_table(refusal: Report) -> str:
    """Pictures of no category: by label, then by kind where there are at least five."""
    rows: dict[str, Report] = {f"all with the label `{label}`": row for label, row in refusal["byLabel"].items()}
    rows |= {kind.replace("_", " "): row for kind, row in refusal["byKind"].items() if row["pictures"] >= 5}
    body = [
        [
            name,
            str(row["pictures"]),
            figure(row, "auroc").text(),
            figure(row, "aurocUncertainty").text(),
            share(row["shareRefused"]),
            share(row["shareSingle"]),
        ]
        for name, row in rows.items()
    ]
    header = [
        "pictures",
        "how many",
        "refusal score against lesions, AUROC",
        "1 - greatest probability against lesions, AUROC",
    ]
    return markdown([*header, "no category named", "shown as one category"], body)


def pair_table(pairs: Report, positive: str) -> str:
    """Each picture alone, both together, and the paired differences."""
    compared = {
        "balanced accuracy": "balancedAccuracy",
        "macro AUC": "macroAuc",
        f"{positive.lower()} AUC": "positiveAuc",
        "malignant AUC": "malignantAuc",
        "calibration error": "calibrationError",
        "coverage of sets": "coverage",
        "mean set size": "meanSetSize",
    }
    modalities: Sequence[str] = pairs["modalities"]
    rows = []
    for title, key in compared.items():
        single = [figure(pairs["alone"][name], key).text() for name in modalities]
        less = [figure(pairs["difference"][name], key) for name in modalities]
        rows.append([title, *single, figure(pairs["together"], key).text(), *(signed(value) for value in less)])
    table = markdown(
        ["", *(f"{name} alone" for name in modalities), "both together", *(f"both less {name}" for name in modalities)],
        rows,
    )
    classes = few(pairs["together"])
    return f"{table}\n\nThere are {FEW} {classes}." if classes else table


def signed(value: Value) -> str:
    if value.value is None:
        return "-"
    interval = "" if value.interval is None else f" ({value.interval[0]:+.3f} to {value.interval[1]:+.3f})"
    return f"{value.value:+.3f}{interval}"


def setting_table(plan: Plan, before: Report, after: Report, names: tuple[str, str], positive: str) -> str:
    """Parts that two reports share: balanced accuracy, macro AUC and malignant AUC in both settings."""
    rows = []
    for part in plan.parts:
        if part.name not in after["parts"]:
            continue
        pair: list[Report] = [report["parts"][part.name]["lesions"] for report in (before, after)]
        keys = ("balancedAccuracy", "macroAuc", "positiveAuc", "malignantAuc")
        rows.append(
            [
                part.title,
                *(f"{figure(pair[0], key).text()} / {figure(pair[1], key).text()}" for key in keys),
                few(pair[0]),
            ]
        )
    header = [
        "part",
        *(
            f"{title}, {names[0]} / {names[1]}"
            for title in ("balanced accuracy", "macro AUC", f"{positive.lower()} AUC", "malignant AUC")
        ),
        FEW,
    ]
    return dense(header, rows)


def storage_table(variants: Report) -> str:
    """A row a way to store the weights; the chosen one stands out."""
    modalities = sorted(variants["variants"][0]["accuracy"])
    header = [
        "storage",
        "MB with Brotli",
        *(f"balanced accuracy, {name} (change in points)" for name in modalities),
        "99 % of probabilities move less than",
    ]
    rows = []
    for row in variants["variants"]:
        name = f"**{row['name']}**" if row["name"] == variants["choice"] else row["name"]
        accuracy = [f"{row['accuracy'][m]:.3f} ({0.0 - row['drop'][m]:+.2f})" for m in modalities]
        ratio = "-" if row["ratio"] is None else f"{row['ratio']:.2f}"
        cells = [
            name,
            f"{row['brotli'] / 1e6:.2f}",
            *accuracy,
            f"{row['change']:.4f}",
            ratio,
            "; ".join(row["faults"]) or "-",
        ]
        rows.append(cells)
    return markdown([*header, "time, of the yardstick's", "refused because"], rows)


def facts_table(manifest: Mapping[str, object], download: Report | None) -> str:
    """What the model is: from its manifest, as far as that says."""
    training = manifest.get("training") or {}
    model_input, file, license_ = manifest["input"], manifest["file"], manifest["license"]
    assert (
        isinstance(training, Mapping)
        and isinstance(model_input, Mapping)
        and isinstance(file, Mapping)
        and isinstance(license_, Mapping)
    )
    stored = f", weights stored as {training['storage']} and restored at load" if "storage" in training else ""
    size = f"`{file['path']}`, {file['bytes'] / 1e6:.2f} MB{stored}"
    if download:
        size += (
            f"; {download['brotli'] / 1e6:.2f} MB to download with Brotli, {download['gzip'] / 1e6:.2f} MB with gzip"
        )
    shape = f"input {model_input['width']} x {model_input['height']}, {model_input['channels']}"
    rows = [
        ["network", f"{training['network']}, {shape}" if "network" in training else shape],
        ["file", size],
        ["sha256", f"`{file['sha256']}`"],
        [
            "licence",
            (
                f"{license_['id']}{' (non-commercial, from the data)' if license_['nonCommercial'] else ''}: see"
                f" `{license_['path']}`"
            ),
        ],
    ]
    if "pictures" in training:
        how = f"{training['pictures']['train']} pictures"
        if "epochs" in training and "samplesPerEpoch" in training:
            how += (
                f" at {training['trainSize']} px, {training['epochs']} epochs of {training['samplesPerEpoch']} samples"
            )
        if "from" in training:
            how += f", from {training['from']}"
        rows.append(["trained on", how])
    if "calibrationPictures" in training:
        counts = training["calibrationPictures"]
        rows.append(
            [
                "calibrated on",
                (
                    f"{sum(counts.values())} pictures never trained on"
                    f" ({', '.join(f'{n} {m}' for m, n in counts.items())})"
                ),
            ]
        )
    return markdown(["", ""], rows)
