"""Preparation of a series: the first part in time trains, the last part validates, and nothing of it is learnt before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.config.text_schema import DataSettings
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.plain_text import count_of
from nmt_lstm.series.scale import SeriesScale
from nmt_lstm.series.table import column_indices, read_table

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings

__all__ = ["PreparedSeries", "Windows", "prepare_series"]


class Windows:
    """Windows of consecutive rows, each with the rows of the horizon after it; none is copied until it is needed.

    Args:
        values: (rows, columns), standardised.
        scale: the columns, and the sizes of windows.
        first: the first row of the first window.
        count: number of windows; each begins one row after the one before.
    """

    def __init__(self, values: NDArray[np.float32], scale: SeriesScale, first: int, count: int) -> None:
        self._values = values
        self._scale = scale
        self._first = first
        self._count = count

    def __len__(self) -> int:
        return self._count

    @property
    def window(self) -> int:
        """Rows of a window."""
        return self._scale.window

    def inputs(self, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the rows (B, window, columns) that are read."""
        rows = self._first + indices[:, None] + np.arange(self._scale.window)
        inputs: NDArray[np.float32] = self._values[rows]
        return inputs

    def outputs(self, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the rows (B, horizon, targets) that are forecast, as changes from the last row that is read.

        A forecast of nothing is then the last value, the simplest good forecast.
        """
        last = self._first + indices[:, None] + self._scale.window - 1
        targets = self._values[:, self._scale.target_indices]
        changes: NDArray[np.float32] = targets[last + 1 + np.arange(self._scale.horizon)] - targets[last]
        return changes


@dataclass(frozen=True)
class PreparedSeries:
    """A prepared series, with the attributes of `nmt_lstm.text.prepared.Prepared` that a run of any task reads."""

    subwords: SeriesScale
    """The columns and their scale, where text has its vocabularies."""
    fingerprint: str
    store: Windows
    """The windows to train on."""
    valid: Windows
    """The windows whose forecasts validate."""
    data: DataSettings
    texts: tuple[()] = ()
    """A series is one file, so nothing has to be said about which one was changed."""
    parts: tuple[()] = ()
    """A series is one corpus."""
    validation: tuple[()] = ()
    """It has one validation set, without a name."""
    valid_source: tuple[()] = ()
    valid_target: tuple[()] = ()

    @property
    def train(self) -> Windows:
        """The windows to train on."""
        return self.store

    @property
    def valid_size(self) -> int:
        """Number of windows that validate."""
        return len(self.valid)

    def target_counts(self) -> None:
        """Numbers have no frequencies."""

    def describe(self) -> list[str]:
        """Return lines that say what is read and forecast, and how much there is of it."""
        scale = self.subwords
        read = count_of(len(scale.columns), "column")
        return [
            f"{read}, forecast: {', '.join(scale.targets)[:200]}; {count_of(scale.horizon, 'row')} after windows of {scale.window}",
            f"{len(self.store):,} training windows, {len(self.valid):,} validation windows, which are later in time",
        ]


def prepare_series(run: RunSettings, on_progress: Callable[[str], None] | None = None) -> PreparedSeries:
    """Read the series of a run, and divide it: the statistics are those of the training part alone.

    No window of the training part reaches into the validation part. The first windows that validate read rows of the
    training part, as a forecast at that time would.

    Args:
        run: the settings.
        on_progress: called with a sentence before the file is read.

    Raises:
        ConfigurationError: the run names no file, or several.
        DataError: the file cannot be read, a row is malformed, or there are too few rows.
    """
    files = run.data.training_files()
    if len(files) != 1:
        raise ConfigurationError(
            f"a forecaster is trained on one file, but {len(files)} are named.", key="data.train_source"
        )
    (path,) = files
    if on_progress is not None:
        on_progress(f"Reading {path}")
    settings = run.series
    table = read_table(path, settings.columns)
    targets = settings.targets or table.names
    column_indices(table.names, targets, str(path))
    rows, needed = len(table.values), settings.window + settings.horizon
    boundary = rows - max(settings.horizon, round(rows * settings.valid_share))
    if boundary < needed:
        raise DataError(
            f"'{path}' has too few rows: {max(0, boundary):,} of {rows:,} to train on, but a window and its horizon need {needed:,}; give "
            f"more rows, or set a smaller series.window, series.horizon or series.valid_share.",
            path=path,
        )
    training = table.values[:boundary]
    deviation = training.std(axis=0)
    # The deviation of equal numbers may be a rounding error instead of 0.
    constant = deviation <= 1e-12 * np.maximum(np.abs(training).max(axis=0), 1e-300)
    scale = SeriesScale(
        table.names,
        tuple(targets),
        settings.window,
        settings.horizon,
        training.mean(axis=0),
        np.where(constant, 1.0, deviation),
    )
    values = scale.standardised(table.values)
    digest = hashlib.sha256(repr((table.names, table.values.shape, boundary)).encode())
    digest.update(table.values.tobytes())
    return PreparedSeries(
        subwords=scale,
        fingerprint=digest.hexdigest(),
        store=Windows(values, scale, 0, boundary - needed + 1),
        valid=Windows(values, scale, boundary - settings.window, rows - boundary - settings.horizon + 1),
        data=run.data,
    )
