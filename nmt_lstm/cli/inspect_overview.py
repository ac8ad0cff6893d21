"""``nmt-lstm inspect --corpus``: models over a text rather than over one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nmt_lstm.cli.inspection_files import InspectionFiles
from nmt_lstm.cli.lines import input_lines
from nmt_lstm.cli.messages import note, say
from nmt_lstm.plain_text import count_of

if TYPE_CHECKING:
    from nmt_lstm.lab.inspection.inspection import Inspector
    from nmt_lstm.lab.inspection.overview import Overview

__all__ = ["read_text", "write_overviews"]


def read_text(inspectors: Sequence[Inspector], corpus: Path) -> list[Overview]:
    """Return what each model does over a text.

    Raises:
        DataError: the file cannot be read, or has no usable sentence.
    """
    from nmt_lstm.lab.inspection.overview import overview
    from nmt_lstm.lab.inspection.text_sample import sampled

    lines = sampled(input_lines(corpus))
    note(f"reading {count_of(len(lines), 'sentence')} of '{corpus}' ...")
    return [overview(inspector, lines) for inspector in inspectors]


def write_overviews(models: Sequence[Path], corpus: Path, *, output: Path | None, output_format: str) -> None:
    """Write a page about models over a text, or a line of JSON for each model to stdout.

    Args:
        models: model folders.
        corpus: text in the source language.
        output: the page, or its folder; None chooses a name.
        output_format: "html" or "json".

    Raises:
        ConfigurationError: there is a folder, or no folder, where the page should go.
        DataError: the file cannot be read, or has no usable sentence.
        ModelFolderError: a model cannot be loaded.
    """
    name = f"{corpus.stem} overview"
    files = None if output_format == "json" else InspectionFiles({1: name}, output, f".{output_format}")

    from nmt_lstm.lab.inspection.inspection import Inspector
    from nmt_lstm.lab.inspection.overview_page import overview_page

    overviews = read_text([Inspector.load(folder) for folder in models], corpus)
    if files is None:
        for each in overviews:
            say(each.to_json())
    else:
        files.write(1, overview_page(overviews, corpus.name))
