"""Training batches from a stream of pairs: pools of lines, each of which is planned like an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nmt_lstm.batching.batch import Batch, collate
from nmt_lstm.batching.loader import SOURCE_UNIT
from nmt_lstm.batching.sampler import plan_epoch
from nmt_lstm.config.defaults import batch_of
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.text.cleaning import PairCleaner, PairSet
from nmt_lstm.text.pair_stream import PairStream, PiecePair, open_stream
from nmt_lstm.text.prepared import Prepared
from nmt_lstm.training.data_module import TranslationDataModule
from nmt_lstm.training.validation_sets import sets_of_run

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings

__all__ = ["StreamBatches", "StreamDataModule", "check_stream_devices"]

# Lines that are sorted by length together: enough for nearly equal lengths in a batch, and little memory.
POOL = 8_192


def check_stream_devices(processes: int) -> None:
    """Raise ConfigurationError unless one process trains: the others could not read the same standard input."""
    if processes > 1:
        raise ConfigurationError(
            f"a stream is read by one process, but {processes} would train; set --devices 1 (and --nodes 1).",
            key="training.devices",
            value=processes,
        )


class StreamBatches:
    """The batches of a stream, of which the length is not known. A later iteration continues where the one before ended.

    Args:
        stream: the pairs.
        batch_pieces: target pieces per step, padding included.
        accumulate: number of batches in which a step is computed.
        seed: of the order of batches.
    """

    def __init__(self, stream: PairStream, *, batch_pieces: int, accumulate: int, seed: int) -> None:
        self._stream = stream
        self._batch_pieces = batch_pieces
        self._accumulate = accumulate
        self._seed = seed
        self._batches = self._all()

    def __iter__(self) -> Iterator[Batch]:
        # Not the generator itself, which would be closed with this iteration: after a resume, Lightning begins by closing
        # the epoch of the checkpoint, and would lose what was read of the stream.
        for batch in self._batches:  # noqa: UP028 - "yield from" would close it
            yield batch

    def _all(self) -> Iterator[Batch]:
        for number, pool in enumerate(self._stream.pools(POOL)):
            yield from self._of_pool(pool, number)

    def _of_pool(self, pool: Sequence[PiecePair], number: int) -> Iterator[Batch]:
        lengths = [[len(side) + 1 for side in sides] for sides in zip(*pool, strict=True)]
        plan = plan_epoch(
            *(np.array(each, np.int64) for each in lengths),
            batch_pieces=self._batch_pieces,
            seed=self._seed,
            epoch=number,
        )
        for step in range(len(plan)):
            for accumulated in range(self._accumulate):
                share = plan.share(step, accumulated, self._accumulate)
                yield collate(
                    [pool[index].source for index in share.indices],
                    [pool[index].target for index in share.indices],
                    indices=share.indices,
                    loss_divisor=share.loss_divisor,
                    masked=share.masked,
                    source_unit=SOURCE_UNIT,
                )


class StreamDataModule(TranslationDataModule):
    """Batches of a stream for training, and of stored text for validation, in one process."""

    stream: PairStream
    _stream_batches: StreamBatches | None = None

    @classmethod
    def of_run(cls, run: RunSettings, prepared: Prepared) -> StreamDataModule:
        """Return the data module of a run on a stream, which is opened."""
        data, subwords = run.data, prepared.subwords
        validation = prepared.validation if data.exclude_validation else ()
        excluded = PairSet(pair for each in validation for pair in each.pairs())
        alpha = run.subwords.sampling
        module = cls(
            store_of_epoch=lambda _: prepared.train,
            subwords=subwords,
            valid_source=prepared.valid_source,
            valid_target=prepared.valid_target,
            batch_pieces=batch_of(run, 0),
            accumulate=run.training.accumulate,
            seed=run.seed,
            max_source_pieces=run.search.max_source_pieces,
            valid_sets=sets_of_run(prepared.validation, data),
        )
        module.stream = PairStream(
            iter(open_stream(data.stream)),
            subwords=subwords,
            cleaner=PairCleaner(data.cleaning, excluded=excluded),
            tags=data.tags(),
            samplers=(
                (subwords.source.sampler(prepared.kind, alpha), subwords.target.sampler(prepared.kind, alpha))
                if alpha
                else None
            ),
            seed=run.seed,
        )
        return module

    def train_dataloader(self) -> StreamBatches:  # type: ignore[override]
        """Return the batches of the stream."""
        if self._stream_batches is None:
            self._stream_batches = StreamBatches(
                self.stream, batch_pieces=self.batch_pieces, accumulate=self.accumulate, seed=self.seed
            )
        return self._stream_batches

    def steps_per_epoch(self) -> int:
        """Return 0: the length of a stream is not known."""
        return 0
