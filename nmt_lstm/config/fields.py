"""The schema's options laid out flat: dotted path, type, allowed values, default and meaning."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nmt_lstm.config.schema import RunSettings

__all__ = ["Option", "allowed_text", "child_keys", "options_of", "table_of", "toml_text"]

_KINDS = {
    bool: "true or false", int: "a whole number", float: "a number", str: "text", Path: "a path", dict: "a table"
}  # fmt: skip


@dataclass(frozen=True)
class Option:
    """One option of the run file."""

    path: str
    type: Any
    allowed: str
    required: bool
    default: Any
    meaning: str


def toml_text(value: Any) -> str:
    """Write a value as a run file would, for messages."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, Path)):
        return f'"{value}"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_text(item) for item in value) + "]"
    return repr(value)


def allowed_text(annotation: Any, metadata: list[Any]) -> str:
    """Say which values an option takes, such as "a whole number, at least 1"."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return allowed_text(arguments[0], [*_bounds(arguments[1:]), *metadata])
    if origin is Literal:
        return _either([toml_text(value) for value in arguments])
    if origin in (typing.Union, types.UnionType):
        return _either([allowed_text(argument, []) for argument in arguments])
    if origin is tuple:
        return f"a list of {len(arguments)}, each {allowed_text(arguments[0], [])}"
    limits = []
    for bound in _bounds(metadata):
        if isinstance(bound, Ge):
            limits.append(f"at least {_number(bound.ge)}")
        elif isinstance(bound, Gt):
            limits.append(f"above {_number(bound.gt)}")
        elif isinstance(bound, Le):
            limits.append(f"at most {_number(bound.le)}")
        elif isinstance(bound, Lt):
            limits.append(f"below {_number(bound.lt)}")
    kind = _KINDS.get(origin or annotation, "a table")
    return kind if not limits else f"{kind}, {' and '.join(limits)}"


def options_of(table: type[BaseModel] = RunSettings, prefix: str = "") -> Iterator[Option]:
    """Yield every option below `table`, in the schema's order."""
    for name, field in table.model_fields.items():
        inner = _table(field)
        if inner is not None:
            yield from options_of(inner, f"{prefix}{name}.")
            continue
        annotation = _given(field.annotation)
        yield Option(
            path=prefix + name,
            type=annotation,
            allowed=allowed_text(annotation, list(field.metadata)),
            required=field.is_required(),
            default=None if field.is_required() else field.default,
            meaning=" ".join((field.description or "").split()),
        )


def table_of(path: tuple[str, ...]) -> type[BaseModel] | None:
    """Return the schema's table at a path of keys, or None if there is no table."""
    table: type[BaseModel] = RunSettings
    for key in path:
        field = table.model_fields.get(key)
        inner = _table(field) if field is not None else None
        if inner is None:
            return None
        table = inner
    return table


def child_keys(path: tuple[str, ...]) -> list[str]:
    """Return the keys of the table at `path`."""
    table = table_of(path)
    return [] if table is None else list(table.model_fields)


def _table(field: FieldInfo) -> type[BaseModel] | None:
    annotation = field.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _given(annotation: Any) -> Any:
    """Return the type of an option where it is given; one that may be left out has None in its annotation, too."""
    arguments = typing.get_args(annotation)
    if types.NoneType not in arguments:
        return annotation
    (given,) = (argument for argument in arguments if argument is not types.NoneType)
    return typing.get_args(given)[0] if typing.get_origin(given) is typing.Annotated else given


def _bounds(metadata: Any) -> list[Any]:
    """Return the bounds among an annotation's metadata, also those inside a pydantic Field."""
    inner = [item.metadata if isinstance(item, FieldInfo) else [item] for item in metadata]
    return [bound for group in inner for bound in group]


def _number(value: Any) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)


def _either(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"
