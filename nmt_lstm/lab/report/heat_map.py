"""Heat maps over texts as an SVG file: a column of colour for each piece, a row for each piece or unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nmt_lstm.lab.report.drawing import INK, RULE, SOFT, document, text_at, width_of
from nmt_lstm.lab.report.markup import Markup, element
from nmt_lstm.lab.report.png import Colour, data_address, png

__all__ = ["LEVELS", "SHARE", "SIGNED", "Block", "HeatMap", "Picture", "Scale", "heat_map_file"]

LEVELS = 255
"""Shades of a scale, a byte each: an odd number, so that zero has a shade of its own in the middle."""

_MARGIN, _LINE, _SIZE = 20, 18, 12
_ROW, _STRIP, _GAP = 18, 64, 6  # height of a labelled row, of a strip of units, space between strips
_BAR, _MARKS = 10, 72  # width of a scale's bar and of its marks
_WIDEST_LABEL, _WIDEST_BLOCK, _NARROW_COLUMN = 58, 900, 24
_TURNED = 0.82  # sin 55°
_CELL = 8  # pixels of a cell: renderers that smooth an image blur no more than its edge
_BETWEEN = 28


def _ramp(low: Colour, middle: Colour | None, high: Colour) -> tuple[Colour, ...]:
    def mixed(one: Colour, other: Colour, share: float) -> Colour:
        red, green, blue = (
            round(first + (second - first) * share) for first, second in zip(one, other, strict=True)
        )
        return red, green, blue

    places = [level / (LEVELS - 1) for level in range(LEVELS)]
    if middle is None:
        return tuple(mixed(low, high, place) for place in places)
    # Most values of a memory are small: the square root shows them, and the bar beside the map says what a colour means.
    away = [abs(2 * place - 1) ** 0.5 for place in places]
    return tuple(
        mixed(middle, low if place < 0.5 else high, share) for place, share in zip(places, away, strict=True)
    )


_WHITE, _BLUE, _RED = (255, 255, 255), (26, 95, 166), (163, 52, 28)
SHARE = _ramp(_WHITE, None, _BLUE)
"""From nothing to everything."""
SIGNED = _ramp(_RED, _WHITE, _BLUE)
"""From below zero to above."""


@dataclass(frozen=True)
class Scale:
    """What colours mean."""

    low: float
    high: float
    colours: Sequence[Colour]
    """`LEVELS` of them, from low to high."""
    marks: Sequence[tuple[float, str]]
    """(value, text)."""


@dataclass(frozen=True)
class HeatMap:
    """Values over the columns of its block."""

    name: str
    shades: bytes
    """Row by row, a level of the scale for each column."""
    scale: Scale
    rows: Sequence[str] = ()
    """Labels; without them the map is a strip of many thin rows."""
    note: str = ""
    """A second line below the name."""


@dataclass(frozen=True)
class Block:
    """Maps below one another under the same columns."""

    title: str
    columns: Sequence[str]
    """Labels."""
    maps: Sequence[HeatMap]


@dataclass(frozen=True)
class Picture:
    """Blocks below one another, in one column or several."""

    title: str
    note: str
    """One or more lines of small text below the title that say how to read it."""
    columns: Sequence[tuple[str, Sequence[Block]]]
    """Each with its heading, which may be empty."""


def heat_map_file(picture: Picture) -> str:
    """Return an SVG document."""
    lines = picture.note.split("\n")
    drawn = [text_at(picture.title, _MARGIN, 34, size=17, weight=650)]
    drawn += [
        text_at(line, _MARGIN, 34 + _LINE * place, colour=SOFT) for place, line in enumerate(lines, start=1)
    ]
    top = 34 + _LINE * (len(lines) + 1)
    x, bottom = float(_MARGIN), 0.0
    rightmost = _MARGIN + max(width_of(line, _SIZE) for line in lines)
    rightmost = max(rightmost, _MARGIN + width_of(picture.title, 18))
    for heading, blocks in picture.columns:
        y = float(top)
        if heading:
            drawn.append(text_at(heading, x, y + 10, size=14, weight=600))
            y += 28
        width = width_of(heading, 15)
        # Blocks of one column begin and end at the same places where they can, so that pieces lie below one another.
        names = max(_names_width(block) for block in blocks)
        for block in blocks:
            part, size = _block(block, x, y, names)
            drawn.append(part)
            width, y = max(width, size[0]), y + size[1] + _BETWEEN
        x, bottom = x + width + _MARGIN, max(bottom, y - _BETWEEN)
    return document(picture.title, max(x, rightmost + _MARGIN), bottom + _MARGIN, *drawn)


def _names_width(block: Block) -> float:
    """Return how much room the names at the left of the maps need."""
    labels = [label for each in block.maps for label in (each.name, each.note, *each.rows)]
    return max(width_of(label, _SIZE) for label in labels) + 10


def _column_width(block: Block) -> tuple[float, bool]:
    """Return the width of a column, and whether its labels are turned because they are too long."""
    longest = max(width_of(label, _SIZE) for label in block.columns)
    if longest + 2 <= _NARROW_COLUMN:
        return _NARROW_COLUMN, False
    turned = longest > _WIDEST_LABEL or (longest + 8) * len(block.columns) > _WIDEST_BLOCK
    return (_NARROW_COLUMN, True) if turned else (longest + 8, False)


def _block(block: Block, x: float, y: float, names: float) -> tuple[Markup, tuple[float, float]]:
    """Return the block and its width and height."""
    column, turned = _column_width(block)
    longest = max(width_of(label, _SIZE) for label in block.columns)
    left, top = x + names, y + 20 + (longest * _TURNED + 10 if turned else 16)
    parts = [text_at(block.title, x, y + 8, size=13, weight=600)]
    for number, label in enumerate(block.columns):
        middle = left + (number + 0.5) * column
        turn = f"rotate(-55 {middle + 4:.1f} {top - 6:.1f})" if turned else None
        parts.append(
            text_at(
                label, middle + (4 if turned else 0), top - 6, None if turned else "middle", transform=turn
            )
        )
    at = top
    scale: Scale | None = None
    for each in block.maps:
        part, height = _map(each, len(block.columns), column, (left, at), with_scale=each.scale != scale)
        parts.append(part)
        at, scale = at + height + _GAP, each.scale
    width = names + column * len(block.columns) + 12 + _BAR + _MARKS
    return element("g", *parts), (width, at - _GAP - y)


def _map(
    each: HeatMap, columns: int, column: float, corner: tuple[float, float], *, with_scale: bool
) -> tuple[Markup, float]:
    """Return one map, with its names and scale, and its height."""
    x, y = corner
    rows = len(each.shades) // columns
    height = float(_ROW * rows if each.rows else _STRIP)
    width = column * columns
    parts = [_image(each, rows, columns, (x, y, width, height))]
    parts.append(
        element("path", d=f"M{x:.1f} {y:.1f}h{width:.1f}v{height:g}h{-width:.1f}Z", fill="none", stroke=RULE)
    )
    for number, label in enumerate(each.rows):
        parts.append(text_at(label, x - 8, y + (number + 0.5) * _ROW + 4, "end"))
    if not each.rows:
        middle = y + height / 2 + (-2 if each.note else 4)
        parts.append(text_at(each.name, x - 8, middle, "end"))
        if each.note:
            parts.append(text_at(each.note, x - 8, middle + 14, "end", size=11, colour=SOFT))
    if with_scale:
        parts.append(_scale_bar(each.scale, x + width + 12, y, min(height, 2.0 * _STRIP)))
    return element("g", *parts), height


def _image(each: HeatMap, rows: int, columns: int, box: tuple[float, float, float, float]) -> Markup:
    """Return the colours as one image, in pixels large enough that smoothing shows at their edges alone."""
    x, y, width, height = box
    repeated = max(1, -(-2 * round(height) // rows)) if rows < height else 1
    pixels = b"".join(
        b"".join(bytes([level]) * _CELL for level in each.shades[row * columns : (row + 1) * columns])
        * repeated
        for row in range(rows)
    )
    image = png(columns * _CELL, rows * repeated, pixels, each.scale.colours)
    return element(
        "image", x=f"{x:.1f}", y=f"{y:.1f}", width=f"{width:.1f}", height=f"{height:g}", preserveAspectRatio="none",
        href=data_address(image),
    )  # fmt: skip


def _scale_bar(scale: Scale, x: float, y: float, height: float) -> Markup:
    image = png(1, LEVELS, bytes(reversed(range(LEVELS))), scale.colours)
    parts = [
        element(
            "image", x=f"{x:.1f}", y=f"{y:.1f}", width=_BAR, height=f"{height:g}", preserveAspectRatio="none",
            href=data_address(image),
        ),
        element("path", d=f"M{x:.1f} {y:.1f}h{_BAR}v{height:g}h-{_BAR}Z", fill="none", stroke=SOFT, stroke_width=0.5),
    ]  # fmt: skip
    for value, text in scale.marks:
        share = (value - scale.low) / (scale.high - scale.low)
        # A mark at an end of the bar would reach beyond it.
        line = min(max(y + (1 - share) * height + 4, y + 9), y + height - 1)
        parts.append(text_at(text, x + _BAR + 5, line, size=11, colour=INK))
    return element("g", *parts)
