"""The report as Markdown."""

from __future__ import annotations

from nmt_lstm.lab.comparison.description import Report, facts_of, method_of, title_of
from nmt_lstm.lab.comparison.tables import (
    ReportTable,
    cost_table,
    curve_table,
    length_table,
    pair_table,
    quality_table,
    run_table,
)
from nmt_lstm.lab.report.markdown import escaped, markdown_table

__all__ = ["markdown_report"]


def markdown_report(report: Report) -> str:
    """Return the whole report."""
    findings, verdict = report.findings, report.verdict
    parts = [
        f"# {escaped(title_of(report.plan))}",
        f"**{escaped(verdict.headline)}**",
        _bullets(verdict.reasons),
        "## How far to trust this",
        _bullets(verdict.cautions),
        "## Quality",
        _table(quality_table(findings)),
    ]
    if len(findings.variants) > 2:
        parts += ["### All pairs", _table(pair_table(findings))]
    parts += [
        "## Cost",
        _table(cost_table(findings)),
        "## BLEU by length of the source",
        _table(length_table(findings)),
        "## Learning curves",
        "The HTML report draws them, against updates and against time.",
        _table(curve_table(findings)),
        "## Runs",
        _table(run_table(findings)),
    ]
    if report.setting.failures:
        parts += [
            "### Failed",
            _bullets([f"{name}: {reason}" for name, reason in report.setting.failures.items()]),
        ]
    parts += [
        "## How it was done",
        _bullets(method_of(report)),
        "\n".join(f"- {name}: {escaped(value)}" for name, value in facts_of(report)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _bullets(sentences: list[str]) -> str:
    return "\n".join(f"- {escaped(sentence)}" for sentence in sentences)


def _table(table: ReportTable) -> str:
    return f"{escaped(table.caption)}\n\n{markdown_table(table.columns, table.rows)}"
