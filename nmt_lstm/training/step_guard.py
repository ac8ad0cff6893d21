"""Watches each optimizer step: one that diverges is skipped, or ends the training, before it reaches the weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer

from nmt_lstm.batching.batch import Batch
from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import DivergenceError
from nmt_lstm.training.diagnosis import DIVERGED
from nmt_lstm.training.divergence import with_nan_gradient_unless, with_nan_gradient_unless_finite
from nmt_lstm.training.optimization import is_fused

__all__ = ["Failure", "MicroBatch", "Step", "StepGuard"]

# A gradient scaler halves its scale at each step that it skips. After this many, its initial 2^16 is 2^-24, the
# smallest positive number in fp16: then the network itself overflows, not the scaled loss.
MOST_OVERFLOWS = 40


class MicroBatch(NamedTuple):
    """What one process computes at once in a step."""

    batch: Batch
    likelihood: Tensor
    """Negative log-likelihood in nats, summed over the labels, a scalar."""


class Step(NamedTuple):
    """An optimizer step of this process, with values that are not read yet."""

    number: int
    """Number of steps before it."""
    epoch: int
    """From 0."""
    learning_rate: float
    norm: Tensor
    """Of the gradient, a scalar; the same in all processes."""
    micro_batches: Sequence[MicroBatch]


class Failure(NamedTuple):
    """A step whose loss or gradient is not finite, or whose loss is too large."""

    loss: float
    """Nats per label, over the whole step."""
    largest: float
    """The largest loss of a micro-batch, in nats per label; NaN if one is not finite."""
    path: Path | None
    """The file with its batch; None if this process has written none."""


class Reporter(Protocol):
    """Reports a step that failed; all processes take part."""

    def __call__(self, step: Step, *, skipped: bool, attempt: int) -> Failure:
        """Write the batch of the step, and return what is known of it.

        Args:
            step: as this process has computed it.
            skipped: whether training continues with the next step.
            attempt: how often the run has returned to a checkpoint before.
        """


class StepGuard:
    """Decides what happens to a step that diverges, from ``training.on_divergence``; all processes decide alike.

    The gradient's norm tells: it is not finite if the gradient of any micro-batch of any process is not, and a loss that is
    too large gets such a gradient (`add`). On a processor, the norm is read before each step. On a GPU, waiting for it would
    cost time: the optimizer's kernel skips the step by itself, and the norms of several steps are read later, by `check`. A
    gradient scaler, in fp16, skips steps by itself, too, as long as there are few in a row.

    Args:
        settings: how the run is trained.
        is_likelihood: whether the loss is a negative log-likelihood, which guessing bounds.
        report: reports a step that failed.
    """

    def __init__(self, settings: TrainingSettings, *, is_likelihood: bool, report: Reporter) -> None:
        self.action = settings.on_divergence
        self.limit = settings.divergence_limit
        self.report = report
        self.largest_loss = DIVERGED if is_likelihood and self.action != "stop" else math.inf
        """Nats per label above which a micro-batch diverges."""
        self.skipped = 0
        """Steps skipped in the whole run."""
        self.skipped_in_a_row = 0
        self.returns = 0
        """How often the run returned to a checkpoint."""
        self._micro_batches: list[MicroBatch] = []
        self._steps: list[Step] = []
        """Those whose norms are not read yet."""
        self._failed: Tensor | None = None

    @property
    def rate_factor(self) -> float:
        """The factor of the learning rate: each return to a checkpoint halves it."""
        return 0.5**self.returns

    def add(self, loss: Tensor, batch: Batch, likelihood: Tensor) -> tuple[Tensor, Tensor | None]:
        """Add a micro-batch to the current step.

        Args:
            loss: its share of the step's loss, a scalar.
            batch: what it was computed from.
            likelihood: negative log-likelihood in nats, summed over the labels, a scalar.

        Returns:
            The loss, with a gradient of NaN if it diverges; and whether it may be counted, a bool scalar, or None if every
            loss is counted.
        """
        self._micro_batches.append(MicroBatch(batch, likelihood))
        if self.action == "stop":
            return with_nan_gradient_unless_finite(loss), None
        sound = torch.isfinite(loss)
        if self.largest_loss < math.inf:
            sound = sound & (likelihood <= self.largest_loss * batch.target_pieces)
        return with_nan_gradient_unless(sound, loss), sound if self.action == "skip" else None

    def before_step(
        self,
        norm: Tensor,
        optimizer: Optimizer,
        *,
        number: int,
        epoch: int,
        learning_rate: float,
        scaled: bool,
    ) -> None:
        """Take note of a step, and see to it that the optimizer does not take it if it diverges.

        Args:
            norm: of the gradient, a scalar on its device.
            optimizer: takes the step.
            number: of steps before it.
            epoch: from 0.
            learning_rate: of the step.
            scaled: whether a gradient scaler decides which steps are skipped.

        Raises:
            DivergenceError: the step diverges, and must end the training.
        """
        self._steps.append(Step(number, epoch, learning_rate, norm, self._micro_batches))
        self._micro_batches = []
        if scaled:
            return
        if must_not_wait(norm.device) and is_fused(optimizer):
            self.skip_on_device(norm, optimizer)
        elif self.check(scaled=False):
            # Optimizers leave parameters without a gradient, and their state, as they are.
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    parameter.grad = None

    def skip_on_device(self, norm: Tensor, optimizer: Optimizer) -> None:
        """Let a fused optimizer skip the step if the norm, a scalar, is not finite, without waiting for the device."""
        failed = ~torch.isfinite(norm)
        if self.action != "skip":
            # Training ends where this is noticed; until then, the weights stay those before the first failure.
            self._failed = failed if self._failed is None else self._failed | failed
            failed = self._failed
        # This is how a gradient scaler makes PyTorch's fused optimizers skip a step without a synchronization.
        optimizer.found_inf = failed.float()  # type: ignore[attr-defined]

    def check(self, *, scaled: bool) -> bool:
        """Read the norms of the steps since the last call; all processes must take part. Waits for the device.

        Args:
            scaled: whether a gradient scaler decides which steps are skipped.

        Returns:
            Whether the last of these steps failed.

        Raises:
            DivergenceError: one of them must end the training.
        """
        steps, self._steps = self._steps, []
        failed = False
        norms = torch.stack([step.norm for step in steps]).tolist() if steps else []
        for step, norm in zip(steps, norms, strict=True):
            failed = not math.isfinite(norm)
            if failed:
                self._count(step, scaled=scaled)
            else:
                self.skipped_in_a_row = 0
        return failed

    def _count(self, step: Step, *, scaled: bool) -> None:
        self.skipped_in_a_row += 1
        skips = self.action == "skip"
        self.skipped += skips
        most = max(self.limit if skips else 0, MOST_OVERFLOWS if scaled else 0)
        ends = self.skipped_in_a_row > most
        if not skips and not ends:
            return
        failure = self.report(step, skipped=not ends, attempt=self.returns)
        if ends:
            raise _error(step, failure, self.skipped_in_a_row, self.largest_loss)

    def logged(self) -> dict[str, float]:
        """Return the counts for a row of the log; empty where divergence stops the run."""
        if self.action == "stop" and not self.returns and not self.skipped:
            return {}
        return {"skipped_steps": float(self.skipped), "returns": float(self.returns)}

    def state_dict(self) -> dict[str, int]:
        """Return the state for a checkpoint."""
        return {
            "skipped": self.skipped,
            "skipped_in_a_row": self.skipped_in_a_row,
            "returns": self.returns,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state from a checkpoint."""
        self.skipped = int(state["skipped"])
        self.skipped_in_a_row = int(state["skipped_in_a_row"])
        self.returns = int(state["returns"])


def must_not_wait(device: torch.device) -> bool:
    """Whether reading a value from the device would cost time."""
    return device.type != "cpu"


def _error(step: Step, failure: Failure, in_a_row: int, largest_loss: float) -> DivergenceError:
    """Return the error for a step that ends the training."""
    too_large = largest_loss < failure.largest < math.inf
    what = f"a loss of {failure.largest:.3g} nats per piece" if too_large else "the loss or its gradient"
    return DivergenceError(
        step.number + 1 - in_a_row,
        step.learning_rate,
        what=what + (f", in {in_a_row} steps in a row," if in_a_row > 1 else ""),
        how="is far above that of guessing" if too_large else "",
        batch=failure.path,
    )
