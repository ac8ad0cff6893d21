"""What all tables of the run file's schema have in common: their base class, and types of their values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator

from nmt_lstm.config.duration import check_duration

__all__ = [
    "Duration",
    "NumberOrAuto",
    "Options",
    "PositiveInt",
    "Probability",
    "Settings",
    "TextPath",
    "TextPaths",
    "as_paths",
]


def _path_or_paths(value: Any) -> Path | tuple[Path, ...]:
    """Return one path as it is, several as a tuple."""
    if isinstance(value, (str, Path)) and str(value):
        return Path(value)
    if isinstance(value, (list, tuple)) and value and all(isinstance(each, (str, Path)) for each in value):
        return tuple(Path(each) for each in value)
    raise ValueError("must be a path or a list of paths")


def _number_or_auto(value: Any) -> int | Literal["auto"]:
    """Return a number of at least 1, or "auto"; one problem in place of one for each of the two."""
    if value == "auto":
        return "auto"
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise ValueError('must be a whole number, at least 1, or "auto"')


Probability = Annotated[float, Field(ge=0.0, lt=1.0)]
PositiveInt = Annotated[int, Field(ge=1)]
NumberOrAuto = Annotated[PositiveInt | Literal["auto"], PlainValidator(_number_or_auto)]
TextPath = Annotated[Path, Field(strict=False)]  # strict mode rejects the strings of a TOML file
TextPaths = Annotated[Path | tuple[Path, ...], PlainValidator(_path_or_paths)]
"""One text file, or several that are read one after the other."""
Duration = Annotated[str, AfterValidator(check_duration)]
Options = dict[str, Any]


class Settings(BaseModel):
    """Base of all tables: unknown keys are rejected, types are not coerced, values are frozen."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def as_paths(value: Path | Sequence[Path] | None) -> tuple[Path, ...]:
    """Return the files of a setting that may have none, one or several."""
    if value is None:
        return ()
    return (value,) if isinstance(value, Path) else tuple(value)
