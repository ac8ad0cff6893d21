"""``nmt-lstm plugins check``: the conformance kit on a cell or an attention, as a table."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt_lstm.cli.arguments import Plugins, load_plugins
from nmt_lstm.cli.messages import say
from nmt_lstm.cli.plugin_names import named_parts

if TYPE_CHECKING:
    from nmt_lstm.registry import Registry
    from nmt_lstm.testing import Result
    from nmt_lstm.testing.conformance import Case

__all__ = ["EXAMPLE", "check"]

EXAMPLE = """\b
Examples:
  nmt-lstm plugins check lstm
  nmt-lstm plugins check my_cell.py
  nmt-lstm plugins check my_package.cells:MyCell --option forget_bias=2.0"""

# The longest outcome but for that of a failure which was expected.
_OUTCOME = len("does not apply")
_LONGEST_NAME = 42


def check(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE|package.module:Class",
            help="A registered cell or attention, a file or folder that registers some, or a class.",
        ),
    ],
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="Option to build it with; may be repeated."),
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            "--expect-failure",
            metavar="CHECK=REASON",
            help="A check that must fail, and why that is no mistake; may be repeated.",
        ),
    ] = None,
    plugin: Plugins = None,
) -> None:
    """Check what the framework relies on in a cell or an attention; exits with 1 if anything fails."""
    load_plugins(plugin)
    from nmt_lstm.config.load import parse_value

    options = {key: parse_value(value) for key, value in _pairs(option, "--option")}
    expected = dict(_pairs(expect, "--expect-failure"))
    failed = False
    for registry, part, _ in named_parts(name):
        registry.check(part, options)
        origin = next((entry.origin for entry in registry.entries() if entry.name == part), "")
        say(f"{registry.kind} {part}{f' ({origin})' if origin else ''}\n")
        cases = _cases(registry, part, options, expected)
        results = list(_shown(cases))
        say(f"\n{summary(results)}")
        failed |= not all(result.holds for result in results)
    if failed:
        raise typer.Exit(1)


def _cases(
    registry: Registry, part: str, options: dict[str, Any], expected: dict[str, str]
) -> Sequence[Case[Any]]:
    from nmt_lstm.errors import ConfigurationError
    from nmt_lstm.testing.conformance import ATTENTION_CHECKS, CELL_CHECKS, cases
    from nmt_lstm.testing.subject import AttentionSubject, CellSubject

    try:
        if registry.kind == "cell":
            return cases(CELL_CHECKS, CellSubject(registry.get(part), options), expected)
        return cases(ATTENTION_CHECKS, AttentionSubject(registry.get(part), options), expected)
    except ValueError as problem:
        raise ConfigurationError(f"--expect-failure: {problem}") from None


def _shown(cases: Sequence[Case[Any]]) -> Iterator[Result]:
    """Run the checks, and write a row for each as soon as it has ended; what is not run takes no row."""
    width = min(_LONGEST_NAME, max(len(case.name) for case in cases))
    for number, case in enumerate(cases, start=1):
        name = case.name.replace("_", " ")
        with _progress(f"{number} of {len(cases)}: {name}"):
            result = case.run()
        if result.outcome != "not run":
            say("\n".join(_row(result, name, width)))
            sys.stdout.flush()
        yield result


@contextmanager
def _progress(text: str) -> Iterator[None]:
    """Say at a terminal what is running, and take that away again."""
    shown = f"  checking {text} ..." if sys.stderr.isatty() else ""
    sys.stderr.write(shown)
    sys.stderr.flush()
    try:
        yield
    finally:
        sys.stderr.write(f"\r{' ' * len(shown)}\r" if shown else "")
        sys.stderr.flush()


def _row(result: Result, name: str, width: int) -> Iterator[str]:
    """Return the lines of a check: its numbers beside it, or what failed below it, where there is room."""
    columns = shutil.get_terminal_size().columns
    if result.outcome in ("failed", "expected failure"):
        notes = [result.numbers]
        if result.outcome == "expected failure":
            notes.append(f"expected: {result.reason}")
        elif result.hint:
            notes.append(f"hint: {result.hint}")
        indent = " " * 8
        outcome = result.outcome.upper() if result.outcome == "failed" else result.outcome
        yield f"  {outcome:{_OUTCOME}}  {name}"
        for note in notes:
            yield from textwrap.wrap(
                note, max(30, columns - 8), initial_indent=indent, subsequent_indent=indent
            )
        return
    indent = " " * (_OUTCOME + width + 6)
    words = textwrap.wrap(result.numbers, max(30, columns - len(indent))) or [""]
    yield f"  {result.outcome:{_OUTCOME}}  {name:{width}}  {words[0]}".rstrip()
    yield from (f"{indent}{line}" for line in words[1:])


def summary(results: Sequence[Result]) -> str:
    """Return the count of each outcome in a line, and what to do about checks that were not run."""
    counts = Counter(result.outcome for result in results)
    text = f"{len(results)} checks: {', '.join(f'{count} {outcome}' for outcome, count in counts.items())}."
    if counts["not run"]:
        text += " Correct what failed first: without it the checks that were not run tell nothing."
    return text


def _pairs(given: Sequence[str] | None, option: str) -> list[tuple[str, str]]:
    from nmt_lstm.errors import ConfigurationError

    pairs = []
    for text in given or ():
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise ConfigurationError(f"{option} '{text}' must look like name=value.")
        pairs.append((key.strip(), value.strip()))
    return pairs
