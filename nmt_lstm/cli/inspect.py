"""``nmt-lstm inspect``: gates, memory, attention and search of a sentence, as a page."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import BeamSize, Plugins, TrustPlugins, load_plugins
from nmt_lstm.cli.inspection_files import InspectionFiles
from nmt_lstm.cli.lines import input_lines
from nmt_lstm.cli.messages import note, quoted, say
from nmt_lstm.cli.standard_streams import check_stdin
from nmt_lstm.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from nmt_lstm.lab.inspection.trace import Trace

__all__ = ["inspect"]

MOST_SENTENCES = 50
"""Sentences of a file or of stdin; each becomes a page of its own."""

EXAMPLE = """\b
Examples:
  nmt-lstm inspect -m builtin:en-ja "The dog is sleeping ."
  nmt-lstm inspect -m runs/rnn -m runs/gru -m runs/lstm "Ein Hund läuft."
  nmt-lstm inspect -m runs/de-en -i some.de -o pages
  nmt-lstm inspect -m runs/de-en "Ein Hund läuft." --prefix "A cat"
  nmt-lstm inspect -m runs/de-en "Ein Hund läuft." --format json > trace.json
  nmt-lstm inspect -m runs/de-en "Ein Hund läuft." --format svg --what gates
\b
Output:
  One HTML file for each sentence; its path is printed. It needs no network.
  Several models are shown on the same page.
  svg, png: one picture for each sentence, with several models side by side.
  Without -o, no file is replaced by a different one.
  json: a line with one object for each sentence and model (JSON Lines); see
  docs/inspect.md."""


class TraceFormat(StrEnum):
    """What is written."""

    html = "html"
    json = "json"
    svg = "svg"
    png = "png"


class Content(StrEnum):
    """A part of a picture."""

    attention = "attention"
    gates = "gates"
    memory = "memory"


PICTURES = (TraceFormat.svg, TraceFormat.png)


def inspect(
    model: Annotated[
        list[Path],
        typer.Option(
            "--model", "-m", metavar="FOLDER", help="Model folder, or builtin:en-ja; several share a page."
        ),
    ],
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="A sentence. [default: stdin]")] = None,
    input_file: Annotated[
        Path | None,
        typer.Option(
            "--input", "-i", metavar="FILE", help="Text, one sentence of at most 100 pieces per line."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PATH", help="Page to write; a folder if there are several sentences."
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="TEXT", help="Follow this translation instead of searching."),
    ] = None,
    prefix: Annotated[
        str, typer.Option("--prefix", metavar="TEXT", help="The translation must begin with this.")
    ] = "",
    trace_format: Annotated[
        TraceFormat, typer.Option("--format", help="A page, JSON on stdout, or a picture.")
    ] = TraceFormat.html,
    what: Annotated[
        list[Content] | None,
        typer.Option("--what", help="Part of the picture; may be repeated. [default: all]"),
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(
            "--layer",
            metavar="LAYER",
            help="Whose gates and memory, as encoder.1 or decoder.2.forward; may be repeated. "
            "[default: encoder.1.forward]",
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Draw attention and gates at the terminal, too.")
    ] = False,
    beam_size: BeamSize = None,
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Show what happens inside a model: gates, memory, attention, gradients, search."""
    if text is not None and input_file is not None:
        raise ConfigurationError("give a sentence or --input, not both.")
    if target is not None and prefix:
        raise ConfigurationError(
            "--target is a whole translation, so --prefix has nothing to change; leave one out."
        )
    if trace_format is TraceFormat.json and show:
        raise ConfigurationError("--show draws on stdout, where --format json writes; leave one of them out.")
    if trace_format is TraceFormat.json and output is not None:
        raise ConfigurationError("--format json writes to stdout; leave out -o, and write: > trace.json")
    if (what or layer) and trace_format not in PICTURES:
        raise ConfigurationError(
            "--what and --layer choose the content of a picture: add --format svg or --format png."
        )
    for folder in model:
        early_checks.check_models([folder])
    search = early_checks.check_search(model, [] if beam_size is None else [f"search.beam_size={beam_size}"])
    if text is None and input_file is None:
        check_stdin()
    early_checks.check_files(input_file)
    lines = {1: text} if text is not None else _lines(input_file)
    files = None if trace_format is TraceFormat.json else InspectionFiles(lines, output, f".{trace_format}")
    load_plugins(plugin, trusted=model if trust_plugins else [])

    from nmt_lstm.lab.inspection.inspection import Inspector

    if trace_format is TraceFormat.png:
        from nmt_lstm.lab.inspection.plots import check_matplotlib

        check_matplotlib()
    inspectors = [Inspector.load(folder) for folder in model]
    same = f" -b {beam_size}" if beam_size is not None else ""
    same += "".join(f" --plugin {quoted(file)}" for file in plugin or [])
    same += " --trust-plugins" if trust_plugins else ""
    for number, line in lines.items():
        try:
            traces = [each.trace(line, target=target, prefix=prefix, search=search) for each in inspectors]
        except DataError as problem:
            if len(lines) == 1:
                raise
            note(f"nmt-lstm: warning: line {number} is left out: {problem}")
            continue
        if show:
            from nmt_lstm.lab.inspection.terminal import terminal_lines

            for trace in traces:
                say("\n".join(terminal_lines(trace, shutil.get_terminal_size().columns)))
        if files is None:
            for trace in traces:
                say(trace.to_json())
        elif trace_format is TraceFormat.html:
            from nmt_lstm.lab.inspection.page import trace_page

            commands = [f"nmt-lstm inspect -m {quoted(folder)}{same} {shlex.quote(line)}" for folder in model]
            files.write(number, trace_page(traces, commands=commands))
        else:
            files.write(number, _picture(traces, trace_format, what, layer))


def _lines(input_file: Path | None) -> dict[int, str]:
    """Return the lines that are not blank, by their numbers."""
    lines: dict[int, str] = {}
    for number, line in enumerate(input_lines(input_file), start=1):
        if not line.strip():
            continue
        if len(lines) == MOST_SENTENCES:
            note(f"only the first {MOST_SENTENCES} sentences are looked into.")
            break
        lines[number] = line.rstrip("\n")
    if not lines:
        raise DataError("there is no sentence to look into; give one, or a file of sentences.")
    return lines


def _picture(
    traces: Sequence[Trace], trace_format: TraceFormat, what: list[Content] | None, layers: list[str] | None
) -> str | bytes:
    from nmt_lstm.lab.inspection.picture import picture
    from nmt_lstm.lab.inspection.trace import CONTENTS, DEFAULT_LAYERS

    content = picture(traces, contents=what or CONTENTS, layers=layers or DEFAULT_LAYERS)
    if trace_format is TraceFormat.png:
        from nmt_lstm.lab.inspection.plots import figure_png

        return figure_png(content)
    from nmt_lstm.lab.report.heat_map import heat_map_file

    return heat_map_file(content)
