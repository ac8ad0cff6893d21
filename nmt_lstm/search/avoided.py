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


class PieceTexts:
    """What each piece of a vocabulary adds to a text.

    Args:
        texts: V strings, with spaces as they appear in the text; empty for special pieces and single bytes.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = tuple(texts)
        self.continues_word: NDArray[np.bool_] = np.array(
            [bool(text) and is_spaced_letter(text[0]) for text in texts]
        )
        """(V,): whether a piece continues the word before it."""

    def text_of(self, pieces: Sequence[int]) -> str:
        """Return the text of pieces, with the space of the first one."""
        return "".join(self.texts[piece] for piece in pieces)


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
        self._longest = max((len(phrase) for each in self._phrases for phrase in each), default=0)
        self._banned: dict[tuple[str, str], NDArray[np.int64]] = {}

    def apply(self, candidates: Candidates, written: Written) -> None:
        """Forbid the pieces that would complete a phrase."""
        rows: list[int] = []
        pieces: list[NDArray[np.int64]] = []
        history = written.pieces.tolist()
        for row, sentence in enumerate(written.sentences.tolist()):
            if self._phrases[sentence]:
                # One more than the longest phrase: the character before it decides whether a word begins there.
                tail = (" " + self._vocabulary.text_of(history[row]))[-self._longest - 1 :]
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
            if phrase.startswith(tail[start:])
            and not (is_spaced_letter(phrase[0]) and is_spaced_letter(tail[start - 1]))
        ]
        rest = tail[starts[0] - 1 :] if starts else tail[-1:]
        key = (rest, phrase)
        if key not in self._banned:
            banned = [
                piece
                for piece, text in enumerate(self._vocabulary.texts)
                if text and _completes(rest, text, phrase)
            ]
            if any(tail[start:] == phrase for start in starts):
                banned.append(END)
            self._banned[key] = np.array(banned, dtype=np.int64)
        return self._banned[key]


def _completes(rest: str, text: str, phrase: str) -> bool:
    """Whether `phrase` is in ``rest + text`` for certain: as whole words that begin after the first character."""
    longer = rest + text
    position = longer.find(phrase, 1)
    while position >= 0:
        end = position + len(phrase)
        begins = not (is_spaced_letter(phrase[0]) and is_spaced_letter(longer[position - 1]))
        if is_spaced_letter(phrase[-1]):
            # At the end of the piece the word may still continue; if the phrase ended the rest, this piece decides.
            ends = len(rest) <= end < len(longer) and not is_spaced_letter(longer[end])
        else:
            ends = end > len(rest)
        if begins and ends:
            return True
        position = longer.find(phrase, position + 1)
    return False
