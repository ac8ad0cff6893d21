"""The loss over the vocabulary, the largest single cost of training, computed without holding all its logits."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from nmt_lstm.numerics.linear import linear

__all__ = ["Loss", "linear_cross_entropy"]

# Rows of logits held at once: 256 rows of 8,000 in float32 are 8 MiB, which stay in a processor's cache.
CHUNK_ROWS = 256
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


class _ProductsOfGradients:
    """Products with the logits' gradient; only float32 on a processor gains by `linear`, which wants rows in order."""

    def __init__(self, weight: Tensor) -> None:
        self.weight = weight
        self.transposed = (
            weight.t().contiguous() if weight.dtype == torch.float32 and weight.device.type == "cpu" else None
        )

    def for_states(self, gradient: Tensor) -> Tensor:
        """Return (N, E) of (N, V)."""
        return gradient @ self.weight if self.transposed is None else linear(gradient, self.transposed)

    def for_weight(self, gradient: Tensor, states: Tensor) -> Tensor:
        """Return (V, E) of (N, V) and (N, E)."""
        if self.transposed is None:
            return gradient.t() @ states
        return linear(gradient.t().contiguous(), states.t().contiguous())


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx, states: Tensor, weight: Tensor, bias: Tensor | None, labels, smoothing, rows, dtype, wanted
    ):
        pieces = weight.shape[0]
        cast_weight, cast_states = weight.to(dtype), states.to(dtype)
        exact = torch.float64 if dtype == torch.float64 else torch.float32
        total = states.new_zeros((), dtype=exact)
        likelihood = states.new_zeros((), dtype=exact)
        if wanted:
            product = _ProductsOfGradients(cast_weight)
            for_states = torch.empty_like(cast_states)
            for_weight = torch.zeros_like(weight, dtype=exact)
            for_bias = torch.zeros(pieces, dtype=exact, device=weight.device) if bias is not None else None
        with torch.autocast(states.device.type, enabled=False):
            for start in range(0, len(labels), rows):
                chunk = slice(start, start + rows)
                picked = labels[chunk, None]
                logits = linear(cast_states[chunk], cast_weight).to(exact)
                if bias is not None:
                    logits += bias
                highest = logits.amax(1, keepdim=True)
                at_label = logits.gather(1, picked)
                mean = logits.mean(1, keepdim=True) if smoothing else at_label
                exponentials = logits.sub_(highest).exp_()
                sums = exponentials.sum(1, keepdim=True)
                normaliser = sums.log() + highest
                likelihood += (normaliser - at_label).sum()
                total += (normaliser - (1.0 - smoothing) * at_label - smoothing * mean).sum()
                if not wanted:
                    continue
                gradient = exponentials.div_(sums)
                if smoothing:
                    gradient -= smoothing / pieces
                gradient.scatter_add_(1, picked, torch.full_like(at_label, smoothing - 1.0))
                if for_bias is not None:
                    for_bias += gradient.sum(0)
                gradient = gradient.to(dtype)
                for_states[chunk] = product.for_states(gradient)
                for_weight += product.for_weight(gradient, cast_states[chunk])
        if wanted:
            ctx.save_for_backward(for_states.to(states.dtype), for_weight.to(weight.dtype), for_bias)
        ctx.mark_non_differentiable(likelihood)
        return total, likelihood

    @staticmethod
    def backward(ctx, scale, _):  # type: ignore[no-untyped-def]
        for_states, for_weight, for_bias = ctx.saved_tensors
        bias = for_bias * scale if for_bias is not None else None
        return for_states * scale, for_weight * scale, bias, None, None, None, None, None
