"""Durations written as people write them: "90s", "25m", "2h", "1h30m"."""

from __future__ import annotations

import re

__all__ = ["check_duration", "parse_duration"]

_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_PART = r"(\d+(?:\.\d+)?)\s*([dhms])"
_DURATION = re.compile(rf"(?:\s*{_PART})+\s*")


def parse_duration(text: str) -> float | None:
    """Return seconds, or None for an empty text, which means no limit.

    Raises:
        ValueError: the text is not a duration above zero.
    """
    if not text:
        return None
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in re.findall(_PART, text))
    if not _DURATION.fullmatch(text) or seconds <= 0.0:
        raise ValueError('must be a duration such as "90s", "25m", "2h" or "1h30m"')
    return seconds


def check_duration(text: str) -> str:
    """Return `text` if `parse_duration` can read it."""
    parse_duration(text)
    return text
