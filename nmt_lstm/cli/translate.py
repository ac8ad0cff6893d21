"""``nmt-lstm translate``: one output line for each input line, from files, pipes or the keyboard."""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import (
    BatchSize,
    BeamSize,
    Device,
    LineFormat,
    Models,
    Plugins,
    Precision,
    PrecisionName,
    SearchOverrides,
    TrustPlugins,
    load_plugins,
)
from nmt_lstm.cli.jobs import Loading, translate_in_jobs
from nmt_lstm.cli.lines import input_lines, output_stream
from nmt_lstm.cli.messages import note
from nmt_lstm.cli.standard_streams import check_stdin
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.plain_text import json_text

if TYPE_CHECKING:
    from nmt_lstm.inference.translation import Hypothesis, Translation

__all__ = ["translate"]

EXAMPLE = """\b
Examples:
  nmt-lstm translate -m runs/de-en < in.de > out.en
  nmt-lstm translate -m runs/de-en -i in.de.gz -o out.en
  echo "Ein Hund." | nmt-lstm translate -m runs/de-en --n-best 3 --scores
  nmt-lstm translate -m runs/a -m runs/b --format jsonl < in.de
\b
Output:
  One line for each input line, empty for an empty one. With --n-best N it is
  N lines for each input line, best first and all different; some are empty
  where the search found fewer: a larger --beam-size finds more.
  --scores puts the score and a tab before the text; --alignments puts a tab
  after it, and for each target piece the source piece it attended to most
  (0-0 2-1: source-target, from 0). Target pieces that attended most to the
  end of the source have none.
  jsonl: one object per input line, with all hypotheses and their pieces.
  Lines are written 64 batches at a time. Ctrl-C keeps those written so far,
  also in the file of -o (status 130)."""


def translate(
    model: Models,
    input_file: Annotated[
        Path | None,
        typer.Option("--input", "-i", metavar="FILE", help="Text, one sentence per line. [default: stdin]"),
    ] = None,
    output_file: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Translations. [default: stdout]")
    ] = None,
    beam_size: BeamSize = None,
    overrides: SearchOverrides = None,
    n_best: Annotated[
        int, typer.Option("--n-best", min=1, metavar="N", help="Translations for each line.")
    ] = 1,
    batch_size: BatchSize = 64,
    scores: Annotated[
        bool, typer.Option("--scores", help="Write the score before each translation.")
    ] = False,
    alignments: Annotated[
        bool, typer.Option("--alignments", help="Write the attention's alignment after it.")
    ] = False,
    line_format: Annotated[
        LineFormat, typer.Option("--format", help="Plain lines, or JSON.")
    ] = LineFormat.text,
    interactive: Annotated[
        bool, typer.Option("--interactive", help="Answer each line at once, as at a terminal.")
    ] = False,
    jobs: Annotated[
        int,
        typer.Option("--jobs", "-j", min=1, metavar="N", help="Processes of one thread, for large files."),
    ] = 1,
    precision: Precision = PrecisionName.auto,
    device: Device = "auto",
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Translate text, line by line."""
    early_checks.check_models(model, device)
    search = early_checks.check_search(model, overrides)
    beam = beam_size or search.beam_size
    if n_best > beam:
        raise ConfigurationError(
            f"--n-best {n_best} needs a beam as large, and it is {beam}; add --beam-size {n_best}."
        )
    from_stdin = input_file is None or str(input_file) == "-"
    if from_stdin:
        check_stdin()
    typing = from_stdin and sys.stdin.isatty()
    at_once = interactive or typing
    if at_once and jobs > 1:
        raise ConfigurationError(
            "--jobs is for files and pipes; leave it out where each line is answered at once."
        )
    early_checks.check_files(input_file)
    early_checks.check_output(output_file, (input_file,))
    trusted = model if trust_plugins else []
    load_plugins(plugin, trusted=trusted)
    from nmt_lstm.inference.translator import Translator

    translator = Translator.load(model, device=device, precision=precision.value)
    if typing:
        note("Type a sentence after '>' and press Enter; its translation follows. Ctrl-D ends.")
    aligned = alignments or line_format is LineFormat.jsonl
    written = 0
    try:
        with contextlib.ExitStack() as stack:
            stream = stack.enter_context(output_stream(output_file, inputs=(input_file,)))
            lines = prompted(input_lines(input_file)) if typing else input_lines(input_file)
            translations: Iterator[Translation]
            if jobs > 1:
                loading = Loading(model, device, precision.value, plugin or [], trusted)
                together = translate_in_jobs(
                    lines,
                    loading,
                    jobs,
                    beam_size=beam_size,
                    n_best=n_best,
                    batch_size=batch_size,
                    search=search,
                    alignment=aligned,
                )
                translations = stack.enter_context(contextlib.closing(together))
            else:
                translations = translator.stream(
                    lines,
                    beam_size=beam_size,
                    n_best=n_best,
                    batch_size=1 if at_once else batch_size,
                    window=1 if at_once else None,
                    search=search,
                    alignment=aligned,
                )
            for translation in translations:
                if line_format is LineFormat.jsonl:
                    text = json_line(translation)
                else:
                    text = "\n".join(text_lines(translation, n_best, scores=scores, alignments=alignments))
                stream.write(text.encode("utf-8") + b"\n")
                written += 1
                if at_once:
                    stream.flush()
    except KeyboardInterrupt:
        if typing:  # every translation stands there already
            note("\nInterrupted.")
        elif written:
            note(f"\nInterrupted: the first {written:,} lines were translated and written.")
        else:
            note("\nInterrupted: no line was written yet. A smaller --batch-size writes sooner.")
        raise typer.Exit(130) from None


def prompted(lines: Iterator[str]) -> Iterator[str]:
    """Yield lines that are typed, with a prompt before each, which tells them from their translations."""
    while True:
        sys.stderr.write("> ")
        sys.stderr.flush()
        line = next(lines, None)
        if line is None:
            note()
            return
        yield line


def text_lines(translation: Translation, n_best: int, *, scores: bool, alignments: bool) -> Iterator[str]:
    """Yield exactly `n_best` output lines; where the search found fewer, the last ones are empty."""
    hypotheses: Iterable[Hypothesis | None] = itertools.chain(translation.hypotheses, itertools.repeat(None))
    for hypothesis in itertools.islice(hypotheses, n_best):
        columns = [hypothesis.text if hypothesis else ""]
        if scores:
            columns.insert(0, f"{hypothesis.score:.4f}" if hypothesis else "")
        if alignments:
            columns.append(" ".join(f"{s}-{t}" for s, t in hypothesis.alignment or ()) if hypothesis else "")
        yield "\t".join(columns)


def json_line(translation: Translation) -> str:
    """Return one JSON object: the line and its pieces, the best translation, and all hypotheses."""
    values = {
        "source": translation.source,
        "source_pieces": list(translation.source_pieces),
        "translation": translation.text,
        "score": translation.score,
        "hypotheses": [as_object(hypothesis) for hypothesis in translation.hypotheses],
    }
    return json_text(values)


def as_object(hypothesis: Hypothesis) -> dict[str, Any]:
    """Return a hypothesis as JSON has it."""
    return {
        "text": hypothesis.text,
        "score": hypothesis.score,
        "pieces": list(hypothesis.pieces),
        "alignment": [list(pair) for pair in hypothesis.alignment or ()],
    }
