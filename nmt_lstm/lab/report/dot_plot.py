"""Dot plots of values with intervals, as SVG that fits any width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nmt_lstm.lab.report.markup import Markup, element

__all__ = ["Dot", "digits_of", "dot_plot", "ticks"]


@dataclass(frozen=True)
class Dot:
    """One line of the plot."""

    label: str
    value: float
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""
    text: str
    """The value as text."""
    note: str = ""
    """More text, in small letters."""
    filled: bool = True
    """A filled dot, or a ring."""


def dot_plot(dots: Sequence[Dot], *, caption: str) -> Markup:
    """Return a figure with a dot and an interval for each line, on one scale.

    Positions are percentages, so that the figure fills whatever width there is and its text keeps its size.

    Args:
        dots: the lines, from top to bottom.
        caption: what is shown; it should say what the interval and a ring mean.
    """
    marks = ticks(min(dot.low for dot in dots), max(dot.high for dot in dots))
    start, end = marks[0], marks[-1]

    def place(value: float) -> str:
        return f"{2 + 96 * (value - start) / (end - start):.2f}%"

    grid = [
        element("line", x1=place(mark), x2=place(mark), y1="0", y2="100%", class_="grid") for mark in marks
    ]
    lines = [_line(dot, grid, place(dot.low), place(dot.value), place(dot.high)) for dot in dots]
    digits = digits_of(marks)
    axis = [
        element("text", f"{mark:.{digits}f}", x=place(mark), y="70%", text_anchor="middle") for mark in marks
    ]
    scale = element("div", element("svg", *axis, aria_hidden="true"), class_="dot-line dot-axis")
    return element("figure", element("figcaption", caption), *lines, scale, class_="dots")


def ticks(low: float, high: float, *, about: int = 6) -> list[float]:
    """Return round numbers at equal distances that enclose `low` and `high`, at least two."""
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
    """Return how many digits after the point tell marks apart."""
    return max(0, -math.floor(math.log10(marks[1] - marks[0]) + 1e-9))


def _line(dot: Dot, grid: Sequence[Markup], low: str, middle: str, high: str) -> Markup:
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
