"""``nmt-lstm plugins new``: a template of a distribution with a cell, an attention or an encoder."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nmt_lstm.cli.messages import note, quoted
from nmt_lstm.errors import ConfigurationError

__all__ = ["EPILOG", "new"]

EPILOG = """\b
Examples:
  nmt-lstm plugins new my-cell
  pip install ./my-cell
  nmt-lstm plugins check my-cell
  nmt-lstm quickstart --cell my-cell -o runs/my-cell
\b
  nmt-lstm plugins new my-scan --base linear
  nmt-lstm plugins new my-attention --attention
  nmt-lstm plugins new my-encoder --encoder"""


class CellBase(StrEnum):
    """Base classes of a new cell."""

    gated = "gated"
    linear = "linear"
    stepwise = "stepwise"
    cell = "cell"


def new(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Name of the distribution and its part, such as my-cell."),
    ],
    attention: Annotated[
        bool, typer.Option("--attention", help="Create an attention instead of a cell.")
    ] = False,
    encoder: Annotated[bool, typer.Option("--encoder", help="Create an encoder instead of a cell.")] = False,
    base: Annotated[
        CellBase | None,
        typer.Option(
            "--base",
            help="Base class of the cell: gated (one recurrent product per step), linear (none: parallel over time), "
            "stepwise (several) or cell (anything else). [default: gated]",
        ),
    ] = None,
    parent: Annotated[Path, typer.Option("--in", metavar="FOLDER", help="Parent folder.")] = Path(),
) -> None:
    """Create a distribution with a small cell, attention or encoder.

    It has a test, a README, a run file and an entry point, so that it can be installed with pip.
    """
    from nmt_lstm import __version__
    from nmt_lstm.plugin_template.distribution import try_command, write_distribution

    others = [name for name, wanted in (("attention", attention), ("encoder", encoder)) if wanted]
    if len(others) > 1:
        raise ConfigurationError(
            "--attention and --encoder make different distributions; choose one of them."
        )
    if others and base is not None:
        raise ConfigurationError(f"--base {base} is for cells; remove it, or --{others[0]}.")
    kind = others[0] if others else (base or CellBase.gated).value
    folder = write_distribution(name, parent, version=__version__, base=kind)
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    note(f"Wrote {', '.join(files)} to {folder}.")
    equations = next(file for file in folder.glob("src/*/*.py") if file.name != "__init__.py")
    note(f"The equations are in {equations}. Next:\n")
    # Without a slash pip would download a distribution of this name.
    note(f"  pip install {'' if folder.is_absolute() else './'}{quoted(folder)}")
    note(f"  nmt-lstm plugins check {name}")
    note(f"  nmt-lstm {try_command(name, kind)}")
