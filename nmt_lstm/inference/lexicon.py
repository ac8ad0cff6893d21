"""The most probable translations of each source piece, by IBM model 1.

Reference: Brown et al. 1993, the EM algorithm of their model 1, with an empty source piece.

Shapes: L links between a source and a target position of a sentence pair, P distinct pairs of pieces among them, T target
positions of all sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.errors import DataError

__all__ = ["Lexicon", "learn_lexicon"]

ITERATIONS = 5
# Links between source and target positions to learn from; they take 0.5 GB of memory and a minute on one core.
LARGEST_LINKS = 20_000_000
# The links of longer sentences cost more than they contribute.
LONGEST_SENTENCE = 100

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]


class Lexicon(NamedTuple):
    """The translations of each source piece, and the frequent target pieces."""

    translations: NDArray[np.int32]
    """(source pieces, n): for each source piece its most probable target pieces, best first, padded with -1."""
    frequent: NDArray[np.int32]
    """(F,): the target pieces that occur, most frequent first."""


def learn_lexicon(
    pairs: Iterable[tuple[Sequence[int], Sequence[int]]], *, source_size: int, target_size: int, count: int
) -> Lexicon:
    """Learn p(target piece | source piece), and return the best translations of each source piece.

    Args:
        pairs: source and target pieces of each sentence pair; read until there are enough.
        source_size: size of the source vocabulary.
        target_size: size of the target vocabulary.
        count: the largest number of translations for each source piece.

    Raises:
        DataError: `pairs` contains no pair of non-empty sentences.
    """
    links = _Links.read(pairs, source_size, target_size)
    probabilities = links.learn(ITERATIONS)
    sources, targets = links.keys // target_size, links.keys % target_size
    order = np.lexsort((targets, -probabilities, sources))
    sources, targets = sources[order], targets[order]
    firsts = np.searchsorted(sources, np.arange(source_size))
    ranks = np.arange(len(sources)) - firsts[np.minimum(sources, source_size - 1)]
    best = (ranks < count) & (sources < source_size)  # without those of the empty source piece
    translations = np.full((source_size, count), -1, np.int32)
    translations[sources[best], ranks[best]] = targets[best]
    # Stable, like lexsort above: on every machine, the lower of two equally frequent pieces comes first.
    by_frequency = np.argsort(-links.occurrences, kind="stable")
    frequent = by_frequency[links.occurrences[by_frequency] > 0]
    return Lexicon(translations, frequent.astype(np.int32))


class _Links(NamedTuple):
    """All links of the text, ordered by sentence and target position."""

    keys: Integers
    """(P,), ascending: source * target_size + target; the empty source piece is source_size."""
    pair: NDArray[np.int32]
    """(L,): index of the pair of pieces that a link connects."""
    position: NDArray[np.int32]
    """(L,): index of the target position of a link."""
    target_size: int
    occurrences: Integers
    """(target_size,): how often each target piece occurs."""

    @staticmethod
    def read(
        pairs: Iterable[tuple[Sequence[int], Sequence[int]]], source_size: int, target_size: int
    ) -> _Links:
        keys, position, occurrences = [], [], np.zeros(target_size, np.int64)
        links = positions = 0
        for source, target in pairs:
            if not 0 < len(target) <= LONGEST_SENTENCE or not 0 < len(source) <= LONGEST_SENTENCE:
                continue
            sources, targets = np.asarray([*source, source_size], np.int64), np.asarray(target, np.int64)
            occurrences += np.bincount(targets, minlength=target_size)
            keys.append((sources * target_size + targets[:, None]).ravel())
            position.append(
                np.repeat(np.arange(positions, positions + len(targets), dtype=np.int32), len(sources))
            )
            links += len(keys[-1])
            positions += len(targets)
            if links >= LARGEST_LINKS:
                break
        if not keys:
            raise DataError(
                "there are no sentence pairs to learn a shortlist from; pass parallel text, or export without a shortlist."
            )
        distinct, pair = np.unique(np.concatenate(keys), return_inverse=True)
        return _Links(
            distinct, pair.astype(np.int32).ravel(), np.concatenate(position), target_size, occurrences
        )

    def learn(self, iterations: int) -> Reals:
        """Return p(target | source) of each distinct pair, (P,)."""
        sources = self.keys // self.target_size
        probabilities: Reals = np.ones(len(self.keys))
        for _ in range(iterations):
            # Expectation: the probability that each source position of the sentence produced the target position.
            shares = probabilities[self.pair]
            shares /= np.bincount(self.position, weights=shares)[self.position]
            # Maximization: relative frequencies of these expected counts, for each source piece.
            counts = np.bincount(self.pair, weights=shares, minlength=len(self.keys))
            probabilities = counts / np.bincount(sources, weights=counts)[sources]
        return probabilities
