"""The report as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from nmt_lstm.lab.comparison.description import Report, sections_of, title_of
from nmt_lstm.lab.report.table import Table, TableCell

__all__ = ["markdown_report"]

_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]|#~"} | {"<": "&lt;", ">": "&gt;"})


def markdown_report(report: Report) -> str:
    """Return the whole report; learning curves are numbers, which the page draws."""
    parts = [f"# {_plain(title_of(report.plan))}", f"**{_plain(report.verdict.headline)}**"]
    for section in sections_of(report):
        facts = "\n".join(f"- {name}: {_plain(value)}" for name, value in section.facts)
        parts += [f"## {section.heading}", _bullets(section.sentences), *map(_table, section.tables), facts]
    return "\n\n".join(part for part in parts if part) + "\n"


def _bullets(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {_plain(sentence)}" for sentence in sentences)


def _table(table: Table) -> str:
    heads = [column.title for column in table.columns]
    rule = ["---:" if column.numeric else "---" for column in table.columns]
    rows = [[_content(cell) for cell in row] for row in table.rows]
    lines = [f"| {' | '.join(cells)} |" for cells in ([_plain(head) for head in heads], rule, *rows)]
    return "\n".join([_plain(table.caption), "", *lines])


def _content(cell: TableCell | str) -> str:
    if isinstance(cell, str):
        return _plain(cell)
    return _plain(cell.content) + (f" ({_plain(cell.note)})" if cell.note else "")


def _plain(text: str) -> str:
    """Return text in which Markdown and HTML find no marks."""
    return text.translate(_MARKS)
