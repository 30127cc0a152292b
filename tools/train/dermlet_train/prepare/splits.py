"""Groups what belongs together and divides the groups into parts, without chance: hash order and a seed decide.

A group is everything connected by a shared lesion, patient or file key, or by being a copy. Groups go whole into one
split. Splits that a source states are kept; a group that stands in two of them is a leak, and every figure measured on
it would be wrong.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..reading import plain
from .rows import SPLITS, PrepareError


def find_groups(links: Sequence[Sequence[str]], pairs: Iterable[tuple[int, int]]) -> list[str]:
    """The group name of each row: connected by a shared key or by a pair. A group is named by the least first key of
    its rows.
    """
    parent = list(range(len(links)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def join(i: int, j: int) -> None:
        a, b = sorted((root(i), root(j)))
        parent[b] = a

    owner: dict[str, int] = {}
    for i, keys in enumerate(links):
        for key in keys:
            join(i, owner.setdefault(key, i))
    for a, b in pairs:
        join(a, b)
    names: dict[int, str] = {}
    for i, keys in enumerate(links):
        names[root(i)] = min(names.get(root(i), keys[0]), keys[0])
    return [names[root(i)] for i in range(len(links))]


@dataclass(frozen=True)
class Leak:
    """A group in more than one split, with the indices of its rows."""

    group: str
    splits: tuple[str, ...]
    rows: tuple[int, ...]


def find_leaks(groups: Sequence[str], splits: Sequence[str]) -> list[Leak]:
    """Groups that stand in two splits; rows without a split do not count."""
    members: dict[str, list[int]] = defaultdict(list)
    for i, (group, split) in enumerate(zip(groups, splits, strict=True)):
        if split:
            members[group].append(i)
    leaks = []
    for group, rows in sorted(members.items()):
        found = {splits[i] for i in rows}
        if len(found) > 1:
            leaks.append(Leak(group, tuple(s for s in SPLITS if s in found), tuple(rows)))
    return leaks


class LeakError(PrepareError):
    """Raised with the offending rows in the message."""

    def __init__(
        self, leaks: Sequence[Leak], name: Sequence[str], splits: Sequence[str], hint: str, most: int = 20
    ) -> None:
        self.leaks = tuple(leaks)
        lines = [f"{len(leaks)} group(s) stand in more than one split:"]
        for leak in leaks[:most]:
            by_split = {s: [name[i] for i in leak.rows if splits[i] == s] for s in leak.splits}
            parts = [
                f"{s}: {', '.join(rows[:4])}{f' and {len(rows) - 4} more' if len(rows) > 4 else ''}"
                for s, rows in by_split.items()
            ]
            lines.append(f"  {leak.group} -> " + "; ".join(parts))
        if len(leaks) > most:
            lines.append(f"  and {len(leaks) - most} more")
        super().__init__("\n".join([*map(plain, lines), hint]))


def lower_split_rows(leaks: Iterable[Leak], splits: Sequence[str]) -> set[int]:
    """The rows to leave out so that each leaking group stays only where it is held out most: test before val before
    train.
    """
    return {i for leak in leaks for i in leak.rows if splits[i] != leak.splits[-1]}


@dataclass(frozen=True)
class Fractions:
    """Shares of the pictures of each stratum, 0 to 1."""

    val: float = 0.1
    test: float = 0.1

    def __post_init__(self) -> None:
        if self.val < 0 or self.test < 0 or self.val + self.test >= 1:
            raise PrepareError(f"shares of {self.val} for val and {self.test} for test leave nothing to train on")


def hash_order(groups: Iterable[str], seed: int) -> list[str]:
    """An order that looks random, is the same everywhere, and keeps the relative order of old groups when new ones
    come.
    """
    return sorted(groups, key=lambda group: hashlib.sha256(f"{seed}:{group}".encode()).digest())


def assign_splits(
    groups: Sequence[str],
    labels: Sequence[str],
    sets: Sequence[str],
    stated: Sequence[str],
    fractions: Fractions,
    seed: int,
) -> list[str]:
    """The split of each row. Groups with a stated split keep it (one at most: see `find_leaks`); the others are drawn.

    Strata are (set, label), where a group counts as its set with the most pictures and its rarest label over all data.
    In each stratum groups are taken in hash order into test, then val, while that brings the share nearer to what is
    wanted; what rounding leaves over is carried to the label's next set, so that rare labels reach val and test too. A
    group larger than the room left goes to train.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for i, group in enumerate(groups):
        members[group].append(i)
    frequency = Counter(labels)
    chosen: dict[str, str] = {}
    strata: dict[tuple[str, str], list[str]] = defaultdict(list)
    for group, rows in members.items():
        own = {stated[i] for i in rows if stated[i]}
        if len(own) > 1:
            raise PrepareError(f"group {group} has the splits {sorted(own)}: check for leaks first")
        if own:
            chosen[group] = own.pop()
            continue
        label = min({labels[i] for i in rows}, key=lambda name: (frequency[name], name))
        counts = Counter(sets[i] for i in rows)
        strata[label, min(counts, key=lambda name: (-counts[name], name))].append(group)
    carry: dict[tuple[str, str], float] = defaultdict(float)
    for (label, _), names in sorted(strata.items()):
        left = hash_order(names, seed)
        total = sum(len(members[group]) for group in left)
        for split, share in (("test", fractions.test), ("val", fractions.val)):
            room = total * share + carry[label, split]
            rest = []
            for group in left:
                size = len(members[group])
                if size / 2 <= room:
                    chosen[group] = split
                    room -= size
                else:
                    rest.append(group)
            carry[label, split], left = room, rest
        for group in left:
            chosen[group] = "train"
    return [chosen[group] for group in groups]
