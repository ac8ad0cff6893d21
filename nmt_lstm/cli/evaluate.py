"""``nmt-lstm evaluate``: BLEU, chrF and TER through sacreBLEU, always with their signatures."""

from __future__ import annotations

import json
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.cli.arguments import (
    BatchSize,
    BeamSize,
    Device,
    Plugins,
    Precision,
    PrecisionName,
    load_plugins,
)
from nmt_lstm.cli.lines import output_stream, read_all_lines
from nmt_lstm.cli.messages import columns, note
from nmt_lstm.cli.score import check_counts
from nmt_lstm.errors import ConfigurationError

if TYPE_CHECKING:
    from nmt_lstm.evaluation.scores import Score

__all__ = ["evaluate", "score_table"]

EXAMPLE = """\b
Examples:
  nmt-lstm evaluate -m runs/de-en -s test.de -r test.en
  nmt-lstm evaluate --hypotheses out.en -r test.en
  nmt-lstm evaluate --hypotheses out.ja -r test.ja --tokenize ja-mecab"""


class TableFormat(StrEnum):
    """How scores are written."""

    table = "table"
    json = "json"


def evaluate(
    reference: Annotated[
        Path, typer.Option("--reference", "-r", metavar="FILE", help="Reference translations, one per line.")
    ],
    hypotheses: Annotated[
        Path | None,
        typer.Option("--hypotheses", metavar="FILE", help="Translations to score, instead of -m and -s."),
    ] = None,
    model: Annotated[
        list[Path] | None,
        typer.Option(
            "--model", "-m", metavar="FOLDER", help="Model folder that translates -s; several: an ensemble."
        ),
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--source", "-s", metavar="FILE", help="Source text that -m translates.")
    ] = None,
    output_file: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Also write the translations of -m here."),
    ] = None,
    tokenize: Annotated[
        str,
        typer.Option(
            "--tokenize",
            metavar="NAME",
            help="sacreBLEU's tokenizer: 13a, char, ja-mecab, zh, intl, none; auto is the model's, else 13a.",
        ),
    ] = "auto",
    table_format: Annotated[
        TableFormat, typer.Option("--format", help="For people, or for programs.")
    ] = TableFormat.table,
    beam_size: BeamSize = None,
    batch_size: BatchSize = 64,
    precision: Precision = PrecisionName.auto,
    device: Device = "auto",
    plugin: Plugins = None,
) -> None:
    """Score translations against references: BLEU, chrF and TER by sacreBLEU, with signatures."""
    if (hypotheses is None) == (not model):
        raise ConfigurationError("name either --hypotheses FILE, or -m FOLDER with -s FILE.")
    if model and source is None:
        raise ConfigurationError("-m translates the text of -s: name it, such as -s test.de.")
    load_plugins(plugin)
    from nmt_lstm.evaluation.scores import check_tokenizer, corpus_scores

    if tokenize != "auto":
        check_tokenizer(tokenize)
    references = read_all_lines(reference)
    if hypotheses is not None:
        lines = read_all_lines(hypotheses)
        check_counts(hypotheses, len(lines), reference, len(references))
        tokenizer = "13a" if tokenize == "auto" else tokenize
    else:
        assert source is not None
        sources = read_all_lines(source)
        check_counts(source, len(sources), reference, len(references))
        from nmt_lstm.translator import Translator

        translator = Translator.load(model or [], device=device, precision=precision.value)
        tokenizer = translator.tokenizer if tokenize == "auto" else tokenize
        start = time.perf_counter()
        lines = [
            translation.text
            for translation in translator.stream(sources, beam_size=beam_size, batch_size=batch_size)
        ]
        seconds = time.perf_counter() - start
        note(
            f"{len(lines):,} sentences translated in {seconds:.1f} s ({len(lines) / seconds:.0f} per second)."
        )
        if output_file is not None:
            with output_stream(output_file, inputs=(source, reference)) as stream:
                stream.write("".join(f"{line}\n" for line in lines).encode("utf-8"))
    scores = corpus_scores(lines, references, tokenize=tokenizer)
    sys.stdout.write(
        (score_table(scores) if table_format is TableFormat.table else score_json(scores)) + "\n"
    )


def score_table(scores: list[Score]) -> str:
    """Return the scores as a table of name, value and signature."""
    return columns([(score.name, f"{score.value:.2f}", score.signature) for score in scores], right=(1,))


def score_json(scores: list[Score]) -> str:
    """Return the scores as a JSON list."""
    rows = [{"name": score.name, "value": score.value, "signature": score.signature} for score in scores]
    return json.dumps(rows, indent=2)
