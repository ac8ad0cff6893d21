"""Dot plots of values with intervals, as SVG that fits any width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nmt_lstm.lab.report.markup import Markup, element

__all__ = ["Dot", "digits_of", "dot_plot", "ticks"]


@dataclass(frozen=True)
class Dot:
    """One row of the plot."""

    label: str
    value: float
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""
    text: str
    """The value as text."""
    note: str = ""
    """More text, in small print."""
    filled: bool = True
    """Whether the dot is filled; otherwise it is a ring."""


def dot_plot(dots: Sequence[Dot], *, caption: str) -> Markup:
    """Return a figure with a dot and an interval in each row, on a common scale.

    Positions are percentages, so the figure fills the available width while its text keeps its size.

    Args:
        dots: the rows, from top to bottom.
        caption: explains the values, the intervals and the rings.
    """
    marks = ticks(min(dot.low for dot in dots), max(dot.high for dot in dots))
    start, end = marks[0], marks[-1]

    def position(value: float) -> str:
        return f"{2 + 96 * (value - start) / (end - start):.2f}%"

    grid = [
        element("line", x1=position(mark), x2=position(mark), y1="0", y2="100%", class_="grid")
        for mark in marks
    ]
    rows = [_row(dot, grid, position(dot.low), position(dot.value), position(dot.high)) for dot in dots]
    digits = digits_of(marks)
    axis = [
        element("text", f"{mark:.{digits}f}", x=position(mark), y="70%", text_anchor="middle")
        for mark in marks
    ]
    scale = element("div", element("svg", *axis, aria_hidden="true"), class_="dot-line dot-axis")
    return element("figure", element("figcaption", caption), *rows, scale, class_="dots")


def ticks(low: float, high: float, *, about: int = 6) -> list[float]:
    """Return at least two evenly spaced round numbers that enclose `low` and `high`."""
    span, size = high - low, max(abs(low), abs(high), 1.0)
    if span <= 1e-6 * size:
        span = 0.1 * size
        low, high = low - span / 2, high + span / 2
    raw = span / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def digits_of(marks: Sequence[float]) -> int:
    """Return how many decimals distinguish the marks."""
    return max(0, -math.floor(math.log10(marks[1] - marks[0]) + 1e-9))


def _row(dot: Dot, grid: Sequence[Markup], low: str, middle: str, high: str) -> Markup:
    drawing = element(
        "svg",
        *grid,
        element("line", x1=low, x2=high, y1="50%", y2="50%", class_="interval"),
        element("circle", cx=middle, cy="50%", r="4.5", class_="dot" if dot.filled else "dot ring"),
        aria_hidden="true",
    )
    note = element("small", dot.note) if dot.note else Markup()
    return element(
        "div",
        element("span", dot.label, class_="dot-label", title=dot.label),
        drawing,
        element("span", dot.text, note, class_="dot-value"),
        class_="dot-line",
    )
