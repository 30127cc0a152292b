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
ROWS = st.lists(st.tuples(st.integers(0, 40).map(lambda n: f"g{n}"), st.sampled_from("abc"), st.sampled_from(("s", "t"))), min_size=1, max_size=120)
FRACTIONS = st.tuples(st.floats(0, 0.45), st.floats(0, 0.45)).map(lambda pair: Fractions(*pair))


def draw(rows: Rows, fractions: Fractions, seed: int, stated: dict[str, str] | None = None) -> list[str]:
    groups, labels, sets = ([row[k] for row in rows] for k in range(3))
    return assign_splits(groups, labels, sets, [(stated or {}).get(group, "") for group in groups], fractions, seed)


@settings(max_examples=150, deadline=None)
@given(ROWS, FRACTIONS, st.integers(0, 2**31), st.dictionaries(st.integers(0, 40).map(lambda n: f"g{n}"), st.sampled_from(("train", "val", "test"))))
def test_every_row_in_one_part_and_no_group_in_two(rows: Rows, fractions: Fractions, seed: int, stated: dict[str, str]) -> None:
    splits = draw(rows, fractions, seed, stated)
    assert len(splits) == len(rows)
    assert set(splits) <= {"train", "val", "test"}
    groups = [group for group, _, _ in rows]
    assert find_leaks(groups, splits) == []
    parts = [part_of({"group": group, "split": split}, 0.2) for group, split in zip(groups, splits, strict=True)]
    assert find_leaks(groups, parts) == []
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
@given(
    st.lists(st.lists(st.integers(0, 25).map(str), min_size=1, max_size=3), max_size=40),
    st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=20),
)
def test_groups_are_the_connected_components(links: list[list[str]], edges: list[tuple[int, int]]) -> None:
    edges = [(a, b) for a, b in edges if a < len(links) and b < len(links)]
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


def test_shares_are_met_in_each_class() -> None:
    rows = [(f"{label}{set_name}{i // 2}", label, set_name) for label, n in (("a", 400), ("b", 60), ("c", 12)) for set_name in ("s", "t") for i in range(n)]
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
    assert str(error) == "1 group(s) stand in more than one split:\n  g -> train: s/0.jpg, s/5.jpg; val: s/1.jpg\nDo this."
    with pytest.raises(PrepareError, match="check for leaks first"):
        assign_splits(groups, ["a"] * 6, ["s"] * 6, splits, Fractions(), 1)


def test_shares_that_leave_nothing_to_train_on() -> None:
    with pytest.raises(PrepareError):
        Fractions(0.5, 0.5)
