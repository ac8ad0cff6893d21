"""JSON and TOML from outside, with a limit on nesting: deeper files overflow a parser's stack or take minutes."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

__all__ = ["MAX_DEPTH", "parse_json", "parse_toml"]

MAX_DEPTH = 32
"""Largest number of nested levels, and of parts of a dotted key."""
_TOO_DEEP = f"its values are nested more than {MAX_DEPTH} levels deep"

_TOML_TOKEN = re.compile(
    r'''(?P<part>"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_-]+)'''
    r"|(?P<space>[ \t]+|\#[^\n]*)"
    r"|(?P<sign>.)",
    re.DOTALL,
)


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: the text is not JSON, not UTF-8, or nested too deeply.
    """
    try:
        values = json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    level = [values]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent) if isinstance(child, (dict, list))]
        if not level:
            return values
    raise ValueError(_TOO_DEEP)


def parse_toml(text: str) -> dict[str, Any]:
    """Return the table of a TOML text.

    Raises:
        ValueError: the text is not TOML, or nested too deeply.
    """
    _check_toml_depth(text)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _check_toml_depth(text: str) -> None:
    """Raise ValueError for nesting or dotted keys beyond the limit, without parsing: a key costs tomllib quadratic time."""
    depth, parts, after_dot = 0, 0, False
    for token in _TOML_TOKEN.finditer(text):
        sign = token["sign"]
        if token["space"]:
            continue
        if token["part"]:
            parts, after_dot = parts + 1 if after_dot else 1, False
        elif sign == "." and parts:
            after_dot = True
        else:
            parts, after_dot = 0, False
            depth = max(0, depth + (sign in "[{") - (sign in "]}"))
        if max(depth, parts) > MAX_DEPTH:
            raise ValueError(_TOO_DEEP)
