"""What ``evaluate`` does with a forecaster: its errors next to those of the last value and the last season."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import load_plugins
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.plain_text import columns, count_of, json_text, printable

if TYPE_CHECKING:
    from nmt_lstm.evaluation.forecast_errors import ForecastErrors

__all__ = ["ForecastScores", "ForecastScoring", "Season", "forecast_json", "forecast_table"]

Season = Annotated[
    int | None,
    typer.Option(
        "--season",
        metavar="N",
        min=1,
        help="For a forecaster: also compare with the values of N rows before. [default: series.season]",
    ),
]


class ForecastScores(NamedTuple):
    """Errors of each method, for each target."""

    windows: int
    horizon: int
    season: int
    errors: dict[str, dict[str, ForecastErrors]]
    """By target, then by "model", "last value" and "season"."""


class ForecastScoring(NamedTuple):
    """A forecaster and a series to test it on."""

    models: Sequence[Path]
    source: Path
    season: int | None
    device: str
    plugins: Sequence[Path] | None
    trust_plugins: bool

    def scores(self) -> ForecastScores:
        """Forecast from every row of the series.

        Raises:
            ConfigurationError: there are several models.
            DataError: the file cannot be read, or has too few rows.
        """
        if len(self.models) > 1:
            raise ConfigurationError(
                f"-m is given {len(self.models)} times, but forecasters cannot form an ensemble; name one model.",
                key="--model",
            )
        early_checks.check_models(self.models, self.device, task="forecast")
        early_checks.check_files(self.source)
        load_plugins(self.plugins, trusted=self.models if self.trust_plugins else [])
        from nmt_lstm.evaluation.forecast_errors import forecast_report
        from nmt_lstm.inference.forecaster import Forecaster
        from nmt_lstm.series.table import read_table

        forecaster = Forecaster.load(self.models[0], device=self.device, trust_plugins=self.trust_plugins)
        table = read_table(self.source, forecaster.columns)
        season = forecaster.season if self.season is None else self.season
        before = max(forecaster.window, season)
        if len(table.values) < before + forecaster.horizon:
            raise DataError(
                f"'{self.source}' has {count_of(len(table.values), 'row')}, but a forecast needs {before:,} before it and "
                f"{forecaster.horizon:,} to compare with; give more.",
                path=self.source,
            )
        report = forecast_report(
            table.values,
            [table.names.index(name) for name in forecaster.targets],
            forecaster.forecast_windows,
            window=forecaster.window,
            horizon=forecaster.horizon,
            season=season,
        )
        methods = {"model": report.model, "last value": report.last_value}
        if season:
            methods["season"] = report.season
        errors = {
            name: {method: values[number] for method, values in methods.items()}
            for number, name in enumerate(forecaster.targets)
        }
        return ForecastScores(report.windows, forecaster.horizon, season, errors)


def forecast_table(scoring: ForecastScoring) -> str:
    """Return the errors as a table."""
    scores = scoring.scores()
    rows = [("column", "forecast by", "mean absolute error", "root mean squared error")]
    for name, methods in scores.errors.items():
        for method, errors in methods.items():
            shown = f"season of {scores.season}" if method == "season" else method
            label = printable(name) if method == "model" else ""
            rows.append((label, shown, f"{errors.mean_absolute:.5g}", f"{errors.root_mean_squared:.5g}"))
    counted = f"{count_of(scores.windows, 'forecast')} of {count_of(scores.horizon, 'row')} each."
    return f"{columns(rows, right=(2, 3))}\n{counted}"


def forecast_json(scoring: ForecastScoring) -> str:
    """Return the errors as JSON."""
    scores = scoring.scores()
    values = {
        "forecasts": scores.windows,
        "horizon": scores.horizon,
        "season": scores.season,
        "columns": {
            name: {
                method.replace(" ", "_"): {"mae": errors.mean_absolute, "rmse": errors.root_mean_squared}
                for method, errors in methods.items()
            }
            for name, methods in scores.errors.items()
        },
    }
    return json_text(values, indent=2)
