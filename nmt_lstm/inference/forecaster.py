"""The next values of a series from a trained forecaster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.checkpoint import model_folder
from nmt_lstm.config.series_schema import SeriesSettings
from nmt_lstm.errors import DataError
from nmt_lstm.inference.inference_model import prepare_children
from nmt_lstm.model.forecaster import ForecastNetwork
from nmt_lstm.numerics.device import choose_device
from nmt_lstm.series.scale import SeriesScale
from nmt_lstm.series.table import LARGEST

__all__ = ["Forecaster"]

# Rows of windows in a batch: it affects speed and memory, not results.
_ROWS_AT_ONCE = 1 << 15


class Forecaster:
    """Forecasts the rows after a series, in float32; with stock cells on a processor, no forecast depends on others.

    Args:
        model: in evaluation mode.
        scale: its columns and their statistics.
        device: where the model is.
        settings: of the run.
    """

    def __init__(
        self, *, model: ForecastNetwork, scale: SeriesScale, device: torch.device, settings: SeriesSettings
    ) -> None:
        self._model = model
        self._scale = scale
        self._device = device
        self.columns = scale.columns
        """Names of the columns that are read."""
        self.targets = scale.targets
        """Names of the columns that are forecast."""
        self.window = scale.window
        """Rows that are read before each forecast."""
        self.horizon = scale.horizon
        """Rows that are forecast."""
        self.season = settings.season
        """Rows in a season, for comparison; 0 if the run names none."""

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "auto", trust_plugins: bool = False) -> Forecaster:
        """Load a model folder; the arguments are those of `Translator.load`.

        Raises:
            ModelFolderError: the folder is missing, damaged, or needs a plugin that is not installed.
            WrongTaskError: it is not a forecaster.
            ConfigurationError: the device is unknown.
            ResourceError: the device does not exist.
        """
        read = model_folder.read(folder)
        read.manifest.check_task(read.folder, "forecast")
        torch_device = choose_device(device)
        model = cast(ForecastNetwork, read.load_network(torch_device, trust_plugins=trust_plugins))
        if torch_device.type == "cpu":
            prepare_children(model, "float32")
        scale = cast(SeriesScale, read.subwords)
        return cls(model=model, scale=scale, device=torch_device, settings=read.run.series)

    def forecast(self, rows: Sequence[Mapping[str, float] | Sequence[float]]) -> list[dict[str, float]]:
        """Return the rows that follow a series, with a value for each target.

        Args:
            rows: in the order of time, each with the values of `columns`, by name or in that order; at least `window`
                rows, of which the last are read.

        Raises:
            DataError: there are too few rows, or a row lacks a value or has one that is not a finite number.
        """
        if len(rows) < self.window:
            raise DataError(
                f"the series has {len(rows):,} rows, but the model reads {self.window:,} before each forecast; give more."
            )
        first = len(rows) - self.window
        values = np.array(
            [self._values(row, number) for number, row in enumerate(rows[first:], first + 1)], np.float64
        )
        (forecasts,) = self.forecast_windows(values[None])
        return [dict(zip(self.targets, row, strict=True)) for row in forecasts.tolist()]

    @torch.no_grad()
    def forecast_windows(self, windows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the forecasts (B, horizon, targets) after windows (B, window, columns)."""
        standardised = self._scale.standardised(windows)
        size = max(1, _ROWS_AT_ONCE // self.window)
        parts = [self._forecast(standardised[start : start + size]) for start in range(0, len(windows), size)]
        return np.concatenate(parts)

    def _forecast(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        rows, length = windows.shape[:2]
        source = SourceBatch(
            torch.from_numpy(windows),
            torch.ones(rows, length, dtype=torch.bool),
            torch.full((rows,), length, dtype=torch.int64),
        )
        changes = self._model(source.to(self._device)).double().cpu().numpy()
        last = windows[:, -1:, self._scale.target_indices].astype(np.float64)
        return self._scale.restored(last + changes.reshape(rows, self.horizon, len(self.targets)))

    def _values(self, row: Mapping[str, float] | Sequence[float], number: int) -> list[float]:
        """Return the values of a row in the order of the columns."""
        if isinstance(row, Mapping):
            missing = [name for name in self.columns if name not in row]
            if missing:
                raise DataError(f"row {number} has no value of '{missing[0]}'.", line=number)
            row = [row[name] for name in self.columns]
        if len(row) != len(self.columns):
            raise DataError(
                f"row {number} has {len(row)} values; the model reads {len(self.columns)}: {', '.join(self.columns)}.",
                line=number,
            )
        values: Sequence[object] = row
        for name, value in zip(self.columns, values, strict=True):
            # NaN is not less than anything.
            if isinstance(value, bool) or not isinstance(value, Real) or not abs(float(value)) <= LARGEST:
                raise DataError(
                    f"row {number}: {value!r} as '{name}' is not a number of at most {LARGEST:g}.",
                    line=number,
                    value=value,
                )
        return [float(value) for value in row]
