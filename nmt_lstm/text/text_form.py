"""The form in which text is split into pieces: normalised, and perhaps with markers of case or separated words."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from nmt_lstm.config.subword_schema import SubwordSettings
from nmt_lstm.config.symbols import CASE_MARKERS, JOINER
from nmt_lstm.text.casing import CaseMarkers, LineCase
from nmt_lstm.text.invisible_characters import without_invisible_characters
from nmt_lstm.text.lines import single_line
from nmt_lstm.text.piece_records import SPACE
from nmt_lstm.text.word_splitting import WordSplitter

__all__ = ["SPACE", "TextForm"]


LINES_PER_LOWERED = 10


@dataclass(frozen=True)
class TextForm:
    """How text is written before it is split into pieces.

    Args:
        normalise_invisible: apply `without_invisible_characters`.
        case_markers: write words in lower case, with markers (`nmt_lstm.text.casing`).
        split_words: separate words and punctuation marks (`nmt_lstm.text.word_splitting`).
        symbols: the user-defined symbols, which stay as they are.
    """

    normalise_invisible: bool = False
    case_markers: bool = False
    split_words: bool = False
    symbols: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: SubwordSettings) -> TextForm:
        """Return the form of a run."""
        return cls(
            normalise_invisible=settings.normalise_invisible,
            case_markers=settings.casing == "markers",
            split_words=settings.kind == "word",
            symbols=tuple(settings.user_defined_symbols),
        )

    @property
    def markers(self) -> tuple[str, ...]:
        """The characters that mark the case of the next word."""
        return CASE_MARKERS if self.case_markers else ()

    @property
    def added_symbols(self) -> tuple[str, ...]:
        """The symbols that this form adds to a text; a vocabulary must have each as one piece."""
        if self.split_words:
            return (*(SPACE + marker for marker in self.markers), SPACE + JOINER)
        return (*self.markers, *(SPACE + marker for marker in self.markers))

    def with_symbols(self, symbols: Sequence[str]) -> TextForm:
        """Return the same form for a vocabulary with these symbols."""
        own = {symbol.removeprefix(SPACE): None for symbol in symbols if symbol not in self.added_symbols}
        return dataclasses.replace(self, symbols=tuple(filter(None, own)))

    def write(self, line: str) -> str:
        """Return a line of text in this form; control characters become spaces."""
        if self.normalise_invisible:
            line = without_invisible_characters(line)
        # NFC rather than NFKC, which would replace the full-width punctuation of Japanese translations.
        text = unicodedata.normalize("NFC", single_line(line))
        if self.split_words:
            text = self._splitter.write(text)
        return self._markers.write(text) if self.case_markers else text

    def learning_source(self, line: str, number: int) -> str:
        """Return a source line as a model with markers of case learns from it: one of ten has no case.

        So it can translate text that is all in lower case, and lines in upper case, which are read as such.

        Args:
            line: of the training text.
            number: of the line, from 0.
        """
        return self.without_case(line) if number % LINES_PER_LOWERED == 0 else line

    def without_case(self, line: str) -> str:
        """Return a line in lower case if this form has markers of case; otherwise as it is."""
        return self._markers.lowered(line) if self.case_markers else line

    def without_line_case(self, line: str) -> tuple[str, LineCase | None]:
        """Return a source line as translation reads it, and the case in which its translation is written.

        With markers of case, a line in upper or title case is read in lower case; None is the usual case.
        """
        case = self._markers.line_case(line) if self.case_markers else None
        return (line if case is None else self.without_case(line)), case

    def beginning(self, prefix: str) -> str:
        """Return the beginning of a translation in an unusual case as it is searched for: in the case of a sentence."""
        text, case = self.without_line_case(prefix)
        return text if case is None or text.startswith(self.symbols) else text[:1].upper() + text[1:]

    def in_case(self, text: str, case: LineCase) -> str:
        """Return a text in the case of a line; symbols stay as they are."""
        return self._markers.in_case(text, case)

    def variants(self, phrase: str) -> tuple[str, ...]:
        """Return a phrase in each case, as it is first."""
        cased = [self.in_case(self.without_case(phrase), case) for case in LineCase]
        return tuple(dict.fromkeys([phrase, self.without_case(phrase), *cased]))

    def read(self, text: str) -> str:
        """Return the line that has this form."""
        if self.case_markers:
            text = self._markers.read(text)
        return self._splitter.read(text) if self.split_words else text

    @cached_property
    def _markers(self) -> CaseMarkers:
        return CaseMarkers(self.symbols)

    @cached_property
    def _splitter(self) -> WordSplitter:
        return WordSplitter(self.symbols)
