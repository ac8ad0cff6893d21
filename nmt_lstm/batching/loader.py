"""The batches of one epoch for one process, from any position on."""

from __future__ import annotations

from collections.abc import Iterator

from nmt_lstm.batching.batch import Batch, collate
from nmt_lstm.batching.sampler import EpochPlan, plan_epoch
from nmt_lstm.text.token_store import TokenStore

__all__ = ["BatchLoader", "plan_batches"]

# Source sides are padded to multiples of this, so that the same few widths come again: oneDNN makes an LSTM kernel for each.
SOURCE_UNIT = 4


def plan_batches(store: TokenStore, *, batch_pieces: int, seed: int, epoch: int = 0) -> EpochPlan:
    """Plan an epoch over a store; the same arguments give the same plan.

    Args:
        store: the pieces.
        batch_pieces: target pieces of a step over all processes, padding included.
        seed: of the run.
        epoch: from 0; each has its own order.
    """
    # END belongs to every sentence.
    return plan_epoch(
        store.source.lengths + 1, store.target.lengths + 1, batch_pieces=batch_pieces, seed=seed, epoch=epoch
    )


class BatchLoader:
    """An iterable over one epoch's batches for one process; it draws nothing from global random numbers.

    `len` is the number of batches of the whole epoch, also when iteration starts later. The position is that of the
    batches handed out, and can be saved and restored: the next iteration then starts there, and later ones at 0.

    Args:
        store: the pieces.
        plan: its steps, as `plan_batches` makes them.
        rank: which process this is.
        world_size: how many processes there are.
        accumulate: parts in which each process computes its share of a step.
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
        self.store = store
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
        part = accumulated * self.world_size + self.rank
        share = self.plan.share(step, part, self.world_size * self.accumulate)
        return collate(
            [self.store.source[index] for index in share.indices],
            [self.store.target[index] for index in share.indices],
            indices=share.indices,
            loss_divisor=share.loss_divisor,
            masked=share.masked,
            source_unit=SOURCE_UNIT,
        )

    def __iter__(self) -> Iterator[Batch]:
        self.position, self._start = self._start, 0
        while self.position < len(self):
            self.position += 1
            yield self.batch(self.position - 1)
        self.position = 0

    def state_dict(self) -> dict[str, int]:
        """Return the epoch and the number of batches handed out in it."""
        return {"epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue from a position that `state_dict` returned.

        Raises:
            ValueError: the position is of another epoch, or is not in this one.
        """
        if state["epoch"] != self.epoch or not 0 <= state["position"] <= len(self):
            raise ValueError(f"No position {state} in epoch {self.epoch} of {len(self)} batches.")
        self.position = self._start = state["position"]
