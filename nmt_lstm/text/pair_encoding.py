"""From pairs of lines to arrays of pieces: the part of preparation that takes most of the time, for a chunk of a text."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.config.schema import CleaningSettings
from nmt_lstm.text.cleaning import CleaningReport, PairCleaner, PairSet
from nmt_lstm.text.duplicates import Digests, digests_of
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.text.token_store import PieceArrays, piece_type

__all__ = ["EncodedPairs", "PairChunk", "PairEncoder", "chunks_of"]

# Pairs and characters of a chunk: large enough for little overhead, small enough for the memory of several processes.
CHUNK = 10_000
CHUNK_CHARACTERS = 4_000_000
_STEP = 500


class PairChunk(NamedTuple):
    """Some pairs of a corpus that follow each other."""

    first: int
    """Number of the first one, from 0."""
    pairs: list[tuple[str, str]]


class EncodedPairs(NamedTuple):
    """What becomes of a chunk of pairs."""

    is_kept: NDArray[np.bool_]
    """(pairs,): whether cleaning keeps each pair."""
    source: PieceArrays
    """The pieces of the pairs that are kept; the source sides of text without pairs are empty."""
    target: PieceArrays
    report: CleaningReport
    """How many pairs were left out, and why."""
    digests: Digests | None
    """(kept pairs,): by which duplicates are found; None if they are kept."""

    def without(self, is_repeated: NDArray[np.bool_]) -> EncodedPairs:
        """Return the same without duplicates; `is_repeated` is (kept pairs,)."""
        count = int(is_repeated.sum())
        if not count:
            return self
        is_kept = self.is_kept.copy()
        is_kept[np.flatnonzero(is_kept)[is_repeated]] = False
        left_out = {**self.report.left_out, "duplicate": self.report.left_out["duplicate"] + count}
        return EncodedPairs(
            is_kept,
            self.source.of_sentences(~is_repeated),
            self.target.of_sentences(~is_repeated),
            CleaningReport(self.report.read, self.report.kept - count, left_out),
            None,
        )


class PairEncoder:
    """Cleans the pairs of a corpus and splits them into pieces. It can be pickled, for other processes.

    Args:
        subwords: the vocabularies.
        rules: which pairs are left out; duplicates are not, but have equal digests.
        excluded: pairs that are left out regardless of the rules.
        tag: pieces in front of each source side.
        paired: whether the text has two sides; if not, all source sides are empty.
    """

    def __init__(
        self,
        subwords: Subwords,
        rules: CleaningSettings,
        *,
        excluded: PairSet,
        tag: Sequence[int] = (),
        paired: bool = True,
    ) -> None:
        self.subwords = subwords
        self.rules = rules
        self.excluded = excluded
        self.tag = tuple(tag)
        self.paired = paired
        self.dtype = piece_type(max(subwords.source.size, subwords.target.size) - 1)

    @property
    def drops_duplicates(self) -> bool:
        """Whether duplicates are to be left out."""
        return self.rules.enabled and self.rules.drop_duplicates

    def encode(self, chunk: PairChunk) -> EncodedPairs:
        """Return the pieces of the pairs that are kept."""
        form = self.subwords.source.form
        targets = self.subwords.target.encode_lines([target for _, target in chunk.pairs])
        sources = targets
        if self.paired:
            sources = self.subwords.source.encode_lines(
                [
                    form.learning_source(source, number)
                    for number, (source, _) in enumerate(chunk.pairs, chunk.first)
                ]
            )
        cleaner = PairCleaner(self.rules, excluded=self.excluded)
        is_kept = [
            cleaner.keeps(*pair, len(source), len(target))
            for pair, source, target in zip(chunk.pairs, sources, targets, strict=True)
        ]
        kept = list(itertools.compress(sources, is_kept))
        if not self.paired:
            kept = [[]] * len(kept)
        elif self.tag:
            kept = [[*self.tag, *source] for source in kept]
        return EncodedPairs(
            np.array(is_kept, np.bool_),
            PieceArrays.of(kept, self.dtype),
            PieceArrays.of(list(itertools.compress(targets, is_kept)), self.dtype),
            cleaner.report,
            digests_of(list(itertools.compress(chunk.pairs, is_kept))) if self.drops_duplicates else None,
        )


def chunks_of(pairs: Iterator[tuple[str, str]], first: int = 0) -> Iterator[PairChunk]:
    """Yield all pairs in chunks of at most `CHUNK` pairs and about `CHUNK_CHARACTERS` characters.

    Args:
        pairs: of a corpus.
        first: number of the first one.
    """
    while True:
        chunk, characters = list[tuple[str, str]](), 0
        while len(chunk) < CHUNK and characters < CHUNK_CHARACTERS:
            step = list(itertools.islice(pairs, min(_STEP, CHUNK - len(chunk))))
            if not step:
                break
            chunk += step
            characters += sum(len(source) + len(target) for source, target in step)
        if not chunk:
            return
        yield PairChunk(first, chunk)
        first += len(chunk)
