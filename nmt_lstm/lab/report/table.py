"""Tables of a report: numbers that stand in line, columns that sort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nmt_lstm.lab.report.markup import Markup, element, joined

__all__ = ["Column", "TableCell", "facts", "table"]


@dataclass(frozen=True)
class Column:
    """The head of a column."""

    title: str
    numeric: bool = False
    """Whether its cells stand at the right, in figures of one width."""
    meaning: str = ""
    """Shown when the pointer rests on it."""
    label: bool = False
    """Whether it names the row: it stays in sight when the table is scrolled sideways."""
    note: str = ""
    """A second line in small letters."""
    falling: bool = False
    """Whether the first click sorts from large to small."""


@dataclass(frozen=True)
class TableCell:
    """One cell, where its text alone does not say all."""

    content: str
    """Text, or `Markup`."""
    sort: float | str | None = None
    """What the column is sorted by; None: the text, or last if that is empty."""
    note: str = ""
    """A second line in small letters."""
    quiet: bool = False
    """Whether it is shown with less weight."""


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[TableCell | str]],
    *,
    caption: str = "",
    sortable: bool = False,
) -> Markup:
    """Return a table.

    Args:
        columns: the heads.
        rows: as many cells each; texts are escaped.
        caption: shown above it.
        sortable: whether a click on a head sorts the rows.
    """
    heads = [_head(column, sortable=sortable) for column in columns]
    lines = [
        element("tr", *(_cell(column, cell) for column, cell in zip(columns, row, strict=True)))
        for row in rows
    ]
    inner = element(
        "table",
        element("thead", element("tr", *heads)),
        element("tbody", *lines),
        class_="sortable" if sortable else None,
    )
    # A region that scrolls must be reachable by the keyboard. The caption stays outside, so that it does not scroll.
    scrolled = element(
        "div", inner, class_="scroll", tabindex="0", role="region", aria_label=caption or "Table"
    )
    return joined(element("p", caption, class_="caption"), scrolled) if caption else scrolled


def facts(pairs: Sequence[tuple[str, str]]) -> Markup:
    """Return names and their values as a list."""
    lines = [element("div", element("dt", name), element("dd", value)) for name, value in pairs]
    return element("dl", *lines, class_="facts")


def _head(column: Column, *, sortable: bool) -> Markup:
    inner = (
        element("button", column.title, type="button", data_falling=column.falling)
        if sortable
        else column.title
    )
    note = element("small", column.note) if column.note else Markup()
    return element("th", inner, note, scope="col", class_=_classes(column), title=column.meaning or None)


def _cell(column: Column, cell: TableCell | str) -> Markup:
    value = cell if isinstance(cell, TableCell) else TableCell(cell)
    inner = [value.content]
    if value.note:
        inner.append(element("small", value.note))
    return element(
        "th" if column.label else "td",
        *inner,
        scope="row" if column.label else None,
        class_=_classes(column, *(["quiet"] if value.quiet else [])),
        data_sort=value.sort,
    )


def _classes(column: Column, *more: str) -> str | None:
    names = [*(["number"] if column.numeric else []), *(["label"] if column.label else []), *more]
    return " ".join(names) or None
