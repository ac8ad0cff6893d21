"""The report as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from nmt_lstm.lab.comparison.description import Report, sections_of, title_of
from nmt_lstm.lab.report.markdown import escaped, markdown_table
from nmt_lstm.lab.report.table import Table

__all__ = ["markdown_report"]


def markdown_report(report: Report) -> str:
    """Return the whole report; learning curves are numbers, which the page draws."""
    parts = [f"# {escaped(title_of(report.plan))}", f"**{escaped(report.verdict.headline)}**"]
    for section in sections_of(report):
        facts = "\n".join(f"- {name}: {escaped(value)}" for name, value in section.facts)
        parts += [f"## {section.heading}", _bullets(section.sentences), *map(_table, section.tables), facts]
    return "\n\n".join(part for part in parts if part) + "\n"


def _bullets(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {escaped(sentence)}" for sentence in sentences)


def _table(table: Table) -> str:
    return f"{escaped(table.caption)}\n\n{markdown_table(table.columns, table.rows)}"
