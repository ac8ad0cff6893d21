"""What all tables of the run file's schema have in common: their base class, and types of their values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nmt_lstm.config.duration import check_duration

__all__ = ["Duration", "Options", "PositiveInt", "Probability", "Settings", "TextPath"]

Probability = Annotated[float, Field(ge=0.0, lt=1.0)]
PositiveInt = Annotated[int, Field(ge=1)]
TextPath = Annotated[Path, Field(strict=False)]  # strict mode rejects the strings of a TOML file
Duration = Annotated[str, AfterValidator(check_duration)]
Options = dict[str, Any]


class Settings(BaseModel):
    """Base of all tables: unknown keys are rejected, types are not coerced, values are frozen."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
