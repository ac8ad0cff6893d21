"""Axes that charts share."""

from __future__ import annotations

import pytest

from nmt_lstm.lab.report.axes import count_axis, marks_along, power_axis


def test_counts_begin_at_zero_and_end_at_the_last() -> None:
    axis = count_axis("steps", 39)
    assert (axis.low, axis.high) == (0, 39)
    assert [text for _, text in axis.marks] == ["0", "10", "20", "30"]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.5], ["10⁻¹", "1"]),
        ([0.003, 2.0], ["10⁻³", "10⁻²", "10⁻¹", "1", "10¹"]),
        ([1e-12, 1.0], ["10⁻¹²", "10⁻⁹", "10⁻⁶", "10⁻³", "1"]),
        ([1e-6, 20.0], ["10⁻⁶", "10⁻⁴", "10⁻²", "1", "10²"]),
    ],
)
def test_powers_of_ten_have_one_among_their_marks(values, texts) -> None:
    axis = power_axis("norm", values)
    assert [text for _, text in axis.marks] == texts
    assert axis.low <= min(values) <= max(values) <= axis.high


def test_marks_are_points_of_the_line() -> None:
    line = [(float(lag), 0.9**lag) for lag in range(40)]
    result = marks_along(line)
    assert 5 <= len(result) <= 7
    assert set(result) <= set(line)
    assert marks_along(line[:2]) == line[:2]
