"""Divergence: detected at the step where it happens, before it reaches the weights."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

__all__ = ["GradientWatch", "all_finite", "with_nan_gradient_unless_finite"]

# A gradient scaler halves its scale at each step that it skips. After this many, its initial 2^16 is 2^-24, the
# smallest positive number in fp16: then the network itself overflows, not the scaled loss.
_MAX_SKIPPED = 40


class GradientWatch:
    """Checks each step's gradient norm, and lets the optimizer skip a step whose gradient is not finite.

    On the processor such a step stops training at once. On a GPU, waiting for the norm would cost time: the optimizer's
    kernel skips the step by itself, and the weights stay unchanged until `failed_steps` is read. A gradient scaler may
    skip steps, as long as there are few in a row.
    """

    def __init__(self) -> None:
        self._failed: Tensor | None = None

    def must_stop(self, norm: Tensor, optimizer: Optimizer, *, scaled: bool, fused: bool = True) -> bool:
        """Check the norm of a step's gradient before the step is taken.

        Args:
            norm: of the gradient, a scalar on its device.
            optimizer: takes the step.
            scaled: whether a gradient scaler decides which steps are skipped.
            fused: whether the optimizer can skip a step by itself.

        Returns:
            Whether the step must not be taken; always False where a GPU skips it, since that is not known yet.
        """
        if not scaled and (norm.device.type == "cpu" or not fused):
            return not math.isfinite(float(norm))
        self.skip_unless_finite(norm, optimizer, scaled=scaled)
        return False

    def skip_unless_finite(self, norm: Tensor, optimizer: Optimizer, *, scaled: bool) -> None:
        """Let the optimizer skip the step if the norm, a scalar, is not finite, without waiting for the device."""
        failed = ~torch.isfinite(norm)
        count = self._failed if self._failed is not None else torch.zeros_like(failed, dtype=torch.int64)
        # With a scaler, a good step resets the count. Without one, every step after the first failure counts.
        self._failed = (count + 1) * (failed if scaled else failed | (count > 0))
        if not scaled:
            # This is how a gradient scaler makes PyTorch's fused optimizers skip a step without a synchronization.
            optimizer.found_inf = failed.float()  # type: ignore[attr-defined]

    def failed_steps(self, *, scaled: bool) -> int:
        """Return how many steps ago training failed; 0 if it did not. Waits for the device."""
        failed = 0 if self._failed is None else int(self._failed)
        return failed if failed > (_MAX_SKIPPED if scaled else 0) else 0


def with_nan_gradient_unless_finite(loss: Tensor) -> Tensor:
    """Return the loss, a scalar, with a gradient that is NaN if the loss is not finite.

    An infinite loss may have a finite gradient. With this one, a check of the gradient's norm finds both, and processes
    that share gradients all find the failure of one of them.
    """
    return loss * (1.0 + 0.0 * loss.detach())


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Return whether all values of all tensors are finite. Waits for the device once."""
    finite = [torch.isfinite(tensor).all() for tensor in tensors if tensor.is_floating_point()]
    return not finite or bool(torch.stack([each.to(finite[0].device) for each in finite]).all())
