"""``nmt-lstm plugins new``: a small distribution with a cell or an attention, to begin from."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nmt_lstm.cli.messages import note, quoted
from nmt_lstm.errors import ConfigurationError

__all__ = ["EXAMPLE", "new"]

EXAMPLE = """\b
Examples:
  nmt-lstm plugins new my-cell
  pip install ./my-cell
  nmt-lstm plugins check my-cell
  nmt-lstm quickstart --cell my-cell -o runs/my-cell
\b
  nmt-lstm plugins new my-scan --base linear
  nmt-lstm plugins new my-attention --attention"""


class CellBase(StrEnum):
    """What a new cell derives from."""

    gated = "gated"
    linear = "linear"
    stepwise = "stepwise"
    cell = "cell"


def new(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Of the distribution and its cell or attention, such as my-cell."
        ),
    ],
    attention: Annotated[
        bool, typer.Option("--attention", help="Write an attention instead of a cell.")
    ] = False,
    base: Annotated[
        CellBase | None,
        typer.Option(
            "--base",
            help="Of the cell: one recurrent product per step, none (parallel on a GPU), several, or anything else. "
            "[default: gated]",
        ),
    ] = None,
    parent: Annotated[
        Path, typer.Option("--in", metavar="FOLDER", help="Where to make the distribution's folder.")
    ] = Path(),
) -> None:
    """Write a distribution with a cell or an attention of a few lines, its test, README and run file."""
    from nmt_lstm import __version__
    from nmt_lstm.plugin_template.distribution import FILES, try_command, write_distribution

    if attention and base is not None:
        raise ConfigurationError(f"--base {base} is for cells; leave it out with --attention.")
    chosen = "attention" if attention else (base or CellBase.gated).value
    folder = write_distribution(name, parent, version=__version__, base=chosen)
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert len(files) == len(FILES)
    note(f"{folder} holds {', '.join(files)}.")
    equations = next(file for file in folder.glob("src/*/*.py") if file.name != "__init__.py")
    note(f"The equations are in {equations}. Next:\n")
    # Without a slash pip would look the name up in its index.
    note(f"  pip install {'' if folder.is_absolute() else './'}{quoted(folder)}")
    note(f"  nmt-lstm plugins check {name}")
    note(f"  nmt-lstm {try_command(name, chosen)}")
