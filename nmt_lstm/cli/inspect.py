"""``nmt-lstm inspect``: a page or a picture of the gates, memory, attention and search for a sentence."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import BeamSize, Plugins, TrustPlugins, load_plugins, parse_lengths
from nmt_lstm.cli.inspect_gradients import write_gradients
from nmt_lstm.cli.inspect_overview import read_text, write_overviews
from nmt_lstm.cli.inspection_files import InspectionFiles
from nmt_lstm.cli.lines import input_lines
from nmt_lstm.cli.messages import note, quoted, say
from nmt_lstm.cli.standard_streams import check_stdin
from nmt_lstm.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from nmt_lstm.lab.inspection.trace import Trace

__all__ = ["inspect"]

MAX_INSPECTED_SENTENCES = 50
"""Sentences read from a file or stdin. Each has its own page."""
DEFAULT_LENGTHS = "10,20,40"

EPILOG = """\b
Examples:
  nmt-lstm inspect -m builtin:en-ja "The dog is sleeping ."
  nmt-lstm inspect -m runs/rnn -m runs/gru -m runs/lstm "Ein Hund läuft."
  nmt-lstm inspect -m runs/de-en -i some.de -o pages
  nmt-lstm inspect -m runs/de-en "Ein Hund läuft." --prefix "A cat"
  nmt-lstm inspect -m runs/de-en "Ein Hund läuft." --format json > trace.json
  nmt-lstm inspect -m runs/de-en "Ein Hund läuft." --format svg --what gates
  nmt-lstm inspect -m runs/de-en --corpus valid.de
  nmt-lstm inspect --gradients -m runs/rnn -m runs/lstm -i some.de
\b
Output:
  html: one self-contained page per sentence, with all models.
  svg, png: one picture per sentence, with the models side by side.
  json: one object per line for each sentence and model (JSON Lines);
  docs/inspect.md describes it.
  The paths of pages and pictures are printed on stdout. Without -o, no file
  is overwritten by a different one."""


class TraceFormat(StrEnum):
    """Output formats."""

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
            "--model",
            "-m",
            metavar="FOLDER",
            help="Model folder, or builtin:en-ja; repeat to show several on one page.",
        ),
    ],
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="A sentence. [default: stdin]")] = None,
    input_file: Annotated[
        Path | None,
        typer.Option(
            "--input", "-i", metavar="FILE", help="Input, one sentence of at most 100 pieces per line."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="File to write; a folder for several sentences."),
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(
            "--corpus",
            metavar="FILE",
            help="Source text. Without a sentence: an overview of the model over this text. With one: also find "
            "sentences of the text in which the same units are active.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="TEXT", help="Trace this translation instead of searching for one."),
    ] = None,
    prefix: Annotated[
        str, typer.Option("--prefix", metavar="TEXT", help="Force the beginning of the translation.")
    ] = "",
    trace_format: Annotated[
        TraceFormat, typer.Option("--format", help="Page, JSON Lines on stdout, or picture.")
    ] = TraceFormat.html,
    what: Annotated[
        list[Content] | None,
        typer.Option("--what", help="Panel of the picture; repeatable. [default: all]"),
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(
            "--layer",
            metavar="LAYER",
            help="Layer with the gates and memory to draw, such as encoder.1 or decoder.2; repeatable. "
            "[default: the first cell, such as encoder.1.forward; with --gradients, all]",
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Also draw attention and gates in the terminal.")
    ] = False,
    gradients: Annotated[
        bool,
        typer.Option(
            "--gradients", help="Show how far gradients reach back in each cell, before and after training."
        ),
    ] = False,
    lengths: Annotated[
        str,
        typer.Option(
            "--lengths", metavar="N,N", help="With --gradients: pieces of the sequences that are measured."
        ),
    ] = DEFAULT_LENGTHS,
    beam_size: BeamSize = None,
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Show gates, memory, attention and search for a sentence.

    The page also shows the gradients of each target piece with respect to all pieces before it.
    """
    if text is not None and input_file is not None:
        raise ConfigurationError("give a sentence or --input, not both.")
    if target is not None and prefix:
        raise ConfigurationError(
            "--target is a complete translation, so --prefix has no effect; remove one of them."
        )
    if trace_format is TraceFormat.json and show:
        raise ConfigurationError("--show and --format json both write to stdout; remove one of them.")
    if trace_format is TraceFormat.json and output is not None:
        raise ConfigurationError("--format json writes to stdout; remove -o, and redirect it: > trace.json")
    if (what or layer) and trace_format not in PICTURES:
        raise ConfigurationError(
            "--what and --layer select the content of a picture; add --format svg or --format png."
        )
    is_overview = corpus is not None and text is None and input_file is None
    _check_corpus(
        corpus,
        trace_format,
        gradients=gradients,
        is_overview=is_overview,
        others=gradients or show or beam_size is not None or bool(prefix or target),
    )
    _check_gradients(
        gradients, lengths, trace_format, show=show, prefix=prefix, chooses_panels=what is not None
    )
    for folder in model:
        early_checks.check_models([folder])
    search = early_checks.check_search(model, [] if beam_size is None else [f"search.beam_size={beam_size}"])
    early_checks.check_files(input_file, corpus)
    if corpus is not None and is_overview:
        load_plugins(plugin, trusted=model if trust_plugins else [])
        write_overviews(model, corpus, output=output, output_format=trace_format)
        return
    if text is None and input_file is None:
        check_stdin()
    lines = {1: text} if text is not None else _lines(input_file)
    options = f" -b {beam_size}" if beam_size is not None else ""
    options += "".join(f" --plugin {quoted(file)}" for file in plugin or [])
    options += " --trust-plugins" if trust_plugins else ""
    if gradients:
        load_plugins(plugin, trusted=model if trust_plugins else [])
        folders = "".join(f" -m {quoted(folder)}" for folder in model)
        source_argument = f" -i {quoted(input_file)}" if input_file is not None else ""
        source_argument = f" {shlex.quote(text)}" if text is not None else source_argument
        source_argument += f" --target {shlex.quote(target)}" if target is not None else ""
        write_gradients(
            model,
            list(lines.values()),
            target=target,
            lengths=parse_lengths(lengths),
            search=search,
            output=output,
            output_format=trace_format,
            layers=layer or (),
            command=f"nmt-lstm inspect --gradients --lengths {lengths}{folders}{options}{source_argument}",
        )
        return
    files = None if trace_format is TraceFormat.json else InspectionFiles(lines, output, f".{trace_format}")
    load_plugins(plugin, trusted=model if trust_plugins else [])

    from nmt_lstm.lab.inspection.inspection import Inspector

    if trace_format is TraceFormat.png:
        from nmt_lstm.lab.inspection.plots import check_matplotlib

        check_matplotlib()
    inspectors = [Inspector.load(folder) for folder in model]
    overviews = read_text(inspectors, corpus) if corpus is not None else []
    for number, line in lines.items():
        try:
            traces = [each.trace(line, target=target, prefix=prefix, search=search) for each in inspectors]
        except DataError as problem:
            if len(lines) == 1:
                raise
            note(f"nmt-lstm: warning: line {number} is skipped: {problem}")
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

            commands = [
                f"nmt-lstm inspect -m {quoted(folder)}{options} {shlex.quote(line)}" for folder in model
            ]
            files.write(number, trace_page(traces, commands=commands, texts=overviews))
        else:
            files.write(number, _picture(traces, trace_format, what, layer))


def _check_corpus(
    corpus: Path | None, trace_format: TraceFormat, *, gradients: bool, is_overview: bool, others: bool
) -> None:
    """Raise ConfigurationError if options contradict --corpus."""
    if corpus is None:
        return
    if is_overview and (trace_format in PICTURES or others):
        raise ConfigurationError(
            "--corpus without a sentence writes a page or JSON about the text; add a sentence, or remove --gradients, --show, "
            "--target, --prefix, -b and the picture's --format."
        )
    if gradients:
        raise ConfigurationError("--gradients reads the sentences of -i FILE; remove --corpus.")
    if not is_overview and trace_format is not TraceFormat.html:
        raise ConfigurationError(
            f"--corpus with a sentence adds to its page; remove --format {trace_format}."
        )


def _check_gradients(
    gradients: bool, lengths: str, trace_format: TraceFormat, *, show: bool, prefix: str, chooses_panels: bool
) -> None:
    """Raise ConfigurationError if options contradict --gradients, or need it."""
    if not gradients:
        if lengths != DEFAULT_LENGTHS:
            raise ConfigurationError("--lengths belongs to --gradients; add --gradients.")
        return
    refused = {
        "--show": show,
        "--prefix": bool(prefix),
        "--what": chooses_panels,
        "--format png": trace_format is TraceFormat.png,
    }
    wrong = next((option for option, is_given in refused.items() if is_given), None)
    if wrong is not None:
        raise ConfigurationError(
            f"{wrong} does not go with --gradients, which shows a table and writes a page, --format svg or --format json; "
            f"leave it out."
        )
    parse_lengths(lengths)


def _lines(input_file: Path | None) -> dict[int, str]:
    """Return the lines that are not blank, by line number."""
    lines: dict[int, str] = {}
    for number, line in enumerate(input_lines(input_file), start=1):
        if not line.strip():
            continue
        if len(lines) == MAX_INSPECTED_SENTENCES:
            note(f"nmt-lstm: warning: only the first {MAX_INSPECTED_SENTENCES} sentences are inspected.")
            break
        lines[number] = line.rstrip("\n")
    if not lines:
        raise DataError("the input has no sentence; give one, or a file with sentences.")
    return lines


def _picture(
    traces: Sequence[Trace], trace_format: TraceFormat, what: list[Content] | None, layers: list[str] | None
) -> str | bytes:
    from nmt_lstm.lab.inspection.picture import picture
    from nmt_lstm.lab.inspection.trace import CONTENTS

    content = picture(traces, contents=what or CONTENTS, layers=layers or ())
    if trace_format is TraceFormat.png:
        from nmt_lstm.lab.inspection.plots import figure_png

        return figure_png(content)
    from nmt_lstm.lab.report.heat_map import heat_map_file

    return heat_map_file(content)
