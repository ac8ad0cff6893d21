"""``nmt-lstm leaderboard``: a local board of systems, ranked where they can be compared."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import (
    BatchSize,
    BeamSize,
    Device,
    Plugins,
    Precision,
    PrecisionName,
    TrustPlugins,
    load_plugins,
)
from nmt_lstm.cli.leaderboard_checks import Board, rescore, verify
from nmt_lstm.cli.lines import output_stream
from nmt_lstm.cli.messages import note, quoted, say
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.plain_text import columns, json_text, printable

__all__ = ["app"]

EXAMPLE = """\b
Examples:
  nmt-lstm leaderboard init board --name test -s test.de -r test.en
  nmt-lstm leaderboard add board -m runs/de-en
  nmt-lstm leaderboard add board --system marian --hypotheses out.txt
  nmt-lstm leaderboard show board
  nmt-lstm leaderboard show board -o board.html"""

app = typer.Typer(
    help="Systems on test sets, scored alike, with significance.", rich_markup_mode=None, no_args_is_help=True
)

OneTestSet = Annotated[
    str | None, typer.Option("--test-set", metavar="NAME", help="One test set. [default: all]")
]


class BoardFormat(StrEnum):
    """How a board is written."""

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
    """How a comparison is written."""

    table = "table"
    json = "json"


@app.command(
    "init",
    short_help="Make a board with one test set.",
    epilog="\b\nExamples:\n"
    "  nmt-lstm leaderboard init board --name test -s test.de -r test.en \\\n"
    "      --source-language de --target-language en\n"
    "  nmt-lstm leaderboard init board --sacrebleu wmt17/en-de",
)
def init(
    board: Board,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Name of the test set. [default: test]")
    ] = "",
    source: Annotated[
        Path | None, typer.Option("--source", "-s", metavar="FILE", help="Source text of the test set.")
    ] = None,
    reference: Annotated[
        list[Path] | None,
        typer.Option("--reference", "-r", metavar="FILE", help="Reference translations; may be repeated."),
    ] = None,
    sacrebleu: Annotated[
        str, typer.Option("--sacrebleu", metavar="SET/PAIR", help="Instead: a test set of sacreBLEU's.")
    ] = "",
    source_language: Annotated[
        str, typer.Option("--source-language", metavar="CODE", help="Such as de.")
    ] = "",
    target_language: Annotated[
        str, typer.Option("--target-language", metavar="CODE", help="Such as en; chooses the tokenizer.")
    ] = "",
    tokenize: Annotated[
        str, typer.Option("--tokenize", metavar="NAME", help="sacreBLEU's tokenizer for BLEU.")
    ] = "auto",
    title: Annotated[
        str, typer.Option("--title", metavar="TEXT", help="Heading of the page.")
    ] = "Leaderboard",
    no_copies: Annotated[
        bool,
        typer.Option(
            "--no-copies",
            help="Keep no copies of the test set, so that the board can be passed on where its text may not.",
        ),
    ] = False,
) -> None:
    """Make a board with one test set; more can be written into its board.toml."""
    from nmt_lstm.lab.leaderboard.board import Leaderboard

    values: dict[str, Any] = {
        "source": source,
        "references": reference,
        "sacrebleu": sacrebleu,
        "source_language": source_language,
        "target_language": target_language,
        "tokenize": tokenize,
    }
    given = {key: value for key, value in values.items() if value}
    Leaderboard.create(board, {name or sacrebleu or "test": given}, title=title, copy_test_sets=not no_copies)
    direction = "-".join(filter(None, (source_language, target_language)))
    note(f"Made '{board / 'board.toml'}'. Add a model folder, or an output of any toolkit:")
    note(f"  nmt-lstm leaderboard add {quoted(board)} -m runs/{direction or 'model'}")
    note(f"  nmt-lstm leaderboard add {quoted(board)} --system NAME --hypotheses FILE")


@app.command(
    "add",
    short_help="Add a model folder, or an output of any toolkit.",
    epilog="\b\nExamples:\n"
    "  nmt-lstm leaderboard add board -m runs/de-en\n"
    "  nmt-lstm leaderboard add board --system marian --hypotheses out.txt \\\n"
    "      --fact parameters=60000000 --fact toolkit=marian",
)
def add(
    board: Board,
    model: Annotated[
        list[Path] | None,
        typer.Option("--model", "-m", metavar="FOLDER", help="Model folder; several form an ensemble."),
    ] = None,
    hypotheses: Annotated[
        Path | None,
        typer.Option(
            "--hypotheses", metavar="FILE", help="Instead: an output of any toolkit, as plain text."
        ),
    ] = None,
    system: Annotated[
        str | None, typer.Option("--system", metavar="NAME", help="Its name. [default: the folder's]")
    ] = None,
    test_set: Annotated[
        list[str] | None,
        typer.Option("--test-set", metavar="NAME", help="Which; may be repeated. [default: all that fit]"),
    ] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(
            "--fact",
            metavar="NAME=VALUE",
            help="What is known of it: toolkit, parameters, training_pieces, training_hours, sentences_per_second, "
            "hardware, seed, beam_size, batch_size, precision or note, such as parameters=60000000; may be repeated.",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of another output of the same name.")
    ] = False,
    beam_size: BeamSize = None,
    batch_size: BatchSize = 64,
    precision: Precision = PrecisionName.auto,
    device: Device = "auto",
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Add a system: a model folder, which translates the test sets, or an output file."""
    if (hypotheses is None) == (not model):
        raise ConfigurationError("name either -m FOLDER, or --hypotheses FILE with --system NAME.")
    if hypotheses is not None and system is None:
        raise ConfigurationError("--hypotheses needs the name of the system: --system marian.")
    facts = dict(_fact(text) for text in fact or [])
    early_checks.check_models(model or [], device)
    early_checks.check_files(hypotheses)
    from nmt_lstm.lab.leaderboard.board import Leaderboard

    opened = Leaderboard(board)
    opened.check_addition(system, test_set or [], facts)
    load_plugins(plugin, trusted=(model or []) if trust_plugins else [])
    rows = opened.add(
        system,
        model=model or None,
        hypotheses=hypotheses,
        test_set=test_set or None,
        facts=facts,
        replace=replace,
        beam_size=beam_size,
        batch_size=batch_size,
        device=device,
        precision=precision.value,
    )
    lines = [
        (row.test_set, row.system, *(f"{entry.name} {entry.value:.2f}" for entry in row.scores.values()))
        for row in rows
    ]
    say(columns(lines))


@app.command(
    "show",
    short_help="Show the rankings in five formats.",
    epilog="\b\nExamples:\n"
    "  nmt-lstm leaderboard show board --baseline transformer\n"
    "  nmt-lstm leaderboard show board --metric chrf --format markdown\n"
    "  nmt-lstm leaderboard show board -o board.html",
)
def show(
    board: Board,
    test_set: OneTestSet = None,
    metric: Annotated[
        str, typer.Option("--metric", metavar="NAME", help="Rank by bleu, chrf, chrf++ or ter.")
    ] = "bleu",
    baseline: Annotated[
        str | None, typer.Option("--baseline", metavar="SYSTEM", help="Compare all with this system.")
    ] = None,
    board_format: Annotated[
        BoardFormat | None,
        typer.Option("--format", help="By default that of -o's ending, else a table.", show_default=False),
    ] = None,
    output_file: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="File. [default: stdout]")
    ] = None,
    sentences: Annotated[
        int, typer.Option("--sentences", min=0, metavar="N", help="Differing sentences in HTML.")
    ] = 10,
) -> None:
    """Show the rankings, as table, Markdown, CSV, JSON, or an HTML page with analyses."""
    from nmt_lstm.lab.leaderboard import exports, tables
    from nmt_lstm.lab.leaderboard.board import Leaderboard

    chosen = board_format or _format_of(output_file)
    opened = Leaderboard(board)
    if chosen is BoardFormat.html:
        from nmt_lstm.lab.leaderboard.html import web_page

        text = web_page(
            opened, test_set=test_set, metric=metric, baseline=baseline, sentences=sentences
        ).rstrip("\n")
    else:
        rankings = opened.rankings(test_set, metric=metric, baseline=baseline)
        if chosen is BoardFormat.table:
            text = printable(tables.text(rankings, baseline=baseline))
        elif chosen is BoardFormat.markdown:
            text = printable(tables.markdown(rankings, baseline=baseline))
        elif chosen is BoardFormat.csv:
            text = exports.csv_text(rankings)
        else:
            text = exports.json_text(rankings)
    with output_stream(output_file) as stream:
        stream.write(f"{text}\n".encode())


@app.command(
    "compare",
    short_help="Compare two systems, also sentence by sentence.",
    epilog="\b\nExample:\n  nmt-lstm leaderboard compare board lstm gru --sentences 5",
)
def compare(
    board: Board,
    one: Annotated[str, typer.Argument(metavar="SYSTEM", help="A system.")],
    other: Annotated[
        str, typer.Argument(metavar="OTHER", help="Another; differences are the first minus it.")
    ],
    test_set: OneTestSet = None,
    sentences: Annotated[
        int, typer.Option("--sentences", min=0, metavar="N", help="Show so many differing sentences.")
    ] = 10,
    report_format: Annotated[
        ReportFormat, typer.Option("--format", help="For people, or for programs.")
    ] = ReportFormat.table,
) -> None:
    """Compare two systems by all metrics, and show the sentences in which they differ most."""
    from nmt_lstm.lab.leaderboard.board import Leaderboard

    found = Leaderboard(board).compare(one, other, test_set=test_set, sentences=sentences)
    say(json_text(found.values(), indent=2) if report_format is ReportFormat.json else found.text())


@app.command(
    "remove",
    short_help="Take a system off the board.",
    epilog="\b\nExample:\n  nmt-lstm leaderboard remove board old-system",
)
def remove(
    board: Board,
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="Its name.")],
    test_set: OneTestSet = None,
) -> None:
    """Take a system off the board; its outputs and old rows stay in the folder."""
    from nmt_lstm.lab.leaderboard.board import Leaderboard

    rows = Leaderboard(board).remove(system, test_set)
    note(f"Removed '{system}' from {', '.join(row.test_set for row in rows)}.")


app.command(
    "rescore",
    short_help="Score every row again from its stored output.",
    epilog="\b\nExample:\n  nmt-lstm leaderboard rescore board --update",
)(rescore)
app.command(
    "verify",
    short_help="Check every row and text by its checksum.",
    epilog="\b\nExample:\n  nmt-lstm leaderboard verify board",
)(verify)


def _fact(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigurationError(f"--fact '{text}' must look like name=value, such as parameters=60000000.")
    return name.strip(), value.strip()


def _format_of(output_file: Path | None) -> BoardFormat:
    """Return the format that a file's name asks for.

    Raises:
        ConfigurationError: its ending is not known.
    """
    suffix = output_file.suffix.lower() if output_file else ""
    if suffix not in _FORMATS:
        known = ", ".join(ending for ending in _FORMATS if ending)
        raise ConfigurationError(
            f"-o '{output_file}': the ending '{suffix}' names no format. Known: {known}; or choose one with --format."
        )
    return _FORMATS[suffix]
