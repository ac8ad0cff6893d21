"""``nmt-lstm plugins check``: the conformance kit on a cell or an attention, as a table."""

from __future__ import annotations

import shutil
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.cli.arguments import Plugins, load_plugins
from nmt_lstm.cli.messages import say
from nmt_lstm.cli.plugin_names import find

if TYPE_CHECKING:
    from nmt_lstm.registry import Registry
    from nmt_lstm.testing import Result

__all__ = ["EXAMPLE", "check"]

EXAMPLE = """\b
Examples:
  nmt-lstm plugins check lstm
  nmt-lstm plugins check my_cell.py
  nmt-lstm plugins check my_package.cells:MyCell --option forget_bias=2.0"""

_LONGEST_NAME = 42


def check(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE.py|package.module:Class",
            help="A registered cell or attention, a file that registers some, or a class.",
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
    from nmt_lstm.errors import ConfigurationError
    from nmt_lstm.testing import check_attention, check_cell

    options = {key: parse_value(value) for key, value in _pairs(option, "--option")}
    expected = dict(_pairs(expect, "--expect-failure"))
    failed = False
    for registry, part in _parts(name):
        registry.check(part, options)
        origin = next((entry.origin for entry in registry.entries() if entry.name == part), "")
        say(f"{registry.kind} {part}{f' ({origin})' if origin else ''}\n")
        try:
            if registry.kind == "cell":
                results = check_cell(registry.get(part), options=options, expected_failures=expected)
            else:
                results = check_attention(registry.get(part), options=options, expected_failures=expected)
        except ValueError as problem:
            raise ConfigurationError(f"--expect-failure: {problem}") from None
        say(f"{table(results)}\n\n{summary(results)}")
        failed |= not all(result.holds for result in results)
    if failed:
        raise typer.Exit(1)


def table(results: Sequence[Result]) -> str:
    """Return a line for each check, its numbers wrapped to the terminal, and a hint where it failed."""
    names = [result.name.replace("_", " ") for result in results]
    first = max(len(result.outcome) for result in results)
    second = min(_LONGEST_NAME, max(map(len, names)))
    indent = " " * (first + second + 6)
    room = max(30, shutil.get_terminal_size().columns - len(indent))
    lines = []
    for result, name in zip(results, names, strict=True):
        outcome = result.outcome.upper() if result.outcome == "failed" else result.outcome
        notes = [result.numbers]
        if result.outcome == "expected failure":
            notes.append(f"expected: {result.reason}")
        if result.outcome == "failed" and result.hint:
            notes.append(f"hint: {result.hint}")
        words = [line for note in notes for line in textwrap.wrap(note, room)] or [""]
        lines.append(f"  {outcome:{first}}  {name:{second}}  {words[0]}".rstrip())
        lines += [f"{indent}{line}" for line in words[1:]]
    return "\n".join(lines)


def summary(results: Sequence[Result]) -> str:
    """Return the count of each outcome in a line."""
    counts = Counter(result.outcome for result in results)
    return f"{len(results)} checks: {', '.join(f'{count} {outcome}' for outcome, count in counts.items())}."


def _parts(name: str) -> list[tuple[Registry, str]]:
    """Return the parts that are meant, each with its registry."""
    from nmt_lstm.registry import ATTENTIONS, CELLS, load_plugin_file

    if name.endswith(".py") or Path(name).is_file():
        entries = load_plugin_file(name)
        cells = {entry.target for entry in CELLS.decorated()}
        return [(CELLS if entry.target in cells else ATTENTIONS, entry.name) for entry in entries]
    return [(registry, name) for registry, _ in find(name)]


def _pairs(given: Sequence[str] | None, option: str) -> list[tuple[str, str]]:
    from nmt_lstm.errors import ConfigurationError

    pairs = []
    for text in given or ():
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise ConfigurationError(f"{option} '{text}' must look like name=value.")
        pairs.append((key.strip(), value.strip()))
    return pairs
