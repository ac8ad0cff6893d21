"""Sparsemax and 1.5-entmax: distributions of scores in which small scores get exactly 0."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["entmax15", "sparsemax"]


def sparsemax(scores: Tensor, is_allowed: Tensor) -> Tensor:
    """Return the nearest distribution (..., S) to the scores, max(0, z - t) with the t for which it sums to 1.

    Args:
        scores: (..., S).
        is_allowed: (..., S), bool, broadcast; elsewhere the result is 0.

    Returns:
        float32 or more precise. Source: Martins and Astudillo 2016.
    """
    result: Tensor = _Sparsemax.apply(_below(scores, is_allowed, 2.0))  # type: ignore[no-untyped-call]
    return result.masked_fill(~is_allowed, 0.0)


def entmax15(scores: Tensor, is_allowed: Tensor) -> Tensor:
    """Return max(0, z / 2 - t) ^ 2 with the t for which it sums to 1: between softmax and sparsemax.

    Arguments and result are those of `sparsemax`. Source: Peters et al. 2019.
    """
    result: Tensor = _Entmax15.apply(_below(scores, is_allowed, 4.0) / 2.0)  # type: ignore[no-untyped-call]
    return result.masked_fill(~is_allowed, 0.0)


def _below(scores: Tensor, is_allowed: Tensor, distance: float) -> Tensor:
    """Return scores less their largest, in float32; what is not allowed lies where the result is 0, but no lower."""
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    scores = scores.masked_fill(~is_allowed, torch.finfo(scores.dtype).min)
    return (scores - scores.amax(-1, keepdim=True).detach()).clamp_min(-distance)


def _counts(like: Tensor) -> Tensor:
    return torch.arange(1, like.shape[-1] + 1, device=like.device, dtype=like.dtype)


class _Sparsemax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, scores):  # type: ignore[no-untyped-def]
        ordered = scores.sort(-1, descending=True).values
        sums, counts = ordered.cumsum(-1), _counts(scores)
        # The largest number of scores that all lie above their common threshold.
        size = (counts * ordered > sums - 1.0).sum(-1, keepdim=True)
        threshold = (sums.gather(-1, size - 1) - 1.0) / size
        weights = (scores - threshold).clamp_min(0.0)
        ctx.save_for_backward(weights)
        return weights

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        (weights,) = ctx.saved_tensors
        inside = (weights > 0).to(gradient.dtype)
        mean = (gradient * inside).sum(-1, keepdim=True) / inside.sum(-1, keepdim=True)
        return inside * (gradient - mean)


class _Entmax15(torch.autograd.Function):
    @staticmethod
    def forward(ctx, halves):  # type: ignore[no-untyped-def]
        ordered = halves.sort(-1, descending=True).values
        counts = _counts(halves)
        means = ordered.cumsum(-1) / counts
        squares = ordered.square().cumsum(-1) / counts
        # For the first k scores: the t for which their squares above it sum to 1.
        deviation = ((1.0 - counts * (squares - means.square())) / counts).clamp_min(0.0)
        thresholds = means - deviation.sqrt()
        size = (thresholds <= ordered).sum(-1, keepdim=True)
        roots = (halves - thresholds.gather(-1, size - 1)).clamp_min(0.0)
        ctx.save_for_backward(roots)
        return roots.square()

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        (roots,) = ctx.saved_tensors
        # d weights / d halves is 2 roots; the threshold moves by their weighted mean.
        mean = (gradient * roots).sum(-1, keepdim=True) / roots.sum(-1, keepdim=True)
        return 2.0 * roots * (gradient - mean)
