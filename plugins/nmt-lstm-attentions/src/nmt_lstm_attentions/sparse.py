"""Sparsemax and 1.5-entmax: distributions in which low scores get exactly 0."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["entmax15", "sparsemax"]


def sparsemax(scores: Tensor, is_allowed: Tensor) -> Tensor:
    """Return the distribution (..., S) nearest to the scores z: max(0, z - t), with the t for which it sums to 1.

    Args:
        scores: (..., S).
        is_allowed: bool, broadcast to (..., S); elsewhere the result is 0.

    Returns:
        (..., S), float32 or more precise. Source: Martins and Astudillo 2016.
    """
    result: Tensor = _Sparsemax.apply(_shifted_scores(scores, is_allowed, 2.0))  # type: ignore[no-untyped-call]
    return result.masked_fill(~is_allowed, 0.0)


def entmax15(scores: Tensor, is_allowed: Tensor) -> Tensor:
    """Return the distribution max(0, z / 2 - t) ^ 2, with the t for which it sums to 1: between softmax and sparsemax.

    Arguments and result are those of `sparsemax`. Source: Peters et al. 2019.
    """
    result: Tensor = _Entmax15.apply(_shifted_scores(scores, is_allowed, 4.0) / 2.0)  # type: ignore[no-untyped-call]
    return result.masked_fill(~is_allowed, 0.0)


def _shifted_scores(scores: Tensor, is_allowed: Tensor, distance: float) -> Tensor:
    """Return scores (..., S) minus their largest, in float32, and no lower than -distance, from where results are 0."""
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
        # The largest number of scores that are all above their common threshold (Martins and Astudillo 2016, algorithm 1).
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
        # For the k largest scores: the t for which their squared differences from it sum to 1 (Peters et al. 2019).
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
