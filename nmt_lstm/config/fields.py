"""The settings by dotted path: type, allowed values, default and meaning of each, and where two runs differ."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nmt_lstm.config.schema import RunSettings
from nmt_lstm.config.toml_writer import toml_value

__all__ = ["Option", "child_keys", "differences", "is_path", "item_table", "options_of", "table_of"]

_KINDS = {
    bool: "true or false", int: "a whole number", float: "a number", str: "text", Path: "a path", dict: "a table"
}  # fmt: skip
# Bounds by the names of their attributes in an annotation's metadata.
_LIMITS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


@dataclass(frozen=True)
class Option:
    """One option of the run file."""

    path: str
    type: Any
    allowed: str
    required: bool
    default: Any
    meaning: str


def _allowed(annotation: Any, metadata: list[Any]) -> str:
    """Describe the values that an option accepts, such as "a whole number, at least 1"."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _allowed(arguments[0], [*_bounds(arguments[1:]), *metadata])
    if origin is Literal:
        return _either([toml_value(value) for value in arguments])
    if origin in (typing.Union, types.UnionType):
        return _either([_allowed(argument, []) for argument in arguments])
    if origin is tuple and Ellipsis in arguments:
        is_table = item_table(annotation) is not None
        return "a list of tables" if is_table else f"a list, each {_allowed(arguments[0], [])}"
    if origin is tuple:
        return f"a list of {len(arguments)}, each {_allowed(arguments[0], [])}"
    if origin is list:
        return f"a list, each {_allowed(arguments[0], [])}" if arguments[0] is not Any else "a list"
    limits = [
        f"{words} {_number(limit)}"
        for bound in _bounds(metadata)
        for name, words in _LIMITS.items()
        if (limit := getattr(bound, name, None)) is not None
    ]
    kind = _KINDS.get(origin or annotation, "a table")
    return kind if not limits else f"{kind}, {' and '.join(limits)}"


def is_path(option: Option) -> bool:
    """Whether the value of an option is a path, or a list of paths."""
    return option.type is Path or Path in typing.get_args(option.type)


def item_table(annotation: Any) -> type[BaseModel] | None:
    """Return the table whose lists a type allows, as in ``[[data.corpora]]``; None if it is a different type."""
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is tuple and isinstance(arguments[0], type):
        return arguments[0] if issubclass(arguments[0], BaseModel) else None
    return None


def options_of(table: type[BaseModel] = RunSettings, prefix: str = "") -> Iterator[Option]:
    """Yield every option below `table`, in the schema's order; a list of tables is one option."""
    for name, field in table.model_fields.items():
        subtable = _table(field)
        if subtable is not None:
            yield from options_of(subtable, f"{prefix}{name}.")
            continue
        annotation = _without_none(field.annotation)
        yield Option(
            path=prefix + name,
            type=annotation,
            allowed=_allowed(annotation, list(field.metadata)),
            required=field.is_required(),
            default=None if field.is_required() else field.default,
            meaning=" ".join((field.description or "").split()),
        )


def table_of(path: tuple[str, ...]) -> type[BaseModel] | None:
    """Return the table of the schema at a path of keys; None if there is no table.

    The path of a table in a list contains its number, such as ("data", "corpora", "0").
    """
    table: type[BaseModel] = RunSettings
    keys = list(path)
    while keys:
        field = table.model_fields.get(keys.pop(0))
        if field is None:
            return None
        subtable = _table(field)
        if keys and keys[0].isdigit():
            keys.pop(0)
            subtable = item_table(_without_none(field.annotation))
        if subtable is None:
            return None
        table = subtable
    return table


def child_keys(path: tuple[str, ...]) -> list[str]:
    """Return the keys of the table at `path`."""
    table = table_of(path)
    return [] if table is None else list(table.model_fields)


def differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield (dotted path, value before, value after) for each value that differs; a missing value is None."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from differences(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif before != after:
        yield path, before, after


def _table(field: FieldInfo) -> type[BaseModel] | None:
    annotation = _without_none(field.annotation)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _without_none(annotation: Any) -> Any:
    """Return the type that an option has if it is set; None in its annotation means that it may be omitted."""
    arguments = typing.get_args(annotation)
    if types.NoneType not in arguments:
        return annotation
    (kind,) = (argument for argument in arguments if argument is not types.NoneType)
    return typing.get_args(kind)[0] if typing.get_origin(kind) is typing.Annotated else kind


def _bounds(metadata: Any) -> list[Any]:
    """Return the items of an annotation's metadata, including those inside a pydantic Field."""
    groups = [item.metadata if isinstance(item, FieldInfo) else [item] for item in metadata]
    return [bound for group in groups for bound in group]


def _number(value: Any) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)


def _either(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"
