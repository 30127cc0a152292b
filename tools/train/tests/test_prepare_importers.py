"""Each archive's own layout, as a tiny drawn copy, gives the rows that its documentation promises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import prepare_drawn as drawn
import pytest

from dermlet_train.prepare.importers import Import, Options, import_source
from dermlet_train.prepare.labels import DEFAULT, NONE, OTHER, SKIP, ClassMap
from dermlet_train.prepare.rows import PrepareError, Row


def only(root: Path, layout: str = "", options: Options | None = None) -> Import:
    (found,) = import_source(root, layout, options)
    return found


def by_stem(found: Import) -> dict[str, Row]:
    return {Path(row.image).stem: row for row in found.rows}


@pytest.mark.parametrize(
    ("draw", "layout", "classes"),
    [
        (drawn.ham10000, "ham10000", {"bkl": 2, "nv": 1, "mel": 1}),
        (drawn.isic2016, "isic2016", {SKIP: 2, "mel": 2}),
        (drawn.isic2017, "isic2017", {"mel": 2, "bkl": 2, "nv": 1}),
        (drawn.isic2018, "isic2018", {"mel": 1, "nv": 1, "akiec": 1, "vasc": 1}),
        (drawn.isic2019, "isic2019", {"nv": 1, "scc": 1, "akiec": 1, OTHER: 1}),
        (drawn.isic2020, "isic2020", {SKIP: 1, "nv": 1, "mel": 1, "bkl": 2}),
        (drawn.pad_ufes_20, "pad-ufes-20", {"nv": 1, "bcc": 1, "akiec": 1, "bkl": 1}),
        (drawn.milk10k, "milk10k", {"bcc": 2, OTHER: 2, "scc": 2}),
        (drawn.scin, "scin", {OTHER: 2, "nv": 1}),
    ],
)
def test_layout_is_recognised_and_its_names_are_known(
    tmp_path: Path, draw: Callable[[Path], None], layout: str, classes: dict[str, int]
) -> None:
    draw(tmp_path)
    found = only(tmp_path)
    assert found.layout == layout
    names = [ClassMap.load().unify(row.set, row.name) for row in found.rows]
    assert {name: names.count(name) for name in names} == classes
    assert all(row.path.is_file() for row in found.rows)
    assert len({row.path for row in found.rows}) == len(found.rows)
    assert only(tmp_path, layout).rows == found.rows


def test_ham10000_reads_dataverse_tab_files_too(tmp_path: Path) -> None:
    drawn.ham10000(tmp_path, tab=True)
    rows = by_stem(only(tmp_path))
    assert rows["ISIC_0027419"].links == ("HAM_0000118", "ISIC_0027419")
    assert rows["ISIC_0025030"].links[0] == "HAM_0000118"
    assert rows["ISIC_0026769"].source_label == "nv/follow_up"
    assert {row.modality for row in rows.values()} == {"dermoscopy"}
    assert {row.split for row in rows.values()} == {""}


def test_challenge_splits_are_kept_where_there_is_more_than_training(tmp_path: Path) -> None:
    drawn.isic2017(tmp_path)
    rows = by_stem(only(tmp_path))
    assert [rows[f"ISIC_000001{i}"].split for i in range(5)] == ["train", "train", "train", "val", "test"]
    assert {row.split for row in only(tmp_path, options=Options(official_splits=False)).rows} == {""}


def test_masks_and_superpixels_are_no_pictures(tmp_path: Path) -> None:
    drawn.class_folders(tmp_path)
    for name in ("p2_a_superpixels.png", "p2_a_segmentation.png"):
        drawn.save(tmp_path / "nevus" / name, 1)
    assert len(only(tmp_path).rows) == 4


def test_isic2018_takes_lesions_from_the_groupings(tmp_path: Path) -> None:
    drawn.isic2018(tmp_path)
    rows = by_stem(only(tmp_path))
    assert rows["ISIC_0024310"].links[0] == rows["ISIC_0024311"].links[0] == "HAM_0000550"


def test_isic2019_takes_lesions_from_the_metadata_and_says_where_there_is_none(tmp_path: Path) -> None:
    drawn.isic2019(tmp_path)
    found = only(tmp_path)
    rows = by_stem(found)
    assert rows["ISIC_0000002_downsampled"].links == ("MSK4_0011169", "ISIC_0000002")
    assert rows["ISIC_0000001"].links == ("ISIC_0000001",)
    assert any("1 pictures without a lesion id" in note for note in found.notes)


def test_isic2020_groups_by_patient_lesion_and_the_list_of_duplicates(tmp_path: Path) -> None:
    drawn.isic2020(tmp_path)
    rows = by_stem(only(tmp_path))
    assert rows["ISIC_0015719"].links[0] == rows["ISIC_0052212"].links[0] == "IP_3075186"
    assert "ISIC_0074268" in rows["ISIC_0068279"].links


def test_pad_groups_by_patient_and_reads_skin_tone(tmp_path: Path) -> None:
    drawn.pad_ufes_20(tmp_path)
    rows = by_stem(only(tmp_path))
    assert rows["PAT_46_881_939"].links[0] == rows["PAT_46_882_940"].links[0] == "PAT_46"
    assert (rows["PAT_46_881_939"].skin_tone, rows["PAT_46_881_939"].source_label) == ("fitzpatrick:3", "BCC/biopsed")
    assert (rows["PAT_1516_1765_530"].skin_tone, rows["PAT_1516_1765_530"].source_label) == ("", "NEV")


def test_milk10k_pairs_share_a_lesion_and_stand_in_two_sets(tmp_path: Path) -> None:
    drawn.milk10k(tmp_path)
    rows = by_stem(only(tmp_path))
    photo, dermoscopy = rows["ISIC_4671410"], rows["ISIC_4671411"]
    assert photo.links[0] == dermoscopy.links[0] == "IL_0000652"
    assert (photo.set, photo.modality, dermoscopy.set, dermoscopy.modality) == (
        "milk10k-clinical",
        "photo",
        "milk10k-derm",
        "dermoscopy",
    )
    assert (photo.skin_tone, photo.source_label, photo.license) == (
        "milk:3",
        "BCC/Basal cell carcinoma",
        "CC BY-NC 4.0",
    )


def test_scin_takes_the_weightiest_condition_and_leaves_ties_out(tmp_path: Path) -> None:
    drawn.scin(tmp_path)
    found = only(tmp_path)
    rows = by_stem(found)
    eczema = rows["-3205742176803893704"]
    assert (eczema.name, eczema.source_label, eczema.skin_tone) == ("Eczema", "Eczema/0.69 of 2 votes", "fitzpatrick:3")
    assert rows["-111"].links[0] == eczema.links[0]
    assert rows["-4762289084741430925"].skin_tone == "monk:7"
    assert [entry.reason for entry in found.left_out] == ["uncertain label"] * 2
    assert len(only(tmp_path, options=Options(scin_min_weight=0.8)).rows) == 1


def test_scin_has_a_map_of_rashes(tmp_path: Path) -> None:
    drawn.scin(tmp_path)
    rashes = ClassMap.load(DEFAULT.with_name("scin-rashes.toml"))
    assert [rashes.unify(row.set, row.name) for row in only(tmp_path).rows] == ["eczema", "eczema", OTHER]


def test_class_folders(tmp_path: Path) -> None:
    drawn.class_folders(tmp_path / "mine")
    found = only(tmp_path / "mine", options=Options(modality="dermoscopy", group_pattern=r"/(p\d+)_"))
    rows = by_stem(found)
    assert found.layout == "folders"
    assert rows["p1_a"].links == rows["p1_b"].links == ("mine/p1",)
    assert (rows["p2_a"].set, rows["p2_a"].image, rows["p2_a"].name, rows["p2_a"].modality) == (
        "mine",
        "nevus/p2_a.jpg",
        "nevus",
        "dermoscopy",
    )
    assert ClassMap.load().unify("mine", "wart") is None


def test_class_folders_below_split_folders(tmp_path: Path) -> None:
    drawn.split_folders(tmp_path)
    rows = by_stem(only(tmp_path))
    assert {stem: (row.split, row.name) for stem, row in rows.items()} == {
        "m0": ("train", "melanoma"),
        "m1": ("val", "melanoma"),
        "m2": ("test", "melanoma"),
    }


def test_hidden_files_and_macos_shadows_are_not_read(tmp_path: Path) -> None:
    drawn.class_folders(tmp_path)
    drawn.save(tmp_path / "__MACOSX" / "nevus" / "x.jpg", 1)
    drawn.save(tmp_path / "nevus" / "._p2_a.jpg", 2)
    assert len(only(tmp_path).rows) == 4


def test_two_archives_in_one_folder_are_both_read(tmp_path: Path) -> None:
    drawn.ham10000(tmp_path / "ham")
    drawn.pad_ufes_20(tmp_path / "pad")
    assert [found.layout for found in import_source(tmp_path)] == ["ham10000", "pad-ufes-20"]


def test_label_table(tmp_path: Path) -> None:
    drawn.save(tmp_path / "images" / "drawn" / "a.jpg", 1)
    table = drawn.label_table(tmp_path, [("a.jpg", "mel", "g1", "val"), ("gone.jpg", "nv", "g2", "train")])
    for root in (tmp_path, table):
        found = only(root)
        assert [(row.set, row.image, row.name, row.links, row.split) for row in found.rows] == [
            ("drawn", "a.jpg", "mel", ("g1", "drawn/a.jpg"), "val")
        ]
        assert [(entry.image, entry.reason) for entry in found.left_out] == [("gone.jpg", "no file")]


def test_messages_say_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(PrepareError, match="no such file or folder"):
        only(tmp_path / "nowhere")
    with pytest.raises(PrepareError, match="neither a known table nor class folders"):
        only(tmp_path)
    drawn.ham10000(tmp_path)
    with pytest.raises(PrepareError, match=r"no table with the columns of MILK10k \(found HAM10000_metadata.csv\)"):
        only(tmp_path, "milk10k")
    for path in tmp_path.rglob("*.jpg"):
        path.unlink()
    with pytest.raises(PrepareError, match="Are the pictures unpacked"):
        only(tmp_path)


def test_a_submission_with_probabilities_is_no_ground_truth(tmp_path: Path) -> None:
    drawn.save(tmp_path / "ISIC_0000001.jpg", 1)
    drawn.write(tmp_path / "answers.csv", ("image", *drawn.ISIC2018), [("ISIC_0000001", 0.3, 0.7, 0, 0, 0, 0, 0)])
    with pytest.raises(PrepareError, match="exactly one class"):
        only(tmp_path)


def test_a_line_with_a_missing_cell_is_named(tmp_path: Path) -> None:
    drawn.ham10000(tmp_path)
    with (tmp_path / "HAM10000_metadata.csv").open("a") as handle:
        handle.write("HAM_1,ISIC_1,nv\n")
    with pytest.raises(PrepareError, match="line 6: 3 cells where the header has 7"):
        only(tmp_path)


def test_class_map(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text('classes = ["a", "b"]\n[names]\n"First  One" = "a"\n[sets.s]\n"first_one" = "b"\n"*" = "other"\n')
    classes = ClassMap.load(path)
    assert [classes.unify("t", name) for name in ("first one", "FIRST_ONE", "A", "none", "else")] == [
        "a",
        "a",
        "a",
        NONE,
        None,
    ]
    assert [classes.unify("s", name) for name in ("first one", "a", "else")] == ["b", "a", OTHER]
    path.write_text('classes = ["a"]\n[names]\nx = "c"\n')
    with pytest.raises(PrepareError, match="none of"):
        ClassMap.load(path)
    path.write_text('clases = ["a"]\n')
    with pytest.raises(PrepareError, match="needs the keys"):
        ClassMap.load(path)
