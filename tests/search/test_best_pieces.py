"""The exact top of each row, against plain sorting."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.search.best_pieces import best_pieces


def by_sorting(scores: torch.Tensor, count: int) -> list[list[int]]:
    rows = scores.tolist()
    return [sorted(sorted(range(len(row)), key=lambda place: (-row[place], place))[:count]) for row in rows]


@pytest.mark.parametrize("width", [1, 5, 17, 300, 1_000, 4_099])
@pytest.mark.parametrize("count", [1, 2, 5, 12])
@pytest.mark.parametrize("levels", [2, 40, 0])
def test_finds_the_largest_and_decides_ties_by_the_lower_index(width: int, count: int, levels: int) -> None:
    generator = torch.Generator().manual_seed(width + count)
    scores = torch.randn(7, width, generator=generator)
    if levels:
        scores = torch.randint(levels, (7, width), generator=generator).float()
    values, indices = best_pieces(scores, count)
    assert indices.tolist() == by_sorting(scores, count)
    assert torch.equal(values, scores.gather(1, indices))


def test_reads_a_slice_of_wider_rows() -> None:
    scores = torch.randn(5, 2_003, generator=torch.Generator().manual_seed(1))
    assert best_pieces(scores[:, 4:], 6)[1].tolist() == by_sorting(scores[:, 4:], 6)


def test_rows_of_equal_scores_take_the_first_ones() -> None:
    values, indices = best_pieces(torch.zeros(3, 2_000), 5)
    assert indices.tolist() == [[0, 1, 2, 3, 4]] * 3
    assert values.tolist() == [[0.0] * 5] * 3


def test_minus_infinity_is_a_score() -> None:
    scores = torch.full((2, 2_000), -torch.inf)
    scores[0, 1_999] = 1.0
    values, indices = best_pieces(scores, 3)
    assert indices.tolist() == [[0, 1, 1_999], [0, 1, 2]]
    assert values[0, 2] == 1.0
