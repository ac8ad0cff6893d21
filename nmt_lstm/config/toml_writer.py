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
    """Return `values` as TOML: scalars of each table first, then its tables.

    Raises:
        ConfigurationError: a value has a type that a run file cannot contain.
    """
    return "\n".join(_table(values, ())).lstrip("\n") + "\n"


def _table(values: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    tables = {key: value for key, value in values.items() if isinstance(value, Mapping)}
    lines = [f"{_key(key)} = {toml_value(value)}" for key, value in values.items() if key not in tables]
    if path and (lines or not tables):
        lines = ["", f"[{'.'.join(map(_key, path))}]", *lines]
    for key, value in tables.items():
        lines += _table(value, (*path, key))
    return lines


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
