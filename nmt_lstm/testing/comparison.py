"""Tensors compared against one bound, with the numbers kept for the report."""

from __future__ import annotations

import torch
from torch import Tensor

from nmt_lstm.testing.failure import ConformanceFailure

__all__ = ["Comparison", "same_shape"]


class Comparison:
    """Differences of any number of pairs of tensors, the largest remembered.

    A difference is relative to the expected tensor's largest magnitude where that is above 1.

    Args:
        allowed: the largest difference that passes; 0 asks for the same bits.
        hint: what usually causes a larger one.
    """

    def __init__(self, allowed: float, hint: str) -> None:
        self.allowed = allowed
        self.hint = hint
        self.largest = 0.0

    def add(self, what: str, seen: Tensor, expected: Tensor) -> None:
        """Compare one pair.

        Raises:
            ConformanceFailure: shapes differ, values are not finite, or the difference is larger than allowed.
        """
        same_shape(what, seen, tuple(expected.shape), self.hint)
        # Rounding of the higher precision to the lower is part of the difference.
        one, other = seen.detach().double(), expected.detach().double()
        if one.numel() == 0:
            return
        if not bool(torch.isfinite(one).all()):
            count = int((~torch.isfinite(one)).sum())
            raise ConformanceFailure(
                f"{what}: {count} of {one.numel()} values are NaN or infinite", self.hint
            )
        scale = max(1.0, float(other.abs().max()))
        differences = (one - other).abs() / scale
        largest = float(differences.max())
        self.largest = max(self.largest, largest)
        if not largest <= self.allowed:
            count = int((differences > self.allowed).sum())
            bound = f"allowed {self.allowed:.0e}" if self.allowed else "not one bit is allowed"
            raise ConformanceFailure(
                f"{what}: largest difference {largest:.1e}, {bound}; {count} of {one.numel()} values differ by more",
                self.hint,
            )

    def __str__(self) -> str:
        """Return the numbers for a report."""
        if self.allowed == 0:
            return "equal bit for bit"
        return f"largest difference {self.largest:.1e}, allowed {self.allowed:.0e}"


def same_shape(what: str, tensor: Tensor, shape: tuple[int, ...], hint: str) -> None:
    """Raise ConformanceFailure unless `tensor` has the shape."""
    if tuple(tensor.shape) != shape:
        raise ConformanceFailure(f"{what} has the shape {tuple(tensor.shape)}, expected {shape}", hint)
