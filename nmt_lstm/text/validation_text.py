"""The lines of a validation set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nmt_lstm.config.schema import ValidationSettings
from nmt_lstm.text.corpus import read_parallel

__all__ = ["ValidationText", "read_validation"]


class ValidationText(NamedTuple):
    """A validation set."""

    name: str
    source: list[str]
    """Its lines; empty ones in text without pairs."""
    target: list[str]
    tag: str = ""
    """The piece in front of every source line; empty for none."""
    target_language: str = ""
    """Code of its target language; empty for that of the run."""

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Return the pairs of its lines."""
        return zip(self.source, self.target, strict=True)


def read_validation(settings: ValidationSettings) -> ValidationText:
    """Read a validation set.

    Raises:
        DataError: a file cannot be read or is empty, or files differ in length.
    """
    pairs = list(read_parallel(*settings.sides()))
    return ValidationText(
        settings.name,
        [source if settings.sides()[1] is not None else "" for source, _ in pairs],
        [target for _, target in pairs],
        settings.tag,
        settings.target_language,
    )
