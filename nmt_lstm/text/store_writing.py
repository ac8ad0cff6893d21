"""Writing the pieces of training pairs to a token store, in constant memory; an interrupted one is continued."""

from __future__ import annotations

import dataclasses
import itertools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from nmt_lstm.config.schema import DataSettings
from nmt_lstm.config.text_schema import CorpusSettings
from nmt_lstm.files.hashed_file import HashedFile
from nmt_lstm.text.cleaning import CleaningReport, PairSet
from nmt_lstm.text.corpus import read_parallel
from nmt_lstm.text.duplicates import SeenPairs, digests_of
from nmt_lstm.text.encoding_processes import Encoding, encoding, process_count
from nmt_lstm.text.pair_encoding import EncodedPairs, PairEncoder, chunks_of
from nmt_lstm.text.store_progress import PROGRESS, StoreProgress
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.text.tags import tag_pieces
from nmt_lstm.text.token_store import FILES, TokenStoreWriter

__all__ = ["CHECKPOINT_PAIRS", "KEPT", "write_store"]

CHECKPOINT_PAIRS = 500_000
"""Pairs after which what is written is recorded, so that at most these are repeated after an interruption."""
# Pieces after which it is recorded, too: pairs of long lines take longer.
CHECKPOINT_PIECES = 50_000_000
KEPT = "kept"
"""A file with one byte for each line of the training text: whether its pair is in the store."""

logger = logging.getLogger(__name__)


def write_store(
    data: DataSettings,
    subwords: Subwords,
    folder: Path,
    excluded: PairSet,
    progress: StoreProgress,
    *,
    jobs: int | None = None,
    on_checkpoint: Callable[[StoreProgress], None] = lambda _: None,
) -> list[CleaningReport]:
    """Write the pieces of all corpora, and return what was left out of each.

    The files are the same for any number of processes and interruptions.

    Args:
        data: the text.
        subwords: the vocabularies.
        folder: of the store.
        excluded: pairs that are left out.
        progress: how far `folder` has been written before.
        jobs: number of processes that split lines; by default one for each core, if the text is long.
        on_checkpoint: called when what is written has been recorded.

    Raises:
        DataError: the text cannot be read.
        OSError: the store cannot be written.
        ResourceError: a process died.
        ValueError: the folder does not have what was written before.
    """
    largest = max(subwords.source.size, subwords.target.size) - 1
    remaining = progress.pairs - progress.read
    with (
        encoding(process_count(remaining, jobs)) as processes,
        TokenStoreWriter(
            folder,
            largest,
            written={name: progress.files[name] for name in FILES} if progress.files else None,
        ) as store,
        HashedFile(folder / KEPT, progress.files.get(KEPT)) as kept,
    ):
        writing = _Writing(folder, store, kept, progress, on_checkpoint)
        for number, corpus in enumerate(data.training_corpora()):
            if number < len(progress.reports) - 1:
                continue  # it is complete
            encoder = PairEncoder(
                subwords,
                corpus.rules(data.cleaning),
                excluded=excluded,
                tag=tag_pieces(subwords.source, corpus.tag) if data.is_paired else (),
                paired=data.is_paired,
            )
            writing.write(corpus, encoder, processes, is_begun=number < len(progress.reports))
        reports = writing.reports
    (folder / PROGRESS).unlink(missing_ok=True)
    return reports


class _Writing:
    """The files of a store while they are written.

    Args:
        folder: of the store.
        store: its pieces.
        kept: the file of decisions.
        progress: how far they have been written before.
        on_checkpoint: called when what is written has been recorded.
    """

    def __init__(
        self,
        folder: Path,
        store: TokenStoreWriter,
        kept: HashedFile,
        progress: StoreProgress,
        on_checkpoint: Callable[[StoreProgress], None],
    ) -> None:
        self.reports = list(progress.reports)
        self._folder = folder
        self._store = store
        self._kept = kept
        self._progress = progress
        self._pieces = 0
        self._on_checkpoint = on_checkpoint

    def write(
        self, corpus: CorpusSettings, encoder: PairEncoder, processes: Encoding, *, is_begun: bool
    ) -> None:
        """Write a corpus, or the rest of one that is begun."""
        if not is_begun:
            self.reports.append(CleaningReport())
        pairs = read_parallel(*corpus.sides())
        seen = SeenPairs(self._progress.pairs if encoder.drops_duplicates else 0)
        done = self.reports[-1].read
        if done:
            self._skip(pairs, done, seen if encoder.drops_duplicates else None)
        for encoded in processes.encoded(encoder, chunks_of(pairs, done)):
            is_repeated = None if encoded.digests is None else ~seen.add(encoded.digests)
            self._append(encoded if is_repeated is None else encoded.without(is_repeated))

    def _skip(self, pairs: Iterator[tuple[str, str]], count: int, seen: SeenPairs | None) -> None:
        """Read the pairs of the corpus that are in the store already."""
        if seen is None:
            next(itertools.islice(pairs, count - 1, None), None)
            return
        first = self._progress.read - count
        with (self._folder / KEPT).open("rb") as decisions:
            decisions.seek(first)
            for chunk in chunks_of(itertools.islice(pairs, count)):
                is_kept = np.frombuffer(decisions.read(len(chunk.pairs)), np.bool_)
                seen.add(digests_of(list(itertools.compress(chunk.pairs, is_kept.tolist()))))

    def _append(self, encoded: EncodedPairs) -> None:
        self._kept.write(encoded.is_kept.tobytes())
        self._store.write_arrays(encoded.source, encoded.target)
        self.reports[-1] = CleaningReport.total([self.reports[-1], encoded.report])
        pairs = sum(report.read for report in self.reports) - self._progress.read
        self._pieces += len(encoded.source.ids) + len(encoded.target.ids)
        if pairs >= CHECKPOINT_PAIRS or self._pieces >= CHECKPOINT_PIECES:
            self._pieces = 0
            files = {**self._store.written(), KEPT: self._kept.written()}
            self._progress = dataclasses.replace(self._progress, reports=tuple(self.reports), files=files)
            self._progress.write_to(self._folder)
            self._on_checkpoint(self._progress)
