"""Where pieces stand in a text, in characters that are not spaces.

SentencePiece changes spaces only, so that these characters are the same in the pieces and in the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from nmt_lstm.text.japanese_words import begins_word, has_kana
from nmt_lstm.text.marked_text import solid_length
from nmt_lstm.text.phrases import is_spaced_letter
from nmt_lstm.text.written_pieces import added_text, word_spans

__all__ = ["SolidText", "piece_solids"]

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_WITHIN_WORDS = frozenset(".,:'’-_@/+")
_JOINERS = frozenset("\u200c\u200d")


class SolidText:
    """A text, addressed by numbers of characters that are not spaces.

    Args:
        text: a line.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._is_japanese = has_kana(text)
        self._solids = [index for index, character in enumerate(text) if not character.isspace()]

    def __len__(self) -> int:
        """Return the number of characters that are not spaces."""
        return len(self._solids)

    def part(self, start: int, end: int) -> str:
        """Return the text between two positions, without spaces at its ends."""
        return self.text[self._solids[start] : self._solids[end - 1] + 1] if start < end else ""

    def space(self, position: int) -> str:
        """Return the spaces at a position."""
        if not 0 < position < len(self._solids):
            return ""
        return self.text[self._solids[position - 1] + 1 : self._solids[position]]

    def is_boundary(self, position: int) -> bool:
        """Whether something may stand at a position: not within a word, a number or a composed character."""
        if not 0 < position < len(self._solids) or self.space(position):
            return True
        index = self._solids[position]
        before, after = self.text[index - 1], self.text[index]
        if unicodedata.combining(after) or before in _JOINERS or after in _JOINERS:
            return False
        if unicodedata.category(after) in {"Mn", "Me", "Mc", "Sk"}:
            return False
        begins, ends = is_spaced_letter(after), is_spaced_letter(before)
        if begins and ends:
            return False
        if self._is_japanese and not begins_word(before, after):
            return False
        if ends and after in _WITHIN_WORDS:
            return not is_spaced_letter(self.text[index + 1 : index + 2] or " ")
        if begins and before in _WITHIN_WORDS:
            return not is_spaced_letter(self.text[index - 2] if index > 1 else " ")
        return True


def piece_solids(pieces: Sequence[str], text: str) -> list[int] | None:
    """Return the characters of the text before each gap between pieces, (T + 1,); None if they do not agree with it.

    Args:
        pieces: as SentencePiece writes them; a byte counts as the character that it begins.
        text: what they say.
    """
    solids = [0]
    for piece in pieces:
        if byte := _BYTE.fullmatch(piece):
            value = int(byte[1], 16)
            # Later bytes of a character in UTF-8 have the highest bits 10; control characters become spaces.
            length = int(not 0x80 <= value < 0xC0 and value > 0x20)
        else:
            length = solid_length(added_text(piece))
        solids.append(solids[-1] + length)
    if solids[-1] == solid_length(text):
        return solids
    return _word_solids(pieces, text)


def _word_solids(pieces: Sequence[str], text: str) -> list[int] | None:
    """Return the characters before each gap if at least the words agree; within a word, those before the word."""
    words = text.split()
    spans = word_spans(pieces)
    if len(spans) != len(words):
        return None
    solids, before = list[int](), 0
    for (start, end), word in zip(spans, words, strict=True):
        solids += [before] * (end - start)
        before += len(word)
    return [*solids, before]
