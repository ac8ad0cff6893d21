"""Arguments of a translator, checked before any work: programs without types pass whatever they have."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ConfigurationError, NotTextError

__all__ = ["check_lines", "check_positive", "checked_text", "with_beam_size"]


def check_lines(**values: Iterable[str]) -> None:
    """Raise ConfigurationError if one of the named values is one string, or cannot be iterated at all."""
    for name, lines in values.items():
        if isinstance(lines, (str, bytes)):
            raise ConfigurationError(f"{name} is one {type(lines).__name__}; give a list, such as [text].")
        if not isinstance(lines, Iterable):
            raise ConfigurationError(f"{name} is {lines!r}; give a list of strings, or another iterable.")


def checked_text(number: int, line: str) -> str:
    """Return the line with that number; raise NotTextError if it is not text, but None or bytes."""
    if not isinstance(line, str):
        raise NotTextError(number, line)
    return line


def check_positive(**values: object) -> None:
    """Raise ConfigurationError if one of the named values is not a whole number of at least 1."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigurationError(f"{name} is {value!r}, but must be a whole number of at least 1.")


def with_beam_size(settings: SearchSettings, beam_size: int | None) -> SearchSettings:
    """Return search settings with a different beam size, unless that is None.

    Raises:
        ConfigurationError: the size is out of range.
    """
    if beam_size is None:
        return settings
    try:
        return SearchSettings(**{**settings.model_dump(), "beam_size": beam_size})
    except ValidationError as problem:
        raise ConfigurationError(
            f"beam_size is {beam_size}: {problem.errors()[0]['msg'].lower()}; 5 is a good one."
        ) from problem
