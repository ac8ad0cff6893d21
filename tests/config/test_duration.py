"""Durations as people write them."""

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
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["25", "25 minutes", "m", "-5m", "0s", "1h30", "1e3s", "h1"])
def test_refused(text):
    with pytest.raises(ValueError, match="must be a duration such as"):
        parse_duration(text)
