"""Values that are not finite: in losses, whose gradients then show it, and in tensors."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

__all__ = ["all_finite", "with_nan_gradient_unless", "with_nan_gradient_unless_finite"]


def with_nan_gradient_unless_finite(loss: Tensor) -> Tensor:
    """Return the loss, a scalar, with a gradient that is NaN if the loss is not finite.

    An infinite loss may have a finite gradient. With this one, a check of the gradient's norm finds both, and processes
    that share gradients all find the failure of one of them.
    """
    return loss * (1.0 + 0.0 * loss.detach())


def with_nan_gradient_unless(sound: Tensor, loss: Tensor) -> Tensor:
    """Return the loss, a scalar, as it is, or NaN with a gradient of NaN unless it is `sound`, a bool scalar."""
    return loss * torch.where(sound, 1.0, math.nan)


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Return whether all values of all tensors are finite. Waits for the device once."""
    finite = [torch.isfinite(tensor).all() for tensor in tensors if tensor.is_floating_point()]
    return not finite or bool(torch.stack([each.to(finite[0].device) for each in finite]).all())
