"""Line charts in panels, as one SVG file that stands alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nmt_lstm.lab.report.markup import Markup, element, joined

__all__ = ["Axis", "Panel", "Reference", "Series", "panel_chart"]

# Okabe and Ito's colours, which the colour-blind can tell apart; beyond them the lines are broken.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_DASHES = (None, "6 3", "2 3", "8 3 2 3")
_INK, _SOFT, _RULE = "#1b1d21", "#5b616b", "#d9dce1"
_FONT = "system-ui, 'Segoe UI', Roboto, 'Liberation Sans', 'DejaVu Sans', Arial, sans-serif"

_WIDTH, _HEIGHT = 240, 170  # of a panel's frame
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 56, 40, 46  # around it
_MARGIN, _LINE = 16, 18


@dataclass(frozen=True)
class Axis:
    """A scale with its marks."""

    title: str
    low: float
    high: float
    marks: Sequence[tuple[float, str]]
    """(value, text)."""
    log: bool = False

    def share(self, value: float) -> float:
        """Return where a value lies between the ends, from 0 to 1; what is outside lies on the end."""
        value = min(max(value, self.low), self.high)
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Series:
    """A line, and dots."""

    key: int
    """Which of the legend's labels it belongs to."""
    line: Sequence[tuple[float, float]] = ()
    dots: Sequence[tuple[float, float]] = ()
    thin: bool = False


@dataclass(frozen=True)
class Reference:
    """A value that lines are compared with, drawn across the panel and named in a word at its right."""

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


def panel_chart(
    title: str, note: str, labels: Sequence[str], panels: Sequence[Panel], *, columns: int
) -> str:
    """Return an SVG document.

    Args:
        title: what is shown.
        note: one or more lines of small text below it that say how to read it.
        labels: the legend; a series' key is its place in it.
        panels: from left to right, then down.
        columns: panels in a row, at most.
    """
    columns = max(1, min(columns, len(panels)))
    outer_width, outer_height = _LEFT + _WIDTH + _RIGHT, _TOP + _HEIGHT + _BOTTOM
    width = max(2 * _MARGIN + columns * outer_width, 600)
    parts = [element("text", title, x=_MARGIN, y=30, font_size=17, font_weight=650, fill=_INK)]
    y = 30
    for line in note.split("\n"):
        y += _LINE
        parts.append(element("text", line, x=_MARGIN, y=y, font_size=12, fill=_SOFT))
    legend, y = _legend(labels, width, y + _LINE + 8)
    parts.append(legend)
    for number, panel in enumerate(panels):
        column, row = number % columns, number // columns
        place = f"translate({_MARGIN + _LEFT + column * outer_width} {y + _TOP + row * outer_height})"
        parts.append(element("g", _panel(panel), transform=place))
    height = y + math.ceil(len(panels) / columns) * outer_height + 8
    background = element("path", d=f"M0 0H{width}V{height}H0Z", fill="#ffffff")
    svg = element(
        "svg",
        element("title", title),
        background,
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        font_family=_FONT,
    )
    return f"{svg}\n"


def _legend(labels: Sequence[str], width: int, y: int) -> tuple[Markup, int]:
    parts, x = [], _MARGIN
    for key, label in enumerate(labels):
        needed = 46 + 7 * len(label)
        if x > _MARGIN and x + needed > width - _MARGIN:
            x, y = _MARGIN, y + _LINE + 2
        parts.append(_stroke(key, f"M{x} {y - 4}h24", width=2.5))
        parts.append(_dot(key, x + 12, y - 4))
        parts.append(element("text", label, x=x + 31, y=y, font_size=13, fill=_INK))
        x += needed
    return element("g", *parts), y


def _panel(panel: Panel) -> Markup:
    def at(x: float, y: float) -> tuple[float, float]:
        return panel.x.share(x) * _WIDTH, (1 - panel.y.share(y)) * _HEIGHT

    parts = [element("text", panel.title, x=0, y=-12, font_size=13, font_weight=600, fill=_INK)]
    for value, text in panel.y.marks:
        y = at(panel.x.low, value)[1]
        parts.append(element("path", d=f"M0 {y:.1f}H{_WIDTH}", stroke=_RULE))
        parts.append(_small(text, -7, y + 4, "end"))
    for value, text in panel.x.marks:
        x = at(value, panel.y.low)[0]
        parts.append(element("path", d=f"M{x:.1f} {_HEIGHT}v4", stroke=_SOFT))
        parts.append(_small(text, x, _HEIGHT + 17, "middle"))
    parts.append(element("path", d=f"M0 {_HEIGHT}H{_WIDTH}", stroke=_SOFT))
    parts.append(_small(panel.x.title, _WIDTH / 2, _HEIGHT + 34, "middle"))
    parts.append(element("text", panel.y.title, transform=f"translate(-40 {_HEIGHT / 2}) rotate(-90)",
                         font_size=11.5, fill=_SOFT, text_anchor="middle"))  # fmt: skip
    for reference in panel.references:
        y = at(panel.x.low, reference.value)[1]
        parts.append(
            element("path", d=f"M0 {y:.1f}H{_WIDTH}", stroke=_SOFT, stroke_dasharray="4 3", stroke_width=1.2)
        )
        parts.append(_small(reference.text, _WIDTH + 5, y + 4, "start"))
    for series in panel.series:
        if series.line:
            points = "L".join("{:.1f} {:.1f}".format(*at(*point)) for point in series.line)
            parts.append(_stroke(series.key, f"M{points}", width=1.4 if series.thin else 2.2))
        parts += [_dot(series.key, *at(*point)) for point in series.dots]
    return joined(*parts)


def _small(text: str, x: float, y: float, anchor: str) -> Markup:
    return element("text", text, x=f"{x:.1f}", y=f"{y:.1f}", font_size=11.5, fill=_SOFT, text_anchor=anchor)


def _stroke(key: int, path: str, *, width: float) -> Markup:
    return element(
        "path", d=path, fill="none", stroke=_COLOURS[key % len(_COLOURS)], stroke_width=width,
        stroke_linejoin="round", stroke_dasharray=_DASHES[key // len(_COLOURS) % len(_DASHES)],
    )  # fmt: skip


def _dot(key: int, x: float, y: float) -> Markup:
    """A mark whose shape says the key as well as its colour does."""
    shapes = (
        f"M{x - 4:.1f} {y:.1f}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z",
        f"M{x - 3.5:.1f} {y - 3.5:.1f}h7v7h-7Z",
        f"M{x:.1f} {y - 4.8:.1f}l4.6 8.2h-9.2Z",
        f"M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5Z",
    )
    return element(
        "path",
        d=shapes[key % len(shapes)],
        fill=_COLOURS[key % len(_COLOURS)],
        stroke="#ffffff",
        stroke_width=0.8,
    )
