"""Which target pieces a source piece is translated by: IBM model 1, learnt on piece pairs.

Source: Brown et al. 1993, the EM algorithm of their model 1, with an empty source piece.

Shapes: L links between a source and a target position of one sentence pair, P distinct pairs of pieces among them, T target
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
# Links between source and target positions that are learnt from; 0.5 GB of memory and a minute of one core.
LARGEST_LINKS = 20_000_000
# Longer sentences have more links than they tell.
LONGEST_SENTENCE = 100

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]


class Lexicon(NamedTuple):
    """What was learnt."""

    translations: NDArray[np.int32]
    """(source pieces, n): for each source piece its most probable target pieces, best first; -1 where there are fewer."""
    frequent: NDArray[np.int32]
    """Target pieces by how often they occur, most frequent first; those that never occur are left out."""


def learn_lexicon(
    pairs: Iterable[tuple[Sequence[int], Sequence[int]]], *, source_size: int, target_size: int, count: int
) -> Lexicon:
    """Learn p(target piece | source piece) and keep the best of each source piece.

    Args:
        pairs: source and target pieces of each sentence pair; read until there are enough.
        source_size: pieces of the source vocabulary.
        target_size: pieces of the target vocabulary.
        count: target pieces kept for each source piece, at most.

    Raises:
        DataError: there is no pair of non-empty sentences.
    """
    links = _Links.read(pairs, source_size, target_size)
    probabilities = links.learn(ITERATIONS)
    sources, targets = links.keys // target_size, links.keys % target_size
    order = np.lexsort((targets, -probabilities, sources))
    sources, targets = sources[order], targets[order]
    firsts = np.searchsorted(sources, np.arange(source_size))
    ranks = np.arange(len(sources)) - firsts[np.minimum(sources, source_size - 1)]
    kept = (ranks < count) & (sources < source_size)  # the empty source piece has no translations to list
    translations = np.full((source_size, count), -1, np.int32)
    translations[sources[kept], ranks[kept]] = targets[kept]
    # Stable, as lexsort above: of equal ones the lower piece comes first, on every machine.
    by_frequency = np.argsort(-links.occurrences, kind="stable")
    frequent = by_frequency[links.occurrences[by_frequency] > 0]
    return Lexicon(translations, frequent.astype(np.int32))


class _Links(NamedTuple):
    """All links of the text, sentence by sentence and target position by target position."""

    keys: Integers
    """(P,), ascending: source * target_size + target; the empty source piece is source_size."""
    pair: NDArray[np.int32]
    """(L,): which of the P pairs a link is of."""
    position: NDArray[np.int32]
    """(L,): which of the T target positions it belongs to."""
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
            ours, theirs = np.asarray([*source, source_size], np.int64), np.asarray(target, np.int64)
            occurrences += np.bincount(theirs, minlength=target_size)
            keys.append((ours * target_size + theirs[:, None]).ravel())
            position.append(
                np.repeat(np.arange(positions, positions + len(theirs), dtype=np.int32), len(ours))
            )
            links += len(keys[-1])
            positions += len(theirs)
            if links >= LARGEST_LINKS:
                break
        if not keys:
            raise DataError(
                "there are no sentence pairs to learn a shortlist from; name parallel text, or export without one."
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
            # Expectation: each target position is shared out among the source positions that may have made it.
            shares = probabilities[self.pair]
            shares /= np.bincount(self.position, weights=shares)[self.position]
            # Maximisation: relative frequencies of these expected counts, for each source piece.
            counts = np.bincount(self.pair, weights=shares, minlength=len(self.keys))
            probabilities = counts / np.bincount(sources, weights=counts)[sources]
        return probabilities
