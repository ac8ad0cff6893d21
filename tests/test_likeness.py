"""The name that a mistyped one is likely to mean."""

from __future__ import annotations

from nmt_lstm.likeness import nearest


def test_the_nearest_name_is_offered() -> None:
    assert nearest("ltsm", ["lstm", "gru"]) == " Did you mean 'lstm'?"
    assert nearest("transformer", ["lstm", "gru"]) == ""


def test_a_very_long_name_is_not_compared() -> None:
    assert nearest("l" * 201, ["l" * 201]) == ""
