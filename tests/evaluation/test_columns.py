"""Differences, p values and perplexities are printed in a readable form."""

from __future__ import annotations

import pytest

from nmt_lstm.evaluation.columns import of_any_size, p_value, perplexity, signed


def test_differences_have_signs_and_p_values_three_digits() -> None:
    assert (signed(0.314), signed(-1.2), signed(0)) == ("+0.31", "−1.20", "+0.00")
    assert (p_value(0.0410), p_value(0.00099)) == ("0.041", "<0.001")


@pytest.mark.parametrize(
    ("loss", "digits", "text"),
    [(0.0, 1, "1.0"), (2.5, 2, "12.18"), (13.0, 1, "442413.4"), (20.0, 1, "4.9e+08"), (700.0, 1, "1e+304"),
     (10_000.0, 1, "infinite"), (float("inf"), 1, "infinite"), (float("nan"), 1, "nan")],
)  # fmt: skip
def test_perplexities_are_short_whatever_the_loss(loss, digits, text) -> None:
    assert perplexity(loss, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.3412, "5.341"),
        (999_999.0, "999999.000"),
        (1.234e27, "1.2e+27"),
        (-2e9, "-2e+09"),
        (float("nan"), "nan"),
    ],
)
def test_a_number_of_any_size_is_short(value, text):
    assert of_any_size(value, 3) == text
