"""``nmt-lstm leaderboard``: a local board that ranks systems whose scores are comparable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nmt_lstm.cli import early_checks, leaderboard_show
from nmt_lstm.cli.arguments import (
    BatchSize,
    BeamSize,
    Device,
    Plugins,
    Precision,
    PrecisionName,
    Tag,
    TrustPlugins,
    load_plugins,
    parse_pairs,
)
from nmt_lstm.cli.leaderboard_show import Board, OneTestSet
from nmt_lstm.cli.messages import note, quoted, say
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.plain_text import columns, count_of

__all__ = ["app"]

EPILOG = """\b
Examples:
  nmt-lstm leaderboard init board --name test -s test.de -r test.en
  nmt-lstm leaderboard add board -m runs/de-en
  nmt-lstm leaderboard add board --system marian --hypotheses out.txt
  nmt-lstm leaderboard show board
  nmt-lstm leaderboard show board -o board.html"""

app = typer.Typer(
    help="Rank systems on test sets, with significance tests.", rich_markup_mode=None, no_args_is_help=True
)


@app.command(
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
        typer.Option("--reference", "-r", metavar="FILE", help="Reference translations; repeatable."),
    ] = None,
    sacrebleu: Annotated[
        str,
        typer.Option(
            "--sacrebleu", metavar="SET/PAIR", help="A test set from sacreBLEU, instead of -s and -r."
        ),
    ] = "",
    source_language: Annotated[
        str, typer.Option("--source-language", metavar="CODE", help="Language of the source, such as de.")
    ] = "",
    target_language: Annotated[
        str,
        typer.Option(
            "--target-language",
            metavar="CODE",
            help="Language of the references, such as en; selects the tokenizer.",
        ),
    ] = "",
    tokenize: Annotated[
        str, typer.Option("--tokenize", metavar="NAME", help="sacreBLEU tokenizer for BLEU.")
    ] = "auto",
    title: Annotated[
        str, typer.Option("--title", metavar="TEXT", help="Heading of the HTML page.")
    ] = "Leaderboard",
    no_copies: Annotated[
        bool,
        typer.Option(
            "--no-copies",
            help="Store no copy of the test set in the board, so that the board can be shared without it.",
        ),
    ] = False,
) -> None:
    """Create a leaderboard with one test set.

    To add more test sets, edit its board.toml.
    """
    from nmt_lstm.lab.leaderboard.board import Leaderboard

    values: dict[str, Any] = {
        "source": source,
        "references": reference,
        "sacrebleu": sacrebleu,
        "source_language": source_language,
        "target_language": target_language,
        "tokenize": tokenize,
    }
    settings = {key: value for key, value in values.items() if value}
    Leaderboard.create(
        board, {name or sacrebleu or "test": settings}, title=title, copy_test_sets=not no_copies
    )
    direction = "-".join(filter(None, (source_language, target_language)))
    note(f"Created '{board / 'board.toml'}'. To add a model, or translations from any toolkit:")
    note(f"  nmt-lstm leaderboard add {quoted(board)} -m runs/{direction or 'model'}")
    note(f"  nmt-lstm leaderboard add {quoted(board)} --system NAME --hypotheses FILE")


@app.command(
    epilog="\b\nExamples:\n"
    "  nmt-lstm leaderboard add board -m runs/de-en\n"
    "  nmt-lstm leaderboard add board --system marian --hypotheses out.txt \\\n"
    "      --fact parameters=60000000 --fact toolkit=marian",
)
def add(
    board: Board,
    model: Annotated[
        list[Path] | None,
        typer.Option("--model", "-m", metavar="FOLDER", help="Model folder; repeat for an ensemble."),
    ] = None,
    hypotheses: Annotated[
        Path | None,
        typer.Option("--hypotheses", metavar="FILE", help="Translations from any toolkit, instead of -m."),
    ] = None,
    system: Annotated[
        str | None,
        typer.Option("--system", metavar="NAME", help="Name of the system. [default: the model folder's]"),
    ] = None,
    test_set: Annotated[
        list[str] | None,
        typer.Option(
            "--test-set",
            metavar="NAME",
            help="Test set; repeatable. [default: all with the model's languages]",
        ),
    ] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(
            "--fact",
            metavar="NAME=VALUE",
            help="Information to show: toolkit, parameters, training_pieces, training_hours, sentences_per_second, "
            "hardware, seed, beam_size, batch_size, precision or note; repeatable.",
        ),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the entry with the same name.")] = False,
    tag: Tag = "",
    beam_size: BeamSize = None,
    batch_size: BatchSize = 64,
    precision: Precision = PrecisionName.auto,
    device: Device = "auto",
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Add a model, or translations from any toolkit.

    A model translates the test sets first.
    """
    if (hypotheses is None) == (not model):
        raise ConfigurationError("name either -m FOLDER, or --hypotheses FILE with --system NAME.")
    if hypotheses is not None and system is None:
        raise ConfigurationError("--hypotheses needs the name of the system, such as --system marian.")
    facts = parse_pairs(fact, "--fact", "parameters=60000000")
    if tag and not model:
        raise ConfigurationError("--tag is for the text that -m translates; remove it.")
    early_checks.check_models(model or [], device)
    early_checks.check_tag(model or [], tag)
    early_checks.check_files(hypotheses)
    from nmt_lstm.lab.leaderboard.board import Leaderboard

    leaderboard = Leaderboard(board)
    leaderboard.check_addition(system, test_set or [], facts)
    load_plugins(plugin, trusted=(model or []) if trust_plugins else [])
    rows = leaderboard.add(
        system,
        model=model or None,
        hypotheses=hypotheses,
        test_set=test_set or None,
        facts=facts,
        replace=replace,
        beam_size=beam_size,
        tag=tag,
        batch_size=batch_size,
        device=device,
        precision=precision.value,
    )
    table = [
        (row.test_set, row.system, *(f"{score.name} {score.value:.2f}" for score in row.scores.values()))
        for row in rows
    ]
    say(columns(table))


app.command(
    epilog="\b\nExamples:\n"
    "  nmt-lstm leaderboard show board --baseline transformer\n"
    "  nmt-lstm leaderboard show board --metric chrf --format markdown\n"
    "  nmt-lstm leaderboard show board -o board.html",
)(leaderboard_show.show)
app.command(
    epilog="\b\nExample:\n  nmt-lstm leaderboard compare board lstm gru --sentences 5",
)(leaderboard_show.compare)


@app.command(
    epilog="\b\nExample:\n  nmt-lstm leaderboard remove board old-system",
)
def remove(
    board: Board,
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="Name of the system.")],
    test_set: OneTestSet = None,
) -> None:
    """Remove a system from the rankings.

    Its translations and earlier rows stay in the folder.
    """
    from nmt_lstm.lab.leaderboard.board import Leaderboard

    rows = Leaderboard(board).remove(system, test_set)
    note(f"Removed '{system}' from {', '.join(row.test_set for row in rows)}.")


@app.command(epilog="\b\nExample:\n  nmt-lstm leaderboard rescore board --update")
def rescore(
    board: Board,
    update: Annotated[
        bool,
        typer.Option("--update", help="Use the current test sets, and add new rows for changed scores."),
    ] = False,
) -> None:
    """Score all stored translations again.

    The exit status is 1 if a score has changed, with --update if a row cannot be updated.
    """
    from nmt_lstm.lab.leaderboard.board import Leaderboard

    leaderboard = Leaderboard(board)
    count = len(leaderboard.current())
    changes = leaderboard.rescore(update=update)
    for change in changes:
        state = "updated" if change.updated else "not updated" if update else "changed"
        for difference in change.what:
            say(f"{change.row.system} on {change.row.test_set}: {state}: {difference}")
    note(f"{count_of(count, 'row')} scored again; {len(changes):,} changed.")
    if any(not change.updated for change in changes):
        raise typer.Exit(1)


@app.command(epilog="\b\nExample:\n  nmt-lstm leaderboard verify board")
def verify(board: Board) -> None:
    """Check all rows and texts against their checksums.

    The exit status is 1 if one is wrong.
    """
    from nmt_lstm.lab.leaderboard.board import Leaderboard

    report = Leaderboard(board).verify()
    for problem in report.problems:
        say(problem)
    note(
        f"{count_of(report.rows, 'row')} and {count_of(report.texts, 'text')} checked; {count_of(len(report.problems), 'problem')}."
    )
    if report.problems:
        raise typer.Exit(1)
