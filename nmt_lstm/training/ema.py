"""An exponential moving average of a model's weights, which often translates better than the weights themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["MovingAverage"]


class MovingAverage:
    """The average of a model's parameters over training, ``a <- a + (1 - decay) (w - a)`` after each step.

    After n steps the decay is at most ``(1 + n) / (10 + n)``, as in TensorFlow's ``ExponentialMovingAverage``:
    otherwise the initial weights would dominate the average for a long time.

    Args:
        model: whose parameters are averaged.
        decay: of the average, in 0..1.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self._weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._averages = [weight.detach().clone() for weight in self._weights]

    @torch.no_grad()
    def update(self) -> None:
        """Add the weights after an optimizer step to the average."""
        self._follow_device()
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self._averages, [weight.detach() for weight in self._weights], 1.0 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Context manager that puts the average into the model."""
        self.swap()
        try:
            yield
        finally:
            self.swap()

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the model's weights and the average; a second call restores both."""
        self._follow_device()
        for weight, average in zip(self._weights, self._averages, strict=True):
            saved = weight.detach().clone()
            weight.copy_(average)
            average.copy_(saved)

    def state_dict(self) -> dict[str, int | list[Tensor]]:
        """Return the state for a checkpoint."""
        return {"updates": self.updates, "averages": self._averages}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, int | list[Tensor]]) -> None:
        """Restore the state from a checkpoint."""
        updates, averages = state["updates"], state["averages"]
        assert isinstance(updates, int)
        assert isinstance(averages, list)
        self.updates = updates
        for average, saved in zip(self._averages, averages, strict=True):
            average.copy_(saved)

    def _follow_device(self) -> None:
        """Move the average to the model's device, which may have changed."""
        if self._averages and self._averages[0].device != self._weights[0].device:
            self._averages = [
                average.to(weight.device)
                for average, weight in zip(self._averages, self._weights, strict=True)
            ]
