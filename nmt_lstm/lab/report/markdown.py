"""Markdown: tables, and text in which no marks are found."""

from __future__ import annotations

from collections.abc import Sequence

from nmt_lstm.lab.report.table import Column, TableCell

__all__ = ["escaped", "markdown_table"]

_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]|#~"} | {"<": "&lt;", ">": "&gt;"})


def escaped(text: str) -> str:
    """Return text in which Markdown and HTML find no marks; a bar is escaped as tables need it."""
    return text.translate(_MARKS)


def markdown_table(columns: Sequence[Column], rows: Sequence[Sequence[TableCell | str]]) -> str:
    """Return a table; all texts are escaped, and the note of a cell follows in brackets.

    Args:
        columns: the heads; only titles count, and which columns are numeric.
        rows: as many cells each.
    """
    lines = [
        [escaped(column.title) for column in columns],
        ["---:" if column.numeric else "---" for column in columns],
        *([_content(cell) for cell in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _content(cell: TableCell | str) -> str:
    if isinstance(cell, str):
        return escaped(cell)
    return escaped(cell.content) + (f" ({escaped(cell.note)})" if cell.note else "")
