"""Durations such as 1h30m are converted to seconds, and other text is rejected."""

from __future__ import annotations

import pytest

from nmt_lstm.config.duration import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None),
        ("90s", 90),
        ("25m", 1500),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("1d 2h", 93_600),
    ],
)
def test_a_duration_is_converted_to_seconds(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["25", "25 minutes", "m", "-5m", "0s", "1h30", "1e3s", "h1"])
def test_other_text_is_rejected(text):
    with pytest.raises(ValueError, match="must be a duration"):
        parse_duration(text)
