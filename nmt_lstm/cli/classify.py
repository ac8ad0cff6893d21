"""``nmt-lstm classify``: a label for each input line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import (
    BatchSize,
    Device,
    LineFormat,
    OutputPath,
    Plugins,
    Precision,
    PrecisionName,
    TrustPlugins,
    load_plugins,
)
from nmt_lstm.cli.lines import output_stream
from nmt_lstm.cli.text_input import text_lines
from nmt_lstm.plain_text import json_text

if TYPE_CHECKING:
    from nmt_lstm.inference.text_classifier import Classification

__all__ = ["classify"]

EPILOG = """\b
Examples:
  nmt-lstm classify -m runs/sentiment < texts.txt
  nmt-lstm classify -m runs/sentiment --probabilities -i texts.txt -o labels.tsv
  nmt-lstm classify -m runs/sentiment --format jsonl < texts.txt
\b
Output:
  One line for each input line: its label. A blank line has a label, too.
  --probabilities: the label, a tab and its probability.
  --format jsonl: one JSON object per line, with the probabilities of all labels."""


def classify(
    model: Annotated[Path, typer.Option("--model", "-m", metavar="FOLDER", help="Folder of a classifier.")],
    input_file: Annotated[
        Path | None,
        typer.Option("--input", "-i", metavar="FILE", help="Input, one text per line. [default: stdin]"),
    ] = None,
    output_file: OutputPath = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Write the probability after each label.")
    ] = False,
    line_format: Annotated[
        LineFormat, typer.Option("--format", help="Labels, or JSON Lines.")
    ] = LineFormat.text,
    batch_size: BatchSize = 64,
    precision: Precision = PrecisionName.auto,
    device: Device = "auto",
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Give each line one of the labels that a model was trained on.

    The model is trained with: nmt-lstm train --task classification.
    """
    early_checks.check_single(model, device, "classification", input_file, output_file)
    load_plugins(plugin, trusted=[model] if trust_plugins else [])
    from nmt_lstm.inference.text_classifier import TextClassifier

    classifier = TextClassifier.load(
        model, device=device, precision=precision.value, trust_plugins=trust_plugins
    )
    with output_stream(output_file, inputs=(input_file,)) as stream:
        for result in classifier.stream(text_lines(input_file, "classify"), batch_size=batch_size):
            line = output_line(result, line_format, probabilities=probabilities)
            stream.write(f"{line}\n".encode())


def output_line(result: Classification, line_format: LineFormat, *, probabilities: bool) -> str:
    """Return the output line of one text."""
    if line_format is LineFormat.jsonl:
        return json_text({"text": result.text, "label": result.label, "probabilities": result.probabilities})
    return f"{result.label}\t{result.probability:.4f}" if probabilities else result.label
