"""Subword sampling: pieces of a line drawn at random, as a function of the line and a seed alone.

SentencePiece draws too, but from a generator that it seeds once per process and that other processes do not repeat.
So the draws are made here, with its pieces and their scores:

- unigram vocabularies: a segmentation is drawn with a probability proportional to the product of its pieces'
  probabilities to the power of alpha (Kudo 2018, "Subword Regularization", section 3), by forward filtering and
  backward sampling over the lattice of all segmentations;
- BPE vocabularies: each merge that comes up is left out with the probability alpha (Provilkov et al. 2020,
  "BPE-Dropout", section 3).
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
import re
from bisect import bisect
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

import sentencepiece

from nmt_lstm.text.special_pieces import UNKNOWN

__all__ = ["SAMPLING_VERSION", "PieceSampler", "sentence_seed"]

SAMPLING_VERSION = 2
"""Raised when the same seed would draw different pieces. 1 was SentencePiece's own generator."""
# SentencePiece's sign for a blank. With our settings pieces have it at their beginning alone.
BLANK = "\u2581"
# SentencePiece scores a character that has no piece by the worst piece's score less this.
UNKNOWN_PENALTY = 10.0
# Words recur, and what is prepared of them is kept; long ones seldom do. The bounds keep memory constant.
WORDS_KEPT = 1 << 15
LONGEST_WORD_KEPT = 24

Pieces = tuple[int, ...]
Lattice = list[tuple[list[float], list[int], list[Pieces]]]


def sentence_seed(*numbers: int) -> int:
    """Return one seed for several numbers below 2**64, such as a run's seed, an epoch and a line."""
    seed = 0
    for number in numbers:
        seed = seed << 64 | number
    return seed


class _Segmenter(Protocol):
    """What draws the pieces of one word."""

    def draw(self, word: str, generator: random.Random) -> list[int]:
        """Return pieces of a word."""
        ...


class PieceSampler:
    """Draws pieces of lines.

    Args:
        processor: a SentencePiece vocabulary with the special pieces of `nmt_lstm.text.special_pieces`.
        bpe: whether it was learnt by byte pair encoding.
        alpha: smoothing of the unigram lattice, or the dropout of BPE merges; above 0, at most 1.
    """

    def __init__(self, processor: sentencepiece.SentencePieceProcessor, *, bpe: bool, alpha: float) -> None:
        self._processor = processor
        known = _KnownPieces(processor)
        self._segmenter: _Segmenter = _MergeDropout(known, alpha) if bpe else _UnigramLattice(known, alpha)
        # Between words no piece lies across, so words can be drawn one by one, which is quicker than whole lines.
        self._apart = not any(BLANK in piece[1:] for piece in known.ids)

    def sample(self, line: str, seed: int) -> list[int]:
        """Return drawn pieces of a line, the same for the same seed in every process.

        Args:
            line: the text.
            seed: of the draw; see `sentence_seed`.
        """
        text: str = self._processor.normalize(line)
        # Of Python's generators this is the one whose sequence is promised to stay the same.
        generator = random.Random(seed)
        words: Iterable[str] = re.findall(f"{BLANK}?[^{BLANK}]*", text) if self._apart else [text]
        draw = self._segmenter.draw
        return list(itertools.chain.from_iterable(draw(word, generator) for word in words if word))


class _KnownPieces:
    """The pieces that text can be cut into, and how a character that has none is spelled."""

    def __init__(self, processor: sentencepiece.SentencePieceProcessor) -> None:
        names = range(processor.vocab_size())
        self._bytes = {
            int(processor.id_to_piece(piece)[3:-1], 16): piece for piece in names if processor.is_byte(piece)
        }
        ordinary = [
            piece
            for piece in names
            if not (
                processor.is_byte(piece)
                or processor.is_control(piece)
                or processor.is_unknown(piece)
                or processor.is_unused(piece)
            )
        ]
        self.ids: dict[str, int] = {processor.id_to_piece(piece): piece for piece in ordinary}
        self.scores: dict[int, float] = {piece: processor.get_score(piece) for piece in ordinary}
        self.longest = max(map(len, self.ids), default=1)

    def spelled(self, text: str) -> Pieces:
        """Return the piece of this text, or its bytes."""
        piece = self.ids.get(text)
        if piece is not None:
            return (piece,)
        return tuple(self._bytes.get(byte, UNKNOWN) for byte in text.encode("utf-8"))


class _UnigramLattice:
    """Draws from the lattice of all segmentations of a word."""

    def __init__(self, known: _KnownPieces, alpha: float) -> None:
        self._known = known
        self._alpha = alpha
        self._unknown_score = min(known.scores.values(), default=0.0) - UNKNOWN_PENALTY
        self._kept = lru_cache(WORDS_KEPT)(self._filtered)

    def draw(self, word: str, generator: random.Random) -> list[int]:
        """Sample backwards: from the last character on, each piece by the mass of all ways that lead to it."""
        lattice = (self._kept if len(word) <= LONGEST_WORD_KEPT else self._filtered)(word)
        drawn: list[Pieces] = []
        end = len(word)
        while end:
            shares, starts, pieces = lattice[end - 1]
            place = bisect(shares, generator.random()) if shares else 0
            drawn.append(pieces[place])
            end = starts[place]
        return list(itertools.chain.from_iterable(reversed(drawn)))

    def _filtered(self, word: str) -> Lattice:
        """Filter forwards: for each end of a piece the cumulative shares of the pieces that end there.

        The last share, which is 1, is left out: whatever is drawn then names one of the pieces.
        """
        known, alpha = self._known, self._alpha
        masses = [0.0]  # natural logarithm of the summed weights of all ways to each place
        lattice: Lattice = []
        for end in range(1, len(word) + 1):
            starts: list[int] = []
            pieces: list[Pieces] = []
            weights: list[float] = []
            for start in range(max(0, end - known.longest), end):
                piece = known.ids.get(word[start:end])
                if piece is not None:
                    score = known.scores[piece]
                elif start == end - 1:  # a character without a piece: no way may end before it
                    score = self._unknown_score
                else:
                    continue
                starts.append(start)
                pieces.append((piece,) if piece is not None else known.spelled(word[start:end]))
                weights.append(masses[start] + alpha * score)
            largest = max(weights)
            sums = list(itertools.accumulate(math.exp(weight - largest) for weight in weights))
            masses.append(largest + math.log(sums[-1]))
            lattice.append(([partial / sums[-1] for partial in sums[:-1]], starts, pieces))
        return lattice


class _MergeDropout:
    """Merges the characters of a word in the order of the vocabulary, each merge left out with a probability."""

    def __init__(self, known: _KnownPieces, alpha: float) -> None:
        self._known = known
        self._alpha = alpha

    def draw(self, word: str, generator: random.Random) -> list[int]:
        """Return the pieces that are left when no merge is."""
        known, alpha = self._known, self._alpha
        # Symbols by the place where they begin; an emptied place was merged into the one before.
        symbols = list(word)
        after = list(range(1, len(word) + 1))
        before = list(range(-1, len(word) - 1))
        # (negative score, place, merged text): the best merge first, of equal ones the leftmost.
        waiting: list[tuple[float, int, str]] = []

        def consider(left: int) -> None:
            right = after[left]
            if right < len(word):
                merged = symbols[left] + symbols[right]
                piece = known.ids.get(merged)
                if piece is not None:
                    heapq.heappush(waiting, (-known.scores[piece], left, merged))

        for place in range(len(word) - 1):
            consider(place)
        while waiting:
            _, left, merged = heapq.heappop(waiting)
            right = after[left]
            if right >= len(word) or not symbols[left] or symbols[left] + symbols[right] != merged:
                continue  # one of the two was merged with another symbol meanwhile
            if generator.random() < alpha:
                continue
            symbols[left], symbols[right] = merged, ""
            after[left] = after[right]
            if after[left] < len(word):
                before[after[left]] = left
            if before[left] >= 0:
                consider(before[left])
            consider(left)
        return [piece for symbol in symbols if symbol for piece in known.spelled(symbol)]
