"""``nmt-lstm inspect --gradients``: how far gradients reach back, of several models on one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nmt_lstm.cli.inspection_files import InspectionFiles
from nmt_lstm.cli.messages import note, say

if TYPE_CHECKING:
    from nmt_lstm.config.schema import SearchSettings

__all__ = ["write_gradients"]

NAME = "gradient flow"


def write_gradients(
    models: Sequence[Path],
    lines: Sequence[str],
    *,
    target: str | None,
    lengths: Sequence[int],
    search: SearchSettings | None,
    output: Path | None,
    output_format: str,
    layers: Sequence[str],
    command: str,
) -> None:
    """Measure the models, show a table on stderr, and write the page, the picture or JSON on stdout.

    Args:
        models: model folders.
        lines: source sentences.
        target: the translation of a single sentence; None is each model's own.
        lengths: of the sequences, in pieces.
        search: settings of the search for translations; None is each run's own.
        output: the file, or a folder; None chooses a name.
        output_format: "html", "svg" or "json".
        layers: cells or layers in the picture; empty for all.
        command: what makes the page again.

    Raises:
        ConfigurationError, DataError, ModelFolderError: see `nmt_lstm.lab.inspection.gradient_flow.inspect_gradients`.
    """
    files = None if output_format == "json" else InspectionFiles({1: NAME}, output, f".{output_format}")

    from nmt_lstm.lab.inspection.gradient_flow import inspect_gradients
    from nmt_lstm.lab.inspection.gradient_page import gradient_page, gradient_picture, gradient_table

    traces = []
    for model in models:
        traces.append(inspect_gradients(model, lines, target=target, lengths=lengths, search=search))
        if files is None:
            say(traces[-1].to_json())
    if files is None:
        return
    # Before the table, because it checks the layers.
    content = (
        gradient_picture(traces, layers) if output_format == "svg" else gradient_page(traces, command=command)
    )
    table = gradient_table(traces)
    note(table.text())
    note(f"\n{table.caption}")
    files.write(1, content)
