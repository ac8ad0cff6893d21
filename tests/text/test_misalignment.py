"""A misalignment is located where line lengths stop matching, and nowhere in aligned texts."""

from __future__ import annotations

import random

import pytest

from nmt_lstm.text.misalignment import find_misalignment, lengths_are_related, lengths_are_unrelated


def lengths(seed: int, count: int, scale: float = 1.0, spread: float = 0.15) -> list[tuple[int, int]]:
    """Lengths of sentences and of their translations, which are about `scale` times as long."""
    draw = random.Random(seed)
    pairs = []
    for _ in range(count):
        source = draw.randint(10, 150)
        pairs.append((source, max(1, round(source * scale * (1 + draw.gauss(0, spread))))))
    return pairs


def shifted(pairs: list[tuple[int, int]], lost: int) -> list[tuple[int, int]]:
    """The pairs of lines after line `lost` of the target was removed."""
    targets = [target for _, target in pairs]
    del targets[lost - 1]
    return list(zip([source for source, _ in pairs], targets, strict=False))


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("seed", range(5))
def test_aligned_texts_have_no_misalignment(scale, seed) -> None:
    assert find_misalignment(lengths(seed, 1_000, scale)) is None


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("lost", [30, 500, 970])
def test_a_lost_line_is_located(scale, lost) -> None:
    line = find_misalignment(shifted(lengths(lost, 1_000, scale), lost))
    assert line is not None
    assert abs(line - lost) <= 5


def test_a_smaller_scale_is_not_a_misalignment() -> None:
    pairs = lengths(1, 600)
    assert find_misalignment(shifted(pairs[:300], 1)[:299] + pairs[300:]) is None


def test_too_few_lines_have_no_result() -> None:
    assert find_misalignment([]) is None
    assert find_misalignment(shifted(lengths(3, 10), 5)) is None


def test_equal_and_empty_lines_are_handled() -> None:
    assert find_misalignment([(0, 0)] * 100) is None
    assert find_misalignment([(7, 7)] * 100) is None
    assert find_misalignment([(7, 7)] * 100 + [(7, 70), (70, 7)] * 50) == 101


def test_two_sides_of_a_text_are_related_and_unrelated_texts_are_not() -> None:
    pairs = lengths(1, 400, scale=0.4, spread=0.4)
    assert lengths_are_related(pairs)
    others = [target for _, target in lengths(2, 400)]
    unrelated = [(source, other) for (source, _), other in zip(pairs, others, strict=True)]
    assert not lengths_are_related(unrelated)
    assert lengths_are_related(unrelated[:20])  # too few to tell
    assert lengths_are_related([(7, 7)] * 100)


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("seed", range(5))
def test_shifted_sides_are_unrelated_and_aligned_ones_are_not(seed, scale) -> None:
    pairs = lengths(seed, 500, scale, spread=0.4)
    assert not lengths_are_unrelated(pairs)
    assert lengths_are_unrelated(shifted(pairs, 1))


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        shifted(lengths(1, 250), 1),
        [(source // 8, target // 8) for source, target in shifted(lengths(1, 500), 1)],
        [(source, 60 + source % 3) for source, _ in lengths(1, 500)],
        [(source, 0) for source, _ in lengths(1, 500)],
        [(60, 60)] * 500,
    ],
    ids=["none", "few", "words", "one form", "blank", "equal"],
)
def test_lengths_that_say_nothing_are_not_called_unrelated(pairs) -> None:
    assert not lengths_are_unrelated(pairs)
