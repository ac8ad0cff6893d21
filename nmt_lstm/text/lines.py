"""Making any input line safe to translate: line ends, control characters, lines that are too long."""

from __future__ import annotations

import logging
import re

__all__ = ["LineWarnings", "has_unsafe", "single_line", "without_line_end"]

# C0 and C1 controls (among them tab, NUL and U+0085), line and paragraph separators, and lone surrogates,
# which are no text at all. Each could break a line, a column, SentencePiece or an encoder.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
WARNINGS_SHOWN = 10

logger = logging.getLogger(__name__)


def without_line_end(line: str) -> str:
    """Return the line as files give it, without its line feed (or carriage return and line feed)."""
    return line.removesuffix("\n").removesuffix("\r") if line.endswith("\n") else line


def single_line(text: str) -> str:
    """Return `text` with a space for each run of control characters, separators of lines and lone surrogates."""
    return _UNSAFE.sub(" ", text)


def has_unsafe(text: str) -> bool:
    """Whether `single_line` would change the text."""
    return _UNSAFE.search(text) is not None


class LineWarnings:
    """Warnings that name the line; of each kind only the first ten are written, so that a log stays readable."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def unsafe(self, number: int) -> None:
        """Line `number` (from 1) held control characters."""
        self._warn("control characters", f"line {number}: control characters were replaced by spaces.")

    def invisible(self, number: int, character: str) -> None:
        """Line `number` (from 1) has a special space or a character without width that the model does not know."""
        self._warn(
            "invisible characters",
            f"line {number}: it has U+{ord(character):04X}, a special space or invisible character that this model does not "
            f"know; replace or remove it, or train the model again.",
        )

    def too_long(self, number: int, pieces: int, limit: int) -> None:
        """Line `number` (from 1) was cut from `pieces` to `limit` pieces."""
        self._warn(
            "too long",
            f"line {number}: it has {pieces:,} pieces and was cut to the first {limit:,} "
            f"(search.max_source_pieces); split it to have all of it translated.",
        )

    def _warn(self, kind: str, message: str) -> None:
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count <= WARNINGS_SHOWN:
            logger.warning("%s", message)
        if count == WARNINGS_SHOWN:
            logger.warning("further lines of this kind (%s) are not named.", kind)
