"""Making any input line safe to translate: line ends, control characters, and warnings about lines."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from nmt_lstm.plain_text import count_of

__all__ = ["LineWarnings", "has_unsafe", "single_line", "without_line_end"]

# C0 and C1 controls (including tab, NUL and U+0085), line and paragraph separators, and lone surrogates, which are
# not text. Each of them could break a line, a column, SentencePiece or an encoder.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
MAX_WARNINGS = 10

logger = logging.getLogger(__name__)


def without_line_end(line: str) -> str:
    """Return a line of a file without its line feed (or carriage return and line feed)."""
    return line.removesuffix("\n").removesuffix("\r") if line.endswith("\n") else line


def single_line(text: str) -> str:
    """Return `text` with a space for each run of control characters, line separators and lone surrogates."""
    return _UNSAFE.sub(" ", text)


def has_unsafe(text: str) -> bool:
    """Whether `single_line` would change the text."""
    return _UNSAFE.search(text) is not None


class LineWarnings:
    """Warnings about lines by their numbers, at most ten of each kind, so that a log stays readable.

    Args:
        translations: warn about unusual translations, too, which people will read.
        shown: False for warnings that nobody is to see.
    """

    def __init__(self, *, translations: bool = False, shown: bool = True) -> None:
        self.translations = translations
        self._shown = shown
        self._counts: dict[str, int] = {}

    def unsafe(self, number: int) -> None:
        """Warn that line `number` (from 1) contained control characters."""
        self._warn("control characters", f"line {number}: control characters were replaced by spaces.")

    def unclosed(self, number: int, beginning: str) -> None:
        """Warn that line `number` (from 1) of a document begins markup that it does not close."""
        self._warn(
            "markup that is not closed",
            f"line {number}: '{beginning[:40]}' is not closed, and is left as it is; close it to translate what follows.",
        )

    def invisible(self, number: int, character: str) -> None:
        """Warn that line `number` (from 1) contains a special space or zero-width character that the model does not know."""
        self._warn(
            "invisible characters",
            f"line {number}: U+{ord(character):04X} is a special space or invisible character that this model does not know; "
            f"replace or remove it, or retrain the model.",
        )

    def too_long(self, number: int, pieces: int, limit: int) -> None:
        """Warn that line `number` (from 1) was truncated from `pieces` to `limit` pieces."""
        self._warn(
            "too long",
            f"line {number}: it has {pieces:,} pieces and was truncated to the first {limit:,} "
            f"(search.max_source_pieces); split it to translate all of it.",
        )

    def untagged(self, number: int, tags: Sequence[str]) -> None:
        """Warn once that line `number` (from 1) has no tag, although all lines of the training text had one of `tags`."""
        if not self._counts.get("no tag"):
            self._warn(
                "no tag",
                f"line {number}: this model was trained with a tag in front of every line; choose one with --tag: "
                f"{', '.join(tags)}.",
            )

    def unused_symbol(self, number: int, symbol: str) -> None:
        """Warn once that the translation of line `number` (from 1) lacks a symbol in place of what is kept."""
        if not self._counts.get("no symbol"):
            self._warn(
                "no symbol",
                f"line {number}: the model did not write '{symbol}' once for each part to keep, so the line was translated "
                f"without these parts, which were then inserted; further lines like this are not reported.",
            )

    def fewer(self, number: int, count: int, asked: int) -> None:
        """Warn once that the search found fewer different translations of line `number` (from 1) than are asked for."""
        if not self._counts.get("fewer"):
            self._warn(
                "fewer",
                f"line {number}: the search found only {count_of(count, 'different translation')}, not {asked:,}; a larger beam "
                f"size may find more. Further lines like this are not reported.",
            )

    def unmet(self, number: int, requests: Sequence[str]) -> None:
        """Warn that the translation of line `number` (from 1) does not meet requests, such as "avoid 'cat'"."""
        self._warn(
            "requests that are not met",
            f"line {number}: the translation does not meet {', '.join(requests)}.",
        )

    def unknown(self, number: int) -> None:
        """Warn that the prompt of line `number` (from 1) has words or characters that the vocabulary does not have."""
        self._warn(
            "unknown words", f"line {number}: words or characters that the model does not know were left out."
        )

    def repetition(self, number: int, phrase: str) -> None:
        """Warn that the translation of line `number` (from 1) repeats a phrase."""
        self._warn(
            "repetitions",
            f"line {number}: the translation repeats '{phrase}'; --set search.no_repeat_ngram=3 prevents this.",
        )

    def ended_by_limit(self, number: int, limit: int) -> None:
        """Warn that the translation of line `number` (from 1) was ended by the length limit."""
        self._warn(
            "translations ended by the limit",
            f"line {number}: the translation was ended at {limit:,} pieces; a larger search.max_length_ratio allows more.",
        )

    def silenced(self) -> LineWarnings:
        """Return warnings that nobody sees."""
        return LineWarnings(translations=self.translations, shown=False)

    def _warn(self, kind: str, message: str) -> None:
        if not self._shown:
            return
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count <= MAX_WARNINGS:
            logger.warning("%s", message)
        if count == MAX_WARNINGS:
            logger.warning("no more warnings of this kind (%s) are shown.", kind)
