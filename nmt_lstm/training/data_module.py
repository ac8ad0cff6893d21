"""The Lightning data module: training batches of a token store, and validation batches of text lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytorch_lightning as pl

from nmt_lstm.batching.batch import Batch, collate
from nmt_lstm.batching.loader import BatchLoader, plan_batches
from nmt_lstm.batching.sampler import EpochPlan
from nmt_lstm.text.epoch_store import epoch_store
from nmt_lstm.text.preparation import Prepared
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.text.token_store import TokenStore

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings

__all__ = ["TranslationDataModule"]

_VALIDATION_SENTENCES = 64


class TranslationDataModule(pl.LightningDataModule):
    """Batches for a `TranslationModule`, for `nmt_lstm.training.fit` or for any Lightning Trainer.

    The Trainer's ``accumulate_grad_batches`` must be `accumulate`; ``use_distributed_sampler`` and
    ``reload_dataloaders_every_n_epochs`` are best False and 1: batches are shared out here, and epochs may differ in
    their number.

    Args:
        store_of_epoch: returns the pieces to train on in an epoch, counted from 0.
        subwords: the vocabularies, for the validation text.
        valid_source: source side of the validation text, line by line.
        valid_target: its references.
        batch_pieces: target pieces per optimizer step over all processes, padding included.
        accumulate: parts in which a step is computed.
        seed: of the order of batches.
        max_source_pieces: longer validation lines are truncated to this length.
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
            batch_pieces=run.training.batch_pieces,
            accumulate=run.training.accumulate,
            seed=run.seed,
            max_source_pieces=run.search.max_source_pieces,
        )

    def train_dataloader(self) -> BatchesOfEpoch:
        """Return this process's batches of the Trainer's epoch."""
        return BatchesOfEpoch(
            self.batches, epoch=self.trainer.current_epoch if self.trainer is not None else 0
        )

    def batches(self, epoch: int) -> BatchLoader:
        """Return this process's batches of an epoch, from 0; planning one sorts the text, so the last plan is kept."""
        if self._epoch is None or self._epoch[1].epoch != epoch:
            store = self.store_of_epoch(epoch)
            plan = plan_batches(store, batch_pieces=self.batch_pieces, seed=self.seed, epoch=epoch)
            self._epoch = store, plan
        rank, world_size = self._rank()
        return BatchLoader(*self._epoch, rank=rank, world_size=world_size, accumulate=self.accumulate)

    def steps_per_epoch(self) -> int:
        """Return the optimizer steps of the first epoch; later ones may differ by a few."""
        return len(self.batches(0).plan)

    def val_dataloader(self) -> ValidationBatches:
        """Return this process's validation batches."""
        return ValidationBatches(self.validation_batches())

    def validation_batches(self) -> list[Batch]:
        """Return this process's validation batches: the same batches for any number of processes, dealt out."""
        if self._validation_batches is None:
            limit = self.max_source_pieces
            sources = [pieces[:limit] for pieces in self.subwords.source.encode_lines(self.valid_source)]
            targets = [pieces[:limit] for pieces in self.subwords.target.encode_lines(self.valid_target)]
            order = sorted(
                range(len(sources)), key=lambda index: (len(sources[index]), len(targets[index]), index)
            )
            groups = [
                order[start : start + _VALIDATION_SENTENCES]
                for start in range(0, len(order), _VALIDATION_SENTENCES)
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
    """Batches that Lightning does not take for a list of loaders."""

    batches: list[Batch]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.batches)


class BatchesOfEpoch:
    """The batches of one epoch after another, as Lightning wants them: with a length, an epoch and a position.

    Args:
        make: returns the batches of an epoch.
        epoch: the first epoch.
    """

    def __init__(self, make: Callable[[int], BatchLoader], *, epoch: int) -> None:
        self._make = make
        self._epoch = epoch
        self._loader: BatchLoader | None = None

    @property
    def sampler(self) -> BatchesOfEpoch:
        """Lightning tells the epoch to an attribute of this name."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next."""
        if epoch != self._epoch:
            self._epoch, self._loader = epoch, None

    def __len__(self) -> int:
        return len(self._batches())

    def __iter__(self) -> Iterator[Batch]:
        # A generator, so that it begins at the first batch and not when Lightning makes it: the epoch may come later.
        yield from self._batches()

    def state_dict(self) -> dict[str, int]:
        """The position in the epoch; Lightning keeps it in its checkpoints."""
        return self._batches().state_dict()

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue at a position in an epoch."""
        self.set_epoch(state["epoch"])
        self._batches().load_state_dict(state)

    def _batches(self) -> BatchLoader:
        if self._loader is None:
            self._loader = self._make(self._epoch)
        return self._loader
