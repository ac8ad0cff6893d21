"""``nmt-lstm config``: every setting, as a run file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nmt_lstm.cli.arguments import Overrides

__all__ = ["config"]

EPILOG = """\b
Examples:
  nmt-lstm config --explain | less
  nmt-lstm config > run.toml
  nmt-lstm config data/multi30k/de-en.toml --set model.encoder.cell=gru"""


def config(
    run_file: Annotated[
        Path | None,
        typer.Argument(metavar="RUN.toml", help="Run file to check and complete."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add comments with the meaning and the values of each setting.")
    ] = False,
    overrides: Overrides = None,
) -> None:
    """Print all settings as a run file.

    Without RUN.toml, these are the defaults.
    """
    from nmt_lstm.config.explain import explain_toml, template
    from nmt_lstm.config.load import dump_toml, load_run, make_run

    run = (
        load_run(run_file, overrides or [])
        if run_file
        else make_run(template(), overrides or [], folder=Path())
    )
    sys.stdout.write(explain_toml(run) if explain else dump_toml(run))
