"""The model card: every number stated is one of the report's; the same report gives the same bytes; other models need
no other code.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from card_drawn import MANIFEST, PLAN, evaluation
from PIL import Image

from dermlet_train import card, repository
from dermlet_train.card import measure, page, plots, reports, tables
from dermlet_train.card.plan import Part, Plan, Target, read_rows


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    path = tmp_path / "tiny-3.card.toml"
    path.write_text(PLAN)
    return Plan.load(path)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny-3"
    (folder / "figures").mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))
    (folder / "figures" / "evaluation.json").write_text(json.dumps(evaluation()))
    return folder


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Drawn once: matplotlib takes its time."""
    path = tmp_path_factory.mktemp("plan") / "plan.toml"
    path.write_text(PLAN)
    return plots.draw_all(Plan.load(path), MANIFEST, evaluation())


def numbers_in(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for entry in value.values() for number in numbers_in(entry)]
    if isinstance(value, list):
        return [number for entry in value for number in numbers_in(entry)]
    return [value] if isinstance(value, int | float) else []


class TestPlan:
    def test_parts_are_given_to_evaluate(self, plan: Plan) -> None:
        assert [part.option() for part in plan.parts] == ["atlas:atlas:mole:spot", "clinic:clinic"]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                PLAN.replace("test_time_augmentation = false", "test_time_augmentatoin = false"),
                r"unknown keys \['test_time_augmentatoin'\]",
            ),
            (PLAN.replace('figure = "balancedAccuracy"\n', "", 1), "target Atlas: balanced accuracy: .*figure"),
            (PLAN.replace("degraded = true", "degrade = true"), "part An atlas, 2 categories: .*degrade"),
            ("readme = false", "no part"),
        ],
    )
    def test_a_slip_is_an_error(self, tmp_path: Path, text: str, message: str) -> None:
        path = tmp_path / "plan.toml"
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            Plan.load(path)

    def test_follows_from_the_data_where_there_is_none(self) -> None:
        rows = [
            {"set": "b", "image": "1", "label": "mel", "group": "g", "modality": "photo"},
            {"set": "a", "image": "2", "label": "mel", "group": "g", "modality": "dermoscopy"},
            {"set": "c", "image": "3", "label": "none", "group": "", "modality": "photo"},
        ]
        assert Plan.from_rows(rows, {"mel"}) == Plan((Part("a", "a", ("a",)), Part("b", "b", ("b",))), pairs=True)
        assert not Plan.from_rows(rows[:1], {"mel"}).pairs
        assert [part.merge for part in Plan.from_report(evaluation()).parts] == [("mole:spot",), ()]

    def test_plans_of_the_repository_can_be_read_and_name_what_exists(self) -> None:
        paths = list(repository.RECIPES.glob("*.card.toml"))
        assert paths
        for path in paths:
            own = Plan.load(path)
            names = {part.name for part in own.parts}
            for target in own.targets:
                steps = target.at.split(".")
                assert steps[0] in page.REPORTS
                assert "parts" not in steps or steps[2] in names, target.title
                assert tables.bound(target), target.title


class TestFigures:
    own = evaluation()["overall"]

    def test_are_found_by_name_with_their_interval(self) -> None:
        value = reports.figure(self.own, "positiveAuc")
        assert value.value == self.own["positive"]["auc"]
        assert value.interval == tuple(self.own["intervals"]["positiveAuc"])
        assert reports.figure(evaluation()["refusal"], "lesionsRefused") == reports.Value(0.043, (0.02, 0.06))
        assert reports.figure(evaluation()["pairs"]["difference"]["photo"], "positiveAuc") == reports.Value(
            0.0321, (-0.0123, 0.0766)
        )

    def test_not_measured_is_not_a_slip(self) -> None:
        assert reports.figure(
            reports.section({"evaluation": evaluation()}, "test-time-augmentation.overall"), "accuracy"
        ) == reports.Value(None)
        assert reports.figure({**self.own, "positive": None}, "positiveAuc") == reports.Value(None)
        with pytest.raises(KeyError):
            reports.figure(self.own, "acuracy")

    @pytest.mark.parametrize(
        ("value", "least", "most", "answer"),
        [
            (0.82, 0.82, None, "yes"),
            (0.8199, 0.82, None, "no"),
            (0.9, 0.88, 0.92, "yes"),
            (0.93, 0.88, 0.92, "no"),
            (None, 0.1, None, "not measured"),
        ],
    )
    def test_targets(self, value: float | None, least: float | None, most: float | None, answer: str) -> None:
        assert tables.met(Target("t", "x", "y", least, most), reports.Value(value)) == answer

    def test_a_difference_is_of_both_reports(self) -> None:
        target = Target("t", "degraded.overall", "accuracy", at_least=-0.03, less="evaluation.overall")
        both = {"evaluation": {"overall": {"accuracy": 0.8}}, "degraded": {"overall": {"accuracy": 0.75}}}
        assert tables.reached(target, both).value == pytest.approx(-0.05)
        assert tables.reached(target, {"evaluation": both["evaluation"]}).value is None


class TestCard:
    def test_states_no_number_that_is_not_in_the_report(self, plan: Plan) -> None:
        report = evaluation()
        text = page.card_text(MANIFEST, plan, {"evaluation": report})
        known = (
            numbers_in(report)
            + [MANIFEST["file"]["bytes"] / 1e6]
            + [target.at_least or target.at_most or 0 for target in plan.targets]
            + [0.9]
        )
        decimals = re.findall(r"(?<![\w.])[+-]?(\d+\.\d+)(%?)(?![\w.])", text)
        assert len(decimals) > 150
        for number, percent in decimals:
            digits = len(number.split(".")[1])
            scale = 100 if percent else 1
            assert any(abs(round(abs(value) * scale, digits) - float(number)) < 1e-9 for value in known), (
                f"{number}{percent} is nowhere in the report"
            )

    def test_states_what_it_should(self, plan: Plan) -> None:
        report = evaluation()
        text = page.card_text(MANIFEST, plan, {"evaluation": report})
        atlas = report["parts"]["atlas"]["lesions"]
        low, high = atlas["intervals"]["balancedAccuracy"]
        assert (
            f"| An atlas, 2 categories | {atlas['pictures']} | {atlas['balancedAccuracy']:.3f} ({low:.2f} to"
            f" {high:.2f}) |" in text
        )
        assert re.search(r"\| Atlas: balanced accuracy \| at least 0.1 \| 0\.\d{3} \(.*\) \| yes \|", text)
        assert "| Refusal | at most 0.01 | 0.043 (0.02 to 0.06) | no |" in text
        assert "| Augmented | at least 0.9 | - | not measured |" in text
        assert "| clinic | Fitzpatrick 5 | 4 | 4 | too few to say |" in text
        assert "There are fewer than 20 lesions or patients of mel 4, mole 17." in text  # below the pairs
        assert re.search(r"\| clinic \| Fitzpatrick 2 \| 33 \| 30 \|.*\| mel 4, mole 17 \|", text)
        assert "| balanced accuracy |" in text and "+0.032 (-0.012 to +0.077)" in text
        high = report["parts"]["clinic"]["lesions"]["tiers"]["high"]["sensitivity"]
        assert f"{high:.3f}" in text.partition("## Concern tiers")[2].partition("## ")[0]
        tiers = report["byModality"]["photo"]["tiers"]["malignant"]
        assert (
            f"| photo | malignant | {tiers['pictures']} | {tiers['low']} | {tiers['moderate']} | {tiers['high']} |"
            in text
        )
        beside, tiered = text.partition("## Concern tiers")[::2]
        assert "Somebody's app" in tiered and "Somebody's app" not in beside and "| Somebody's |" in beside
        assert "none: cat or dog" in text and "none: wall" not in text  # three pictures say nothing
        assert "Test-time augmentation" not in text and "Coarse pictures" not in text

    def test_names_the_categories_of_few_lesions_beside_each_figure(self, plan: Plan) -> None:
        report = evaluation()
        own = report["parts"]["atlas"]["lesions"]
        own["few"] = {"mel": 3}
        summary, targets = (
            tables.summary_table(plan, report, "Melanoma"),
            tables.target_table(plan, {"evaluation": report}),
        )
        row = next(line for line in summary.splitlines() if line.startswith("| An atlas"))
        assert row.endswith("| mel 3 |") and "| fewer than 20 lesions or patients of |" in summary.splitlines()[0]
        assert next(line for line in targets.splitlines() if "Atlas: balanced accuracy" in line).endswith(
            "| yes | mel 3 |"
        )
        for part in report["parts"].values():
            part["lesions"]["few"] = {}
        assert "fewer than" not in tables.summary_table(plan, report, "Melanoma")

    def test_settings_that_were_measured_are_told(self, plan: Plan) -> None:
        other = evaluation(2)
        text = page.card_text(
            MANIFEST,
            plan,
            {
                "evaluation": evaluation(),
                "degraded": {**other, "parts": {"atlas": other["parts"]["atlas"]}},
                "test-time-augmentation": other,
            },
        )
        told = text.split("## Coarse pictures")[1].split("##")[0]
        assert f"/ {other['parts']['atlas']['lesions']['balancedAccuracy']:.3f}" in told
        assert "A clinic" not in told
        augmented = text.split("## Test-time augmentation")[1].split("##")[0]
        assert "A clinic" in augmented
        assert f"| {other['pairs']['together']['balancedAccuracy']:.3f} (" in augmented

    def test_storage_is_told_where_it_was_measured(self, plan: Plan) -> None:
        row = {
            "name": "int8",
            "accuracy": {"photo": 0.5},
            "drop": {"photo": -0.25},
            "change": 0.0123,
            "ratio": 1.1,
            "brotli": 4_560_000,
            "faults": [],
        }
        other = row | {"name": "fp16", "drop": {"photo": 0.0}, "ratio": None, "faults": ["too slow"]}
        variants = {
            "variants": [other, row],
            "choice": "int8",
            "pictures": {"photo": 20},
            "yardstick": {"network": "efficientnet-lite0", "side": 224},
        }
        text = page.card_text(MANIFEST, plan, {"evaluation": evaluation(), "variants": variants})
        assert "| **int8** | 4.56 | 0.500 (+0.25) | 0.0123 | 1.10 | - |" in text
        assert "| fp16 | 4.56 | 0.500 (+0.00) | 0.0123 | - | too slow |" in text
        assert "How the weights are stored" not in page.card_text(MANIFEST, plan, {"evaluation": evaluation()})

    def test_what_was_left_out_is_told(self, plan: Plan) -> None:
        report = evaluation()
        assert "Left out" not in page.card_text(MANIFEST, plan, {"evaluation": report})
        report["counts"] |= {"unreadable": 2, "unknownLabels": {"wart": 7}}
        text = page.card_text(MANIFEST, plan, {"evaluation": report})
        assert (
            "Left out: 7 pictures labelled `wart`, which it has no category for; 2 pictures that could not be read."
            in text
        )

    def test_a_model_without_melanoma_tones_negatives_or_pairs(self, plan: Plan) -> None:
        report = evaluation() | {
            "bySkinTone": {},
            "refusal": None,
            "pairs": None,
            "options": {"split": "test", "positive": None, "malignant": ["mel"]},
        }
        for own in [
            report["overall"],
            *report["byModality"].values(),
            *(part["lesions"] for part in report["parts"].values()),
        ]:
            own["positive"] = None
            own["roc"]["positive"] = []
        text = page.card_text(MANIFEST, plan, {"evaluation": report})
        assert "positive class AUC" not in text and "on the test split" in text
        assert "## By skin tone" not in text and "## Pictures of no category" not in text
        assert set(plots.draw_all(plan, MANIFEST, report)) >= {"roc.svg", "reliability.svg"}

    def test_every_drawing_shown_is_drawn_and_every_one_drawn_is_shown(self, model: Path, plan: Plan) -> None:
        (model / "figures" / "confusion-gone.svg").write_text("<svg/>")
        card.write_card(model, plan)
        shown = set(re.findall(r"\(figures/([\w.-]+\.svg)\)", (model / "MODEL_CARD.md").read_text()))
        assert shown == {path.name for path in (model / "figures").glob("*.svg")}

    def test_figures_of_other_weights_are_refused(self, model: Path) -> None:
        report = evaluation()
        report["model"]["sha256"] = "cd" * 32
        (model / "figures" / "degraded.json").write_text(json.dumps(report))
        with pytest.raises(ValueError, match=r"degraded\.json was measured on other weights"):
            page.load_reports(model)

    def test_readme(self, tmp_path: Path, plan: Plan) -> None:
        readme = tmp_path / "README.md"
        readme.write_text(f"before\n{page.TABLE_BEGIN}\nold\n{page.TABLE_END}\nafter\n")
        page.write_readme(plan, MANIFEST, {"evaluation": evaluation()}, readme)
        text = readme.read_text()
        assert (
            text.startswith(f"before\n{page.TABLE_BEGIN}\n| validation part |")
            and text.endswith(f"|\n{page.TABLE_END}\nafter\n")
            and "old" not in text
        )
        readme.write_text("no place")
        with pytest.raises(ValueError, match="no place for the figures"):
            page.write_readme(plan, MANIFEST, {"evaluation": evaluation()}, readme)


class TestDrawings:
    def test_same_figures_same_bytes(self, plan: Plan, drawings: dict[str, str]) -> None:
        assert plots.draw_all(plan, MANIFEST, evaluation()) == drawings

    def test_text_is_text_on_a_ground_of_its_own_and_nothing_is_fetched(self, drawings: dict[str, str]) -> None:
        assert {"confusion-atlas.svg", "confusion-clinic.svg", "skin-tone.svg", "set-sizes.svg", "classes.svg"} < set(
            drawings
        )
        for name, svg in drawings.items():
            root = ElementTree.fromstring(svg)
            words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
            assert len(words) > 4, name
            assert "fill: #ffffff" in svg, name
            assert not re.search(r"(?:href|src)=\"(?!#)|url\((?!#)|@import|@font-face|<image", svg), name
            assert not re.search(r"\d{4}-\d{2}-\d{2}T", svg), name

    def test_state_the_report_s_numbers(self, plan: Plan, drawings: dict[str, str]) -> None:
        report = evaluation()
        for part in plan.parts:
            own = report["parts"][part.name]["lesions"]
            assert f"{own['malignant']['auc']:.3f}" in drawings["roc.svg"]
            for name, row in own["perClass"].items():
                if row["pictures"]:
                    assert f"{row['recall']:.2f} of {row['pictures']}" in drawings["classes.svg"], name
            for count in np.array(own["confusion"]).flat:
                assert count == 0 or f">{count}<" in drawings[f"confusion-{part.name}.svg"]
        assert "too few to say" in drawings["skin-tone.svg"]

    def test_a_class_without_pictures_has_no_row(self, drawings: dict[str, str]) -> None:
        svg = drawings["confusion-clinic.svg"]
        assert ">spot (" in svg and ">mole (" not in svg and ">mole<" in svg


def test_figures_of_other_weights_are_forgotten_when_measured_anew(model: Path) -> None:
    old = evaluation() | {"model": {"sha256": "cd" * 32}}
    (model / "figures" / "test-time-augmentation.json").write_text(json.dumps(old))
    (model / "figures" / "download.json").write_text('{"bytes": 1}')
    measure.forget_others(model / "figures", "ab" * 32)
    assert {path.name for path in (model / "figures").glob("*.json")} == {"evaluation.json", "download.json"}


def test_speed_is_a_ratio_of_least_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "SPEED_ROUNDS", 1)
    monkeypatch.setattr(measure, "SPEED_RUNS", 2)
    shipped = measure.ROOT / "models" / "skin-8"
    measure.measure_speed(shipped, json.loads((shipped / "manifest.json").read_text()), tmp_path / "speed.json")
    told = json.loads((tmp_path / "speed.json").read_text())
    least = {name: times["least"] for name, times in told["milliseconds"].items()}
    assert told["ratio"] == pytest.approx(least["model"] / least["yardstick"], rel=0.01)
    assert least["model"] > 0  # no more can be said on a machine that is busy


def test_download_sizes(tmp_path: Path) -> None:
    (tmp_path / "zeros.onnx").write_bytes(bytes(100_000))
    sizes = measure.download_sizes(tmp_path / "zeros.onnx")
    assert sizes["bytes"] == 100_000
    assert 0 < sizes["brotli"] < sizes["gzip"] < 1000
    assert sizes["brotliMegabytes"] == 0.0


class TestCoarseCopies:
    def test_keep_their_size_and_lose_what_is_fine(self, tmp_path: Path) -> None:
        y, x = np.mgrid[0:300, 0:400]
        fine = Image.fromarray(np.repeat((((x + y) % 2) * 255).astype(np.uint8)[..., None], 3, 2))
        (tmp_path / "s").mkdir()
        fine.save(tmp_path / "s" / "a.png")
        rows = measure.degrade([{"set": "s", "image": "a.png", "label": "mel"}], tmp_path, tmp_path / "coarse", 150)
        assert rows == [{"set": "s", "image": "a.png.png", "label": "mel"}]
        copy = np.asarray(Image.open(tmp_path / "coarse" / "s" / "a.png.png"))
        assert copy.shape == (300, 400, 3)
        assert copy.std() < 5 < np.asarray(fine).std()
        expected = fine.resize((200, 150), Image.Resampling.BICUBIC).resize((400, 300), Image.Resampling.BICUBIC)
        assert np.array_equal(copy, np.asarray(expected))

    def test_what_can_not_be_read_has_no_copy(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "s").mkdir()
        (tmp_path / "s" / "broken.jpg").write_bytes(b"no picture")
        rows = [{"set": "s", "image": name, "label": "mel"} for name in ("broken.jpg", "missing.jpg")]
        assert measure.degrade(rows, tmp_path, tmp_path / "coarse", 150) == []
        assert capsys.readouterr().out.count("no coarse copy of s/") == 2

    def test_small_pictures_stay(self) -> None:
        picture = Image.new("RGB", (150, 90))
        assert measure.coarse_copy(picture, 90) is picture


def test_rows_of_a_split(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text('set,image,label,split\ns,a,"nv, x",val\ns,b,nv,train\n')
    assert read_rows([path], "val") == [{"set": "s", "image": "a", "label": "nv, x", "split": "val"}]
    measure.write_rows(tmp_path / "out.csv", [{"set": "s", "image": "a"}, {"set": "s", "image": "b", "group": "g"}])
    assert (tmp_path / "out.csv").read_text().splitlines() == ["set,image,group", "s,a,", "s,b,g"]


def test_the_drawn_report_has_the_shape_of_the_shipped_one() -> None:
    """The fixture must not drift from what evaluate writes: every section of the shipped model's report has the keys
    that the drawn one has.
    """
    shipped = json.loads((measure.ROOT / "models" / "skin-8" / "figures" / "evaluation.json").read_text())
    drawn = evaluation()
    assert set(drawn) <= set(shipped)
    assert set(drawn["overall"]) == set(shipped["overall"])
    assert set(drawn["refusal"]) == set(shipped["refusal"])
    assert set(drawn["refusal"]["all"]) == set(shipped["refusal"]["all"])
    assert set(next(iter(drawn["parts"].values()))) == set(next(iter(shipped["parts"].values())))


class TestWhatIsKnownOfThePictures:
    """A card must not say 'not used for training', nor 'from ImageNet weights', where nobody knows or where it is not
    so.
    """

    MADE = MANIFEST | {"training": {"pictures": {"train": 5}, "epochs": 2, "samplesPerEpoch": 8, "trainSize": 64}}

    @pytest.mark.parametrize(
        ("training", "split", "said"),
        [
            ({}, "val", "What the network was trained on is not known here"),
            (MADE["training"], "train", "Among these pictures are those that it was trained on"),
            (MADE["training"], None, "Among these pictures are those that it was trained on"),
            (MADE["training"], "val", "not used for training or calibration."),
            (
                MADE["training"] | {"chosenBy": ["calib", "val"]},
                "val",
                "but the epoch that was kept was chosen by them",
            ),
            (MADE["training"] | {"chosenBy": ["calib", "val"]}, "test", "not used for training or calibration."),
        ],
    )
    def test_by_split(self, plan: Plan, training: dict, split: str | None, said: str) -> None:
        report = evaluation()
        report["options"]["split"] = split
        text = page.card_text(MANIFEST | {"training": training}, plan, {"evaluation": report})
        assert said in " ".join(text.split())

    def test_what_training_began_with(self) -> None:
        assert "ImageNet" not in tables.facts_table(self.MADE, None)
        begun = self.MADE | {"training": self.MADE["training"] | {"from": "the weights of skin-8 0.3.1"}}
        assert "2 epochs of 8 samples, from the weights of skin-8 0.3.1" in tables.facts_table(begun, None)
