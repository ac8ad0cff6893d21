"""What is done with the text of a line besides its translation: what is kept as it is, and whether sentences are split."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from nmt_lstm.config.schema import DataSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.inference.symbols import Symbol
from nmt_lstm.inference.translation import Unmet
from nmt_lstm.text.inline_tags import inline_items
from nmt_lstm.text.kept_patterns import KeptPatterns
from nmt_lstm.text.marked_text import Item, Kind, MarkedText, marked_text
from nmt_lstm.text.sentences import SentenceSplitter, sentence_separator
from nmt_lstm.text.subwords import Subwords

__all__ = ["TextOptions", "TextTreatment"]

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


@dataclass(frozen=True)
class TextOptions:
    """What a translation keeps of its source, and whether lines are split into sentences.

    Attributes:
        keep: names of what is kept as it is: "placeholders", "urls", "emails", "numbers", "tags".
        keep_patterns: regular expressions of what else is kept.
        keep_as: what the model reads in place of each kept part: a symbol that it was trained with and copies, or a word
            and its translation, such as "Emi=エミ". Without it, the model reads the parts themselves.
        split_sentences: translate the sentences of a line separately. A line with required phrases is not split.
        source_language: whose sentences are split; by default that of the model.

    Raises:
        ConfigurationError: a name or a pattern is wrong, or `keep_as` has nothing to stand for.
    """

    keep: Sequence[str] = ()
    keep_patterns: Sequence[str] = ()
    keep_as: str = ""
    split_sentences: bool = False
    source_language: str = ""

    def __post_init__(self) -> None:
        if not KeptPatterns(self.keep, self.keep_patterns) and self.keep_as:
            raise ConfigurationError(
                "keep_as stands for what keep or keep_patterns select; add one of them.",
                key="keep_as",
                value=self.keep_as,
            )
        if self.source_language and not self.split_sentences:
            raise ConfigurationError(
                "source_language is the language whose sentences are split; add split_sentences, or leave it out.",
                key="source_language",
                value=self.source_language,
            )
        if self.source_language and not _LANGUAGE.fullmatch(self.source_language):
            raise ConfigurationError(
                f"source_language '{self.source_language}' must be a code such as de, ja or pt-BR.",
                key="source_language",
                value=self.source_language,
            )
        if self.keep_as != self.keep_as.strip():
            raise ConfigurationError(
                f"keep_as is '{self.keep_as}', but must have no space at its ends.",
                key="keep_as",
                value=self.keep_as,
            )


class TextTreatment:
    """Text options made ready for lines.

    Args:
        options: of the user.
        languages: of the model.
        subwords: its vocabularies.

    Raises:
        ConfigurationError: `keep_as` is neither a symbol of the model nor a pair of words that it can read and write.
        ResourceError: sentences are to be split, and the package for it is not installed.
    """

    def __init__(self, options: TextOptions, languages: DataSettings, subwords: Subwords) -> None:
        self.patterns = KeptPatterns(options.keep, options.keep_patterns)
        self.symbol = Symbol.of(options.keep_as, subwords) if options.keep_as else None
        self.separator = sentence_separator(languages.target_language)
        self._splitter = (
            SentenceSplitter(options.source_language or languages.source_language)
            if options.split_sentences
            else None
        )

    def sentences(self, line: str) -> list[str]:
        """Return the sentences of a line, or the line if it is not to be split."""
        return self._splitter.split(line) if self._splitter is not None else [line]

    def kept(self, line: str) -> list[str]:
        """Return the parts of a line that are kept."""
        return self.patterns.found(line)

    def with_symbols(self, line: str) -> str:
        """Return a line with the symbol, if there is one, in place of each part that is kept."""
        if self.symbol is None:
            return line
        parts, position = [], 0
        for start, end in self.patterns.spans(line):
            parts += [line[position:start], self.symbol.source]
            position = end
        return "".join([*parts, line[position:]])

    def marked(self, line: str) -> MarkedText:
        """Return a line without the parts that are kept."""
        items, position = [], 0
        for start, end in self.patterns.spans(line):
            items += [Item(Kind.TEXT, line[position:start]), Item(Kind.WORD, line[start:end])]
            position = end
        return marked_text(inline_items([*items, Item(Kind.TEXT, line[position:])]))

    def changed(self, line: str, translation: str) -> list[str]:
        """Return what the translation does not have exactly as often as the line, of that which is kept."""
        return [part for part, count in Counter(self.kept(line)).items() if translation.count(part) != count]

    def unmet(self, line: str, translation: str) -> tuple[Unmet, ...]:
        """Return the same as unmet requests."""
        return tuple(Unmet("keep", part) for part in self.changed(line, translation))
