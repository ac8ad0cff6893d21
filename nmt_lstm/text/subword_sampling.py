"""Subword sampling: random segmentations of a line that depend only on the line and a seed.

SentencePiece can sample, too, but from a generator that is seeded once per process, so that results cannot be repeated.
Therefore the sampling is done here, with SentencePiece's pieces and scores:

- unigram vocabularies: a segmentation is drawn with a probability proportional to the product of its pieces'
  probabilities to the power of alpha (Kudo 2018, "Subword Regularization", section 3), by forward filtering and
  backward sampling over the lattice of all segmentations;
- BPE vocabularies: each possible merge is skipped with probability alpha (Provilkov et al. 2020,
  "BPE-Dropout", section 3).
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
import re
from bisect import bisect
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

import sentencepiece

from nmt_lstm.text.special_pieces import UNKNOWN

__all__ = ["SAMPLING_VERSION", "PieceSampler", "sentence_seed"]

SAMPLING_VERSION = 2
"""Incremented when the same seed would draw different pieces. Version 1 was SentencePiece's own generator."""
# SentencePiece's symbol for a space. With nmt-lstm's settings it occurs only at the beginning of pieces.
SPACE = "\u2581"
# SentencePiece scores a character without a piece as the lowest score of all pieces minus this.
UNKNOWN_PENALTY = 10.0
# The lattices of words are cached, since words recur; long ones seldom do. The limits keep memory constant.
MAX_CACHED_WORDS = 1 << 15
MAX_CACHED_WORD_LENGTH = 24

Pieces = tuple[int, ...]


class _Ending(NamedTuple):
    """The pieces that end at a position of a word, in parallel lists."""

    shares: list[float]
    """Cumulative probabilities; the last one, which is 1, is omitted, so that every draw selects a piece."""
    starts: list[int]
    pieces: list[Pieces]


def sentence_seed(*numbers: int) -> int:
    """Return one seed for several numbers below 2**64, such as a run's seed, an epoch and a line."""
    seed = 0
    for number in numbers:
        seed = seed << 64 | number
    return seed


class _Segmenter(Protocol):
    """Draws segmentations of words."""

    def draw(self, word: str, generator: random.Random) -> list[int]:
        """Return the ids of the drawn pieces of a word."""
        ...


class PieceSampler:
    """Draws segmentations of lines.

    Args:
        processor: a SentencePiece vocabulary with the special pieces of `nmt_lstm.text.special_pieces`.
        bpe: whether it was learnt by byte pair encoding.
        alpha: smoothing of the unigram lattice, or the dropout of BPE merges; above 0, at most 1.
        symbols: the user-defined symbols of the vocabulary, which are never split.
    """

    def __init__(
        self,
        processor: sentencepiece.SentencePieceProcessor,
        *,
        bpe: bool,
        alpha: float,
        symbols: Sequence[str] = (),
    ) -> None:
        self._processor = processor
        self._symbols = {symbol: processor.piece_to_id(symbol) for symbol in symbols}
        # As in SentencePiece, the longest symbol wins.
        longest_first = sorted(map(re.escape, symbols), key=len, reverse=True)
        self._symbol = re.compile(f"({'|'.join(longest_first)})") if symbols else None
        known = _KnownPieces(processor, without=self._symbols)
        self._segmenter: _Segmenter = _MergeDropout(known, alpha) if bpe else _UnigramLattice(known, alpha)
        # If no piece crosses the boundary between words, they can be drawn one by one, which is faster than whole lines.
        self._words_are_independent = not any(SPACE in piece[1:] for piece in known.ids)

    def sample(self, line: str, seed: int) -> list[int]:
        """Return the ids of the drawn pieces of a line, the same for the same seed in every process.

        Args:
            line: the text.
            seed: of the sampling; see `sentence_seed`.
        """
        text: str = self._processor.normalize(line)
        # Python guarantees that the sequence of this generator stays the same.
        generator = random.Random(seed)
        drawn: list[int] = []
        for part in self._symbol.split(text) if self._symbol else [text]:
            if part in self._symbols:
                drawn.append(self._symbols[part])
            elif self._words_are_independent:
                for word in re.findall(f"{SPACE}?[^{SPACE}]*", part):
                    drawn += self._segmenter.draw(word, generator)
            else:
                drawn += self._segmenter.draw(part, generator)
        return drawn


class _KnownPieces:
    """The pieces of a vocabulary, and the bytes that spell characters without a piece."""

    def __init__(
        self, processor: sentencepiece.SentencePieceProcessor, *, without: Mapping[str, int]
    ) -> None:
        ids = range(processor.vocab_size())
        self._bytes = {
            int(processor.id_to_piece(piece)[3:-1], 16): piece for piece in ids if processor.is_byte(piece)
        }
        ordinary = [
            piece
            for piece in ids
            if not (
                processor.is_byte(piece)
                or processor.is_control(piece)
                or processor.is_unknown(piece)
                or processor.is_unused(piece)
                or processor.id_to_piece(piece) in without
            )
        ]
        self.ids: dict[str, int] = {processor.id_to_piece(piece): piece for piece in ordinary}
        self.scores: dict[int, float] = {piece: processor.get_score(piece) for piece in ordinary}
        self.longest = max(map(len, self.ids), default=1)

    def spell(self, text: str) -> Pieces:
        """Return the id of the piece with this text, or those of its bytes."""
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
        self._cached_filter = lru_cache(MAX_CACHED_WORDS)(self._filter)

    def draw(self, word: str, generator: random.Random) -> list[int]:
        """Sample backwards from the last character, each piece by the mass of all segmentations that lead to it."""
        lattice = (self._cached_filter if len(word) <= MAX_CACHED_WORD_LENGTH else self._filter)(word)
        drawn: list[Pieces] = []
        end = len(word)
        while end:
            shares, starts, pieces = lattice[end - 1]
            index = bisect(shares, generator.random()) if shares else 0
            drawn.append(pieces[index])
            end = starts[index]
        return list(itertools.chain.from_iterable(reversed(drawn)))

    def _filter(self, word: str) -> list[_Ending]:
        """Filter forwards: return the pieces that end at each position, with their probabilities given that end."""
        known, alpha = self._known, self._alpha
        masses = [0.0]  # log of the summed weights of all segmentations up to each position
        lattice: list[_Ending] = []
        for end in range(1, len(word) + 1):
            starts: list[int] = []
            pieces: list[Pieces] = []
            weights: list[float] = []
            for start in range(max(0, end - known.longest), end):
                piece = known.ids.get(word[start:end])
                if piece is not None:
                    score = known.scores[piece]
                elif start == end - 1:  # a character without a piece, which has to be spelled
                    score = self._unknown_score
                else:
                    continue
                starts.append(start)
                pieces.append((piece,) if piece is not None else known.spell(word[start:end]))
                weights.append(masses[start] + alpha * score)
            largest = max(weights)  # subtracted so that exp does not underflow
            sums = list(itertools.accumulate(math.exp(weight - largest) for weight in weights))
            masses.append(largest + math.log(sums[-1]))
            lattice.append(_Ending([partial / sums[-1] for partial in sums[:-1]], starts, pieces))
        return lattice


class _MergeDropout:
    """Merges the characters of a word in the order of the vocabulary, skipping each merge with a probability."""

    def __init__(self, known: _KnownPieces, alpha: float) -> None:
        self._known = known
        self._alpha = alpha

    def draw(self, word: str, generator: random.Random) -> list[int]:
        """Return the ids of the pieces that remain when no merge is left."""
        known, alpha = self._known, self._alpha
        # Symbols by the position where they begin; an empty one was merged into the one before.
        symbols = list(word)
        after = list(range(1, len(word) + 1))
        before = list(range(-1, len(word) - 1))
        # (negative score, position, merged text): the best merge first, of equal ones the leftmost.
        queue: list[tuple[float, int, str]] = []

        def consider(left: int) -> None:
            right = after[left]
            if right < len(word):
                merged = symbols[left] + symbols[right]
                piece = known.ids.get(merged)
                if piece is not None:
                    heapq.heappush(queue, (-known.scores[piece], left, merged))

        for position in range(len(word) - 1):
            consider(position)
        while queue:
            _, left, merged = heapq.heappop(queue)
            right = after[left]
            if right >= len(word) or not symbols[left] or symbols[left] + symbols[right] != merged:
                continue  # one of the two has been merged with a different symbol
            if generator.random() < alpha:
                continue
            symbols[left], symbols[right] = merged, ""
            after[left] = after[right]
            if after[left] < len(word):
                before[after[left]] = left
            if before[left] >= 0:
                consider(before[left])
            consider(left)
        return [piece for symbol in symbols if symbol for piece in known.spell(symbol)]
