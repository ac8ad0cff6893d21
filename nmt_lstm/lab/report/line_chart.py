"""Line charts, such as learning curves, as SVG that fits any width while text, lines and marks keep their size."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nmt_lstm.lab.report.dot_plot import ticks
from nmt_lstm.lab.report.markup import Markup, element, joined

__all__ = ["Line", "line_chart"]

# A line is told from others by its mark and its dashes too: colours alone are not seen by all, nor on paper.
_MARKS = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
    "M-4 -4h8v8h-8z",
    "M0 -5l5 9h-10z",
    "M0 -5.5l5 5.5l-5 5.5l-5 -5.5z",
    "M0 5l5 -9h-10z",
    "M-5 -2h3v-3h4v3h3v4h-3v3h-4v-3h-3z",
)
_DASHES = ("", "7 3", "2 3", "9 3 2 3", "12 4", "4 2 1 2")

Point = tuple[float, float]
Place = Callable[[float], float]


@dataclass(frozen=True)
class Line:
    """One line of the chart."""

    label: str
    points: Sequence[Point]
    """(x, y), x rising."""
    parts: Sequence[Sequence[Point]] = ()
    """Lines that this one is the mean of; they are drawn faintly."""


def line_chart(lines: Sequence[Line], *, caption: str, x_label: str, y_label: str) -> Markup:
    """Return a figure with the lines on common scales, and a legend.

    Args:
        lines: at least one with a point. After the sixth, looks repeat.
        caption: what is shown; it should say what faint lines mean, if there are any.
        x_label: what x is, with its unit.
        y_label: what y is, with its unit.
    """
    every = [point for line in lines for points in (line.points, *line.parts) for point in points]
    across = ticks(min(x for x, _ in every), max(x for x, _ in every), about=5)
    up = ticks(min(y for _, y in every), max(y for _, y in every), about=5)

    def x_place(value: float) -> float:
        return 100 * (value - across[0]) / (across[-1] - across[0])

    def y_place(value: float) -> float:
        return 100 * (up[-1] - value) / (up[-1] - up[0])

    grid = [
        element(
            "line", x1=0, x2="100%", y1=_percent(y_place(mark)), y2=_percent(y_place(mark)), class_="grid"
        )
        for mark in up
    ]
    strokes, marks = [], []
    for number, line in enumerate(lines):
        strokes += [_stroke(part, number, x_place, y_place, faint=True) for part in line.parts]
        strokes.append(_stroke(line.points, number, x_place, y_place, faint=False))
        marks += [
            element(
                "svg",
                _mark(number),
                x=_percent(x_place(x)),
                y=_percent(y_place(y)),
                width=1,
                height=1,
                class_="line-mark",
            )
            for x, y in line.points
        ]
    # Percentages place text and marks; only the strokes live in a square that is stretched to the space there is.
    stretched = element(
        "svg", *strokes, viewBox="0 0 100 100", preserveAspectRatio="none", class_="line-strokes"
    )
    area = element(
        "svg",
        *grid,
        stretched,
        *marks,
        class_="line-area",
        role="img",
        aria_label=f"{y_label} against {x_label}",
    )
    scale_up = element(
        "svg",
        *(
            element(
                "text", _number(mark, up), x="100%", y=_percent(y_place(mark)), dy=".32em", text_anchor="end"
            )
            for mark in up
        ),
        class_="line-up",
        aria_hidden="true",
    )
    scale_across = element(
        "svg",
        *(
            element(
                "text",
                _number(mark, across),
                x=_percent(x_place(mark)),
                y="1.1em",
                text_anchor=_anchor(mark, across),
            )
            for mark in across
        ),
        class_="line-across",
        aria_hidden="true",
    )
    return element(
        "figure",
        element("figcaption", caption),
        element(
            "div", *(_key(line.label, number) for number, line in enumerate(lines)), class_="line-legend"
        ),
        element(
            "div",
            element("span", y_label, class_="line-name"),
            scale_up,
            area,
            scale_across,
            element("span", x_label, class_="line-name line-name-across"),
            class_="line-plot",
        ),
        class_="lines",
    )


def _stroke(points: Sequence[Point], number: int, x_place: Place, y_place: Place, *, faint: bool) -> Markup:
    return element(
        "polyline",
        points=" ".join(f"{x_place(x):.2f},{y_place(y):.2f}" for x, y in points),
        stroke_dasharray=None if faint else _DASHES[number % len(_DASHES)] or None,
        vector_effect="non-scaling-stroke",
        class_=f"{_series(number)}{' faint' if faint else ''}",
    )


def _mark(number: int) -> Markup:
    return element("path", d=_MARKS[number % len(_MARKS)], class_=_series(number))


def _key(label: str, number: int) -> Markup:
    """Return a sample of a line with its name."""
    sample = element(
        "svg",
        element(
            "line",
            x1=0,
            x2=32,
            y1=8,
            y2=8,
            stroke_dasharray=_DASHES[number % len(_DASHES)] or None,
            class_=_series(number),
        ),
        element("svg", _mark(number), x=16, y=8, width=1, height=1, class_="line-mark"),
        width=32,
        height=16,
        aria_hidden="true",
    )
    return element("span", joined(sample, label), class_="line-key")


def _series(number: int) -> str:
    return f"series series-{number % 6 + 1}"


def _percent(value: float) -> str:
    return f"{value:.2f}%"


def _number(mark: float, marks: Sequence[float]) -> str:
    digits = max(0, -math.floor(math.log10(marks[1] - marks[0]) + 1e-9))
    return f"{mark:,.{digits}f}".replace("-", "−")


def _anchor(mark: float, marks: Sequence[float]) -> str:
    """The outermost numbers stay within the figure."""
    return "start" if mark == marks[0] else "end" if mark == marks[-1] else "middle"
