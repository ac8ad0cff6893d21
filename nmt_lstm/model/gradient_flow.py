"""Gradients by lag, for each cell of a network: how much of an error reaches the cell's states some positions earlier.

Shapes: B batch, K lags.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from nmt_lstm.batching.batch import Batch
from nmt_lstm.cells.state_record import StateRecord, StepValues, gradient_norms, recorded_states
from nmt_lstm.model.cell_locations import CellLocation, cell_locations
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.numerics.linear import linear

__all__ = ["EXPLOSION_FACTOR", "HORIZON_SHARE", "Flow", "Reach", "gradient_flow"]

HORIZON_SHARE = 0.1
"""The horizon is the first lag at which the norm is below this share of that at lag 0.

A measure for comparing cells, not a fault: a cell that has learnt to forget has a short horizon. When so little arrives that
a cell cannot learn, its gradients vanish; `nmt_lstm.training.gradient_advice` has the threshold of that warning.
"""
EXPLOSION_FACTOR = 10.0
"""A gradient explodes if its norm is more than this many times that at lag 0."""

_LOGIT_ROWS = 1024


class Reach(NamedTuple):
    """How far back a gradient reaches, as far as it was measured."""

    horizon: int | None
    """See `Flow.horizon`."""
    longest: int
    """The longest lag that was measured."""

    def __str__(self) -> str:
        """The horizon: "11", or "≥ 39" if it is beyond the longest lag."""
        return f"≥ {self.longest}" if self.horizon is None else str(self.horizon)

    @property
    def lower_bound(self) -> int:
        """The horizon, or the least that it can be: one more than the longest lag."""
        return self.longest + 1 if self.horizon is None else self.horizon


class Flow(NamedTuple):
    """The gradient of an error at one position with respect to a cell's state there and at earlier positions."""

    location: CellLocation
    norms: tuple[float, ...]
    """K norms by lag, each the mean over sentences: the first is that at the position of the error itself."""

    @property
    def relative(self) -> tuple[float, ...]:
        """The norms as multiples of that at lag 0; all 0 if no error arrives at all."""
        scale = self.norms[0]
        return tuple(norm / scale if scale != 0.0 else 0.0 for norm in self.norms)

    @property
    def horizon(self) -> int | None:
        """The first lag at which the norm is below 10 % of that at lag 0; None if there is none up to the longest lag."""
        return next((lag for lag, share in enumerate(self.relative) if share < HORIZON_SHARE), None)

    @property
    def reach(self) -> Reach:
        """The horizon and the longest lag."""
        return Reach(self.horizon, len(self.norms) - 1)

    @property
    def error_arrives(self) -> bool:
        """Whether any error arrives at lag 0."""
        return self.norms[0] != 0.0

    @property
    def explodes(self) -> bool:
        """Whether the norm is more than 10 times that at lag 0 at some lag, or is not finite."""
        return not all(share <= EXPLOSION_FACTOR for share in self.relative)

    @property
    def factor(self) -> float:
        """The factor per position by which the norm changes from lag 0 to the longest lag, as a geometric mean."""
        last = self.relative[-1]
        return last ** (1.0 / max(1, len(self.norms) - 1)) if last > 0.0 else 0.0


def gradient_flow(model: Seq2Seq, batch: Batch) -> list[Flow]:
    """Return the gradient flow of each cell, from the source to the output.

    Let h be the values of a cell at a position: its complete state (an LSTM's hidden and cell state as one vector), and its
    output if that is not part of the state. A position at lag k is k positions before the error, in the order in which the
    cell reads.

    - Decoder: the norm of d L(t) / d h(t-k), where L(t) is the cross-entropy of the last label of a sentence. All paths
      count: through the cell, through the layers above it, and through what the wiring feeds back.
    - Encoder: attention carries the errors of all target pieces to every position directly, so the distance between them
      says nothing about the cell. Instead, the error that arrives at the last position the cell reads is followed through
      its recurrence alone: the norm of e(t) d h(t) / d h(t-k), where e(t) = d L / d h(t) and L is the cross-entropy of all
      labels.

    Norms are computed for each sentence and then averaged. The longest lag is that of the shortest sentence on each side.

    Args:
        model: any network. It is measured in evaluation mode, without dropout; the modes of its modules are restored.
        batch: sentence pairs with at least one label each, on the device of the model.
    """
    locations = cell_locations(model)
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        # Without autocast: in bf16, small gradients would be lost.
        with (
            torch.enable_grad(),
            torch.autocast(batch.target_inputs.device.type, enabled=False),
            recorded_states([location.cell for location in locations]) as records,
        ):
            outputs = model(batch).outputs
            last = _last_loss(model, outputs, batch)
            errors = _output_errors(model, outputs, batch)
        flows = []
        lengths = {"encoder": batch.source.lengths, "decoder": batch.target_lengths}
        for location, record in zip(locations, records, strict=True):
            ends = lengths[location.side] - 1
            at_positions = record[1:]  # without the initial state
            if location.side == "encoder":
                norms = _norms_from_ends(outputs, errors, at_positions, ends)
            else:
                norms = gradient_norms([last], at_positions)
            flows.append(Flow(location, tuple(_by_lag(norms, ends).tolist())))
    finally:
        for module, mode in modes:
            module.training = mode
    return flows


def _last_loss(model: Seq2Seq, outputs: Tensor, batch: Batch) -> Tensor:
    """Return the cross-entropy of each sentence's last label, summed over sentences."""
    rows = torch.arange(len(outputs), device=outputs.device)
    ends = batch.target_lengths - 1
    logits = linear(outputs[rows, ends], model.output_weight, model.output_bias)
    return functional.cross_entropy(logits.float(), batch.target_outputs[rows, ends], reduction="sum")


def _output_errors(model: Seq2Seq, outputs: Tensor, batch: Batch) -> Tensor:
    """Return the gradient (B, T, E) of the cross-entropy of all labels, summed, with respect to the decoder's outputs."""
    rows, labels = outputs.detach().flatten(0, 1), batch.target_outputs.flatten()
    errors = torch.zeros_like(rows)
    # Logits of a whole batch of long sequences would take gigabytes.
    for positions in batch.target_positions.split(_LOGIT_ROWS):
        tensor = rows[positions].requires_grad_()
        logits = linear(tensor, model.output_weight, model.output_bias)
        loss = functional.cross_entropy(logits.float(), labels[positions], reduction="sum")
        (errors[positions],) = torch.autograd.grad(loss, tensor)
    return errors.view_as(outputs)


def _norms_from_ends(outputs: Tensor, errors: Tensor, record: StateRecord, ends: Tensor) -> Tensor:
    """Return the norms (P, B) of the error that arrives at the end of each sentence, followed back through the recurrence.

    Args:
        outputs: (B, T, E), of the decoder.
        errors: (B, T, E), their gradients.
        record: the values of the cell at each of P positions.
        ends: (B,), the last position of each sentence.
    """
    positions = sorted(set(ends.tolist()))
    tensors = [
        (tensor, ends == position) for position in positions for tensor in _differentiable(record[position])
    ]
    arriving = torch.autograd.grad(
        outputs,
        [tensor for tensor, _ in tensors],
        errors,
        retain_graph=True,
        allow_unused=True,
        materialize_grads=True,
    )
    # A sentence that ends elsewhere has its error elsewhere.
    own = [torch.where(rows[:, None], error, 0.0) for (_, rows), error in zip(tensors, arriving, strict=True)]
    return gradient_norms([tensor for tensor, _ in tensors], record, errors=own)


def _differentiable(values: StepValues) -> Sequence[Tensor]:
    return [tensor for tensor in values if tensor.requires_grad]


def _by_lag(norms: Tensor, ends: Tensor) -> Tensor:
    """Return the means (K,) by lag of norms (P, B) by position, for sentences that end at the positions (B,)."""
    lags = torch.arange(int(ends.min()) + 1, device=norms.device)
    return norms.gather(0, ends[None] - lags[:, None]).mean(1)
