"""Splitting a line into its sentences, with the rules of the package `sentencex` for some 300 languages."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nmt_lstm.errors import ResourceError
from nmt_lstm.extras import install_command

__all__ = ["SentenceSplitter", "joined_sentences", "sentence_separator"]

# Languages whose sentences follow each other without a space.
_WITHOUT_SPACES = frozenset({"ja", "zh", "yue", "wuu", "lo", "km", "my", "bo"})


class SentenceSplitter:
    """Splits lines.

    Args:
        language: a code such as "de" or "pt-BR", whose abbreviations are known; empty or an unknown one follows the rules
            of English.

    Raises:
        ResourceError: the package is not installed.
    """

    def __init__(self, language: str) -> None:
        try:
            from sentencex import segment
        except ImportError:
            raise ResourceError(
                f"splitting sentences needs the package sentencex: {install_command('sentences')}."
            ) from None
        self.language = _code(language) or "en"
        self._segment: Callable[[str, str], Iterable[str]] = segment

    def split(self, line: str) -> list[str]:
        """Return the sentences of a line, without the spaces around them; a blank line has none."""
        return [sentence for part in self._segment(self.language, line) if (sentence := part.strip())]


def sentence_separator(language: str) -> str:
    """Return what stands between two sentences of a language: a space, or nothing."""
    return "" if _code(language) in _WITHOUT_SPACES else " "


def joined_sentences(sentences: Iterable[str], separator: str) -> str:
    """Return the sentences that are not empty as one line."""
    return separator.join(filter(None, sentences))


def _code(language: str) -> str:
    return language.replace("_", "-").split("-")[0].lower()
