"""JSON and TOML from outside, with a bound on their nesting: deeper files cost a parser its stack or minutes."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

__all__ = ["DEEPEST", "parse_json", "parse_toml"]

DEEPEST = 32
"""Levels of values inside each other, and parts of a dotted key."""
_TOO_DEEP = f"its values are nested more than {DEEPEST} levels deep"

_TOML_TOKEN = re.compile(
    r'''(?P<part>"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_-]+)'''
    r"|(?P<blank>[ \t]+|\#[^\n]*)"
    r"|(?P<sign>.)",
    re.DOTALL,
)


def parse_json(text: str | bytes) -> Any:
    """Return the value that a JSON text holds.

    Raises:
        ValueError: it is not JSON or not UTF-8, or it is nested too deeply.
    """
    try:
        values = json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    level = [values]
    for _ in range(DEEPEST):
        level = [inner for each in level for inner in _inside(each) if isinstance(inner, (dict, list))]
        if not level:
            return values
    raise ValueError(_TOO_DEEP)


def parse_toml(text: str) -> dict[str, Any]:
    """Return the table that a TOML text holds.

    Raises:
        ValueError: it is not TOML, or it is nested too deeply.
    """
    _check_toml_depth(text)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _check_toml_depth(text: str) -> None:
    """Raise ValueError for open brackets or dotted keys beyond the bound, before the parser sees them.

    The time of tomllib grows with the square of a key's parts.
    """
    depth, parts, after_dot = 0, 0, False
    for token in _TOML_TOKEN.finditer(text):
        sign = token["sign"]
        if token["blank"]:
            continue
        if token["part"]:
            parts, after_dot = parts + 1 if after_dot else 1, False
        elif sign == "." and parts:
            after_dot = True
        else:
            parts, after_dot = 0, False
            depth = max(0, depth + (sign in "[{") - (sign in "]}"))
        if max(depth, parts) > DEEPEST:
            raise ValueError(_TOO_DEEP)
