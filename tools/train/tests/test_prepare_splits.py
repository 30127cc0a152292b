"""No group in two parts, whatever the data: the promise that every later figure rests on."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dermlet_train.prepare.rows import PrepareError
from dermlet_train.prepare.splits import Fractions, LeakError, assign_splits, find_groups, find_leaks, lower_split_rows
from dermlet_train.store import part_of

Rows = list[tuple[str, str, str]]  # group, label, set
# Enough rows that groups have several: with fewer, a division by picture would pass most of the time.
GROUPS = st.integers(0, 20).map(lambda n: f"g{n}")
ROWS = st.integers(1, 60).flatmap(
    lambda n: st.lists(
        st.tuples(GROUPS, st.sampled_from("abc"), st.sampled_from(("s", "t"))), min_size=n, max_size=2 * n
    )
)
LINKS = st.integers(1, 40).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 60).map(str), min_size=1, max_size=3), min_size=n, max_size=n)
)
PLACES = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=12)  # of pairs, by the remainder
FRACTIONS = st.tuples(st.floats(0, 0.45), st.floats(0, 0.45)).map(lambda pair: Fractions(*pair))


def draw(rows: Rows, fractions: Fractions, seed: int, stated: dict[str, str] | None = None) -> list[str]:
    groups, labels, sets = ([row[k] for row in rows] for k in range(3))
    return assign_splits(groups, labels, sets, [(stated or {}).get(group, "") for group in groups], fractions, seed)


def parted(groups: list[str], splits: list[str]) -> set[str]:
    """Groups in more than one part, found without the code that is tested."""
    return {
        group
        for group in groups
        if len({split for other, split in zip(groups, splits, strict=True) if other == group}) > 1
    }


@settings(max_examples=150, deadline=None)
@given(ROWS, FRACTIONS, st.integers(0, 2**31), st.dictionaries(GROUPS, st.sampled_from(("train", "val", "test"))))
def test_every_row_in_one_part_and_no_group_in_two(
    rows: Rows, fractions: Fractions, seed: int, stated: dict[str, str]
) -> None:
    splits = draw(rows, fractions, seed, stated)
    assert len(splits) == len(rows)
    assert set(splits) <= {"train", "val", "test"}
    groups = [group for group, _, _ in rows]
    assert parted(groups, splits) == set() and find_leaks(groups, splits) == []
    pictures = [
        {"image": f"{i}.jpg", "group": group, "split": split}
        for i, (group, split) in enumerate(zip(groups, splits, strict=True))
    ]
    assert parted(groups, [part_of(picture, 0.2) for picture in pictures]) == set()
    assert all(split == stated[group] for group, split in zip(groups, splits, strict=True) if group in stated)
    assert splits == draw(rows, fractions, seed, stated)


@settings(max_examples=60, deadline=None)
@given(ROWS, FRACTIONS, st.integers(0, 2**31), st.randoms())
def test_the_order_of_rows_does_not_matter(rows: Rows, fractions: Fractions, seed: int, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = rows[:]
    random.shuffle(shuffled)
    splits = {row[0]: split for row, split in zip(rows, draw(rows, fractions, seed), strict=True)}
    assert splits == {row[0]: split for row, split in zip(shuffled, draw(shuffled, fractions, seed), strict=True)}


@settings(max_examples=100, deadline=None)
@given(LINKS, PLACES)
def test_groups_are_the_connected_components(links: list[list[str]], edges: list[tuple[int, int]]) -> None:
    edges = [(a % len(links), b % len(links)) for a, b in edges]
    groups = find_groups(links, edges)
    near: dict[int, set[int]] = defaultdict(set)
    for a in range(len(links)):
        near[a] |= {b for b in range(len(links)) if set(links[a]) & set(links[b])}
    for a, b in edges:
        near[a].add(b)
        near[b].add(a)
    for start in range(len(links)):
        reached, todo = {start}, [start]
        while todo:
            for other in near[todo.pop()] - reached:
                reached.add(other)
                todo.append(other)
        assert reached == {i for i, group in enumerate(groups) if group == groups[start]}
        assert groups[start] == min(links[i][0] for i in reached)


@settings(max_examples=150, deadline=None)
@given(LINKS, PLACES, FRACTIONS, st.integers(0, 2**31))
def test_what_a_key_or_a_copy_connects_is_never_parted(
    links: list[list[str]], copies: list[tuple[int, int]], fractions: Fractions, seed: int
) -> None:
    """Lesion, patient and file keys and copies in, parts out: no two rows that share a key or are copies end in
    different parts.
    """
    copies = [(a % len(links), b % len(links)) for a, b in copies]
    groups = find_groups(links, copies)
    labels, sets = ["abc"[i % 3] for i in range(len(links))], ["st"[i % 2] for i in range(len(links))]
    splits = assign_splits(groups, labels, sets, [""] * len(links), fractions, seed)
    parts = [part_of({"group": group, "split": split}, 0.2) for group, split in zip(groups, splits, strict=True)]
    for key in {key for keys in links for key in keys}:
        assert len({parts[i] for i, keys in enumerate(links) if key in keys}) == 1
    assert all(parts[a] == parts[b] for a, b in copies)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12).map(str), st.sampled_from(("train", "val", "test", ""))), max_size=60))
def test_every_leak_is_found_and_dropping_it_leaves_none(rows: list[tuple[str, str]]) -> None:
    groups, splits = [group for group, _ in rows], [split for _, split in rows]
    stated = [(group, split) for group, split in rows if split]
    leaks = find_leaks(groups, splits)
    assert {leak.group for leak in leaks} == parted([group for group, _ in stated], [split for _, split in stated])
    dropped = lower_split_rows(leaks, splits)
    kept = [row for i, row in enumerate(rows) if i not in dropped and row[1]]
    assert parted([group for group, _ in kept], [split for _, split in kept]) == set()


def test_shares_are_met_in_each_class() -> None:
    rows = [
        (f"{label}{set_name}{i // 2}", label, set_name)
        for label, n in (("a", 400), ("b", 60), ("c", 12))
        for set_name in ("s", "t")
        for i in range(n)
    ]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (_, label, _), split in zip(rows, draw(rows, Fractions(0.1, 0.2), 3), strict=True):
        counts[label][split] += 1
    assert {label: (c["val"], c["test"]) for label, c in counts.items()} == {"a": (80, 160), "b": (12, 24), "c": (2, 4)}
    assert draw(rows, Fractions(0.1, 0.2), 3) != draw(rows, Fractions(0.1, 0.2), 4)


def test_a_group_larger_than_the_room_goes_to_train() -> None:
    rows = [("giant", "a", "s")] * 50 + [(f"g{i}", "a", "s") for i in range(50)]
    splits = draw(rows, Fractions(0.1, 0.1), 1)
    assert set(splits[:50]) == {"train"}
    assert (splits.count("val"), splits.count("test")) == (10, 10)


def test_new_groups_hardly_move_old_ones() -> None:
    rows = [(f"g{i}", "a", "s") for i in range(500)]
    before = draw(rows, Fractions(0.1, 0.1), 1)
    after = draw([*rows, *((f"new{i}", "a", "s") for i in range(25))], Fractions(0.1, 0.1), 1)
    assert sum(a != b for a, b in zip(before, after, strict=False)) <= 15


def test_leaks_are_found_named_and_can_be_dropped() -> None:
    groups, splits = ["g", "g", "h", "h", "i", "g"], ["train", "val", "val", "", "test", "train"]
    (leak,) = find_leaks(groups, splits)
    assert (leak.group, leak.splits, leak.rows) == ("g", ("train", "val"), (0, 1, 5))
    assert lower_split_rows([leak], splits) == {0, 5}
    error = LeakError([leak], [f"s/{i}.jpg" for i in range(6)], splits, "Do this.")
    assert (
        str(error) == "1 group(s) stand in more than one split:\n  g -> train: s/0.jpg, s/5.jpg; val: s/1.jpg\nDo this."
    )
    with pytest.raises(PrepareError, match="check for leaks first"):
        assign_splits(groups, ["a"] * 6, ["s"] * 6, splits, Fractions(), 1)


def test_shares_that_leave_nothing_to_train_on() -> None:
    with pytest.raises(PrepareError):
        Fractions(0.5, 0.5)
