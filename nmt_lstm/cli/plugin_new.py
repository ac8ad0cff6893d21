"""``nmt-lstm plugins new``: a small distribution with a cell, to begin from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nmt_lstm.cli.messages import note, quoted

__all__ = ["EXAMPLE", "new"]

EXAMPLE = """\b
Example:
  nmt-lstm plugins new my-cell
  pip install ./my-cell
  nmt-lstm plugins check my-cell
  nmt-lstm quickstart --cell my-cell -o runs/my-cell"""


def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Of the distribution and its cell, such as my-cell.")
    ],
    parent: Annotated[
        Path, typer.Option("--in", metavar="FOLDER", help="Where to make the distribution's folder.")
    ] = Path(),
) -> None:
    """Write a distribution with a cell of five lines, its test, README and run file."""
    from nmt_lstm import __version__
    from nmt_lstm.corpora.builtin import builtin_corpus_folder
    from nmt_lstm.plugin_template.distribution import FILES, write_distribution

    folder = write_distribution(name, parent, corpus=builtin_corpus_folder(), version=__version__)
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert len(files) == len(FILES)
    note(f"{folder} holds {', '.join(files)}.")
    note(f"The equations are in {next(folder.glob('src/*/cell.py'))}. Next:\n")
    # Without a slash pip would look the name up in its index.
    note(f"  pip install {'' if folder.is_absolute() else './'}{quoted(folder)}")
    note(f"  nmt-lstm plugins check {name}")
    note(f"  nmt-lstm quickstart --cell {name} -o runs/{name}")
