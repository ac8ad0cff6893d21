"""``nmt-lstm leaderboard show`` and ``compare``: the rankings and the comparison of two systems, in several formats."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nmt_lstm.cli.arguments import OutputPath
from nmt_lstm.cli.lines import output_stream
from nmt_lstm.cli.messages import say
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.plain_text import json_text, printable

__all__ = ["Board", "OneTestSet", "compare", "show"]

Board = Annotated[Path, typer.Argument(metavar="BOARD", help="Folder of the leaderboard.")]
OneTestSet = Annotated[
    str | None, typer.Option("--test-set", metavar="NAME", help="One test set. [default: all]")
]


class BoardFormat(StrEnum):
    """How rankings are written."""

    table = "table"
    markdown = "markdown"
    csv = "csv"
    json = "json"
    html = "html"


_FORMATS = {
    "": BoardFormat.table,
    ".txt": BoardFormat.table,
    ".md": BoardFormat.markdown,
    ".csv": BoardFormat.csv,
    ".json": BoardFormat.json,
    ".html": BoardFormat.html,
}


class ReportFormat(StrEnum):
    """How a comparison of two systems is written."""

    table = "table"
    json = "json"


def show(
    board: Board,
    test_set: OneTestSet = None,
    metric: Annotated[
        str, typer.Option("--metric", metavar="NAME", help="Metric for ranking: bleu, chrf, chrf++ or ter.")
    ] = "bleu",
    baseline: Annotated[
        str | None, typer.Option("--baseline", metavar="SYSTEM", help="System to compare all others with.")
    ] = None,
    board_format: Annotated[
        BoardFormat | None,
        typer.Option("--format", help="[default: by the file extension of -o, or table]", show_default=False),
    ] = None,
    output_file: OutputPath = None,
    sentences: Annotated[
        int, typer.Option("--sentences", min=0, metavar="N", help="Most different sentences in HTML.")
    ] = 10,
) -> None:
    """Show the rankings.

    The HTML page also has analyses and the sentences in which systems differ most.
    """
    from nmt_lstm.lab.leaderboard import exports, tables
    from nmt_lstm.lab.leaderboard.board import Leaderboard

    format_name = board_format or _format_of(output_file)
    leaderboard = Leaderboard(board)
    if format_name is BoardFormat.html:
        from nmt_lstm.lab.leaderboard.html import web_page

        text = web_page(
            leaderboard, test_set=test_set, metric=metric, baseline=baseline, sentences=sentences
        ).rstrip("\n")
    else:
        rankings = leaderboard.rankings(test_set, metric=metric, baseline=baseline)
        if format_name is BoardFormat.table:
            text = printable(tables.text(rankings, baseline=baseline))
        elif format_name is BoardFormat.markdown:
            text = printable(tables.markdown(rankings, baseline=baseline))
        elif format_name is BoardFormat.csv:
            text = exports.csv_text(rankings)
        else:
            text = exports.json_text(rankings)
    with output_stream(output_file) as stream:
        stream.write(f"{text}\n".encode())


def compare(
    board: Board,
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="First system.")],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Second system, subtracted in differences.")],
    test_set: OneTestSet = None,
    sentences: Annotated[
        int, typer.Option("--sentences", min=0, metavar="N", help="Most different sentences.")
    ] = 10,
    report_format: Annotated[
        ReportFormat, typer.Option("--format", help="Table, or JSON.")
    ] = ReportFormat.table,
) -> None:
    """Compare two systems by all metrics and by sentence."""
    from nmt_lstm.lab.leaderboard.board import Leaderboard

    comparison = Leaderboard(board).compare(system, other, test_set=test_set, sentences=sentences)
    if report_format is ReportFormat.json:
        say(json_text(comparison.values(), indent=2))
    else:
        say(comparison.text())


def _format_of(output_file: Path | None) -> BoardFormat:
    """Return the format for a file's extension.

    Raises:
        ConfigurationError: the extension is unknown.
    """
    suffix = output_file.suffix.lower() if output_file else ""
    if suffix not in _FORMATS:
        known = ", ".join(filter(None, _FORMATS))
        raise ConfigurationError(
            f"-o '{output_file}': no format has the extension '{suffix}'. Known: {known}. Or choose one with --format.",
            key="--output",
            value=output_file,
        )
    return _FORMATS[suffix]
