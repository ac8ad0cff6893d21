"""Errors of forecasts and of the baselines."""

from __future__ import annotations

import numpy as np
import pytest

from nmt_lstm.evaluation import forecast_errors
from nmt_lstm.evaluation.forecast_errors import forecast_report

# The first column has a season of three rows, the second one grows by 1.
VALUES = np.array([[(0.0, 5.0, 1.0)[row % 3], float(row)] for row in range(12)])


def test_the_baselines_repeat_the_last_row_and_the_last_season(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast_errors, "_WINDOWS_AT_ONCE", 2)
    report = forecast_report(
        VALUES,
        [0, 1],
        lambda windows: windows[:, -1:] + np.array([[0.0, 1.0], [0.0, 2.0]]),
        window=4,
        horizon=2,
        season=3,
    )
    assert report.windows == 12 - 4 - 2 + 1
    assert report.season[0] == (0.0, 0.0)
    assert report.season[1] == (3.0, 3.0)
    assert report.last_value[1] == (1.5, pytest.approx(2.5**0.5))
    assert report.model[1] == (0.0, 0.0)
    assert report.model[0] == report.last_value[0]


def test_all_methods_forecast_the_same_rows() -> None:
    report = forecast_report(
        VALUES, [1], lambda windows: windows[:, -1:, 1:].repeat(2, 1), window=1, horizon=2, season=5
    )
    assert report.windows == 12 - 5 - 2 + 1
    assert report.model == report.last_value
    assert report.season[0].mean_absolute == 5.0
    without = forecast_report(
        VALUES, [1], lambda windows: windows[:, -1:, 1:].repeat(2, 1), window=1, horizon=2
    )
    assert without.windows == 10
    assert without.season == []


def test_a_season_shorter_than_the_horizon_is_repeated() -> None:
    report = forecast_report(
        VALUES, [0], lambda windows: np.zeros((len(windows), 5, 1)), window=3, horizon=5, season=3
    )
    assert report.season[0] == (0.0, 0.0)
