"""The loss over the vocabulary, the largest single cost of training, computed without holding all its logits."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from nmt_lstm.numerics.linear import matmul, matmul_operand
from nmt_lstm.numerics.row_counts import padded_rows

__all__ = ["Loss", "linear_cross_entropy"]

# Rows of logits held at once, in the format of products.
CHUNK_ROWS = 512
# Logits that are looked at together in float32, 1 MiB: what is done to them is done in a processor's cache.
LOGITS_AT_ONCE = 1 << 18
# A GPU wants fewer and larger products.
CHUNK_ROWS_GPU = 4096


class Loss(NamedTuple):
    """The loss of a batch, summed over its real labels."""

    total: Tensor
    """Smoothed cross-entropy, differentiable."""
    negative_log_likelihood: Tensor
    """Unsmoothed, detached, in nats."""
    pieces: int
    """Number of real labels."""


def linear_cross_entropy(
    states: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    labels: Tensor,
    label_smoothing: float = 0.0,
    chunk_rows: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the summed cross-entropy of ``softmax(states @ weight.T + bias)`` against labels.

    Logits exist for some rows at a time; their gradient is computed right there, in the forward pass, and turned
    into the gradients of states and weight, so nothing is computed twice. Products run in the autocast precision.
    Label smoothing: Szegedy et al. 2016, the share spread evenly over all V pieces.

    Args:
        states: (N, E).
        weight: (V, E).
        bias: (V,), or None.
        labels: (N,), int64.
        label_smoothing: share of probability that is spread.
        chunk_rows: rows of logits held at once.

    Returns:
        The smoothed sum, differentiable, and the unsmoothed sum, detached: both float32 scalars.
    """
    kind = states.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype
    rows = chunk_rows or (CHUNK_ROWS if kind == "cpu" else CHUNK_ROWS_GPU)
    wanted = torch.is_grad_enabled() and any(
        tensor.requires_grad for tensor in (states, weight, bias) if tensor is not None
    )
    total, likelihood = _LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]
        states, weight, bias, labels, label_smoothing, rows, dtype, wanted
    )
    return total, likelihood


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx, states: Tensor, weight: Tensor, bias: Tensor | None, labels, smoothing, rows, dtype, wanted
    ):
        cast_weight, cast_states = weight.to(dtype), states.to(dtype)
        tally = _Tally(weight, bias, smoothing, wanted=wanted)
        if wanted:
            columns = matmul_operand(cast_weight)
            for_states = torch.empty_like(cast_states)
            for_weight = torch.zeros_like(weight, dtype=tally.exact)
        with torch.autocast(states.device.type, enabled=False):
            for start in range(0, len(labels), rows):
                chunk = padded_rows(cast_states[start : start + rows])
                logits = matmul(chunk, cast_weight.t())
                tally.add(logits, labels[start : start + rows])
                if wanted:
                    gradient = logits  # it has taken their place
                    real = for_states[start : start + rows]
                    real.copy_(matmul(gradient, columns)[: len(real)])
                    for_weight += matmul(gradient.t(), chunk)
        if wanted:
            ctx.save_for_backward(for_states.to(states.dtype), for_weight.to(weight.dtype), tally.for_bias)
        ctx.mark_non_differentiable(tally.likelihood)
        return tally.total, tally.likelihood

    @staticmethod
    def backward(ctx, scale, _):  # type: ignore[no-untyped-def]
        for_states, for_weight, for_bias = ctx.saved_tensors
        bias = for_bias * scale if for_bias is not None else None
        return for_states * scale, for_weight * scale, bias, None, None, None, None, None


class _Tally:
    """The loss and the gradient of the bias, summed over logits that are given chunk by chunk."""

    def __init__(self, weight: Tensor, bias: Tensor | None, smoothing: float, *, wanted: bool) -> None:
        self.exact = torch.float64 if weight.dtype == torch.float64 else torch.float32
        self.bias = bias
        self.smoothing = smoothing
        self.wanted = wanted
        self.at_once = max(1, LOGITS_AT_ONCE // len(weight)) if weight.device.type == "cpu" else 1 << 30
        self.total = weight.new_zeros((), dtype=self.exact)
        self.likelihood = weight.new_zeros((), dtype=self.exact)
        self.for_bias = (
            weight.new_zeros(len(weight), dtype=self.exact) if wanted and bias is not None else None
        )

    def add(self, logits: Tensor, labels: Tensor) -> None:
        """Count logits (N, V) of at most N labels; of the rows beyond them nothing. Their gradient takes their place."""
        for start in range(0, len(labels), self.at_once):
            end = min(start + self.at_once, len(labels))
            gradient = self._add(logits[start:end].to(self.exact), labels[start:end, None])
            if self.wanted:
                logits[start:end] = gradient
        if self.wanted:
            logits[len(labels) :] = 0.0

    def _add(self, logits: Tensor, picked: Tensor) -> Tensor:
        """Count rows in the exact format; return their gradient if it is wanted, otherwise anything."""
        if self.bias is not None:
            logits = logits + self.bias
        highest = logits.amax(1, keepdim=True)
        at_label = logits.gather(1, picked)
        mean = logits.mean(1, keepdim=True) if self.smoothing else at_label
        exponentials = (logits - highest).exp_()
        sums = exponentials.sum(1, keepdim=True)
        normaliser = sums.log() + highest
        self.likelihood += (normaliser - at_label).sum()
        self.total += (normaliser - (1.0 - self.smoothing) * at_label - self.smoothing * mean).sum()
        if not self.wanted:
            return exponentials
        gradient = exponentials.div_(sums)
        if self.smoothing:
            gradient -= self.smoothing / logits.shape[1]
        gradient.scatter_add_(1, picked, torch.full_like(at_label, self.smoothing - 1.0))
        if self.for_bias is not None:
            self.for_bias += gradient.sum(0)
        return gradient
