"""Errors of forecasts, next to those of the last value and of the last season."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["ForecastErrors", "ForecastReport", "forecast_report"]

_WINDOWS_AT_ONCE = 1_024
Numbers = NDArray[np.float64]


class ForecastErrors(NamedTuple):
    """Errors of the forecasts of a column, in its units."""

    mean_absolute: float
    root_mean_squared: float


class ForecastReport(NamedTuple):
    """Errors of a model and of the baselines, each for every target."""

    windows: int
    """Forecasts that were compared."""
    model: list[ForecastErrors]
    last_value: list[ForecastErrors]
    """Of repeating the last row."""
    season: list[ForecastErrors]
    """Of repeating the last season; empty without one."""


def forecast_report(
    values: Numbers,
    targets: Sequence[int],
    forecast: Callable[[Numbers], Numbers],
    *,
    window: int,
    horizon: int,
    season: int = 0,
) -> ForecastReport:
    """Forecast from every row that has enough rows before and after it.

    Args:
        values: (rows, columns), at least ``max(window, season) + horizon`` rows.
        targets: the columns that are forecast.
        forecast: returns forecasts (B, horizon, targets) after windows (B, window, columns).
        window: rows that it reads.
        horizon: rows that it forecasts.
        season: rows in a season; 0 leaves that baseline out. All methods forecast the same rows.
    """
    first = max(window, season)
    starts = np.arange(first, len(values) - horizon + 1)
    ahead = np.arange(horizon)
    columns = values[:, targets]
    totals = {name: np.zeros((2, len(targets))) for name in ("model", "last", "season")}
    for begin in range(0, len(starts), _WINDOWS_AT_ONCE):
        some = starts[begin : begin + _WINDOWS_AT_ONCE, None]
        actual = columns[some + ahead]
        forecasts = {
            "model": forecast(values[some - window + np.arange(window)]),
            "last": columns[some - 1],
        }
        if season:
            # The same place in the last season that is over when the forecast is made (Hyndman and Athanasopoulos 2021).
            forecasts["season"] = columns[some + ahead % season - season]
        for name, predicted in forecasts.items():
            errors = predicted - actual
            totals[name] += np.abs(errors).sum((0, 1)), np.square(errors).sum((0, 1))
    count = len(starts) * horizon
    means = {name: total / count for name, total in totals.items()}
    errors_of = {
        name: [ForecastErrors(float(absolute), float(squared) ** 0.5) for absolute, squared in mean.T]
        for name, mean in means.items()
    }
    return ForecastReport(
        len(starts), errors_of["model"], errors_of["last"], errors_of["season"] if season else []
    )
