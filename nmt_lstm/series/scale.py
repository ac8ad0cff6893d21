"""What a forecaster stores beside its weights: its columns, and the statistics that standardise them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nmt_lstm.errors import DataError
from nmt_lstm.files.checksums import checked_json, parse_checked
from nmt_lstm.files.regular import read_regular

__all__ = ["FILE", "SeriesScale", "Side", "load_scale"]

FILE = "series.json"


class Side(NamedTuple):
    """One side of the network, as a vocabulary is for text."""

    size: int
    """Numbers at each position."""
    fingerprint: str = "numbers"
    """Numbers have no vocabulary that could change."""


class _Record(BaseModel):
    """The contents of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    columns: tuple[str, ...] = Field(min_length=1)
    targets: tuple[str, ...] = Field(min_length=1)
    window: int = Field(ge=1)
    horizon: int = Field(ge=1)
    mean: tuple[float, ...]
    deviation: tuple[float, ...]


@dataclass(frozen=True)
class SeriesScale:
    """The columns of a forecaster and their scale; stands where a text model has its vocabularies."""

    columns: tuple[str, ...]
    targets: tuple[str, ...]
    window: int
    horizon: int
    mean: NDArray[np.float64]
    """(columns,)."""
    deviation: NDArray[np.float64]
    """(columns,): standard deviations; 1 for a column that never changes."""

    @property
    def source(self) -> Side:
        """What the network reads in each row."""
        return Side(len(self.columns))

    @property
    def target(self) -> Side:
        """What it forecasts: the rows of the horizon, one after the other."""
        return Side(self.horizon * len(self.targets))

    @property
    def target_indices(self) -> list[int]:
        """The targets among the columns."""
        return [self.columns.index(name) for name in self.targets]

    def standardised(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return values (..., columns) with mean 0 and standard deviation 1 in the training part."""
        scaled: NDArray[np.float32] = ((values - self.mean) / self.deviation).astype(np.float32)
        return scaled

    def restored(self, forecasts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return standardised forecasts (..., targets) in the units of their columns."""
        indices = self.target_indices
        values: NDArray[np.float64] = forecasts * self.deviation[indices] + self.mean[indices]
        return values

    def save(self, folder: Path) -> None:
        """Write series.json."""
        values: dict[str, Any] = {
            "columns": list(self.columns),
            "targets": list(self.targets),
            "window": self.window,
            "horizon": self.horizon,
            "mean": self.mean.tolist(),
            "deviation": self.deviation.tolist(),
        }
        (folder / FILE).write_text(checked_json(values), encoding="utf-8")


def load_scale(folder: Path, settings: object) -> SeriesScale:  # noqa: ARG001 - called like `load_subwords`
    """Read series.json of a model folder.

    Raises:
        DataError: it is missing or damaged.
    """
    path = folder / FILE
    try:
        record = _Record.model_validate(parse_checked(read_regular(path)))
    except OSError as problem:
        raise DataError(f"'{path}' cannot be read: {problem.strerror}.", path=path) from problem
    except (ValidationError, ValueError) as problem:
        raise DataError(
            f"'{path}' is damaged ({' '.join(str(problem).split())[:200]}).", path=path
        ) from problem
    mean, deviation = np.array(record.mean, np.float64), np.array(record.deviation, np.float64)
    sound = len(mean) == len(deviation) == len(record.columns) and set(record.targets) <= set(record.columns)
    if not sound or not (deviation > 0.0).all():
        raise DataError(f"'{path}' is damaged: its statistics do not fit its columns.", path=path)
    return SeriesScale(record.columns, record.targets, record.window, record.horizon, mean, deviation)
