"""Drawn skin pictures and tiny copies of each archive's layout, for the tests of `prepare`. Nothing here comes from a
real picture.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter


def lesion(seed: int, size: tuple[int, int] = (120, 90)) -> Image.Image:
    """A dark irregular spot on skin with texture; another seed gives another picture."""
    rng = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    cx, cy = width * rng.uniform(0.35, 0.65), height * rng.uniform(0.35, 0.65)
    angle = np.arctan2(y - cy, x - cx)
    radius = (
        min(size)
        * rng.uniform(0.15, 0.35)
        * (1 + sum(rng.uniform(-0.15, 0.15) * np.cos(k * angle + rng.uniform(0, 6)) for k in range(1, 6)))
    )
    spot = 1 / (1 + np.exp((np.hypot(x - cx, y - cy) - radius) / 3))
    coarse = Image.fromarray(rng.integers(0, 256, (height // 6 + 2, width // 6 + 2), np.uint8)).resize(
        size, Image.Resampling.BICUBIC
    )
    texture = (np.asarray(coarse, np.float32) - 128) / 128
    skin, dark = np.array([215, 170, 145]) + rng.uniform(-15, 15, 3), np.array([95, 60, 45]) + rng.uniform(-25, 25, 3)
    rgb = skin * (1 - spot[..., None]) + dark * spot[..., None] + 18 * texture[..., None]
    return Image.fromarray(rgb.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.6))


# Colour of the spot, range of its radius in shares of the shorter side, and how ragged its border is.
KINDS = {
    "mel": ((50, 40, 45), (0.3, 0.4), 0.2),
    "nv": ((125, 80, 50), (0.12, 0.2), 0.02),
    "vasc": ((190, 30, 50), (0.2, 0.3), 0.08),
}


def kind(label: str, seed: int, size: tuple[int, int] = (120, 90)) -> Image.Image:
    """A spot of a kind that can be told from the others, or for any other label stripes and no skin."""
    rng = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    grain = rng.normal(0, 4, (height, width, 1))
    if label not in KINDS:
        wave = np.sin(
            (x * np.cos(angle := rng.uniform(0, 3)) + y * np.sin(angle)) * rng.uniform(0.2, 0.9) + rng.uniform(0, 6)
        )[..., None]
        return Image.fromarray(
            (rng.uniform(60, 200, 3) + wave * rng.uniform(-55, 55, 3) + grain).clip(0, 255).astype(np.uint8)
        )
    colour, (least, most), ragged = KINDS[label]
    cx, cy = width * rng.uniform(0.42, 0.58), height * rng.uniform(0.42, 0.58)
    angle = np.arctan2(y - cy, x - cx)
    border = 1 + sum(rng.uniform(-ragged, ragged) * np.cos(k * angle + rng.uniform(0, 6)) for k in range(2, 7))
    spot = 1 / (1 + np.exp((np.hypot(x - cx, y - cy) - height * rng.uniform(least, most) * border) / 2))[..., None]
    skin, dark = np.array([215, 170, 145]) + rng.uniform(-15, 15, 3), np.array(colour) + rng.uniform(-12, 12, 3)
    return Image.fromarray((skin * (1 - spot) + dark * spot + grain).clip(0, 255).astype(np.uint8))


def kind_folders(root: Path, count: int) -> None:
    """Class folders of the three kinds of spot, `count` pictures each: what somebody would give to `finetune`.
    tests/e2e calls it too.
    """
    for k, (folder, label) in enumerate((("melanoma", "mel"), ("nevus", "nv"), ("vascular lesion", "vasc"))):
        (root / folder).mkdir(parents=True, exist_ok=True)
        for n in range(count):
            kind(label, 1000 * k + n, (224, 200)).save(root / folder / f"{label}-{n}.png")


def save(path: Path, seed: int, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lesion(seed).save(path, **({"quality": 92} | options if path.suffix == ".jpg" else options))  # type: ignore[arg-type]
    return path


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]], delimiter: str = ",") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as handle:
        writer = csv.writer(handle, delimiter=delimiter)
        if header:
            writer.writerow(header)
        writer.writerows(rows)


def ham10000(root: Path, tab: bool = False) -> None:
    rows = [
        ("HAM_0000118", "ISIC_0027419", "bkl", "histo", "80.0", "male", "scalp"),
        ("HAM_0000118", "ISIC_0025030", "bkl", "histo", "80.0", "male", "scalp"),
        ("HAM_0002730", "ISIC_0026769", "nv", "follow_up", "", "female", "unknown"),
        ("HAM_0002731", "ISIC_0026770", "mel", "histo", "55.0", "female", "back"),
    ]
    name = "HAM10000_metadata.tab" if tab else "HAM10000_metadata.csv"
    write(
        root / name,
        ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization"),
        rows,
        "\t" if tab else ",",
    )
    for i, row in enumerate(rows):
        save(root / f"HAM10000_images_part_{1 + i % 2}" / f"{row[1]}.jpg", 100 + i)


def isic2016(root: Path) -> None:
    write(
        root / "ISBI2016_ISIC_Part3_Training_GroundTruth.csv",
        (),
        [("ISIC_0000000", "benign"), ("ISIC_0000002", "malignant")],
    )
    write(root / "ISBI2016_ISIC_Part3_Test_GroundTruth.csv", (), [("ISIC_0000003", "0.0"), ("ISIC_0000004", "1.0")])
    for i, stem in enumerate(("ISIC_0000000", "ISIC_0000002", "ISIC_0000003", "ISIC_0000004")):
        save(root / f"ISBI2016_ISIC_Part3_{'Training' if i < 2 else 'Test'}_Data" / f"{stem}.jpg", 200 + i)


def isic2017(root: Path) -> None:
    header = ("image_id", "melanoma", "seborrheic_keratosis")
    rows = [("ISIC_0000010", "1.0", "0.0"), ("ISIC_0000011", "0.0", "1.0"), ("ISIC_0000012", "0.0", "0.0")]
    write(root / "ISIC-2017_Training_Part3_GroundTruth.csv", header, rows)
    for i, row in enumerate(rows):
        save(root / "ISIC-2017_Training_Data" / f"{row[0]}.jpg", 210 + i)
        save(root / "ISIC-2017_Training_Data" / f"{row[0]}_superpixels.png", 219)
    write(root / "ISIC-2017_Validation_Part3_GroundTruth.csv", header, [("ISIC_0000013", "1.0", "0.0")])
    write(root / "ISIC-2017_Test_v2_Part3_GroundTruth.csv", header, [("ISIC_0000014", "0.0", "1.0")])
    save(root / "ISIC-2017_Validation_Data" / "ISIC_0000013.jpg", 214)
    save(root / "ISIC-2017_Test_v2_Data" / "ISIC_0000014.jpg", 215)


def one_hot(columns: Sequence[str], name: str) -> list[str]:
    return ["1.0" if c == name else "0.0" for c in columns]


ISIC2018 = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
ISIC2019 = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")
MILK10K = ("AKIEC", "BCC", "BEN_OTH", "BKL", "DF", "INF", "MAL_OTH", "MEL", "NV", "SCCKA", "VASC")


def isic2018(root: Path) -> None:
    folder = root / "ISIC2018_Task3_Training_GroundTruth"
    names = ("MEL", "NV", "AKIEC", "VASC")
    stems = [f"ISIC_002431{i}" for i in range(4)]
    rows = [(s, *one_hot(ISIC2018, n)) for s, n in zip(stems, names, strict=True)]
    write(folder / "ISIC2018_Task3_Training_GroundTruth.csv", ("image", *ISIC2018), rows)
    groups = [
        ("HAM_0000550", stems[0]),
        ("HAM_0000550", stems[1]),
        ("HAM_0000552", stems[2]),
        ("HAM_0000553", stems[3]),
    ]
    header = ("image", "lesion_id", "diagnosis_confirm_type")
    write(root / "ISIC2018_Task3_Training_LesionGroupings.csv", header, [(s, g, "histopathology") for g, s in groups])
    for i, stem in enumerate(stems):
        save(root / "ISIC2018_Task3_Training_Input" / f"{stem}.jpg", 220 + i)


def isic2019(root: Path) -> None:
    rows = [
        ("ISIC_0000001", "NV"),
        ("ISIC_0000002_downsampled", "SCC"),
        ("ISIC_0053453", "AK"),
        ("ISIC_0053454", "UNK"),
    ]
    write(
        root / "ISIC_2019_Training_GroundTruth.csv", ("image", *ISIC2019), [(s, *one_hot(ISIC2019, n)) for s, n in rows]
    )
    lesions = [
        ("ISIC_0000001", ""),
        ("ISIC_0000002_downsampled", "MSK4_0011169"),
        ("ISIC_0053453", "BCN_0000001"),
        ("ISIC_0053454", "BCN_0000001"),
    ]
    header = ("image", "age_approx", "anatom_site_general", "lesion_id", "sex")
    write(
        root / "ISIC_2019_Training_Metadata.csv",
        header,
        [(s, "55.0", "anterior torso", lesion_id, "female") for s, lesion_id in lesions],
    )
    for i, (stem, _) in enumerate(rows):
        save(root / "ISIC_2019_Training_Input" / f"{stem}.jpg", 230 + i)


def isic2020(root: Path) -> None:
    header = (
        "image_name",
        "patient_id",
        "lesion_id",
        "sex",
        "age_approx",
        "anatom_site_general_challenge",
        "diagnosis",
        "benign_malignant",
        "target",
    )
    rows = [
        ("ISIC_2637011", "IP_7279968", "IL_7972535", "male", "45.0", "head/neck", "unknown", "benign", "0"),
        ("ISIC_0015719", "IP_3075186", "IL_4649854", "female", "45.0", "upper extremity", "nevus", "benign", "0"),
        ("ISIC_0052212", "IP_3075186", "IL_9087444", "female", "50.0", "lower extremity", "melanoma", "malignant", "1"),
        (
            "ISIC_0068279",
            "IP_2842074",
            "IL_4150693",
            "female",
            "45.0",
            "head/neck",
            "seborrheic keratosis",
            "benign",
            "0",
        ),
        ("ISIC_0074268", "IP_8723313", "IL_0634833", "female", "55.0", "upper extremity", "lentigo NOS", "benign", "0"),
    ]
    write(root / "ISIC_2020_Training_GroundTruth_v2.csv", header, rows)
    write(
        root / "ISIC_2020_Training_Duplicates.csv", ("image_name_1", "image_name_2"), [("ISIC_0068279", "ISIC_0074268")]
    )
    for i, row in enumerate(rows):
        save(root / "train" / f"{row[0]}.jpg", 240 + i)


def pad_ufes_20(root: Path) -> None:
    header = ("patient_id", "lesion_id", "smoke", "fitspatrick", "diagnostic", "img_id", "biopsed")
    rows = [
        ("PAT_1516", "1765", "", "", "NEV", "PAT_1516_1765_530.png", "False"),
        ("PAT_46", "881", "False", "3.0", "BCC", "PAT_46_881_939.png", "True"),
        ("PAT_46", "882", "False", "3.0", "ACK", "PAT_46_882_940.png", "True"),
        ("PAT_47", "883", "False", "1.0", "SEK", "PAT_47_883_941.png", "False"),
    ]
    write(root / "metadata.csv", header, rows)
    for i, row in enumerate(rows):
        save(root / "images" / f"imgs_part_{1 + i % 3}" / row[5], 250 + i)


def milk10k(root: Path) -> None:
    lesions = [("IL_0000652", "BCC"), ("IL_0003176", "INF"), ("IL_0004688", "SCCKA")]
    write(
        root / "MILK10k_Training_GroundTruth.csv",
        ("lesion_id", *MILK10K),
        [(i, *one_hot(MILK10K, n)) for i, n in lesions],
    )
    header = (
        "lesion_id",
        "image_type",
        "isic_id",
        "attribution",
        "copyright_license",
        "image_manipulation",
        "age_approx",
        "sex",
        "skin_tone_class",
        "site",
    )
    rows, full = [], []
    for i, (lesion_id, _) in enumerate(lesions):
        for j, kind in enumerate(("clinical: close-up", "dermoscopic")):
            stem = f"ISIC_467141{2 * i + j}"
            rows.append((lesion_id, kind, stem, "MILK study team", "CC-BY-NC", "altered", "60.0", "male", "3", "trunk"))
            full.append((stem, "Basal cell carcinoma" if i == 0 else "", "histopathology"))
            save(root / "MILK10k_Training_Input" / lesion_id / f"{stem}.jpg", 260 + 2 * i + j)
    write(root / "MILK10k_Training_Metadata.csv", header, rows)
    write(root / "MILK10k_Training_Supplement.csv", ("isic_id", "diagnosis_full", "diagnosis_confirm_type"), full)


def scin(root: Path) -> None:
    cases = [
        (
            "-1000600354148496558",
            "SCIN",
            "FST2",
            "dataset/images/-3205742176803893704.png",
            "dataset/images/-111.png",
            "",
        ),
        ("-1002039107727665188", "SCIN", "FST5", "dataset/images/-4762289084741430925.png", "", ""),
        ("-1003358831658393077", "SCIN", "NONE_SELECTED", "dataset/images/-4027806997035329030.png", "", ""),
        ("-1003844406100696311", "SCIN", "", "dataset/images/-3799298995660217860.png", "", ""),
    ]
    write(
        root / "scin_cases.csv",
        ("case_id", "source", "fitzpatrick_skin_type", "image_1_path", "image_2_path", "image_3_path"),
        cases,
    )
    header = (
        "case_id",
        "dermatologist_skin_condition_on_label_name",
        "weighted_skin_condition_label",
        "dermatologist_fitzpatrick_skin_type_label_1",
        "dermatologist_fitzpatrick_skin_type_label_2",
        "monk_skin_tone_label_us",
    )
    labels = [
        (cases[0][0], "['Eczema', 'Psoriasis']", "{'Eczema': 0.69, 'Psoriasis': 0.31}", "FST3", "FST4", "4"),
        (cases[1][0], "['Melanocytic Nevus']", "{'Melanocytic Nevus': 1.0}", "", "", "7"),
        (cases[2][0], "['Tinea', 'Eczema']", "{'Tinea': 0.5, 'Eczema': 0.5}", "", "", ""),
        (cases[3][0], "[]", "{}", "", "", ""),
    ]
    write(root / "scin_labels.csv", header, labels)
    for i, path in enumerate(p for case in cases for p in case[3:] if p):
        save(root / path, 280 + i)


# Condition as SCIN's dermatologists write it -> class of recipes/scin-rashes.toml; the last one is none of its classes.
RASHES = {
    "Acne": "acne-rosacea",
    "Impetigo": "bacterial",
    "Eczema": "eczema",
    "Herpes Zoster": "herpes",
    "Pityriasis rosea": "pityriasis-rosea",
    "Psoriasis": "psoriasis",
    "Insect Bite": "scabies-bites",
    "Tinea": "tinea",
    "Urticaria": "urticaria",
    "Verruca vulgaris": "warts",
    "Keratosis pilaris": "other",
}


def rash(condition: int, seed: int) -> Image.Image:
    """Many small spots on skin; how many, how large and of which colour goes by the condition."""
    rng = np.random.default_rng((condition, seed))
    y, x = np.mgrid[0:96, 0:128].astype(np.float32)
    colour = np.array(
        [(200, 60, 60), (220, 150, 40), (150, 60, 130), (90, 30, 30), (230, 120, 150), (170, 110, 90)][condition % 6],
        np.float32,
    )
    rgb = np.full((96, 128, 3), (215, 170, 145), np.float32) + rng.uniform(-15, 15, 3)
    for _ in range(3 + 3 * (condition % 4)):
        cx, cy, radius = rng.uniform(0, 128), rng.uniform(0, 96), rng.uniform(3, 5) + 3 * (condition // 4)
        share = 1 / (1 + np.exp(np.minimum((np.hypot(x - cx, y - cy) - radius) / 1.5, 60)))[..., None]
        rgb = rgb * (1 - share) + (colour + rng.uniform(-12, 12, 3)) * share
    return Image.fromarray((rgb + rng.normal(0, 4, (96, 128, 1))).clip(0, 255).astype(np.uint8))


def scin_rashes(root: Path, cases: int) -> None:
    """SCIN's layout with `cases` cases of each of RASHES: one to three photos each, a case in ten that the
    dermatologists disagree about.
    """
    rows, labels = [], []
    for k, condition in enumerate(RASHES):
        for n in range(cases):
            case_id = str(-1_000_000_000_000 - 1000 * k - n)
            paths = [f"dataset/images/{case_id}{i}.png" for i in range(1 + n % 3)]
            for i, path in enumerate(paths):
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                rash(k, 10 * n + i).save(root / path)
            rows.append((case_id, "SCIN", f"FST{1 + n % 6}", *paths, *[""] * (3 - len(paths))))
            weights = (
                {condition: 0.4, "Drug Rash": 0.4, "Xerosis": 0.2}
                if n % 10 == 9
                else {condition: 0.75, "Xerosis": 0.25}
            )
            labels.append((case_id, str(list(weights)), str(weights), f"FST{1 + n % 6}", "", "4"))
    write(
        root / "scin_cases.csv",
        ("case_id", "source", "fitzpatrick_skin_type", "image_1_path", "image_2_path", "image_3_path"),
        rows,
    )
    header = ("case_id", "dermatologist_skin_condition_on_label_name", "weighted_skin_condition_label")
    tones = (
        "dermatologist_fitzpatrick_skin_type_label_1",
        "dermatologist_fitzpatrick_skin_type_label_2",
        "monk_skin_tone_label_us",
    )
    write(root / "scin_labels.csv", header + tones, labels)
    (root / "LICENSE").write_text("Drawn for a test; the archive has its own terms here.\n")


def class_folders(root: Path) -> None:
    for i, (folder, stem) in enumerate(
        (("melanoma", "p1_a"), ("melanoma", "p1_b"), ("nevus", "p2_a"), ("wart", "p3_a"))
    ):
        save(root / folder / f"{stem}.jpg", 300 + i)


def split_folders(root: Path) -> None:
    for i, split in enumerate(("train", "valid", "test")):
        save(root / split / "melanoma" / f"m{i}.jpg", 310 + i)


def label_table(root: Path, rows: Sequence[tuple[str, str, str, str]], set_name: str = "drawn") -> Path:
    """rows: image, label, group, split; the pictures must lie in root/images/<set>/ already."""
    path = root / "labels.csv"
    header = ("set", "image", "label", "group", "split", "modality", "source_label")
    write(path, header, [(set_name, image, label, group, split, "photo", label) for image, label, group, split in rows])
    return path
