"""The Lightning data module: training batches from a token store, and validation batches from lines of text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytorch_lightning as pl

from nmt_lstm.batching.batch import Batch, collate
from nmt_lstm.batching.loader import BatchLoader, PlannedBatches, plan_batches
from nmt_lstm.batching.sampler import EpochPlan
from nmt_lstm.config.defaults import batch_of
from nmt_lstm.text.epoch_parts import EpochPart
from nmt_lstm.text.epoch_store import epoch_store
from nmt_lstm.text.prepared import Prepared
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.text.tags import tag_pieces
from nmt_lstm.text.token_store import TokenStore
from nmt_lstm.training.validation_sets import ValidationSet, sets_of_run

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings

__all__ = ["TranslationDataModule"]

_VALIDATION_BATCH_SIZE = 64


class TranslationDataModule(pl.LightningDataModule):
    """Batches for a `TranslationModule`, in `nmt_lstm.training.fit` or with any Lightning Trainer.

    The Trainer's ``accumulate_grad_batches`` must be `accumulate`. Set ``use_distributed_sampler`` to False, because
    batches are divided among processes here, and ``reload_dataloaders_every_n_epochs`` to 1, because the number of
    batches may vary between epochs.

    Args:
        store_of_epoch: returns the pieces to train on in an epoch, from 0.
        subwords: the vocabularies, for the validation text.
        valid_source: source side of the validation text, line by line.
        valid_target: its references.
        batch_pieces: target pieces per optimizer step over all processes, including padding.
        accumulate: micro-batches per step.
        seed: of the order of batches.
        max_source_pieces: validation lines are truncated to this number of pieces.
        parts: the corpora of the stores, with weights; by default an epoch has each pair once.
        valid_sets: the sets that the validation text consists of; by default it is one.
    """

    def __init__(
        self,
        *,
        store_of_epoch: Callable[[int], TokenStore],
        subwords: Subwords,
        valid_source: Sequence[str],
        valid_target: Sequence[str],
        batch_pieces: int,
        accumulate: int = 1,
        seed: int = 1,
        max_source_pieces: int = 500,
        parts: Sequence[EpochPart] = (),
        valid_sets: Sequence[ValidationSet] = (),
    ) -> None:
        super().__init__()
        self.store_of_epoch = store_of_epoch
        self.subwords = subwords
        self.valid_source = valid_source
        self.valid_target = valid_target
        self.batch_pieces = batch_pieces
        self.accumulate = accumulate
        self.seed = seed
        self.max_source_pieces = max_source_pieces
        self.parts = parts
        self.valid_sets = valid_sets or [ValidationSet("", len(valid_source))]
        self._epoch: tuple[TokenStore, EpochPlan] | None = None
        self._validation_batches: list[Batch] | None = None

    @classmethod
    def of_run(cls, run: RunSettings, prepared: Prepared) -> TranslationDataModule:
        """Return the data module of a run."""
        return cls(
            store_of_epoch=lambda epoch: epoch_store(
                prepared, epoch, sampling=run.subwords.sampling, seed=run.seed
            ),
            subwords=prepared.subwords,
            valid_source=prepared.valid_source,
            valid_target=prepared.valid_target,
            batch_pieces=batch_of(run, len(prepared.train)),
            accumulate=run.training.accumulate,
            seed=run.seed,
            max_source_pieces=run.search.max_source_pieces,
            parts=prepared.parts,
            valid_sets=sets_of_run(prepared.validation, run.data),
        )

    def train_dataloader(self) -> EpochBatches:
        """Return this process's batches of the Trainer's epoch."""
        return EpochBatches(self.batches, epoch=self.trainer.current_epoch if self.trainer is not None else 0)

    def batches(self, epoch: int) -> PlannedBatches:
        """Return this process's batches of an epoch, from 0."""
        # Planning an epoch sorts the text, so the latest plan is cached.
        if self._epoch is None or self._epoch[1].epoch != epoch:
            store = self.store_of_epoch(epoch)
            plan = plan_batches(
                store, batch_pieces=self.batch_pieces, seed=self.seed, epoch=epoch, parts=self.parts
            )
            self._epoch = store, plan
        rank, world_size = self._rank()
        return BatchLoader(*self._epoch, rank=rank, world_size=world_size, accumulate=self.accumulate)

    def steps_per_epoch(self) -> int:
        """Return the optimizer steps of the first epoch; the numbers of others may differ slightly."""
        return len(self.batches(0).plan)

    def val_dataloader(self) -> ValidationBatches:
        """Return this process's validation batches."""
        return ValidationBatches(self.validation_batches())

    def validation_batches(self) -> list[Batch]:
        """Return this process's validation batches; the batches of all processes are the same for any number of them.

        A batch has lines of one set only.
        """
        if self._validation_batches is None:
            limit = self.max_source_pieces
            sources = [pieces[:limit] for pieces in self.subwords.source.encode_lines(self.valid_source)]
            targets = [pieces[:limit] for pieces in self.subwords.target.encode_lines(self.valid_target)]
            groups: list[list[int]] = []
            first = 0
            for each in self.valid_sets:
                lines = range(first, first + each.lines)
                first += each.lines
                tag = tag_pieces(self.subwords.source, each.tag)
                for index in lines:
                    # A blank line stays blank.
                    sources[index] = [*tag, *sources[index]] if sources[index] else []
                order = sorted(lines, key=lambda index: (len(sources[index]), len(targets[index]), index))
                groups += [
                    order[start : start + _VALIDATION_BATCH_SIZE]
                    for start in range(0, len(order), _VALIDATION_BATCH_SIZE)
                ]
            rank, world_size = self._rank()
            self._validation_batches = [
                collate(
                    [sources[index] for index in group], [targets[index] for index in group], indices=group
                )
                for group in groups[rank::world_size]
            ]
        return self._validation_batches

    def _rank(self) -> tuple[int, int]:
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)


@dataclass(frozen=True)
class ValidationBatches:
    """Validation batches; a plain list would look like several loaders to Lightning."""

    batches: list[Batch]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.batches)


class EpochBatches:
    """The batches of successive epochs, with the length, epoch and position that Lightning expects of a loader.

    Args:
        make: returns the batches of an epoch.
        epoch: the first epoch.
    """

    def __init__(self, make: Callable[[int], PlannedBatches], *, epoch: int) -> None:
        self._make = make
        self._epoch = epoch
        self._loader: PlannedBatches | None = None

    @property
    def sampler(self) -> EpochBatches:
        """Itself: Lightning passes the epoch to the attribute of this name."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Continue with the batches of this epoch."""
        if epoch != self._epoch:
            self._epoch, self._loader = epoch, None

    def __len__(self) -> int:
        return len(self._batches())

    def __iter__(self) -> Iterator[Batch]:
        # A generator, so that nothing is planned when Lightning creates it: the epoch may be set after that.
        yield from self._batches()

    def state_dict(self) -> dict[str, int]:
        """Return the position in the epoch, which Lightning saves in its checkpoints."""
        return self._batches().state_dict()

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue at the position in a checkpoint."""
        self.set_epoch(state["epoch"])
        self._batches().load_state_dict(state)

    def _batches(self) -> PlannedBatches:
        if self._loader is None:
            self._loader = self._make(self._epoch)
        return self._loader
