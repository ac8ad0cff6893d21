"""Translations that repeat themselves are noticed, and numbers are not."""

from __future__ import annotations

import random

import pytest

from nmt_lstm.inference.repetition import repeated_phrase


@pytest.mark.parametrize(
    ("pieces", "phrase"),
    [
        ([4, 4, 4, 4], [4]),
        ([9, 4, 5, 4, 5, 4, 5, 4, 5], [4, 5]),
        ([1, 2, 3] * 4 + [9], [1, 2, 3]),
        ([4, 4, 4], None),
        ([4, 5, 6, 4, 5, 6, 4, 5, 6], None),
        ([4, 5] * 3 + [4, 6], None),
        ([], None),
    ],
)
def test_four_times_in_a_row_is_a_repetition(pieces, phrase) -> None:
    found = repeated_phrase(pieces)
    assert found == phrase


def test_the_phrase_found_stands_there_four_times_in_a_row() -> None:
    draw = random.Random(1)
    for _ in range(300):
        phrase = [draw.randrange(4) for _ in range(draw.randint(1, 6))]
        pieces = (
            [draw.randrange(4, 9) for _ in range(5)] + phrase * 4 + [draw.randrange(4, 9) for _ in range(5)]
        )
        found = repeated_phrase(pieces)
        assert found is not None
        assert any(pieces[start : start + 4 * len(found)] == found * 4 for start in range(len(pieces)))


def test_phrases_may_be_required_to_be_longer() -> None:
    assert repeated_phrase([4, 4, 4, 4], shortest=3) is None
    assert repeated_phrase([1, 2, 3] * 4, shortest=3) == [1, 2, 3]
