"""Tables of a report: numbers that stand in line, columns that sort."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from nmt_lstm.lab.report.markup import Markup, element, joined

__all__ = ["Column", "Table", "TableCell", "facts", "folded", "number"]

Item = TypeVar("Item")


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


def number(value: float, form: str | Callable[[float], str], note: str = "") -> TableCell:
    """Return the cell of a number that is written in a form and sorted by its value."""
    return TableCell(form(value) if callable(form) else f"{value:{form}}", value, note)


@dataclass(frozen=True)
class Table:
    """A table with what it shows."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[TableCell | str]]
    """As many cells each as there are columns."""
    folded: str = ""
    """The line under which a page hides it until it is asked for; empty where it is shown."""

    @classmethod
    def of(
        cls,
        caption: str,
        items: Iterable[Item],
        columns: Sequence[tuple[Column, Callable[[Item], TableCell | str]]],
        *,
        folded: str = "",
    ) -> Table:
        """Return a table with a row for each item, from heads and functions that make their cells."""
        rows = [[cell(item) for _, cell in columns] for item in items]
        return cls(caption, [column for column, _ in columns], rows, folded)

    def html(self) -> Markup:
        """Return it for a page, where a click on a head sorts the rows; texts are escaped."""
        lines = [
            element("tr", *(_cell(*each) for each in zip(self.columns, row, strict=True)))
            for row in self.rows
        ]
        head = element("thead", element("tr", *map(_head, self.columns)))
        inner = element("table", head, element("tbody", *lines), class_="sortable")
        # A region that scrolls must be reachable by the keyboard. The caption stays outside, so that it does not scroll.
        scrolled = element(
            "div", inner, class_="scroll", tabindex="0", role="region", aria_label=self.caption
        )
        found = joined(element("p", self.caption, class_="caption"), scrolled)
        return folded(self.folded, found) if self.folded else found


def folded(heading: str, *body: str) -> Markup:
    """Return what is shown when its heading is clicked on."""
    return element("details", element("summary", heading), *body)


def facts(pairs: Sequence[tuple[str, str]]) -> Markup:
    """Return names and their values as a list."""
    lines = [element("div", element("dt", name), element("dd", value)) for name, value in pairs]
    return element("dl", *lines, class_="facts")


def _head(column: Column) -> Markup:
    inner = element("button", column.title, type="button", data_falling=column.falling)
    note = element("small", column.note) if column.note else Markup()
    return element("th", inner, note, scope="col", class_=_classes(column), title=column.meaning or None)


def _cell(column: Column, cell: TableCell | str) -> Markup:
    value = cell if isinstance(cell, TableCell) else TableCell(cell)
    return element(
        "th" if column.label else "td",
        value.content,
        element("small", value.note) if value.note else Markup(),
        scope="row" if column.label else None,
        class_=_classes(column, quiet=value.quiet),
        data_sort=value.sort,
    )


def _classes(column: Column, *, quiet: bool = False) -> str | None:
    names = {"number": column.numeric, "label": column.label, "quiet": quiet}
    return " ".join(name for name, holds in names.items() if holds) or None
