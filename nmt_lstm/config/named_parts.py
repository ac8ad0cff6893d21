"""Loggers and callbacks of a run, named in a list: ``["mlflow", {name = "package.module:Class", options = {…}}]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator

from nmt_lstm.errors import nearest

__all__ = ["LOGGERS", "BuiltinLogger", "CallbackList", "LoggerList", "NamedPart", "named_parts"]


class BuiltinLogger(NamedTuple):
    """One logger that a run file names by a word."""

    target: str
    """The class, ``package.module:Class``; a name, since configuration does not import it."""
    module: str
    """The module that it needs."""
    package: str
    """What pip installs."""


LOGGERS: Mapping[str, BuiltinLogger] = {
    "csv": BuiltinLogger("nmt_lstm.training.csv_log:CsvLog", "csv", ""),
    "tensorboard": BuiltinLogger("pytorch_lightning.loggers:TensorBoardLogger", "tensorboard", "tensorboard"),
    "wandb": BuiltinLogger("pytorch_lightning.loggers:WandbLogger", "wandb", "wandb"),
    "mlflow": BuiltinLogger("pytorch_lightning.loggers:MLFlowLogger", "mlflow", "mlflow"),
    "trackio": BuiltinLogger("nmt_lstm.training.trackio_log:TrackioLog", "trackio", "trackio"),
}


class NamedPart(NamedTuple):
    """A logger or a callback as a run file names it."""

    name: str
    """A word in `LOGGERS`, or ``package.module:Class``."""
    options: Mapping[str, Any]
    """Options of its constructor."""


def named_parts(items: Sequence[Any]) -> list[NamedPart]:
    """Return the parts of a list of names and tables.

    Raises:
        ValueError: an item is neither a name nor a table with a name.
    """
    parts = []
    for item in items:
        table = {"name": item} if isinstance(item, str) else item
        keys = {"name", "options"}
        if not isinstance(table, dict) or not isinstance(table.get("name"), str) or not table.keys() <= keys:
            raise ValueError(
                f'each item must be a name, or a table {{name = "...", options = {{...}}}}, not {item!r}'
            )
        options = table.get("options", {})
        if not isinstance(options, dict):
            raise ValueError(f"the options of '{table['name']}' must be a table, not {options!r}")  # noqa: TRY004
        parts.append(NamedPart(table["name"], options))
    return parts


def _is_class(name: str) -> bool:
    module, _, part = name.partition(":")
    return bool(module and part)


def _check_loggers(items: list[Any]) -> list[Any]:
    names = [part.name for part in named_parts(items)]
    for name in names:
        if name not in LOGGERS and not _is_class(name):
            known = ", ".join(f'"{known}"' for known in LOGGERS)
            hint = nearest(name, LOGGERS).replace(" Did", ". Did")
            raise ValueError(f"'{name}' must be {known} or package.module:Class{hint}")
        if name in LOGGERS and names.count(name) > 1:
            raise ValueError(f"'{name}' is named twice")
    if any(part.name == "csv" and part.options for part in named_parts(items)):
        raise ValueError("'csv' has no options")
    return items


def _check_callbacks(items: list[Any]) -> list[Any]:
    for part in named_parts(items):
        if not _is_class(part.name):
            raise ValueError(f"'{part.name}' must be package.module:Class")
    return items


LoggerList = Annotated[list[Any], AfterValidator(_check_loggers)]
CallbackList = Annotated[list[Any], AfterValidator(_check_callbacks)]
