"""``nmt-lstm forecast``: the rows that follow a series."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import Device, OutputPath, Plugins, TrustPlugins, load_plugins
from nmt_lstm.cli.lines import input_lines, name_of, output_stream
from nmt_lstm.plain_text import json_text

__all__ = ["forecast"]

EPILOG = """\b
Examples:
  nmt-lstm forecast -m runs/series -i series.csv
  nmt-lstm forecast -m runs/series --format jsonl < series.csv
\b
Input:
  CSV with a header, in the order of time. The last rows are read, as many as
  the window has. Other columns than those of the model may hold anything.
Output:
  CSV with the names of the columns that are forecast, and a row for each step.
  --format jsonl: one JSON object per step, counted from 1."""


class SeriesFormat(StrEnum):
    """How forecasts are written."""

    csv = "csv"
    jsonl = "jsonl"


def forecast(
    model: Annotated[Path, typer.Option("--model", "-m", metavar="FOLDER", help="Folder of a forecaster.")],
    input_file: Annotated[
        Path | None,
        typer.Option("--input", "-i", metavar="FILE", help="CSV with a header. [default: stdin]"),
    ] = None,
    output_file: OutputPath = None,
    series_format: Annotated[
        SeriesFormat, typer.Option("--format", help="CSV, or JSON Lines.")
    ] = SeriesFormat.csv,
    device: Device = "auto",
    plugin: Plugins = None,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Forecast the rows that follow a table of numbers.

    The model is trained with: nmt-lstm train --task forecast.
    """
    early_checks.check_single(model, device, "forecast", input_file, output_file)
    load_plugins(plugin, trusted=[model] if trust_plugins else [])
    from nmt_lstm.inference.forecaster import Forecaster
    from nmt_lstm.series.table import parse_table

    forecaster = Forecaster.load(model, device=device, trust_plugins=trust_plugins)
    table = parse_table(
        input_lines(input_file), forecaster.columns, name=name_of(input_file), path=input_file
    )
    rows = forecaster.forecast(table.values.tolist())
    with output_stream(output_file, inputs=(input_file,)) as stream:
        for line in output_lines(rows, forecaster.targets, series_format):
            stream.write(f"{line}\n".encode())


def output_lines(
    rows: list[dict[str, float]], targets: tuple[str, ...], series_format: SeriesFormat
) -> list[str]:
    """Return the lines of a forecast; float32 has six reliable digits."""
    if series_format is SeriesFormat.jsonl:
        return [
            json_text({"step": step, **{name: float(f"{value:.6g}") for name, value in row.items()}})
            for step, row in enumerate(rows, 1)
        ]
    header = ",".join(_cell(name) for name in targets)
    return [header, *(",".join(f"{row[name]:.6g}" for name in targets) for row in rows)]


def _cell(name: str) -> str:
    """Return a name as a cell of CSV."""
    return '"' + name.replace('"', '""') + '"' if any(sign in name for sign in ',"\r\n') else name
