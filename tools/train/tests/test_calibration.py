"""Calibration maths against direct optimisers, NumPy and scikit-learn; coverage by simulation; rejection scores and
their file.

Nothing is scored by what it was fitted on."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar
from sklearn.covariance import EmpiricalCovariance
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from dermlet_train import rejection
from dermlet_train.calibrate.fitting import Targets, fit_modalities, fit_pair, score_limit
from dermlet_train.calibrate.outputs import dihedral
from dermlet_train.calibrate.pictures import ScoredPictures, reference_indices
from dermlet_train.calibrate.run import joined_outputs
from dermlet_train.calibration import (
    assured_rank,
    auroc,
    calibrated_probabilities,
    calibration_error,
    cross_fitted,
    energy,
    fit_combination,
    fit_temperature,
    folds_of,
    kth_smallest,
    log_softmax,
    measured_calibration,
    negative_log_likelihood,
    pairs_of,
    quantile_rank,
    refusal_threshold,
    softmax,
)
from dermlet_train.rejection import Outputs, RejectionModel, contrast, mahalanobis, nearest_neighbours
from dermlet_train.sets import (
    CoverageTarget,
    Pool,
    Scored,
    Sets,
    always,
    choose_aim,
    fewest_for_limit,
    fit_sets,
    held_out_sets,
    highest,
    limit_of,
    limits_of,
    members,
    pools_of,
    set_scores,
    truths_by_class,
)
from dermlet_train.store import Store
from dermlet_train.tiers import (
    DEFAULTS,
    HIGH,
    LOW,
    MODERATE,
    BenignTarget,
    Cuts,
    TierTargets,
    fit_cuts,
    greatest_cut,
    held_out_tiers,
    sums,
    tier_figures,
    tiers_of,
    unmeasured,
    wilson,
)

GOLDEN = Path(__file__).parents[3] / "tests/golden"


def wanted(classes: str, assured: tuple[int, ...] = ()) -> Targets:
    """The last class is of high concern, the one before it of moderate."""
    last = len(classes) - 1
    return Targets(tuple(classes), 0.9, 0.05, assured, TierTargets((last,), (last - 1,), (), 0.05, 0.03, 0.8, {}))


def drawn_logits(rng: np.random.Generator, count: int, classes: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose perfect temperature is `scale`: labels are drawn from softmax(logits / scale)."""
    logits = rng.normal(0, 2 * scale, (count, classes))
    cumulated = softmax(logits / scale).cumsum(1)
    labels = (rng.random((count, 1)) > cumulated).sum(1).clip(max=classes - 1)
    return logits, labels


class TestTemperature:
    @pytest.mark.parametrize("scale", [0.5, 1.0, 2.5])
    def test_is_the_direct_optimisers(self, scale: float) -> None:
        logits, labels = drawn_logits(np.random.default_rng(1), 2000, 5, scale)
        direct = minimize_scalar(
            lambda t: negative_log_likelihood(logits, labels, math.exp(t)),
            bounds=(-1.6, 1.6),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert fit_temperature(logits, labels) == pytest.approx(math.exp(direct.x), rel=1e-5)
        assert fit_temperature(logits, labels) == pytest.approx(scale, rel=0.1)

    def test_softmax_and_energy_do_not_overflow(self) -> None:
        logits = np.array([[1e4, -1e4, 0.0]])
        assert softmax(logits).tolist() == [[1, 0, 0]]
        assert energy(logits).tolist() == [-1e4]
        assert log_softmax(logits)[0, 0] == 0


class TestFolds:
    @settings(deadline=None)
    @given(st.lists(st.integers(0, 40), min_size=1, max_size=200))
    def test_no_group_is_in_two_folds_and_folds_are_even(self, numbers: list[int]) -> None:
        groups = [f"g{n}" for n in numbers]
        folds = folds_of(groups)
        per_group = {group: {int(f) for f, g in zip(folds, groups, strict=True) if g == group} for group in groups}
        assert all(len(found) == 1 for found in per_group.values())
        sizes = [sum(found == {fold} for found in per_group.values()) for fold in range(5)]
        assert max(sizes) - min(sizes) <= 1

    @settings(deadline=None)
    @given(st.lists(st.integers(0, 12), min_size=10, max_size=60).filter(lambda n: len(set(n)) > 1))
    def test_nothing_is_scored_by_what_it_was_fitted_on(self, numbers: list[int]) -> None:
        groups = np.array([f"g{n}" for n in numbers])
        judged = []

        def fit_apply(fitted: np.ndarray, applied: np.ndarray) -> np.ndarray:
            assert not set(groups[fitted]) & set(groups[applied])
            judged.extend(np.flatnonzero(applied))
            return np.zeros(applied.sum())

        cross_fitted(folds_of(groups.tolist()), fit_apply)
        assert sorted(judged) == list(range(len(groups)))

    def test_one_group_cannot_be_cross_fitted(self) -> None:
        with pytest.raises(ValueError, match="too few groups"):
            cross_fitted(folds_of(["a", "a"]), lambda fitted, applied: np.zeros(applied.sum()))

    def test_a_label_that_only_the_own_group_knows_does_not_leak(self) -> None:
        """One group's labels are all wrong: its own probabilities come from a temperature that does not know it."""
        rng = np.random.default_rng(2)
        logits, labels = drawn_logits(rng, 400, 3, 1.0)
        groups = [f"g{i // 4}" for i in range(400)]
        spoiled = labels.copy()
        own = np.array(groups) == "g7"
        spoiled[own] = (labels[own] + 1) % 3
        folds = folds_of(groups)
        assert np.array_equal(
            calibrated_probabilities(logits, labels, folds)[own], calibrated_probabilities(logits, spoiled, folds)[own]
        )


class TestRanks:
    @pytest.mark.parametrize(("rule", "least", "most"), [(quantile_rank, 0.9, 0.92), (assured_rank, 0.93, 0.97)])
    def test_coverage_by_simulation(self, rule: Callable[[int, float], int], least: float, most: float) -> None:
        """On average over 4000 calibration sets of 60: of uniform scores a share of 1 - the k-th greatest lies beyond
        it.
        """
        rng = np.random.default_rng(3)
        coverage = [1 - kth_smallest(rng.random(60), rule(60, 0.1)) for _ in range(4000)]
        assert least - 0.002 <= np.mean(coverage) <= most

    @pytest.mark.parametrize("count", [22, 40, 115, 400])
    def test_an_assured_rank_holds_for_nine_calibration_sets_of_ten(self, count: int) -> None:
        rng = np.random.default_rng(4)
        coverage = np.array([1 - kth_smallest(rng.random(count), assured_rank(count, 0.1)) for _ in range(3000)])
        assert (coverage >= 0.9).mean() >= 0.88
        plain = np.array([1 - kth_smallest(rng.random(count), quantile_rank(count, 0.1)) for _ in range(3000)])
        assert (plain >= 0.9).mean() < 0.8  # which is what the assured one is for
        assert coverage.mean() - plain.mean() < 0.07

    def test_too_few_give_none(self) -> None:
        assert [assured_rank(n, 0.1) for n in (0, 21, 22)] == [0, 0, 1]
        assert [quantile_rank(n, 0.1) for n in (0, 1, 8, 9, 18, 19, 99)] == [0, 0, 0, 1, 1, 2, 10]
        assert [fewest_for_limit(0.9, assured) for assured in (False, True)] == [9, 22]


def scored(rng: np.random.Generator, count: int, classes: int = 4, scale: float = 1.0, folds: int = 5) -> Scored:
    logits, labels = drawn_logits(rng, count, classes, scale)
    return Scored(softmax(logits / scale), labels, np.arange(count) % folds)


class TestSets:
    def test_scores_are_what_is_ranked_before_and_the_penalty_for_late_ranks(self) -> None:
        probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
        assert set_scores(probabilities) == pytest.approx(np.array([[0, 0.5, 0.8], [0.9, 0.7, 0]]))
        assert set_scores(probabilities, 0.1, 0) == pytest.approx(np.array([[0, 0.6, 1.0], [1.1, 0.8, 0]]))
        assert set_scores(probabilities, 0.1, 1) == pytest.approx(np.array([[0, 0.5, 0.9], [1.0, 0.7, 0]]))
        assert set_scores(np.array([[0.4, 0.4, 0.2]])).tolist() == [[0, 0.4, 0.8]]  # ties in index order

    def test_a_class_that_is_asked_for_brings_all_before_it(self) -> None:
        scores = set_scores(np.array([[0.6, 0.3, 0.1]]))
        assert members(scores, [0, 0, 0]).tolist() == [[True, False, False]]  # the first always
        assert members(scores, [0, 0.5, 0.95]).tolist() == [[True, True, True]]
        assert members(scores, [0, 0.6, 0.89]).tolist() == [[True, True, False]]

    @given(st.integers(0, 10_000))
    @settings(max_examples=200, deadline=None)
    def test_are_prefixes_of_the_ranking(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        probabilities = rng.dirichlet(np.full(5, 0.5), 20)
        limits = rng.uniform(0, 1.3, 5)
        held = members(set_scores(probabilities, rng.uniform(0, 0.2), int(rng.integers(4))), limits)
        for own, row in zip(held, probabilities, strict=True):
            assert own.any() and row[own].min() >= row[~own].max(initial=0)

    def test_limits_are_the_conformal_order_statistics(self) -> None:
        pool = Pool("class", np.arange(1, 100) / 1000)
        assert limit_of(pool, 0.9, False, 1, 4).value == pytest.approx(0.09)  # 10 of 99 lie at or beyond it
        assert limit_of(pool, 0.9, True, 1, 4).value == pytest.approx((99 - assured_rank(99, 0.1) + 1) / 1000)
        assert limit_of(pool, 0.9, False, 0.05, 4).value == 0.05  # never over the most
        assert limit_of(Pool("class", np.arange(8) / 10), 0.9, False, 1, 4).value == always(4) == 4

    def test_rounding_never_takes_a_picture_out(self) -> None:
        assert limit_of(Pool("class", np.full(50, 0.1234567)), 0.9, False, 1, 4).value == 0.12346

    def test_no_class_is_asked_for_after_nearly_all_of_the_probability(self) -> None:
        for penalty, free_ranks in ((0, 0), (0.05, 0), (0.05, 2)):
            found = members(
                set_scores(np.array([[0.995, 0.004, 0.001]]), penalty, free_ranks), [highest(penalty, free_ranks)] * 3
            )
            assert found.tolist() == [[True, False, False]]

    def test_a_rare_class_borrows_in_order(self) -> None:
        own = {0: np.full(40, 0.1), 1: np.full(25, 0.2), 3: np.full(3, 0.3), 4: np.full(2, 0.4)}
        other = {0: np.full(30, 0.5), 1: np.full(8, 0.6), 3: np.full(20, 0.7), 4: np.full(8, 0.8)}
        found = pools_of(own, [other], 6, CoverageTarget(0.9, (1,)))
        expected = ["class", "class", "rare classes, all modalities"] + ["rare classes, all modalities"] * 3
        assert [pool.name for pool in found] == expected  # class 1 is assured, for which 25 pictures are enough
        assert pools_of(own, [other], 6, CoverageTarget(0.9))[1].name == "class, all modalities"
        assert len(found[2].scores) == 3 + 20 + 2 + 8
        few = pools_of({0: np.full(9, 0.1)}, [], 2, CoverageTarget(0.9))
        assert [pool.name for pool in few] == ["all classes", "all classes"]
        assert [pool.name for pool in pools_of({0: np.full(8, 0.1)}, [], 2, CoverageTarget(0.9))] == [
            "none: always in the set"
        ] * 2

    def test_one_group_chooses_nothing_and_promises_everything(self) -> None:
        part = scored(np.random.default_rng(1), 40, folds=1)
        found = fit_sets(part, [], CoverageTarget(0.9))
        assert (found.penalty, found.free_ranks, found.nominal) == (0.0, 0, 0.9)
        assert held_out_sets(part, [], CoverageTarget(0.9)).all()

    def test_the_smallest_sets_are_chosen_and_nothing_is_judged_by_itself(self) -> None:
        part = scored(np.random.default_rng(2), 600)
        asked, held = choose_aim(part, [], CoverageTarget(0.9))
        found = fit_sets(part, [], asked)
        assert found.entry() == {"limits": found.values, "penalty": found.penalty, "freeRanks": found.free_ranks}
        plain = Sets(
            limits_of(pools_of(truths_by_class(part, set_scores(part.probabilities)), [], 4, asked), asked, 0.9, 1),
            0.0,
            0,
            0.9,
        )
        assert (
            found.hold(part.probabilities).sum() < plain.hold(part.probabilities).sum()
        )  # the prefix need not be paid for twice
        spoiled = part.labels.copy()
        fold = part.folds == 3
        spoiled[fold] = (spoiled[fold] + 1) % 4
        assert np.array_equal(
            held_out_sets(Scored(part.probabilities, spoiled, part.folds), [], asked)[fold],
            held_out_sets(part, [], asked)[fold],
        )
        assert held[part.rows, part.labels].mean() >= 0.9

    def test_coverage_of_a_whole_calibration(self) -> None:
        """Temperature, sets and refusal as `calibrate` fits them, on 20 draws of 900 pictures; coverage on ten thousand
        fresh ones each.
        """
        shares, assured, refused = [], [], []
        for seed in range(20):
            logits, labels = drawn_logits(np.random.default_rng(seed), 900, 4, 1.7)
            part = {"photo": pictures(logits, labels, [f"g{i}" for i in range(900)])}
            found = fit_modalities(part, {"photo": energy(logits)}, wanted("abcd", assured=(2,)))["photo"]
            fresh, truth = drawn_logits(np.random.default_rng(seed + 10_000), 10_000, 4, 1.7)
            answered = energy(fresh) <= found.rejection_threshold
            held = found.sets.hold(softmax(fresh / found.temperature))
            covered = held[np.arange(len(truth)), truth]
            shares.append(covered[answered].mean())
            assured.append(covered[answered & (truth == 2)].mean())
            refused.append((~answered).mean())
            assert found.figures["coverage"] == pytest.approx(
                shares[-1], abs=0.05
            )  # cross-fitted figures tell the truth
        assert 0.89 <= np.mean(shares) <= 0.92
        assert sum(share >= 0.9 for share in assured) >= 13  # 18 expected
        assert 0.045 <= np.mean(refused) <= 0.053


class TestTiers:
    asked = TierTargets((2, 3), (1,), (3,), 0.05, 0.03, 0.8, {})

    def test_are_cut_as_the_core_does(self) -> None:
        probabilities = np.array(
            [[0.8, 0.1, 0.05, 0.05], [0.7, 0.25, 0.05, 0.0], [0.6, 0.0, 0.2, 0.2], [0.0, 1.0, 0.0, 0.0]]
        )
        assert tiers_of(probabilities, Cuts(0.4, 0.25), self.asked).tolist() == [LOW, MODERATE, HIGH, MODERATE]
        assert tiers_of(probabilities[2:3], Cuts(0.4, 0.9), self.asked).tolist() == [HIGH]  # high wins
        assert tiers_of(probabilities[:1], Cuts(0.0, 0.9), self.asked).tolist() == [HIGH]

    def test_keep_the_stated_shares_on_fresh_pictures(self) -> None:
        low, positive_low, high = [], [], []
        for seed in range(40):
            cuts = fit_cuts(scored(np.random.default_rng(seed), 500), [], self.asked)
            fresh = scored(np.random.default_rng(seed + 5000), 5000)
            tiers, malignant = tiers_of(fresh.probabilities, cuts, self.asked), np.isin(fresh.labels, (2, 3))
            low.append((tiers[malignant] == LOW).mean())
            positive_low.append((tiers[fresh.labels == 3] == LOW).mean())
            high.append((tiers[malignant] == HIGH).mean())
        assert np.mean(low) <= 0.05
        assert np.mean(positive_low) == pytest.approx(0.03, abs=0.01)  # which of the two binds here
        assert np.mean(high) == pytest.approx(0.8, abs=0.01)

    def test_a_cut_that_can_do_better_than_both_takes_the_middle(self) -> None:
        part = scored(np.random.default_rng(1), 2000)
        plain = fit_cuts(part, [], self.asked)
        benign = part.labels == 0
        high, raised = sums(part.probabilities, self.asked)
        easy, hard = BenignTarget(0.1, 0.6), BenignTarget(0.99, 0.001)
        assert fit_cuts(part, [], self.asked, hard) == plain  # the malignant pictures decide
        between_both = fit_cuts(part, [], self.asked, easy)
        assert between_both.moderate == pytest.approx((plain.moderate + np.quantile(raised[benign], 0.1)) / 2, abs=2e-5)
        assert between_both.high == pytest.approx((plain.high + np.quantile(high[benign], 0.4)) / 2, abs=2e-5)

    def test_too_few_of_its_own_borrow_and_are_never_cut_over(self) -> None:
        own, elsewhere = np.array([0.3, 0.6]), np.linspace(0.4, 1, 98)
        assert greatest_cut(own, [], 0.03) == 0
        assert greatest_cut(own, [elsewhere], 0.03) == 0.3
        assert greatest_cut(own + 0.3, [elsewhere], 0.03) == pytest.approx(np.sort(elsewhere)[2])
        assert greatest_cut(np.empty(0), [elsewhere], 0.03) == elsewhere[1]
        assert greatest_cut(np.linspace(0, 1, 99), [], 0.05) == pytest.approx(np.linspace(0, 1, 99)[4])

    def test_without_measurement_the_tier_is_the_highest_concern_of_all(self) -> None:
        three = np.array([[1.0, 0.0, 0.0, 0.0]])
        for concern, tier in ((("low", "high"), HIGH), (("low", "moderate"), MODERATE), (("low",), LOW)):
            asked = replace(
                self.asked, high=(3,) if "high" in concern else (), moderate=(1,) if "moderate" in concern else ()
            )
            assert tiers_of(three, unmeasured(concern), asked).tolist() == [tier]

    def test_nothing_is_judged_by_itself(self) -> None:
        part = scored(np.random.default_rng(3), 300)
        spoiled = part.labels.copy()
        fold = part.folds == 1
        spoiled[fold] = (spoiled[fold] + 2) % 4
        changed = held_out_tiers(Scored(part.probabilities, spoiled, part.folds), [], self.asked)
        assert np.array_equal(changed[fold], held_out_tiers(part, [], self.asked)[fold])
        assert not np.array_equal(changed, held_out_tiers(part, [], self.asked))

    def test_figures_count_what_they_say(self) -> None:
        told = tier_figures(np.array([LOW, HIGH, HIGH, MODERATE, LOW]), np.array([2, 3, 3, 1, 0]), self.asked)
        assert told["malignant"]["pictures"] == 3 and told["malignant"]["low"]["share"] == pytest.approx(
            1 / 3, abs=1e-4
        )
        assert told["positive"]["high"]["share"] == 1 and told["positive"]["high"]["interval"] == [
            pytest.approx(0.3424, abs=1e-3),
            1.0,
        ]
        assert told["benign"]["low"]["share"] == 1 and told["notHigh"]["pictures"] == 2

    @pytest.mark.parametrize(
        ("count", "total", "low", "high"), [(0, 39, 0.0, 0.0897), (5, 100, 0.0215, 0.1118), (50, 100, 0.4038, 0.5962)]
    )
    def test_wilsons_interval(self, count: int, total: int, low: float, high: float) -> None:
        assert wilson(count, total) == pytest.approx((low, high), abs=1e-4)

    def test_a_slip_in_the_description_is_an_error(self) -> None:
        words = {"classes": {"a": {"concern": "low"}, "b": {"concern": "high"}}}
        with pytest.raises(ValueError, match="no `tiers`"):
            TierTargets.of("ab", words)
        with pytest.raises(ValueError, match="positive names"):
            TierTargets.of("ab", words | {"tiers": dict(DEFAULTS) | {"positive": ["c"]}})


class TestRefusal:
    def test_on_average_no_more_lesions_are_refused_than_asked(self) -> None:
        rng = np.random.default_rng(6)
        shares = np.array([1 - refusal_threshold(rng.random(288), 0.05) for _ in range(2000)])
        assert 0.047 < shares.mean() <= 0.05

    def test_too_few_pictures_refuse_nothing(self) -> None:
        assert refusal_threshold(np.arange(18.0), 0.05) == math.inf
        assert refusal_threshold(np.arange(19.0), 0.05) == 18


class TestCalibrationError:
    def test_is_the_definition(self) -> None:
        confidence, right = np.array([0.1, 0.1, 0.9, 1.0, 2 / 15]), np.array([0, 1, 1, 1, 0])
        bins = [[0, 1, 4], [2], [3]]  # (1/15, 2/15], (13/15, 14/15], (14/15, 1]
        expected = sum(abs(sum(confidence[i] - right[i] for i in part)) for part in bins) / 5
        assert calibration_error(confidence, right) == pytest.approx(expected)

    def test_a_perfect_model_is_within_its_own_resampling(self) -> None:
        rng = np.random.default_rng(7)
        over = 0
        for _ in range(60):
            logits, labels = drawn_logits(rng, 300, 5, 1.0)
            found = measured_calibration(softmax(logits), labels, resamples=150)
            over += found.measured > found.perfect_high
            assert found.perfect_mean > 0.015  # the bias that the reference is there for
        assert over <= 9  # 5 % of 60 is 3

    def test_an_overconfident_model_is_not(self) -> None:
        logits, labels = drawn_logits(np.random.default_rng(8), 300, 5, 2.5)
        found = measured_calibration(softmax(logits), labels, resamples=150)
        assert found.measured > found.perfect_high


class TestPairs:
    def test_are_of_one_lesion_and_used_once(self) -> None:
        labels = np.array([0, 0, 1, 2])
        assert pairs_of(["a", "a", "b", "c"], labels, ["b", "a", "c", "a"], np.array([1, 0, 1, 0])) == [(0, 1), (2, 0)]

    def test_the_combination_is_the_direct_optimisers(self) -> None:
        rng = np.random.default_rng(9)
        shared, labels = drawn_logits(rng, 800, 4, 1.0)
        logs = [log_softmax(shared + rng.normal(0, noise, shared.shape)) for noise in (0.7, 2.0)]
        found = fit_combination(*logs, labels)
        direct = minimize(
            lambda w: negative_log_likelihood(w[0] * logs[0] + w[1] * logs[1], labels, 1.0),
            [0.5, 0.5],
            method="Nelder-Mead",
            options={"xatol": 1e-8, "fatol": 1e-12},
        )
        assert [found.weight_a / found.temperature, found.weight_b / found.temperature] == pytest.approx(
            direct.x.tolist(), abs=1e-3
        )
        assert found.weight_a + found.weight_b == pytest.approx(1)
        assert found.weight_a > found.weight_b

    def test_together_is_better_than_alone_where_both_know_something(self) -> None:
        rng = np.random.default_rng(10)
        shared, labels = drawn_logits(rng, 400, 4, 1.0)
        groups = [f"g{i}" for i in range(400)]
        parts = {
            name: pictures(shared + rng.normal(0, 2, shared.shape), labels, groups) for name in ("dermoscopy", "photo")
        }
        asked = wanted("abcd")
        modal = fit_modalities(parts, {name: energy(part.outputs.logits) for name, part in parts.items()}, asked)
        pair = fit_pair(parts, modal, asked)
        assert pair is not None
        alone = [own["negativeLogLikelihood"] for own in pair.fitted.figures["alone"].values()]
        assert pair.fitted.figures["negativeLogLikelihood"] < min(alone) - 0.03
        assert pair.entry().keys() == {"weights", "temperature", "sets", "tiers"}

    def test_too_few_pairs_give_none(self) -> None:
        logits, labels = drawn_logits(np.random.default_rng(11), 60, 3, 1.0)
        parts = {name: pictures(logits, labels, [f"{name}{i}" for i in range(60)]) for name in ("dermoscopy", "photo")}
        asked = wanted("abc")
        assert fit_pair(parts, fit_modalities(parts, {name: energy(logits) for name in parts}, asked), asked) is None


class TestRejection:
    def lesions(self, count: int = 300, size: int = 12) -> Outputs:
        rng = np.random.default_rng(12)
        which = rng.integers(4, size=count)
        embedding = rng.normal(0, 2, (4, size))[which] + rng.normal(0, np.linspace(0.2, 1.5, size), (count, size))
        return Outputs(
            rng.normal(0, 3, (count, 4)),
            embedding,
            np.array([f"c{k}" for k in which]),
            np.array([f"g{i // 2}" for i in range(count)]),
            np.full(count, "photo"),
        )

    def negatives(self, count: int = 80, size: int = 12, shift: float = 3.0) -> Outputs:
        rng = np.random.default_rng(13)
        kinds = np.array(["none face", "none screen", "other photo"])[rng.integers(3, size=count)]
        return Outputs(
            rng.normal(0, 1, (count, 4)),
            rng.normal(shift, 1, (count, size)),
            kinds,
            np.array([f"n{i // 2}" for i in range(count)]),
            np.full(count, "photo"),
        )

    def test_pictures_of_no_class_are_compared_with_lesions_of_their_modality(self) -> None:
        """Dermoscopic lesions score far above photos, each modality has a threshold of its own: pooled, the negatives
        among the photos would seem to score low.
        """
        photos, negatives = self.lesions(), self.negatives()
        dermoscopy = replace(photos, logits=photos.logits - 50, modalities=np.full(len(photos), "dermoscopy"))
        marks = np.zeros(len(negatives), bool)
        alone = rejection.compare(rejection.Problem(photos, photos, negatives, marks))[0]
        both = joined_outputs(photos, dermoscopy)
        assert rejection.compare(rejection.Problem(both, both, negatives, marks))[0] == alone
        pooled = auroc(energy(both.logits), energy(negatives.logits[negatives.clusters == "other photo"]))
        assert abs(pooled - alone.auroc["other"]) > 0.1

    def test_what_has_no_answer_anyway_counts_towards_the_refused_share(self) -> None:
        scores, answerable = np.arange(1000.0), np.arange(1000) % 50 > 0  # 2 % without an answer
        limit = score_limit(scores, answerable, 0.05)
        assert limit == refusal_threshold(scores[answerable], 0.03)
        assert ((scores > limit) | ~answerable).mean() <= 0.05
        assert score_limit(scores, np.arange(1000) % 10 > 0, 0.05) == pytest.approx(
            refusal_threshold(scores[np.arange(1000) % 10 > 0], 0.02)
        )

    def test_a_share_of_refusals_for_each_modality(self) -> None:
        logits, labels = drawn_logits(np.random.default_rng(3), 400, 4, 1.7)
        part = pictures(logits, labels, [f"g{i}" for i in range(400)])
        parts, scores = {"photo": part, "dermoscopy": part}, {"photo": energy(logits), "dermoscopy": energy(logits)}
        asked = replace(wanted("abcd"), refused_share={"photo": 0.1, "dermoscopy": 0.03})
        found = fit_modalities(parts, scores, asked)
        refused = {name: (scores[name] > one.rejection_threshold).mean() for name, one in found.items()}
        assert refused["photo"] == pytest.approx(0.1, abs=0.005)
        assert refused["dermoscopy"] == pytest.approx(0.03, abs=0.005)
        with pytest.raises(ValueError, match="no share for dermoscopy"):
            fit_modalities(parts, scores, replace(asked, refused_share={"photo": 0.1}))

    @settings(deadline=None, max_examples=40)
    @given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.lists(st.integers(0, 9), min_size=1, max_size=40))
    def test_auroc_is_scikit_learns(self, lower: list[int], higher: list[int]) -> None:
        truth = [0] * len(lower) + [1] * len(higher)
        assert auroc(np.array(lower), np.array(higher)) == pytest.approx(roc_auc_score(truth, lower + higher))

    def test_mahalanobis_is_scikit_learns_covariance(self) -> None:
        lesions = self.lesions()
        model = mahalanobis(lesions, 12)  # all components: no projection is lost
        means = {name: lesions.embedding[lesions.clusters == name].mean(0) for name in set(lesions.clusters)}
        within = EmpiricalCovariance(assume_centered=True).fit(
            np.stack([v - means[c] for v, c in zip(lesions.embedding, lesions.clusters, strict=True)])
        )
        points = np.random.default_rng(14).normal(0, 3, (20, 12))
        expected = np.min([within.mahalanobis(points - mean) for mean in means.values()], 0)
        assert model.distance(points) == pytest.approx(expected, rel=1e-4)

    def test_nearest_neighbours_are_scikit_learns(self) -> None:
        lesions = self.lesions(200)
        model = nearest_neighbours(lesions, 5, 12, 200)
        points = np.random.default_rng(15).normal(0, 3, (20, 12))
        unit = rejection.unit
        distances, _ = NearestNeighbors(n_neighbors=5).fit(unit(lesions.embedding)).kneighbors(unit(points))
        ratio = np.sqrt(model.distance(points)) / distances[:, 4]
        assert ratio == pytest.approx(np.full(20, ratio[0]), rel=1e-4)  # one scale for all

    def test_contrast_is_scikit_learns_discriminant(self) -> None:
        """With one cluster on each side the difference of the distances is twice the linear discriminant, up to a
        constant.
        """
        lesions, negatives = self.lesions(), self.negatives()
        one = Outputs(lesions.logits, lesions.embedding, np.full(len(lesions), "a"), lesions.groups)
        two = Outputs(negatives.logits, negatives.embedding, np.full(len(negatives), "none"), negatives.groups)
        model = contrast(one, two, 0.0)
        lda = LinearDiscriminantAnalysis(solver="lsqr").fit(
            np.concatenate([one.embedding, two.embedding]), np.repeat([0, 1], [len(one), len(two)])
        )
        points = np.random.default_rng(16).normal(0, 3, (20, 12))
        difference = model.distance(points) - 2 * lda.decision_function(points)
        assert difference == pytest.approx(np.full(20, difference[0]), abs=2e-3)

    def test_the_contrasts_projection_loses_nothing(self) -> None:
        lesions, negatives = self.lesions(), self.negatives()
        model = contrast(lesions, negatives, 0.1)
        embedding = np.concatenate([lesions.embedding, negatives.embedding])
        clusters = np.concatenate([np.char.add("in ", lesions.clusters), np.char.add("out ", negatives.clusters)])
        names, means, covariance = rejection.cluster_means(embedding, clusters)
        inverse = np.linalg.inv(0.9 * covariance + 0.1 * np.trace(covariance) / 12 * np.eye(12))
        steps = embedding[:, None] - means[None]
        full = np.einsum("ngi,ij,ngj->ng", steps, inverse, steps)
        outside = np.array([name.startswith("out") for name in names])
        assert model.distance(embedding) == pytest.approx(
            full[:, ~outside].min(1) - full[:, outside].min(1), rel=1e-4, abs=1e-3
        )
        assert len(model.projection) <= len(names)

    def test_the_file_is_read_back_as_it_was(self) -> None:
        for model in (
            mahalanobis(self.lesions(), 6),
            nearest_neighbours(self.lesions(), 3, 6, 50),
            contrast(self.lesions(), self.negatives(), 0.2),
        ):
            again = RejectionModel.from_bytes(model.to_bytes())
            assert np.array_equal(
                again.distance(self.negatives().embedding), model.distance(self.negatives().embedding)
            )
            assert (again.neighbour, again.unit_length) == (model.neighbour, model.unit_length)
        with pytest.raises(ValueError, match="length"):
            RejectionModel.from_bytes(mahalanobis(self.lesions(), 6).to_bytes()[:-4])

    def test_the_golden_file_is_what_the_tool_says(self) -> None:
        spec = importlib.util.spec_from_file_location("make_rejection_golden", GOLDEN / "make_rejection_golden.py")
        assert spec and spec.loader
        maker = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(maker)
        lines = (GOLDEN / "rejection.golden").read_text().splitlines()
        expected = [float(line.split()[-1]) for line in lines if line.startswith("case")]
        found = [
            score
            for model, judged in maker.models().values()
            for score in model.score(judged.logits.astype(np.float32), judged.embedding.astype(np.float32))
        ]
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-4)

    def test_comparison_fits_on_no_negative_that_it_judges(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lesions, negatives = self.lesions(), self.negatives()
        calibration = np.arange(len(negatives)) % 5 == 0
        fitted: list[set[int]] = []
        judged: list[set[int]] = []
        original = rejection.contrast

        def watched(reference: Outputs, chosen: Outputs, shrinkage: float) -> RejectionModel:
            rows = {int(np.flatnonzero((negatives.embedding == row).all(1))[0]) for row in chosen.embedding}
            assert not rows & set(np.flatnonzero(calibration).tolist())
            fitted.append(rows)
            folds = folds_of(negatives.groups.tolist())
            judged.append(set(np.flatnonzero(folds == len(judged) % 5).tolist()))
            assert not {negatives.groups[i] for i in rows} & {negatives.groups[i] for i in judged[-1]}
            return original(reference, chosen, shrinkage)

        monkeypatch.setattr(rejection, "contrast", watched)
        rejection.compare(rejection.Problem(lesions, lesions, negatives, calibration))
        assert len(fitted) == 5 * len(rejection.SHRINKAGE)

    def test_the_better_method_is_chosen_and_energy_where_none_is_much_better(self) -> None:
        rows = [
            rejection.Compared(name, {"none": none, "other": other}, {}, {})
            for name, none, other in (
                ("energy", 0.99, 0.70),
                ("max-softmax", 0.99, 0.99),
                ("contrast 0.2", 0.988, 0.75),
                ("mahalanobis", 0.95, 0.90),
            )
        ]
        assert rejection.choose(rows) == "contrast 0.2"
        assert (
            rejection.choose([rows[0], rejection.Compared("contrast 0.2", {"none": 0.99, "other": 0.715}, {}, {})])
            == "energy"
        )
        poor = rejection.Compared("energy", {"none": 0.9, "other": 0.8}, {}, {})
        able = rejection.Compared("contrast 0.2", {"none": 0.98, "other": 0.7}, {}, {})
        assert rejection.choose([poor, able]) == "contrast 0.2"
        trained_on = rejection.Compared("energy", {"none": 0.99, "other": 0.98}, {"none": 0.99, "other": 0.75}, {})
        unseen = rejection.Compared(
            "energy + 10-nearest", {"none": 0.99, "other": 0.97}, {"none": 0.995, "other": 0.82}, {}
        )
        assert rejection.choose([trained_on, unseen]) == "energy + 10-nearest", "what the network never saw decides"


def pictures(logits: np.ndarray, labels: np.ndarray, groups: list[str]) -> ScoredPictures:
    rows = [
        {"group": group, "modality": "photo", "label": str(label)} for group, label in zip(groups, labels, strict=True)
    ]
    return ScoredPictures(
        rows, labels, Outputs(logits, logits, labels.astype(str), np.array(groups)), np.ones(len(labels), bool)
    )


def test_the_eight_views_are_the_symmetries_of_the_square() -> None:
    view = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    views = dihedral(view)
    assert np.array_equal(views[0], view)
    assert len({v.tobytes() for v in views}) == 8


def test_reference_takes_no_calibration_picture() -> None:
    rows = [
        {
            "set": "s",
            "image": str(i),
            "part": ("train", "calib")[i % 2],
            "label": ("a", "none", "b")[i % 3],
            "modality": "photo",
        }
        for i in range(30)
    ]
    store = Store(rows, *(np.zeros(30) for _ in range(4)))
    chosen = reference_indices(store, ("a", "b"))
    assert {store.rows[i]["part"] for i in chosen} == {"train"}
    assert len(chosen) == 15
