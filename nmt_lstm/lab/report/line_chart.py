"""Line charts as SVG: several panels in a file, or one figure on a page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nmt_lstm.lab.report.dot_plot import digits_of, ticks
from nmt_lstm.lab.report.drawing import RULE, SOFT, document, text_at
from nmt_lstm.lab.report.markup import Markup, element, joined

__all__ = ["Axis", "Panel", "Reference", "Series", "chart_figure", "chart_file"]

# Okabe and Ito's palette, which colour-blind readers can distinguish. Marks and dashes distinguish lines in black and
# white; lines of the same colour have different dashes. Colours are attributes, which every SVG viewer supports; a page
# overrides them with those of its theme through the classes.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_DASHES = (None, "7 3", "2 3", "9 3 2 3")

_IN_FILE, _IN_PAGE = (240, 170), (360, 200)  # sizes of a panel's frame
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 56, 40, 46  # around it
_MARGIN, _LINE = 16, 18


@dataclass(frozen=True)
class Axis:
    """A scale and its tick marks."""

    title: str
    low: float
    high: float
    marks: Sequence[tuple[float, str]]
    """(value, text)."""
    log: bool = False

    @classmethod
    def around(cls, title: str, values: Iterable[float]) -> Axis:
        """Return a scale with round marks that covers all values; at least one is required."""
        values = list(values)
        marks = ticks(min(values), max(values), about=5)
        digits = digits_of(marks)
        texts = [f"{mark:,.{digits}f}".replace("-", "−") for mark in marks]
        return cls(title, marks[0], marks[-1], list(zip(marks, texts, strict=True)))

    def share(self, value: float) -> float:
        """Return the position of a value between the ends, clamped to [0, 1]."""
        value = min(max(value, self.low), self.high)
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Series:
    """A line, and dots."""

    key: int
    """Index of its label in the legend."""
    line: Sequence[tuple[float, float]] = ()
    dots: Sequence[tuple[float, float]] = ()
    thin: bool = False
    """Whether it is one of several lines with the same label."""


@dataclass(frozen=True)
class Reference:
    """A horizontal line across the panel, labelled at its right end."""

    value: float
    text: str


@dataclass(frozen=True)
class Panel:
    """One chart."""

    title: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    references: Sequence[Reference] = ()


def chart_file(title: str, note: str, labels: Sequence[str], panels: Sequence[Panel], *, columns: int) -> str:
    """Return an SVG document.

    Args:
        title: the heading.
        note: lines of small text below the heading that explain the chart.
        labels: the legend; the key of a series is its index.
        panels: in rows, from left to right.
        columns: the most panels in a row.
    """
    columns = max(1, min(columns, len(panels)))
    inner_width, inner_height = _IN_FILE
    outer_width, outer_height = _LEFT + inner_width + _RIGHT, _TOP + inner_height + _BOTTOM
    width = max(2 * _MARGIN + columns * outer_width, 600)
    lines = note.split("\n")
    head = [text_at(title, _MARGIN, 30, size=17, weight=650)]
    head += [text_at(line, _MARGIN, 30 + _LINE * row, colour=SOFT) for row, line in enumerate(lines, 1)]
    legend, y = _legend(labels, width, 30 + _LINE * (len(lines) + 1) + 8)
    drawn = []
    for index, panel in enumerate(panels):
        row, column = divmod(index, columns)
        offset = f"translate({_MARGIN + _LEFT + column * outer_width} {y + _TOP + row * outer_height})"
        drawn.append(element("g", _panel(panel, _IN_FILE), transform=offset))
    height = y + math.ceil(len(panels) / columns) * outer_height + 8
    return document(title, width, height, *head, legend, *drawn)


def chart_figure(caption: str, labels: Sequence[str], panel: Panel) -> Markup:
    """Return a figure that fills the available width of a page.

    Args:
        caption: explains the chart and its thin lines.
        labels: the legend; the key of a series is its index.
        panel: the chart.
    """
    width = _LEFT + _IN_PAGE[0] + _MARGIN
    legend, y = _legend(labels, width, 14, left=2)
    drawn = element("g", _panel(panel, _IN_PAGE), transform=f"translate({_LEFT} {y + 16})")
    svg = element(
        "svg", legend, drawn,
        viewBox=f"0 0 {width} {y + 16 + _IN_PAGE[1] + _BOTTOM}", role="img",
        aria_label=f"{panel.y.title} against {panel.x.title}",
    )  # fmt: skip
    return element("figure", element("figcaption", caption), svg, class_="lines")


def _legend(labels: Sequence[str], width: int, y: int, *, left: int = _MARGIN) -> tuple[Markup, int]:
    parts, x = [], left
    for key, label in enumerate(labels):
        needed = 46 + 7 * len(label)
        if x > left and x + needed > width - _MARGIN:
            x, y = left, y + _LINE + 2
        parts += [
            _stroke(key, f"M{x} {y - 4}h24"),
            _dot(key, x + 12, y - 4),
            text_at(label, x + 31, y, size=13),
        ]
        x += needed
    return element("g", *parts), y


def _panel(panel: Panel, size: tuple[int, int]) -> Markup:
    width, height = size

    def at(x: float, y: float) -> tuple[float, float]:
        return panel.x.share(x) * width, (1 - panel.y.share(y)) * height

    parts = [text_at(panel.title, 0, -12, size=13, weight=600)] if panel.title else []
    for value, text in panel.y.marks:
        y = at(panel.x.low, value)[1]
        parts.append(element("path", d=f"M0 {y:.1f}H{width}", stroke=RULE, class_="grid"))
        parts.append(text_at(text, -7, y + 4, "end", colour=SOFT))
    for value, text in panel.x.marks:
        x = at(value, panel.y.low)[0]
        parts.append(element("path", d=f"M{x:.1f} {height}v4", stroke=SOFT, class_="axis"))
        parts.append(text_at(text, x, height + 17, "middle", colour=SOFT))
    parts.append(element("path", d=f"M0 {height}H{width}", stroke=SOFT, class_="axis"))
    parts.append(text_at(panel.x.title, width / 2, height + 34, "middle", colour=SOFT))
    turned = f"translate(-40 {height / 2:g}) rotate(-90)"
    parts.append(element("g", text_at(panel.y.title, 0, 0, "middle", colour=SOFT), transform=turned))
    for reference in panel.references:
        y = at(panel.x.low, reference.value)[1]
        parts.append(
            element("path", d=f"M0 {y:.1f}H{width}", stroke=SOFT, stroke_dasharray="4 3", class_="axis")
        )
        parts.append(text_at(reference.text, width + 5, y + 4, colour=SOFT))
    for series in panel.series:
        if series.line:
            points = "L".join("{:.1f} {:.1f}".format(*at(*point)) for point in series.line)
            parts.append(_stroke(series.key, f"M{points}", thin=series.thin))
        parts += [_dot(series.key, *at(*point)) for point in series.dots]
    return joined(*parts)


def _stroke(key: int, path: str, *, thin: bool = False) -> Markup:
    colour = key % len(_COLOURS)
    return element(
        "path", d=path, fill="none", stroke=_COLOURS[colour], stroke_width=1.4 if thin else 2.2, stroke_linejoin="round",
        stroke_dasharray=_DASHES[(colour + key // len(_COLOURS)) % len(_DASHES)],
        opacity=0.6 if thin else None, class_=f"stroke series-{colour}",
    )  # fmt: skip


def _dot(key: int, x: float, y: float) -> Markup:
    """Return a mark whose shape and colour both identify the key."""
    shapes = (
        f"M{x - 4:.1f} {y:.1f}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z",
        f"M{x - 3.5:.1f} {y - 3.5:.1f}h7v7h-7Z",
        f"M{x:.1f} {y - 4.8:.1f}l4.6 8.2h-9.2Z",
        f"M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5Z",
        f"M{x:.1f} {y + 4.8:.1f}l4.6 -8.2h-9.2Z",
    )
    colour = key % len(_COLOURS)
    return element(
        "path", d=shapes[key % len(shapes)], fill=_COLOURS[colour], stroke="#ffffff", stroke_width=0.8,
        class_=f"mark series-{colour}",
    )  # fmt: skip
