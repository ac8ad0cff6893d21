"""The batches of one epoch for one process, starting at any position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nmt_lstm.batching.batch import Batch, collate
from nmt_lstm.batching.sampler import EpochPlan, Share, compact, plan_epoch
from nmt_lstm.text.epoch_parts import EpochPart, epoch_pairs
from nmt_lstm.text.token_store import TokenStore

__all__ = ["BatchLoader", "PlannedBatches", "plan_batches"]

# Source sides are padded to multiples of this, so that there are few widths: oneDNN makes an LSTM kernel for each.
SOURCE_UNIT = 4


def plan_batches(
    store: TokenStore, *, batch_pieces: int, seed: int, epoch: int = 0, parts: Sequence[EpochPart] = ()
) -> EpochPlan:
    """Return the plan of an epoch over a token store; the same arguments give the same plan.

    Args:
        store: the pieces.
        batch_pieces: target pieces per step, over all processes, padding included.
        seed: of the run.
        epoch: number of the epoch, from 0; each has a different order.
        parts: the corpora of the store, with weights; by default each pair occurs once.
    """
    # The store does not contain END, which ends every sentence of a batch.
    return plan_epoch(
        compact(store.source.lengths + 1),
        compact(store.target.lengths + 1),
        batch_pieces=batch_pieces,
        seed=seed,
        epoch=epoch,
        pairs=epoch_pairs(parts, seed=seed, epoch=epoch),
    )


class PlannedBatches:
    """An iterable over one process's batches of an epoch; it does not use global random numbers.

    A subclass makes a batch of a share of a step.

    `len` is the number of batches of the whole epoch, even if iteration starts later. The position counts the batches
    yielded so far. It can be saved and restored: the next iteration then starts there, and later ones at 0.

    Args:
        plan: the steps of the epoch.
        rank: number of this process.
        world_size: number of processes.
        accumulate: number of batches in which each process computes its share of a step.
    """

    def __init__(self, plan: EpochPlan, *, rank: int = 0, world_size: int = 1, accumulate: int = 1) -> None:
        self.plan = plan
        self.epoch = plan.epoch
        self.rank = rank
        self.world_size = world_size
        self.accumulate = accumulate
        self.position = 0
        self._start = 0

    def __len__(self) -> int:
        return len(self.plan) * self.accumulate

    def batch(self, position: int) -> Batch:
        """Return the batch at `position`, from 0."""
        step, accumulated = divmod(position, self.accumulate)
        number = accumulated * self.world_size + self.rank
        share = self.plan.share(step, number, self.world_size * self.accumulate)
        return self.collated(share)

    def collated(self, share: Share) -> Batch:
        """Return the batch of a share of a step."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Batch]:
        self.position, self._start = self._start, 0
        while self.position < len(self):
            self.position += 1
            yield self.batch(self.position - 1)
        self.position = 0

    def state_dict(self) -> dict[str, int]:
        """Return the epoch and the number of batches yielded in it."""
        return {"epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue from a position that `state_dict` returned.

        Raises:
            ValueError: the position belongs to a different epoch, or is outside this one.
        """
        if state["epoch"] != self.epoch or not 0 <= state["position"] <= len(self):
            raise ValueError(f"position {state} is not in epoch {self.epoch}, which has {len(self)} batches.")
        self.position = self._start = state["position"]


class BatchLoader(PlannedBatches):
    """The batches of a token store.

    Args:
        store: the pieces.
        plan: the steps of the epoch, from `plan_batches`.
        rank: number of this process.
        world_size: number of processes.
        accumulate: number of batches in which each process computes its share of a step.
    """

    def __init__(
        self,
        store: TokenStore,
        plan: EpochPlan,
        *,
        rank: int = 0,
        world_size: int = 1,
        accumulate: int = 1,
    ) -> None:
        super().__init__(plan, rank=rank, world_size=world_size, accumulate=accumulate)
        self.store = store

    def collated(self, share: Share) -> Batch:
        """Return the pairs of a share of a step."""
        return collate(
            [self.store.source[index] for index in share.indices],
            [self.store.target[index] for index in share.indices],
            indices=share.indices,
            loss_divisor=share.loss_divisor,
            masked=share.masked,
            source_unit=SOURCE_UNIT,
        )
