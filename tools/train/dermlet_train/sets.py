"""Prediction sets that are a prefix of the ranking, as the core decides them (`wasm_src/core/decision/decision.h`), and
how their numbers are fitted.

A class at rank r of the ranking (the first is 1) scores s(r) = the probabilities ranked before it + penalty * max(0, r
- 1 - free ranks): adaptive sets (Romano et al. 2020), regularised (RAPS, Angelopoulos et al. 2021). A class
qualifies when its score is at most its own limit, and the set is the shortest prefix of the ranking that contains every
class that qualifies.

Limits are class-conditional split conformal (Vovk 2012): the limit of a class is the score that its own calibration
pictures exceed in a stated share of cases; a class with too few pictures borrows those of others (`Pool`; after the
clusters of Ding et al. 2023). Because the prefix only adds classes, sets made of limits for 90 % hold the truth more
often than that and are larger than they need to be. The share behind the limits (`nominal`) is therefore fitted: the
least for which the cross-fitted sets as a whole, prefix and all, reach the target coverage. Penalty and free ranks are
those of the smallest mean size.

Caveats, to be stated beside every figure: the coverage is that of all classes together, rare ones have less or more;
cross-fitting makes it approximate (Vovk 2015); pictures of one lesion are not independent. Choosing the smallest of
many flatters: on fresh pictures the coverage is a point or two less than in the comparison that chose. What the
comparison must reach (`aim`) is therefore raised until sets whose every number, the choice included, comes from the
other folds (`held_out_sets`) reach the target coverage.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .calibration import assured_rank, quantile_rank

# A limit from fewer pictures is near the worst of them, and the prefix enlarges all sets with it: on skin-8's
# calibration part the mean size at one coverage was 2.5 with 9 (the fewest that conformal prediction allows), 2.0 with
# 30, 1.9 with 50.
FEWEST = 30
PENALTIES = (0.0, 0.005, 0.01, 0.02, 0.05)
FREE_RANKS = (0, 1, 2, 3)
AIMS = tuple(n / 200 for n in range(9))  # by how much the comparison must exceed the target coverage: 0 to 0.04
NOMINALS = tuple(n / 200 for n in range(100, 197))  # shares of a class's own pictures within its limit: 0.5 to 0.98


def set_scores(probabilities: np.ndarray, penalty: float = 0.0, free_ranks: int = 0) -> np.ndarray:
    """(N, K) score of every class, 0 for the first-ranked. Equal probabilities rank in index order, as in the core."""
    order = np.argsort(-probabilities, 1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, 1)
    before = np.concatenate([np.zeros((len(ranked), 1)), ranked.cumsum(1)[:, :-1]], 1)
    before += penalty * np.maximum(0, np.arange(ranked.shape[1]) - free_ranks)
    scores = np.empty_like(before)
    np.put_along_axis(scores, order, before, 1)
    return scores


def members(scores: np.ndarray, limits: Sequence[float]) -> np.ndarray:
    """(N, K) membership by `set_scores`: everything that scores no more than the last class that qualifies. Ties of
    scores, which only probabilities of 0 make, are all in; the core takes them in the order of the ranking."""
    reached = (scores <= np.asarray(limits)) | (scores <= scores.min(1, keepdims=True))
    last = np.where(reached, scores, -1).max(1, keepdims=True)
    return scores <= last


@dataclass(frozen=True)
class Scored:
    """One modality's calibration pictures: (N, K) probabilities, (N,) class index, (N,) fold. The folds are dealt over
    all modalities together, so that a lesion with a picture in each is left out of both."""

    probabilities: np.ndarray
    labels: np.ndarray
    folds: np.ndarray

    def at(self, mask: np.ndarray) -> Scored:
        return Scored(self.probabilities[mask], self.labels[mask], self.folds[mask])

    @property
    def rows(self) -> np.ndarray:
        return np.arange(len(self.labels))


@dataclass(frozen=True)
class CoverageTarget:
    """What the sets must reach: coverage over all pictures, and the classes whose own coverage should hold with
    confidence.
    """

    coverage: float
    assured: tuple[int, ...] = ()
    aim: float | None = None  # coverage that the comparison must reach; the coverage itself where None


@dataclass(frozen=True)
class Limit:
    """A class's limit and where it is from: the pool's name, its number of pictures."""

    value: float
    pool: str
    pictures: int
    assured: bool


@dataclass(frozen=True)
class Pool:
    """Scores of the true class of the pictures that a class's limit may be taken from, and what they are. They lie in
    order.
    """

    name: str
    scores: np.ndarray


@dataclass(frozen=True)
class Sets:
    """Everything that the manifest says of the sets of one modality."""

    limits: tuple[Limit, ...]
    penalty: float
    free_ranks: int
    nominal: float

    @property
    def values(self) -> list[float]:
        return [limit.value for limit in self.limits]

    def entry(self) -> dict[str, object]:
        return {"limits": self.values, "penalty": self.penalty, "freeRanks": self.free_ranks}

    def hold(self, probabilities: np.ndarray) -> np.ndarray:
        """(N, K) membership."""
        return members(set_scores(probabilities, self.penalty, self.free_ranks), self.values)


HIGHEST = 0.99


def highest(penalty: float, free_ranks: int) -> float:
    """No limit is higher, so that no class qualifies when the ones before it have all but a hundredth of the
    probability (at the second rank; from later ones the penalty asks more). Sets that name what has next to none would
    be true of their coverage and of use to nobody. Pictures that this costs are made up for by the nominal share."""
    return HIGHEST + penalty * max(0, 1 - free_ranks)


def always(class_count: int) -> float:
    """A limit that no score exceeds where the penalty is at most 1."""
    return float(class_count)


def ceil5(value: float) -> float:
    """Rounded up, so that rounding never takes a picture out of a set."""
    return math.ceil(value * 1e5) / 1e5


@functools.cache
def fewest_for_limit(coverage: float, assured: bool) -> int:
    """The fewest pictures that give a limit at all."""
    rank = assured_rank if assured else quantile_rank
    return next(count for count in itertools.count(1) if rank(count, 1 - coverage))


def pools_of(
    own: Mapping[int, np.ndarray],
    elsewhere: Sequence[Mapping[int, np.ndarray]],
    class_count: int,
    target: CoverageTarget,
) -> list[Pool]:
    """For each class the first of these that has enough pictures: its own, its own in all modalities, all such rare
    classes together, all classes. Enough are `FEWEST`; of an assured class as many as its limit needs, and of all
    classes together as many as any limit needs. The mappings hold the scores of the true class, by class."""
    none = np.empty(0)
    everywhere = [np.concatenate([part.get(k, none) for part in (own, *elsewhere)]) for k in range(class_count)]
    rare = [everywhere[k] for k in range(class_count) if len(everywhere[k]) < FEWEST]
    found = []
    for k in range(class_count):
        least = fewest_for_limit(target.coverage, k in target.assured)
        enough = least if k in target.assured else FEWEST
        candidates = [(Pool("class", own.get(k, none)), enough), (Pool("class, all modalities", everywhere[k]), enough)]
        candidates += [(Pool("rare classes, all modalities", np.concatenate([none, *rare])), enough)]
        candidates += [(Pool("all classes", np.concatenate([none, *own.values()])), least)]
        chosen = next(
            (pool for pool, fewest in candidates if len(pool.scores) >= fewest), Pool("none: always in the set", none)
        )
        found.append(Pool(chosen.name, np.sort(chosen.scores)))
    return found


def limit_of(pool: Pool, share: float, assured: bool, most: float, class_count: int) -> Limit:
    """The score that a fresh picture of the pool does not exceed in at least `share` of cases: on average over
    calibration draws, or `assured`, with `calibration.CONFIDENCE` for the pictures that there are. Never over
    `most`."""
    count = len(pool.scores)
    beyond = (assured_rank if assured else quantile_rank)(count, 1 - share)
    value = min(ceil5(float(pool.scores[count - beyond])), most) if beyond >= 1 else always(class_count)
    return Limit(value, pool.name, count, assured)


def limits_of(pools: Sequence[Pool], target: CoverageTarget, nominal: float, most: float) -> tuple[Limit, ...]:
    """Assured classes take the target coverage, the others the nominal share."""
    return tuple(
        limit_of(pool, target.coverage if k in target.assured else nominal, k in target.assured, most, len(pools))
        for k, pool in enumerate(pools)
    )


def truths_by_class(part: Scored, scores: np.ndarray) -> dict[int, np.ndarray]:
    own = scores[part.rows, part.labels]
    return {int(k): own[part.labels == k] for k in np.unique(part.labels)}


@dataclass(frozen=True)
class _Candidate:
    """One penalty and number of free ranks, ready for any nominal share: scores, and for each fold the pools of the
    other folds.
    """

    scores: np.ndarray
    pools: Mapping[int, list[Pool]]
    most: float

    def included(self, part: Scored, target: CoverageTarget, nominal: float) -> np.ndarray:
        """(N, K) membership, each fold by the limits of the others."""
        result = np.zeros(self.scores.shape, bool)
        for fold, pools in self.pools.items():
            inside = part.folds == fold
            result[inside] = members(
                self.scores[inside], [limit.value for limit in limits_of(pools, target, nominal, self.most)]
            )
        return result


def _prepared(
    part: Scored, elsewhere: Sequence[Scored], penalty: float, free_ranks: int, target: CoverageTarget
) -> _Candidate:
    count = part.probabilities.shape[1]
    scores = set_scores(part.probabilities, penalty, free_ranks)
    others = [(other, set_scores(other.probabilities, penalty, free_ranks)) for other in elsewhere]
    pools = {}
    for fold in np.unique(part.folds):
        rest = [truths_by_class(p.at(p.folds != fold), s[p.folds != fold]) for p, s in ((part, scores), *others)]
        pools[int(fold)] = pools_of(rest[0], rest[1:], count, target)
    return _Candidate(scores, pools, highest(penalty, free_ranks))


def _enough(included: np.ndarray, part: Scored, target: CoverageTarget) -> bool:
    return bool(included[part.rows, part.labels].mean() >= (target.coverage if target.aim is None else target.aim))


def choose_parameters(part: Scored, elsewhere: Sequence[Scored], target: CoverageTarget) -> tuple[float, int, float]:
    """(penalty, free ranks, nominal share) of the smallest cross-fitted mean size at the target coverage; of equals
    the first, least penalised.
    """
    best: tuple[float, tuple[float, int, float]] | None = None
    for penalty in PENALTIES:
        for free_ranks in FREE_RANKS if penalty else FREE_RANKS[:1]:
            ready = _prepared(part, elsewhere, penalty, free_ranks, target)
            low, high = (
                0,
                len(NOMINALS) - 1,
            )  # coverage grows with the nominal share: the least that is enough, by halving
            while low < high:
                middle = (low + high) // 2
                if _enough(ready.included(part, target, NOMINALS[middle]), part, target):
                    high = middle
                else:
                    low = middle + 1
            size = float(ready.included(part, target, NOMINALS[low]).sum(1).mean())
            if best is None or size < best[0] - 1e-9:
                best = size, (penalty, free_ranks, NOMINALS[low])
    assert best is not None
    return best[1]


def choose_aim(part: Scored, elsewhere: Sequence[Scored], target: CoverageTarget) -> tuple[CoverageTarget, np.ndarray]:
    """`target` with the least aim at which `held_out_sets` reach the coverage, and those sets: the greatest aim where
    none does.
    """
    for aim in AIMS:
        aimed_target = replace(target, aim=target.coverage + aim)
        included = held_out_sets(part, elsewhere, aimed_target)
        if included[part.rows, part.labels].mean() >= target.coverage:
            break
    return aimed_target, included


def fit_sets(part: Scored, elsewhere: Sequence[Scored], target: CoverageTarget) -> Sets:
    """Sets for one modality; `elsewhere` are the others. With fewer than two folds nothing can be chosen by
    cross-fitting: no penalty, and the coverage itself for the nominal share."""
    numbers = (
        choose_parameters(part, elsewhere, target) if len(np.unique(part.folds)) > 1 else (0.0, 0, target.coverage)
    )
    penalty, free_ranks, nominal = numbers
    truths = [truths_by_class(each, set_scores(each.probabilities, penalty, free_ranks)) for each in (part, *elsewhere)]
    pools = pools_of(truths[0], truths[1:], part.probabilities.shape[1], target)
    return Sets(limits_of(pools, target, nominal, highest(penalty, free_ranks)), penalty, free_ranks, nominal)


def held_out_sets(part: Scored, elsewhere: Sequence[Scored], target: CoverageTarget) -> np.ndarray:
    """(N, K) membership in which every fold was left out of everything: of the limits, and of the choice of penalty,
    free ranks and nominal share. With one fold nothing can be left out, and figures of its own would flatter: all
    classes count as in the set."""
    folds = np.unique(part.folds)
    if len(folds) < 2:
        return np.ones(part.probabilities.shape, bool)
    included = np.zeros(part.probabilities.shape, bool)
    for fold in folds:
        inside = part.folds == fold
        fitted = fit_sets(part.at(~inside), [other.at(other.folds != fold) for other in elsewhere], target)
        included[inside] = fitted.hold(part.probabilities[inside])
    return included
