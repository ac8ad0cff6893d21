"""Columns of text."""

from __future__ import annotations

from nmt_lstm.evaluation.columns import aligned, p_value, signed


def test_the_first_column_stands_left_and_the_others_right() -> None:
    assert (
        aligned([("", "BLEU"), ("a system", "1.5"), ("b", "")]) == "            BLEU\n  a system   1.5\n  b"
    )


def test_differences_and_p_values() -> None:
    assert (signed(0.314), signed(-1.2), signed(0)) == ("+0.31", "−1.20", "+0.00")
    assert (p_value(0.0410), p_value(0.00099)) == ("0.041", "<0.001")
