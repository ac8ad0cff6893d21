"""``nmt-lstm score``: the log probability that a model assigns to translations, or a language model to lines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import (
    BatchSize,
    Device,
    LineFormat,
    Models,
    OutputPath,
    Plugins,
    Precision,
    PrecisionName,
    Tag,
    TrustPlugins,
    load_plugins,
)
from nmt_lstm.cli.lines import output_stream, read_all_lines, read_matching_lines
from nmt_lstm.cli.messages import note
from nmt_lstm.cli.text_input import check_text
from nmt_lstm.cli.text_scores import TextScoring, refuse_options, write_scores
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.plain_text import count_of, json_text

if TYPE_CHECKING:
    from nmt_lstm.inference.translation import ScoredTranslation

__all__ = ["score"]

EPILOG = """\b
Examples:
  nmt-lstm score -m runs/de-en -s test.de -t test.en > scores.tsv
  nmt-lstm score -m runs/lm -s test.en > scores.tsv
\b
Output:
  text:  the log probability of the line, a tab, and its mean per piece
         (natural logarithm; the end of the sentence counts as a piece).
  jsonl: one JSON object per line, with the log probability of each piece."""


def score(
    model: Models,
    source: Annotated[
        Path,
        typer.Option(
            "--source",
            "-s",
            metavar="FILE",
            help="Source text, one sentence per line; the text itself for a language model.",
        ),
    ],
    target: Annotated[
        Path | None,
        typer.Option(
            "--target",
            "-t",
            metavar="FILE",
            help="Translations, one per source line; a language model has none.",
        ),
    ] = None,
    output_file: OutputPath = None,
    tag: Tag = "",
    batch_size: BatchSize = 64,
    line_format: Annotated[
        LineFormat, typer.Option("--format", help="Tab-separated values, or JSON Lines.")
    ] = LineFormat.text,
    precision: Precision = PrecisionName.auto,
    device: Device = "auto",
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Compute log probabilities of given translations, or of lines."""
    if early_checks.is_language_model(model):
        refuse_options(target=target)
        scoring = TextScoring(model, source, device, precision.value, batch_size, plugin, trust_plugins)
        write_scores(scoring, output_file, line_format)
        return
    early_checks.check_models(model, device)
    if target is None:
        raise ConfigurationError("-t is missing: name the translations of -s.", key="--target")
    early_checks.check_files(source, target)
    early_checks.check_output(output_file, (source, target))
    early_checks.check_tag(model, tag)
    sources = read_all_lines(source, may_be_empty=True)
    targets = read_matching_lines(target, source, sources)
    for path, lines in ((source, sources), (target, targets)) if sources else ((source, sources),):
        check_text(lines, path, "score")
    load_plugins(plugin, trusted=model if trust_plugins else [])
    from nmt_lstm.evaluation.columns import perplexity
    from nmt_lstm.inference.requests import tagged
    from nmt_lstm.inference.translator import Translator

    translator = Translator.load(model, device=device, precision=precision.value)
    total, pieces = 0.0, 0
    with output_stream(output_file, inputs=(source, target)) as stream:
        for scored in translator.score(tagged(sources, tag), targets, batch_size=batch_size):
            total += scored.log_probability
            pieces += len(scored.piece_log_probabilities)
            stream.write((output_line(scored, line_format) + "\n").encode("utf-8"))
    if not sources:
        return
    mean = total / max(1, pieces)
    note(
        f"{count_of(len(sources), 'line')}, {count_of(pieces, 'piece')}: {mean:.4f} per piece, perplexity {perplexity(-mean, 3)}"
    )


def output_line(scored: ScoredTranslation, line_format: LineFormat) -> str:
    """Return the output line of one scored translation."""
    count = len(scored.piece_log_probabilities)
    mean = scored.log_probability / max(1, count)
    if line_format is LineFormat.text:
        return f"{scored.log_probability:.4f}\t{mean:.4f}"
    pieces = list(zip(scored.pieces, scored.piece_log_probabilities, strict=True))
    return json_text({"log_probability": scored.log_probability, "per_piece": mean, "pieces": pieces})
