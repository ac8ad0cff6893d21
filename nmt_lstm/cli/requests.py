"""Options of ``translate`` by which lines ask for a beginning, for phrases, or for phrases to avoid."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nmt_lstm.cli.lines import input_lines
from nmt_lstm.errors import DataError

if TYPE_CHECKING:
    from nmt_lstm.inference.requests import TranslationRequest

__all__ = ["RequestOptions"]


@dataclass(frozen=True)
class RequestOptions:
    """What the options ask for."""

    prefix: str = ""
    """What every translation begins with."""
    prefixes: Path | None = None
    """A line for each input line: what its translation begins with."""
    constraints: Path | None = None
    """A JSON object for each input line, with `prefix`, `require` and `avoid`."""
    terms: Path | None = None
    """A table of source and target phrases."""
    avoid: Path | None = None
    """A phrase per line that no translation contains."""

    @property
    def files(self) -> tuple[Path | None, ...]:
        """All files."""
        return (self.prefixes, self.constraints, self.terms, self.avoid)

    def requests(self, lines: Iterable[str]) -> Iterator[str | TranslationRequest]:
        """Yield the lines with what they ask for.

        Raises:
            DataError: a file cannot be read, or does not have a line for each input line.
        """
        from nmt_lstm.inference.requests import TranslationRequest
        from nmt_lstm.inference.terms import Terms

        number = 0
        if not self.prefix and not any(self.files):
            yield from lines
            return
        terms = Terms.load(self.terms) if self.terms else Terms([])
        avoid = [*input_lines(self.avoid)] if self.avoid else []
        prefixes, constraints = _Companion(self.prefixes), _Companion(self.constraints)
        for number, line in enumerate(lines, start=1):
            prefix, (own, require, unwanted) = prefixes.line(number), _constraint(constraints, number)
            yield TranslationRequest(
                line,
                prefix=own or prefix or self.prefix,
                require=[*require, *terms.required(line)],
                avoid=[*unwanted, *avoid],
            )
        for companion in (prefixes, constraints):
            companion.check_end(number)


class _Companion:
    """A file with a line for each input line."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lines = input_lines(path) if path else itertools.repeat("")

    def line(self, number: int) -> str:
        line = next(self._lines, None)
        if line is None:
            raise DataError(
                f"'{self.path}' has {number - 1:,} lines, and the input has more; give a line, or an empty one, for each."
            )
        return line

    def check_end(self, lines: int) -> None:
        if self.path and next(self._lines, None) is not None:
            raise DataError(
                f"'{self.path}' has more lines than the input, which has {lines:,}; all were translated."
            )


def _constraint(constraints: _Companion, number: int) -> tuple[str, list[str], list[str]]:
    """Return the prefix, the required phrases and the phrases to avoid of one line."""
    line = constraints.line(number)
    if not line.strip():
        return "", [], []
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict) or not all(
        isinstance(value, str if key == "prefix" else list) for key, value in values.items()
    ):
        raise _unreadable(constraints, number, line)
    if unknown := sorted(values.keys() - {"prefix", "require", "avoid"}):
        raise DataError(
            f"'{constraints.path}', line {number}: unknown key '{unknown[0]}'; there are 'prefix', 'require' and 'avoid'."
        )
    phrases = [values.get(key, []) for key in ("require", "avoid")]
    if not all(isinstance(phrase, str) for each in phrases for phrase in each):
        raise _unreadable(constraints, number, line)
    return values.get("prefix", ""), phrases[0], phrases[1]


def _unreadable(constraints: _Companion, number: int, line: str) -> DataError:
    example = '{"prefix": "A", "require": ["red car"], "avoid": ["auto"]}'
    return DataError(
        f"'{constraints.path}', line {number}: '{line[:60]}' is not an object such as {example}."
    )
