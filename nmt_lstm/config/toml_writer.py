"""A TOML writer for the types that a run file contains."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.plain_text import UNSAFE

__all__ = ["toml_value", "write_toml"]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = str.maketrans({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"})


def write_toml(values: Mapping[str, Any]) -> str:
    """Return `values` as TOML: scalars of each table first, then its tables, then its lists of tables.

    Raises:
        ConfigurationError: a value has a type that a run file cannot contain.
    """
    return "\n".join(_table(values, ())).lstrip("\n") + "\n"


def _table(values: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    tables = {key: value for key, value in values.items() if isinstance(value, Mapping)}
    lists = {key: value for key, value in values.items() if _is_list_of_tables(value)}
    lines = [
        f"{_key(key)} = {toml_value(value)}"
        for key, value in values.items()
        if key not in tables and key not in lists
    ]
    if path and (lines or not (tables or lists)):
        lines = ["", _header(path), *lines]
    for key, value in tables.items():
        lines += _table(value, (*path, key))
    for key, value in lists.items():
        for item in value:
            lines += _item(item, (*path, key))
    return lines


def _item(values: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    """Return a table in a list of tables; the first line is its header in two pairs of brackets."""
    header = _header(path)
    lines = _table(values, path)
    return ["", f"[{header}]", *(lines[2:] if lines[1:2] == [header] else lines)]


def _header(path: tuple[str, ...]) -> str:
    return f"[{'.'.join(map(_key, path))}]"


def _is_list_of_tables(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple)) and bool(value) and all(isinstance(each, Mapping) for each in value)
    )


def toml_value(value: Any) -> str:
    """Return a value as TOML writes it, on one line.

    Raises:
        ConfigurationError: the value has a type that a run file cannot contain.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (str, Path)):
        return _string(str(value))
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {toml_value(item)}" for key, item in value.items()) + "}"
    raise ConfigurationError(f"a run file cannot contain {value!r} of type {type(value).__name__}.")


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ConfigurationError(
            f"a run file cannot contain {text!r}: it has bytes that are not UTF-8."
        ) from None
    # TOML forbids control characters; the other unsafe ones could control a terminal that shows the file.
    escaped = UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text.translate(_ESCAPES))
    return f'"{escaped}"'
