"""The table [series] of the run file: which columns of numbers are read and forecast, and how far."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from nmt_lstm.config.schema_base import Settings

__all__ = ["SeriesSettings"]


class SeriesSettings(Settings):
    """The columns of a CSV file for task = "forecast"; other tasks have none."""

    columns: tuple[str, ...] = Field((), strict=False)
    """Names of the columns that the model reads; by default all."""
    targets: tuple[str, ...] = Field((), strict=False)
    """Names of the columns that it forecasts, among those it reads; by default all of them."""
    window: Annotated[int, Field(ge=1, le=10_000)] = 48
    """Rows that it reads before each forecast."""
    horizon: Annotated[int, Field(ge=1, le=1_000)] = 12
    """Rows that it forecasts."""
    valid_share: Annotated[float, Field(gt=0.0, le=0.5)] = 0.2
    """Share of the rows, the last in time, that validate and are not trained on."""
    season: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Rows in a season, for the seasonal baseline of `evaluate`; 0 is none."""

    @model_validator(mode="after")
    def _names_are_distinct_and_read(self) -> SeriesSettings:
        for key, names in (("columns", self.columns), ("targets", self.targets)):
            if len(set(names)) < len(names):
                raise ValueError(f"series.{key} names a column twice; name each once")
        unread = [name for name in self.targets if self.columns and name not in self.columns]
        if unread:
            raise ValueError(f"series.targets: '{unread[0]}' is not one of series.columns; add it there")
        return self
