"""Text files of other toolkits: configurations in YAML or JSON, and lists of words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import MAX_LIST_BYTES, read_regular
from nmt_lstm.importing.errors import DamagedSourceError

__all__ = ["read_json", "read_list", "read_words_yaml", "read_yaml", "yaml_values"]


def read_yaml(path: Path) -> dict[Any, Any]:
    """Return the mapping in a YAML file.

    Raises:
        DamagedSourceError: the file cannot be read or is something else.
    """
    return yaml_values(_content(path), path)


def yaml_values(content: bytes, path: Path) -> dict[Any, Any]:
    """Return the mapping in a YAML text; `path` is that of its file, for messages.

    Raises:
        DamagedSourceError: it is something else.
    """
    # The safe loader builds plain values only.
    return _mapping(content, path, yaml.SafeLoader)


def read_words_yaml(path: Path) -> dict[str, str]:
    """Return the words in a YAML file and what belongs to each; "yes" and "1" are words.

    Raises:
        DamagedSourceError: the file cannot be read or is something else.
    """
    # These loaders build strings only; the one in C is a hundred times as fast.
    loader = yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader
    values = _mapping(_content(path), path, loader)
    return {str(word): str(value) for word, value in values.items()}


def _mapping(content: bytes, path: Path, loader: Any) -> dict[Any, Any]:
    try:
        values = yaml.load(content.decode("utf-8"), Loader=loader)  # noqa: S506 - the loaders here are safe
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as problem:
        reason = " ".join(str(problem).split())[:200]
        raise DamagedSourceError(f"'{path}' is not YAML: {reason}.", path=path) from None
    if not isinstance(values, dict):
        raise DamagedSourceError(f"'{path}' contains no options: it is not a YAML mapping.", path=path)
    return values


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        DamagedSourceError: the file cannot be read or is something else.
    """
    try:
        values = parse_json(_content(path))
    except ValueError as problem:
        raise DamagedSourceError(f"'{path}' is not JSON: {problem}.", path=path) from None
    if not isinstance(values, dict):
        raise DamagedSourceError(f"'{path}' does not contain a JSON object.", path=path)
    return values


def read_list(path: Path) -> list[str]:
    """Return the lines of a file, without line ends.

    Raises:
        DamagedSourceError: the file cannot be read or is not UTF-8.
    """
    try:
        text = _content(path).decode("utf-8")
    except UnicodeDecodeError:
        raise DamagedSourceError(f"'{path}' is not a text in UTF-8.", path=path) from None
    # Only line feeds end lines: words may have other separators in them.
    return text.removesuffix("\n").split("\n")


def _content(path: Path) -> bytes:
    try:
        return read_regular(path, MAX_LIST_BYTES)
    except OSError as problem:
        raise DamagedSourceError(f"cannot read '{path}': {problem.strerror}.", path=path) from None
