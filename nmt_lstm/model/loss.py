"""The loss over the vocabulary, the largest single cost of training, computed without holding all its logits.

Shapes: N labels, E width of the outputs, V vocabulary.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from nmt_lstm.batching.batch import Batch
from nmt_lstm.numerics.linear import matmul, matmul_operand
from nmt_lstm.numerics.row_counts import padded_rows

__all__ = ["Loss", "batch_loss", "linear_cross_entropy"]

# Rows of logits held at once, in the format of products.
CHUNK_ROWS = 512
# Logits processed together in float32, 1 MiB: all passes over them then stay in a CPU's cache.
LOGITS_AT_ONCE = 1 << 18
# A GPU needs fewer and larger products.
CHUNK_ROWS_GPU = 4096


class Loss(NamedTuple):
    """The loss of a batch, summed over its real labels."""

    total: Tensor
    """Smoothed cross-entropy, differentiable."""
    negative_log_likelihood: Tensor
    """Unsmoothed, detached, in nats."""
    pieces: int
    """Number of real labels."""


def batch_loss(
    outputs: Tensor, weight: Tensor, bias: Tensor | None, batch: Batch, label_smoothing: float
) -> Loss:
    """Return the loss of outputs (B, T, E) summed over the real labels of a batch; see `linear_cross_entropy`."""
    states = outputs.flatten(0, 1).index_select(0, batch.target_positions)
    labels = batch.target_outputs.flatten().index_select(0, batch.target_positions)
    total, likelihood = linear_cross_entropy(states, weight, bias, labels, label_smoothing)
    return Loss(total, likelihood, batch.target_pieces)


def linear_cross_entropy(
    states: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    labels: Tensor,
    label_smoothing: float = 0.0,
    chunk_rows: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the summed cross-entropy of ``softmax(states @ weight.T + bias)`` against labels.

    Logits exist for some rows at a time. Their gradient is computed right away, in the forward pass, and turned into the
    gradients of states and weight, so that no logits are kept or computed twice. Products use the autocast precision.
    Label smoothing (Szegedy et al. 2016) spreads its share evenly over all V pieces.

    Args:
        states: (N, E).
        weight: (V, E).
        bias: (V,), or None.
        labels: (N,), int64.
        label_smoothing: share of the probability that is spread.
        chunk_rows: rows of logits held at once.

    Returns:
        The smoothed sum, differentiable, and the unsmoothed sum, detached: both float32 scalars.
    """
    kind = states.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype
    rows = chunk_rows or (CHUNK_ROWS if kind == "cpu" else CHUNK_ROWS_GPU)
    with_gradients = torch.is_grad_enabled() and any(
        tensor.requires_grad for tensor in (states, weight, bias) if tensor is not None
    )
    total, likelihood = _LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]
        states, weight, bias, labels, label_smoothing, rows, dtype, with_gradients
    )
    return total, likelihood


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx,
        states: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        labels,
        smoothing,
        rows,
        dtype,
        with_gradients,
    ):
        cast_weight, cast_states = weight.to(dtype), states.to(dtype)
        sums = _RunningSums(weight, bias, smoothing, with_gradients=with_gradients)
        if with_gradients:
            columns = matmul_operand(cast_weight)
            for_states = torch.empty_like(cast_states)
            for_weight = torch.zeros_like(weight, dtype=sums.dtype)
        with torch.autocast(states.device.type, enabled=False):
            for start in range(0, len(labels), rows):
                chunk = padded_rows(cast_states[start : start + rows])
                logits = matmul(chunk, cast_weight.t())
                sums.add(logits, labels[start : start + rows])
                if with_gradients:
                    gradient = logits  # `add` has overwritten them with their gradient
                    for_chunk = for_states[start : start + rows]
                    for_chunk.copy_(matmul(gradient, columns)[: len(for_chunk)])
                    for_weight += matmul(gradient.t(), chunk)
        if with_gradients:
            ctx.save_for_backward(for_states.to(states.dtype), for_weight.to(weight.dtype), sums.for_bias)
        ctx.mark_non_differentiable(sums.likelihood)
        return sums.total, sums.likelihood

    @staticmethod
    def backward(ctx, scale, _):  # type: ignore[no-untyped-def]
        # The loss enters the total linearly, so its gradient `scale` is a factor of the gradients computed before.
        for_states, for_weight, for_bias = ctx.saved_tensors
        for_bias = for_bias * scale if for_bias is not None else None
        return for_states * scale, for_weight * scale, for_bias, None, None, None, None, None


class _RunningSums:
    """The loss and the gradient of the bias, summed over chunks of logits; float32, or float64 for such a weight."""

    def __init__(
        self, weight: Tensor, bias: Tensor | None, smoothing: float, *, with_gradients: bool
    ) -> None:
        self.dtype = torch.float64 if weight.dtype == torch.float64 else torch.float32
        self.bias = bias
        self.smoothing = smoothing
        self.with_gradients = with_gradients
        self.rows_at_once = max(1, LOGITS_AT_ONCE // len(weight)) if weight.device.type == "cpu" else 1 << 30
        self.total = weight.new_zeros((), dtype=self.dtype)
        self.likelihood = weight.new_zeros((), dtype=self.dtype)
        self.for_bias = (
            weight.new_zeros(len(weight), dtype=self.dtype) if with_gradients and bias is not None else None
        )

    def add(self, logits: Tensor, labels: Tensor) -> None:
        """Add the loss of logits (N or more, V) for labels (N,), and overwrite the logits with their gradient.

        Rows beyond the labels are padding: they add nothing, and their gradient is zero.
        """
        for start in range(0, len(labels), self.rows_at_once):
            end = min(start + self.rows_at_once, len(labels))
            gradient = self._add_rows(logits[start:end].to(self.dtype), labels[start:end, None])
            if gradient is not None:
                logits[start:end] = gradient
        if self.with_gradients:
            logits[len(labels) :] = 0.0

    def _add_rows(self, logits: Tensor, labels: Tensor) -> Tensor | None:
        """Add rows (n, V) with labels (n, 1); return their gradient if gradients are computed."""
        if self.bias is not None:
            logits = logits + self.bias
        # log sum exp, less the largest logit so that no exponential overflows.
        largest = logits.amax(1, keepdim=True)
        at_label = logits.gather(1, labels)
        mean = logits.mean(1, keepdim=True) if self.smoothing else at_label
        exponentials = (logits - largest).exp_()
        sums = exponentials.sum(1, keepdim=True)
        normaliser = sums.log() + largest
        self.likelihood += (normaliser - at_label).sum()
        # Cross-entropy against (1 - smoothing) on the label and smoothing / V on every piece.
        self.total += (normaliser - (1.0 - self.smoothing) * at_label - self.smoothing * mean).sum()
        if not self.with_gradients:
            return None
        # softmax minus that target distribution.
        gradient = exponentials.div_(sums)
        if self.smoothing:
            gradient -= self.smoothing / logits.shape[1]
        gradient.scatter_add_(1, labels, torch.full_like(at_label, self.smoothing - 1.0))
        if self.for_bias is not None:
            self.for_bias += gradient.sum(0)
        return gradient
