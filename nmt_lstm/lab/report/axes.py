"""Axes and marks that several line charts share: counts from 0, and powers of ten."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from nmt_lstm.lab.report.dot_plot import ticks
from nmt_lstm.lab.report.line_chart import Axis

__all__ = ["count_axis", "marks_along", "power_axis"]

_MARKS_ALONG = 6


def count_axis(title: str, last: float) -> Axis:
    """Return a scale from 0 to the largest count, with round marks below it."""
    marks = [mark for mark in ticks(0, last, about=4) if mark <= last]
    return Axis(title, 0.0, float(last), [(mark, f"{mark:,.0f}") for mark in marks])


def power_axis(title: str, values: Iterable[float]) -> Axis:
    """Return a logarithmic scale marked with powers of ten that covers all values, 1 and a tenth; values are positive."""
    values = list(values)
    low = math.floor(math.log10(min([*values, 0.1])))
    high = math.ceil(math.log10(max([*values, 1.0])))
    step = max(1, math.ceil((high - low) / 5))
    marks = [(10.0**power, _power(power)) for power in range(low, high + 1) if power % step == 0]
    return Axis(title, 10.0**low, 10.0**high, marks, log=True)


def marks_along(line: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return some points of a line, for marks that distinguish lines by their shape."""
    step = max(1, len(line) // _MARKS_ALONG)
    return list(line[step - 1 :: step])


def _power(exponent: int) -> str:
    if exponent == 0:
        return "1"
    raised = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}"
