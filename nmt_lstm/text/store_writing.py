"""Writing the pieces of training pairs to a token store, in memory that does not grow with the text."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nmt_lstm.config.schema import DataSettings
from nmt_lstm.text.cleaning import CleaningReport, PairCleaner
from nmt_lstm.text.corpus import read_parallel
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.text.tags import tag_pieces
from nmt_lstm.text.token_store import TokenStoreWriter

__all__ = ["KEPT", "chunks_of", "write_pairs", "write_store"]

CHUNK = 10_000
KEPT = "kept"
"""A file with one byte for each line of the training text: whether its pair is in the store."""


def write_store(
    data: DataSettings, subwords: Subwords, folder: Path, excluded: AbstractSet[bytes]
) -> list[CleaningReport]:
    """Write the pieces of all corpora, and return what was left out of each."""
    largest = max(subwords.source.size, subwords.target.size) - 1
    cleaners = []
    with TokenStoreWriter(folder, largest) as store, (folder / KEPT).open("wb") as decisions:
        for corpus in data.training_corpora():
            cleaner = PairCleaner(corpus.rules(data.cleaning), excluded=excluded)
            cleaners.append(cleaner)
            pairs = read_parallel(*corpus.sides())
            tag = tag_pieces(subwords.source, corpus.tag) if data.is_paired else None
            write_pairs(pairs, tag, cleaner, subwords, store, decisions)
    return [cleaner.report for cleaner in cleaners]


def write_pairs(
    pairs: Iterator[tuple[str, str]],
    tag: Sequence[int] | None,
    cleaner: PairCleaner,
    subwords: Subwords,
    store: TokenStoreWriter,
    decisions: BinaryIO,
) -> None:
    """Write the pieces of the pairs that a cleaner keeps to a store, and a byte for each pair to `decisions`.

    The pieces of `tag` are put in front of each source side; without pairs it is None, and source sides are empty.
    """
    start, form = 0, subwords.source.form
    for chunk in chunks_of(pairs):
        targets = subwords.target.encode_lines([target for _, target in chunk])
        sources = targets
        if tag is not None:
            sources = subwords.source.encode_lines(
                [form.learning_source(source, number) for number, (source, _) in enumerate(chunk, start)]
            )
        start += len(chunk)
        is_kept = [
            cleaner.keeps(*pair, len(source), len(target))
            for pair, source, target in zip(chunk, sources, targets, strict=True)
        ]
        decisions.write(np.array(is_kept, np.uint8).tobytes())
        kept = itertools.compress(sources, is_kept)
        store.write(
            [[] if tag is None else [*tag, *source] if tag else source for source in kept],
            list(itertools.compress(targets, is_kept)),
        )


def chunks_of(pairs: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield the pairs in lists of `CHUNK`, so that memory does not grow with the text."""
    while chunk := list(itertools.islice(pairs, CHUNK)):
        yield chunk
