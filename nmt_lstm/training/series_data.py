"""The batches and the validation of a series: windows of rows in place of pairs of lines."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from nmt_lstm.batching.batch import Batch, SourceBatch
from nmt_lstm.batching.loader import PlannedBatches
from nmt_lstm.batching.sampler import EpochPlan, Share, plan_epoch
from nmt_lstm.config.defaults import batch_of
from nmt_lstm.series.prepared import PreparedSeries, Windows
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.training.data_module import TranslationDataModule
from nmt_lstm.training.text_validation import TextValidation
from nmt_lstm.training.validation import ValidationResult

if TYPE_CHECKING:
    from nmt_lstm.config.schema import RunSettings

__all__ = ["SeriesDataModule", "SeriesValidation", "WindowBatches", "window_batch"]

_VALIDATION_BATCH_SIZE = 64


def window_batch(
    windows: Windows,
    indices: NDArray[np.int64],
    *,
    loss_divisor: float | None = None,
    masked: bool = False,
) -> Batch:
    """Return windows as a batch: the sources are their rows (B, S, columns), the targets the changes to forecast (B, N).

    Args:
        windows: the windows.
        indices: which of them.
        loss_divisor: see `Batch`; by default the number of values, which makes the loss their mean.
        masked: leave every value out of the loss, for a share of a step that has no window of its own.
    """
    inputs = torch.from_numpy(windows.inputs(indices))
    outputs = torch.from_numpy(windows.outputs(indices)).flatten(1)
    rows, length = inputs.shape[:2]
    values = 0 if masked else outputs.numel()
    return Batch(
        source=SourceBatch(
            inputs, torch.ones(rows, length, dtype=torch.bool), torch.full((rows,), length, dtype=torch.int64)
        ),
        target_inputs=outputs,
        target_outputs=outputs,
        target_lengths=torch.full((rows,), 0 if masked else outputs.shape[1], dtype=torch.int64),
        target_positions=torch.arange(values),
        indices=torch.from_numpy(indices),
        target_pieces=values,
        source_pieces=rows * length,
        loss_divisor=float(max(1, values)) if loss_divisor is None else loss_divisor,
    )


class WindowBatches(PlannedBatches):
    """The batches of windows; the arguments after the first are those of `PlannedBatches`."""

    def __init__(
        self, windows: Windows, plan: EpochPlan, *, rank: int = 0, world_size: int = 1, accumulate: int = 1
    ) -> None:
        super().__init__(plan, rank=rank, world_size=world_size, accumulate=accumulate)
        self.windows = windows

    def collated(self, share: Share) -> Batch:
        """Return the windows of a share of a step."""
        return window_batch(self.windows, share.indices, loss_divisor=share.loss_divisor, masked=share.masked)


class SeriesDataModule(TranslationDataModule):
    """Batches of a series; `batch_pieces` limits the rows of all windows of a step."""

    windows: Windows
    valid: Windows
    values: int
    """Values to forecast for each window."""

    @classmethod
    def of_run(cls, run: RunSettings, prepared: Any) -> SeriesDataModule:
        """Return the data module of a run, given its `PreparedSeries`."""
        assert isinstance(prepared, PreparedSeries)
        module = cls(
            store_of_epoch=_no_store,
            subwords=cast(Subwords, prepared.subwords),  # only text is encoded with it
            valid_source=(),
            valid_target=(),
            batch_pieces=batch_of(run, 0),
            accumulate=run.training.accumulate,
            seed=run.seed,
        )
        module.windows, module.valid = prepared.store, prepared.valid
        module.values = prepared.subwords.target.size
        return module

    def batches(self, epoch: int) -> WindowBatches:
        """Return this process's batches of an epoch, from 0."""
        size = max(1, self.batch_pieces // self.windows.window)
        count = np.full(len(self.windows), self.values, np.int64)
        plan = plan_epoch(
            np.ones_like(count), count, batch_pieces=size * self.values, seed=self.seed, epoch=epoch
        )
        rank, world_size = self._rank()
        return WindowBatches(self.windows, plan, rank=rank, world_size=world_size, accumulate=self.accumulate)

    def validation_batches(self) -> list[Batch]:
        """Return this process's validation batches; the batches of all processes are the same for any number of them."""
        if self._validation_batches is None:
            starts = range(0, len(self.valid), _VALIDATION_BATCH_SIZE)
            groups = [
                np.arange(start, min(len(self.valid), start + _VALIDATION_BATCH_SIZE)) for start in starts
            ]
            rank, world_size = self._rank()
            self._validation_batches = [window_batch(self.valid, group) for group in groups[rank::world_size]]
        return self._validation_batches


def _no_store(epoch: int) -> Any:
    raise ValueError(f"a series has no pieces to train on in epoch {epoch}.")


class SeriesValidation(TextValidation):
    """One pass over the windows that validate: their mean squared error, of standardised values."""

    def result(self) -> ValidationResult:
        """Combine the batches of all processes; each process gets the same result, to the last bit."""
        return dataclasses.replace(super().result(), is_likelihood=False)
