"""Copies are found in whatever way they were turned, shrunk or saved again; other pictures and crops are not."""

from __future__ import annotations

import io

import numpy as np
import prepare_drawn as drawn
import pytest
from PIL import Image

from dermlet_train.prepare.duplicates import TURNS, Pair, Thresholds, candidates, find_duplicates, hashes, turned
from dermlet_train.prepare.pictures import thumbnail
from dermlet_train.prepare.pipeline import choose_copies


def pairs_of(*pictures: Image.Image) -> list[Pair]:
    grey = np.stack([thumbnail(picture) for picture in pictures])
    return find_duplicates([str(i) for i in range(len(pictures))], grey, Thresholds())


def recompressed(picture: Image.Image, quality: int) -> Image.Image:
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=quality)
    return Image.open(data).convert("RGB")


def turn(picture: Image.Image, number: int) -> Image.Image:
    return Image.fromarray(
        np.ascontiguousarray(turned(np.moveaxis(np.asarray(picture), 2, 0), number).transpose(1, 2, 0))
    )


def test_the_hash_of_a_turned_picture_is_among_the_eight() -> None:
    grey = np.stack([thumbnail(drawn.lesion(seed)) for seed in range(20)])
    table = hashes(grey)
    for number in range(len(TURNS)):
        own = hashes(np.ascontiguousarray(turned(grey, number)))[:, 0]
        assert np.bitwise_count(own ^ table[:, number]).max() <= 1  # rounding at the median


@pytest.mark.parametrize("number", range(8))
def test_turned_shrunk_and_saved_again_is_a_copy(number: int) -> None:
    for seed in range(5):
        picture = drawn.lesion(seed, (240, 180))
        copy = recompressed(turn(picture, number).resize((96, 96) if number % 2 else (120, 90)), 60)
        (pair,) = pairs_of(picture, drawn.lesion(seed + 100), copy)
        assert (pair.a, pair.b, pair.kind) == (0, 2, "copy")


def test_other_pictures_are_not_copies() -> None:
    assert pairs_of(*(drawn.lesion(seed) for seed in range(60))) == []


@pytest.mark.parametrize("share", [0.85, 0.7])
def test_a_crop_is_not_a_copy(share: float) -> None:
    for seed in range(5):
        picture = drawn.lesion(seed, (240, 180))
        x, y = 240 * (1 - share) / 2, 180 * (1 - share) / 2
        assert pairs_of(picture, picture.crop((int(x), int(y), int(240 - x), int(180 - y)))) == []


def speckled(shape: int, speckle: int, share: float = 1.0) -> Image.Image:
    """A spot of the given shape under fine speckles; `share` of them are the given ones, the rest another picture's."""
    rng, other = np.random.default_rng(speckle), np.random.default_rng(speckle + 999)
    fine = np.sqrt(share) * rng.normal(0, 7, (128, 128, 1)) + np.sqrt(1 - share) * other.normal(0, 7, (128, 128, 1))
    spot = np.asarray(
        drawn.lesion(shape, (128, 128)).resize((16, 16)).resize((128, 128), Image.Resampling.BICUBIC), np.float32
    )
    return Image.fromarray((spot + fine).clip(0, 255).astype(np.uint8))


def test_the_same_shape_with_other_detail_is_not_a_copy() -> None:
    """Two centred dark spots agree as a whole; what tells them apart is the detail."""
    for shape in range(5):
        pictures = speckled(shape, 1), speckled(shape, 2)
        grey = np.stack([thumbnail(picture) for picture in pictures])
        (pair,) = find_duplicates(["0", "1"], grey, Thresholds(alike_detail=-1))
        assert pair.whole > 0.95
        assert pairs_of(*pictures) == []


def test_much_the_same_detail_is_alike_but_no_copy() -> None:
    for shape in range(5):
        assert [pair.kind for pair in pairs_of(speckled(shape, 1), speckled(shape, 1, 0.2))] == ["alike"]


def test_the_same_detail_with_another_whole_is_not_a_copy() -> None:
    """A shared rim of the lens or ruler makes detail agree; the whole must, too."""
    picture = np.asarray(speckled(3, 1), np.float32)
    shade = np.linspace(-60, 60, 128)[None, :, None]
    other = Image.fromarray((picture * 0.5 + 60 + shade).clip(0, 255).astype(np.uint8))
    grey = np.stack([thumbnail(Image.fromarray(picture.astype(np.uint8))), thumbnail(other)])
    (pair,) = find_duplicates(["0", "1"], grey, Thresholds(hash_bits=63, alike_whole=-1, alike_detail=0.9))
    assert pair.whole < 0.95
    assert find_duplicates(["0", "1"], grey, Thresholds(hash_bits=63)) == []


def test_pictures_without_structure_are_compared_by_their_bytes_only() -> None:
    flat = [Image.new("RGB", (80, 80), (200 + i, 160, 140)) for i in range(3)]
    assert pairs_of(*flat) == []
    grey = np.stack([thumbnail(picture) for picture in flat])
    faint = 200 + np.random.default_rng(1).integers(0, 3, (15, 15), np.uint8).repeat(6, 0).repeat(6, 1)[
        ..., None
    ].repeat(3, 2)
    assert pairs_of(Image.fromarray(faint), Image.fromarray(faint + 5)) == []
    assert [(p.a, p.b, p.kind) for p in find_duplicates(["x", "y", "x"], grey, Thresholds())] == [(0, 2, "exact")]


def test_candidates_equal_those_of_a_plain_double_loop() -> None:
    rng = np.random.default_rng(1)
    table = rng.integers(0, 2**63, (150, 8), dtype=np.uint64)
    table[100:, 3] = table[:50, 0] ^ np.uint64(0b1011)
    found = {tuple(row) for row in candidates(table, 4).tolist()}
    plain = set()
    for a in range(150):
        for b in range(a + 1, 150):
            for number in range(8):
                bits = (int(table[a, 0]) ^ int(table[b, number])).bit_count()
                if bits <= 4:
                    plain.add((a, b, number, bits))
    assert found == plain
    assert len(plain) >= 50


def test_nothing_to_compare() -> None:
    assert find_duplicates([], np.empty((0, 64, 64), np.uint8), Thresholds()) == []
    assert pairs_of(drawn.lesion(1)) == []


def test_a_copy_goes_only_if_a_kept_picture_is_its_copy() -> None:
    chain = [Pair(0, 1, "copy"), Pair(1, 2, "copy"), Pair(2, 3, "alike"), Pair(4, 5, "exact")]
    assert sorted(choose_copies(chain, range(6))) == [1, 5]
    assert sorted(choose_copies(chain, [1, 0, 2, 5, 4, 3])) == [0, 2, 4]
    assert sorted(choose_copies(chain, [0, 2, 3, 4])) == []
