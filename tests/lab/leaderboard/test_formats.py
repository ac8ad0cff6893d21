"""Numbers for people."""

from __future__ import annotations

import pytest

from nmt_lstm.lab.leaderboard.formats import compact, hours, speed


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "–"), (0, "0"), (999, "999"), (1_000, "1 k"), (12_345, "12.3 k"), (60_000_000, "60 M"),
        (999_950_000, "1e+03 M"), (1_500_000_000, "1.5 G"), (2_345_000_000_000, "2,345 G"),
    ],
)  # fmt: skip
def test_large_numbers_are_short(number, text) -> None:
    assert compact(number) == text


def test_times_and_speeds() -> None:
    assert [hours(value) for value in (None, 0.1, 0.99, 1.0, 26.5)] == [
        "–",
        "6 min",
        "59 min",
        "1.00 h",
        "26.50 h",
    ]
    assert [speed(value) for value in (None, 0.25, 9.94, 12.3, 1234.5)] == ["–", "0.2", "9.9", "12", "1,234"]
