"""Tables of a report, for a web page, a Markdown file and a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from nmt_lstm.lab.report.markup import Markup, element, joined
from nmt_lstm.plain_text import columns as text_columns

__all__ = ["Column", "Table", "TableCell", "escape_markdown", "facts", "folded", "number"]

Item = TypeVar("Item")
_MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]|#~"} | {"<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True)
class Column:
    """The head of a column."""

    title: str
    numeric: bool = False
    """Whether its cells are aligned at the right, in digits of equal width."""
    meaning: str = ""
    """Shown when the pointer rests on the head."""
    label: bool = False
    """Whether it names the row: it stays visible when the table is scrolled sideways."""
    note: str = ""
    """A second line in small print."""
    falling: bool = False
    """Whether the first click sorts in descending order."""


@dataclass(frozen=True)
class TableCell:
    """A cell with more than its text."""

    content: str
    """Text, or `Markup`."""
    sort: float | str | None = None
    """The sort key; None sorts by the text, empty text last."""
    note: str = ""
    """A second line in small print; in brackets where there is only one line."""
    quiet: bool = False
    """Whether it is shown in a lighter colour."""

    @property
    def line(self) -> str:
        """The content, followed by the note in brackets."""
        return f"{self.content} ({self.note})" if self.note else self.content


def number(value: float, form: str | Callable[[float], str], note: str = "") -> TableCell:
    """Return a cell that shows a number in a format, a format specification or a function, and sorts by its value."""
    return TableCell(form(value) if callable(form) else f"{value:{form}}", value, note)


@dataclass(frozen=True)
class Table:
    """A table and its caption."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[TableCell | str]]
    """Rows of one cell for each column."""
    folded: str = ""
    """On a page, the summary line that reveals the table when clicked; empty: always visible."""

    @classmethod
    def of(
        cls,
        caption: str,
        items: Iterable[Item],
        columns: Sequence[tuple[Column, Callable[[Item], TableCell | str]]],
        *,
        folded: str = "",
    ) -> Table:
        """Return a table with a row for each item, from columns and the functions that make their cells."""
        rows = [[cell(item) for _, cell in columns] for item in items]
        return cls(caption, [column for column, _ in columns], rows, folded)

    def html(self) -> Markup:
        """Return the table for a page, where a click on a head sorts the rows; text is escaped."""
        lines = [
            element("tr", *(_html_cell(*each) for each in zip(self.columns, row, strict=True)))
            for row in self.rows
        ]
        head = element("thead", element("tr", *map(_html_head, self.columns)))
        inner = element("table", head, element("tbody", *lines), class_="sortable")
        # A scrolling region must be reachable by keyboard. The caption stays outside so that it does not scroll.
        scrolled = element(
            "div", inner, class_="scroll", tabindex="0", role="region", aria_label=self.caption
        )
        block = joined(element("p", self.caption, class_="caption"), scrolled)
        return folded(self.folded, block) if self.folded else block

    def markdown(self) -> str:
        """Return the table as Markdown without its caption; text is escaped."""
        lines = [
            [escape_markdown(column.title) for column in self.columns],
            ["---:" if column.numeric else "---" for column in self.columns],
            *([escape_markdown(_cell(cell).line) for cell in row] for row in self.rows),
        ]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

    def text(self, indent: str = "") -> str:
        """Return the table as aligned columns without its caption."""
        heads = [column.title for column in self.columns]
        right = [index for index, column in enumerate(self.columns) if column.numeric]
        lines = [[_cell(cell).line for cell in row] for row in self.rows]
        return text_columns([heads, *lines], right=right, indent=indent)


def escape_markdown(text: str) -> str:
    """Return text that neither Markdown nor HTML interprets, not even in a table."""
    return text.translate(_MARKDOWN)


def folded(heading: str, *body: str) -> Markup:
    """Return a block that is revealed by a click on its heading."""
    return element("details", element("summary", heading), *body)


def facts(pairs: Sequence[tuple[str, str]]) -> Markup:
    """Return a list of names and their values."""
    lines = [element("div", element("dt", name), element("dd", value)) for name, value in pairs]
    return element("dl", *lines, class_="facts")


def _cell(cell: TableCell | str) -> TableCell:
    return cell if isinstance(cell, TableCell) else TableCell(cell)


def _html_head(column: Column) -> Markup:
    button = element("button", column.title, type="button", data_falling=column.falling)
    note = element("small", column.note) if column.note else Markup()
    return element("th", button, note, scope="col", class_=_classes(column), title=column.meaning or None)


def _html_cell(column: Column, cell: TableCell | str) -> Markup:
    cell = _cell(cell)
    return element(
        "th" if column.label else "td",
        cell.content,
        element("small", cell.note) if cell.note else Markup(),
        scope="row" if column.label else None,
        class_=_classes(column, quiet=cell.quiet),
        data_sort=cell.sort,
    )


def _classes(column: Column, *, quiet: bool = False) -> str | None:
    names = {"number": column.numeric, "label": column.label, "quiet": quiet}
    return " ".join(name for name, applies in names.items() if applies) or None
