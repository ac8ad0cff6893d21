"""Checks of a translator's arguments, before any work: not every caller checks types."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ConfigurationError, NotTextError

__all__ = ["check_language_model", "check_lines", "check_positive", "checked_text", "with_beam_size"]


def check_lines(**values: Iterable[object]) -> None:
    """Raise ConfigurationError if a named value is a single string, or not iterable."""
    for name, lines in values.items():
        if isinstance(lines, (str, bytes)):
            raise ConfigurationError(
                f"{name} is a single {type(lines).__name__}; pass a list, such as [text].",
                key=name,
                value=lines,
            )
        if not isinstance(lines, Iterable):
            raise ConfigurationError(
                f"{name} is {lines!r}, but must be a list or another iterable of strings.",
                key=name,
                value=lines,
            )


def checked_text(number: int, line: str) -> str:
    """Return the line; raise NotTextError with its number if it is not a string."""
    if not isinstance(line, str):
        raise NotTextError(number, line)
    return line


def check_positive(**values: object) -> None:
    """Raise ConfigurationError if a named value is not a whole number of at least 1."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigurationError(
                f"{name} is {value!r}, but must be a whole number of at least 1.", key=name, value=value
            )


def check_language_model(settings: SearchSettings, of_run: SearchSettings, *, is_loaded: bool) -> None:
    """Raise ConfigurationError for the weight of a language model that is missing.

    Args:
        settings: of the search.
        of_run: those of the model's run, which may come from a search with a language model.
        is_loaded: whether there is one.
    """
    weight = settings.language_model_weight
    usual = (SearchSettings().language_model_weight, of_run.language_model_weight, 0.0)
    if not is_loaded and weight not in usual:
        raise ConfigurationError(
            f"search.language_model_weight = {weight} needs a language model; name its folder with --lm "
            f"(in Python: Translator.load(..., language_model=...)), or leave the weight out.",
            key="search.language_model_weight",
            value=weight,
        )


def with_beam_size(settings: SearchSettings, beam_size: int | None) -> SearchSettings:
    """Return the search settings with this beam size, or unchanged if it is None.

    Raises:
        ConfigurationError: the size is out of range.
    """
    if beam_size is None:
        return settings
    try:
        return SearchSettings(**{**settings.model_dump(), "beam_size": beam_size})
    except ValidationError as problem:
        raise ConfigurationError(
            f"beam_size is {beam_size!r}, but must be a whole number from 1 to 1,000; 5 is a good choice.",
            key="beam_size",
            value=beam_size,
        ) from problem
