"""A training that diverges: noticed at the step where it happens, before the weights are spoiled."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

__all__ = ["GradientWatch", "all_finite", "poisoned"]

# A gradient scaler halves its scale at each step that it skips. From its initial 2^16 nothing is left to halve after this
# many, so that the network itself computes what is not finite.
_MOST_SKIPPED = 40


class GradientWatch:
    """Looks at each step's gradient norm, and lets the optimizer skip a step whose gradient is not finite.

    On the processor such a step ends the training at once. On a GPU nobody waits for the norm: the optimizer's kernel
    skips the step by itself, so the weights stay as they were until `failed_steps` is read. Steps that a gradient scaler
    skips are normal, as long as there are few in a row.
    """

    def __init__(self) -> None:
        self._failed: Tensor | None = None

    def observe(self, norm: Tensor, optimizer: Optimizer, *, scaled: bool) -> bool:
        """Take note of a step's norm before the step is taken.

        Args:
            norm: of the gradient, on its device.
            optimizer: a fused one unless `scaled`.
            scaled: whether a gradient scaler decides which steps are skipped.

        Returns:
            Whether the step must not be taken; never known at once on a GPU.
        """
        if norm.device.type == "cpu" and not scaled:
            return not math.isfinite(float(norm))
        self._skip(norm, optimizer, scaled=scaled)
        return False

    def _skip(self, norm: Tensor, optimizer: Optimizer, *, scaled: bool) -> None:
        failed = ~torch.isfinite(norm)
        before = self._failed if self._failed is not None else torch.zeros_like(failed, dtype=torch.int64)
        # Without a scaler nothing excuses a failed step, so that all are counted since the first.
        self._failed = (before + 1) * (failed if scaled else failed | (before > 0))
        if not scaled:
            # The gradient scaler's own way to tell PyTorch's fused optimizers to skip a step without being asked.
            optimizer.found_inf = failed.float()  # type: ignore[attr-defined]

    def failed_steps(self, *, scaled: bool) -> int:
        """Return how many steps ago the first one failed; 0 while none did but for a scaler's. Waits for the device."""
        failed = 0 if self._failed is None else int(self._failed)
        return failed if failed > (_MOST_SKIPPED if scaled else 0) else 0


def poisoned(loss: Tensor) -> Tensor:
    """Return the loss as it is, with a gradient that is NaN where the loss is not finite.

    An infinite loss may have a finite gradient. Like this the norm of the gradient tells of both, and where processes
    share gradients each of them learns what any has met.
    """
    return loss * (1.0 + 0.0 * loss.detach())


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Whether all values of all tensors are finite numbers. Waits for the device once."""
    finite = [torch.isfinite(tensor).all() for tensor in tensors if tensor.is_floating_point()]
    return not finite or bool(torch.stack([each.to(finite[0].device) for each in finite]).all())
