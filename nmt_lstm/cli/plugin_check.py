"""``nmt-lstm plugins check``: the conformance kit for one cell, attention or encoder, as a table."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt_lstm.cli.arguments import Plugins, load_plugins, parse_pairs
from nmt_lstm.cli.messages import say
from nmt_lstm.cli.plugin_names import named_parts

if TYPE_CHECKING:
    from nmt_lstm.registry import Registry
    from nmt_lstm.testing import Result
    from nmt_lstm.testing.conformance import Case

__all__ = ["EPILOG", "check"]

EPILOG = """\b
Examples:
  nmt-lstm plugins check lstm
  nmt-lstm plugins check my_cell.py
  nmt-lstm plugins check my_package.cells:MyCell --option forget_bias=2.0"""

_OUTCOME_WIDTH = len("does not apply")  # longer outcomes have their own lines
_MAX_NAME_LENGTH = 42


def check(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE|package.module:Class",
            help="Registered name, file or folder that registers parts, or class.",
        ),
    ],
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="Option of the constructor; repeatable."),
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            "--expect-failure",
            metavar="CHECK=REASON",
            help="A check that must fail, and the reason why that is correct; repeatable.",
        ),
    ] = None,
    plugin: Plugins = None,
) -> None:
    """Test whether a cell, attention or encoder meets all requirements.

    The exit status is 1 if a check fails.
    """
    load_plugins(plugin)
    from nmt_lstm.config.load import parse_value

    options = {
        key: parse_value(value) for key, value in parse_pairs(option, "--option", "forget_bias=2.0").items()
    }
    reasons = parse_pairs(expect, "--expect-failure", "beams_reorder='has no state'")
    failed = False
    for registry, part, entry in named_parts(name):
        registry.check(part, options)
        say(f"{registry.kind} {part}{f' ({entry.origin})' if entry else ''}\n")
        results = list(_run_and_show(_cases(registry, part, options, reasons)))
        say(f"\n{summary(results)}")
        failed |= not all(result.holds for result in results)
    if failed:
        raise typer.Exit(1)


def _cases(
    registry: Registry, part: str, options: dict[str, Any], reasons: dict[str, str]
) -> Sequence[Case[Any]]:
    from nmt_lstm.errors import ConfigurationError
    from nmt_lstm.testing.conformance import ATTENTION_CHECKS, CELL_CHECKS, ENCODER_CHECKS, make_cases
    from nmt_lstm.testing.subject import AttentionSubject, CellSubject, EncoderSubject

    try:
        if registry.kind == "cell":
            return make_cases(CELL_CHECKS, CellSubject(registry.get(part), options), reasons)
        if registry.kind == "encoder":
            return make_cases(ENCODER_CHECKS, EncoderSubject(registry.get(part), options), reasons)
        return make_cases(ATTENTION_CHECKS, AttentionSubject(registry.get(part), options), reasons)
    except ValueError as problem:
        raise ConfigurationError(f"--expect-failure: {problem}") from None


def _run_and_show(cases: Sequence[Case[Any]]) -> Iterator[Result]:
    """Run the checks, and write a row for each when it ends. A check that is not run has no row."""
    from rich.console import Console

    terminal = Console(stderr=True)
    width = min(_MAX_NAME_LENGTH, max(len(case.name) for case in cases))
    for number, case in enumerate(cases, start=1):
        name = case.name.replace("_", " ")
        with terminal.status(f"checking {number} of {len(cases)}: {name}"):
            result = case.run()
        if result.outcome != "not run":
            say(_row(result, name, width))
            sys.stdout.flush()
        yield result


def _row(result: Result, name: str, width: int) -> str:
    """Return the lines of a check: its numbers on the same line, or the explanation of a failure below it."""
    columns = shutil.get_terminal_size().columns
    if result.outcome in ("failed", "expected failure"):
        notes = [result.numbers]
        if result.outcome == "expected failure":
            notes.append(f"expected: {result.reason}")
        elif result.hint:
            notes.append(f"hint: {result.hint}")
        outcome = result.outcome.upper() if result.outcome == "failed" else result.outcome
        indent = " " * 8
        lines = [
            textwrap.fill(note, max(30, columns), initial_indent=indent, subsequent_indent=indent)
            for note in notes
            if note
        ]
        return "\n".join([f"  {outcome:{_OUTCOME_WIDTH}}  {name}", *lines])
    head = f"  {result.outcome:{_OUTCOME_WIDTH}}  {name:{width}}  "
    text_width = max(len(head) + 30, columns)
    row = textwrap.fill(result.numbers, text_width, initial_indent=head, subsequent_indent=" " * len(head))
    return row or head.rstrip()


def summary(results: Sequence[Result]) -> str:
    """Return the number of each outcome, and advice if checks were not run."""
    counts = Counter(result.outcome for result in results)
    text = f"{len(results)} checks: {', '.join(f'{count} {outcome}' for outcome, count in counts.items())}."
    if counts["not run"]:
        text += " Fix the failure first; the checks that were not run depend on it."
    return text
