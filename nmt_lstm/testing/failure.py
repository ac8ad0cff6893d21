"""How a check fails: by a comparison of tensors, or because there is nothing to check."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["Comparison", "ConformanceFailure", "DoesNotApply", "NotChecked", "check_shape"]


class ConformanceFailure(AssertionError):  # noqa: N818 - like AssertionError: the class under test fails
    """A cell, attention or encoder violates an assumption of the framework.

    Args:
        numbers: the actual values, and what is allowed.
        hint: the usual cause, or what to do.
    """

    def __init__(self, numbers: str, hint: str) -> None:
        super().__init__(f"{numbers}. {hint}")
        self.numbers = numbers
        self.hint = hint


class DoesNotApply(Exception):  # noqa: N818 - not an error, but the reason why there is nothing to check
    """A check has nothing to check in this class."""


class NotChecked(DoesNotApply):
    """A check applies to this class, but this machine cannot run it."""


class Comparison:
    """Compares pairs of tensors, and records their largest difference.

    Differences are relative to the largest magnitude in the expected tensor if that is above 1.

    Args:
        allowed: the largest difference that passes; with 0 the tensors must be equal to the last bit.
        hint: the usual cause of a larger one.
    """

    def __init__(self, allowed: float, hint: str) -> None:
        self.allowed = allowed
        self.hint = hint
        self.largest = 0.0

    def add(self, label: str, actual: Tensor, expected: Tensor) -> None:
        """Compare a pair of tensors of the same shape.

        Args:
            label: names the tensor in messages.
            actual: the tensor to check.
            expected: the tensor to compare it with.

        Raises:
            ConformanceFailure: shapes differ, values are not finite, or the difference is larger than allowed.
        """
        check_shape(label, actual, tuple(expected.shape), self.hint)
        # In float64, so that the rounding of either tensor is part of the difference.
        one, other = actual.detach().double(), expected.detach().double()
        if one.numel() == 0:
            return
        if not bool(torch.isfinite(one).all()):
            count = int((~torch.isfinite(one)).sum())
            raise ConformanceFailure(
                f"{label}: {count} of {one.numel()} values are NaN or infinite", self.hint
            )
        scale = max(1.0, float(other.abs().max()))
        differences = (one - other).abs() / scale
        largest = float(differences.max())
        self.largest = max(self.largest, largest)
        if not largest <= self.allowed:
            count = int((differences > self.allowed).sum())
            bound = f"allowed {self.allowed:.0e}" if self.allowed else "no difference is allowed"
            raise ConformanceFailure(
                f"{label}: largest difference {largest:.1e}, {bound}; {count} of {one.numel()} values differ more",
                self.hint,
            )

    def __str__(self) -> str:
        """Return the numbers for a report."""
        if self.allowed == 0:
            return "equal to the last bit"
        return f"largest difference {self.largest:.1e}, allowed {self.allowed:.0e}"


def check_shape(label: str, tensor: Tensor, shape: tuple[int, ...], hint: str) -> None:
    """Raise ConformanceFailure unless the tensor has this shape."""
    if tuple(tensor.shape) != shape:
        raise ConformanceFailure(f"{label} has shape {tuple(tensor.shape)}, expected {shape}", hint)
