"""The words of a list that stand for the pieces of a vocabulary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from nmt_lstm.config.symbols import JOINER
from nmt_lstm.text.phrases import is_spaced_letter
from nmt_lstm.text.piece_records import SPACE
from nmt_lstm.text.special_pieces import SPECIAL_PIECES
from nmt_lstm.text.vocabulary import Vocabulary

__all__ = ["PieceWords"]


class PieceWords:
    """For each word the pieces that it may stand for.

    A piece such as "▁Hund" is looked up as it is, without SentencePiece's mark of the word's beginning, and then in the
    same way in lower case; with markers of case, pieces are lower case, and are looked up in title and upper case last.

    Args:
        vocabulary: the pieces.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._pieces: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.within_words: frozenset[int] = frozenset()
        """The pieces that continue a word: as words they mean something else."""
        within = []
        for piece, text in enumerate(vocabulary.pieces(range(vocabulary.size))):
            if piece in SPECIAL_PIECES or vocabulary.byte_share([piece]):
                continue
            for preference, word in enumerate(_words(text, has_case=not vocabulary.form.case_markers)):
                self._pieces[word].append((preference, piece))
            if not text.startswith(SPACE) and text and is_spaced_letter(text[0]):
                within.append(piece)
        self.within_words = frozenset(within)

    def pieces_of(self, word: str) -> Sequence[tuple[int, int]]:
        """Return the pieces that a word may stand for, each with a preference: the lowest one of a piece counts."""
        return self._pieces.get(word, ())


def _words(piece: str, *, has_case: bool) -> list[str]:
    plain = piece.removeprefix(SPACE).strip(JOINER)
    forms = [piece, plain, piece.lower(), plain.lower()]
    if not has_case:
        forms += [plain.title(), plain.upper()]
    return [word for word in dict.fromkeys(forms) if word and word != SPACE]
