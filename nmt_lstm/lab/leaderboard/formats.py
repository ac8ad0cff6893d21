"""How numbers of a board are written for people."""

from __future__ import annotations

from nmt_lstm.evaluation.columns import p_value
from nmt_lstm.evaluation.significance import Comparison

__all__ = ["UNKNOWN", "compact", "hours", "p_values", "speed"]

UNKNOWN = "–"


def p_values(comparison: Comparison) -> str:
    """Return the p values of bootstrap and randomisation, such as "0.041/0.063"."""
    return f"{p_value(comparison.p_bootstrap)}/{p_value(comparison.p_randomisation)}"


def compact(number: int | None) -> str:
    """Return a large number in short, such as "12.3 M"."""
    if number is None:
        return UNKNOWN
    for size, unit in ((1_000_000_000, " G"), (1_000_000, " M"), (1_000, " k")):
        if number >= size:
            return f"{number / size:.3g}{unit}" if number < 1000 * size else f"{number / size:,.0f}{unit}"
    return str(number)


def hours(value: float | None) -> str:
    """Return hours, such as "3.25 h" or "25 min"."""
    if value is None:
        return UNKNOWN
    return f"{value:.2f} h" if value >= 1 else f"{value * 60:.0f} min"


def speed(value: float | None) -> str:
    """Return sentences per second."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
