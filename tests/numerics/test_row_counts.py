"""Rows are padded to few numbers, never fewer and little more; the added rows are zeros."""

from __future__ import annotations

import torch

from nmt_lstm.numerics.row_counts import padded_rows, rounded_rows


def test_rows_are_rounded_up_to_few_numbers() -> None:
    counts = (0, 1, 8, 9, 64, 65, 129, 320, 321, 1_025, 3_000)
    assert [rounded_rows(rows) for rows in counts] == [0, 8, 8, 16, 64, 80, 160, 320, 384, 1_280, 3_072]
    assert len({rounded_rows(rows) for rows in range(1, 321)}) <= 18
    assert len({rounded_rows(rows) for rows in range(1, 3_001)}) <= 31
    assert all(rows <= rounded_rows(rows) < rows + max(8, rows / 4) for rows in range(1, 4_000))


def test_small_numbers_may_be_rounded_less() -> None:
    assert [rounded_rows(rows, finest=1) for rows in (1, 7, 8, 9, 17, 33)] == [1, 7, 8, 10, 20, 40]


def test_added_rows_are_zeros_and_a_rounded_number_stays_unchanged() -> None:
    rows = torch.ones(17, 3)
    padded = padded_rows(rows)
    assert padded.shape == (24, 3)
    assert torch.equal(padded[:17], rows)
    assert not padded[17:].any()
    assert padded_rows(padded) is padded
