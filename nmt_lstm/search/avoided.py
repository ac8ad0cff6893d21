"""Phrases that must not occur in a translation, whatever pieces they are written with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from nmt_lstm.search.rules import Candidates, Written
from nmt_lstm.text.phrases import is_spaced_letter
from nmt_lstm.text.special_pieces import END

__all__ = ["AvoidedPhrases", "PieceTexts"]

# Of the bytes that "surrogateescape" represents by lone surrogates.
FIRST_SURROGATE = 0xDC00


class PieceTexts:
    """What each piece of a vocabulary adds to a text.

    Args:
        texts: V strings, with spaces as they appear in the text; empty for special pieces. A byte of a longer character
            is a lone surrogate, as in Python's "surrogateescape".
        markers: characters that change the case of the next word, if the pieces have them.
    """

    def __init__(self, texts: Sequence[str], markers: Sequence[str] = ()) -> None:
        self.texts = tuple(texts)
        self.markers = tuple(markers)
        self.continues_word: NDArray[np.bool_] = np.array(
            [bool(text) and _may_be_letter(text[0]) for text in texts]
        )
        """(V,): whether a piece continues the word before it."""
        self.is_marker: NDArray[np.bool_] = np.array([text.strip() in self.markers for text in texts])
        """(V,): whether a piece changes the case of the next word."""

    def text_of(self, pieces: Sequence[int]) -> str:
        """Return the text of pieces, with the space of the first one."""
        return _joined("".join(self.texts[piece] for piece in pieces))

    def begins(self, text: str, position: int, phrase: str) -> bool:
        """Return whether a phrase at a position of a text begins with a word of the same case."""
        if is_spaced_letter(phrase[0]) and _may_be_letter(text[position - 1]):
            return False
        return not text[:position].removesuffix(" ").endswith(self.markers) if self.markers else True


class AvoidedPhrases:
    """A rule: the given phrases do not occur in the translation as whole words.

    A piece is forbidden if it completes a phrase and ends its word there: avoiding "he" still allows "hello".

    Args:
        phrases: B lists of phrases, not empty, without spaces at their ends.
        vocabulary: the target pieces.
    """

    changes_probabilities = False

    def __init__(self, phrases: Sequence[Sequence[str]], vocabulary: PieceTexts) -> None:
        self._phrases = [tuple(dict.fromkeys(each)) for each in phrases]
        self._vocabulary = vocabulary
        # The characters before a phrase decide whether a word begins there, and in which case.
        self._before = 3 if vocabulary.markers else 1
        self._longest = max((len(phrase) for each in self._phrases for phrase in each), default=0)
        self._banned: dict[tuple[str, str], NDArray[np.int64]] = {}

    def apply(self, candidates: Candidates, written: Written) -> None:
        """Forbid the pieces that would complete a phrase."""
        rows: list[int] = []
        pieces: list[NDArray[np.int64]] = []
        history = written.pieces.tolist()
        for row, sentence in enumerate(written.sentences.tolist()):
            if self._phrases[sentence]:
                tail = (" " + self._vocabulary.text_of(history[row]))[-self._longest - self._before :]
                for phrase in self._phrases[sentence]:
                    banned = self._completions(tail, phrase)
                    rows.extend([row] * len(banned))
                    pieces.append(banned)
        if rows:
            device = written.pieces.device
            candidates.forbid(
                torch.tensor(rows, device=device), torch.from_numpy(np.concatenate(pieces)).to(device)
            )

    def _completions(self, tail: str, phrase: str) -> NDArray[np.int64]:
        """Return the pieces after which `tail` contains `phrase`, whatever follows."""
        # Only the end of the tail that may begin the phrase matters, so few different tails have to be examined.
        starts = [
            start
            for start in range(1, len(tail))
            if _bytes(phrase).startswith(_bytes(tail[start:]))
            and self._vocabulary.begins(tail, start, phrase)
        ]
        rest = tail[max(0, starts[0] - self._before) :] if starts else tail[-self._before :]
        key = (rest, phrase)
        if key not in self._banned:
            banned = [
                piece
                for piece, text in enumerate(self._vocabulary.texts)
                if text and self._completes(rest, text, phrase)
            ]
            if any(tail[start:] == phrase for start in starts):
                banned.append(END)
            self._banned[key] = np.array(banned, dtype=np.int64)
        return self._banned[key]

    def _completes(self, rest: str, text: str, phrase: str) -> bool:
        """Whether `phrase` is in ``rest + text`` for certain: as whole words that begin after the first character."""
        longer = _joined(rest + text)
        position = longer.find(phrase, 1)
        while position >= 0:
            end = position + len(phrase)
            begins = self._vocabulary.begins(longer, position, phrase)
            if is_spaced_letter(phrase[-1]):
                # At the end of the piece the word may still continue; if the phrase ended the rest, this piece decides.
                ends = len(rest) <= end < len(longer) and not _may_be_letter(longer[end])
            else:
                ends = end > len(rest)
            if begins and ends:
                return True
            position = longer.find(phrase, position + 1)
        return False


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _joined(text: str) -> str:
    """Return a text in which bytes that form a character are that character."""
    return text if text.isascii() else _bytes(text).decode("utf-8", "surrogateescape")


def _may_be_letter(character: str) -> bool:
    """Return whether a character continues a word, or a byte begins a character that probably does."""
    byte = ord(character) - FIRST_SURROGATE
    if 0x80 <= byte <= 0xFF:
        # Latin to Arabic letters but no Latin marks; Indic to Georgian and Vietnamese ones.
        return 0xC3 <= byte <= 0xDF or byte in (0xE0, 0xE1)
    return is_spaced_letter(character)
