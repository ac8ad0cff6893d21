"""An exponential moving average of a model's weights, which often translate better than the weights themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["MovingAverage"]


class MovingAverage:
    """The average of a model's parameters over its training, ``a <- a + (1 - decay) (w - a)`` after each step.

    The decay of early steps is lowered to ``(1 + n) / (10 + n)`` after n steps, or the average would remember the
    initial weights for long.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self._weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._averages = [weight.detach().clone() for weight in self._weights]

    @torch.no_grad()
    def update(self) -> None:
        """Take the weights of a finished optimizer step into the average."""
        self._follow_device()
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self._averages, [weight.detach() for weight in self._weights], 1.0 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average into the model for the time of a with statement."""
        self.swap()
        try:
            yield
        finally:
            self.swap()

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the model's weights and the average; twice is as if never."""
        self._follow_device()
        for weight, average in zip(self._weights, self._averages, strict=True):
            before = weight.detach().clone()
            weight.copy_(average)
            average.copy_(before)

    def state_dict(self) -> dict[str, int | list[Tensor]]:
        """What a checkpoint keeps."""
        return {"updates": self.updates, "averages": self._averages}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, int | list[Tensor]]) -> None:
        """Restore the state in a checkpoint."""
        updates, averages = state["updates"], state["averages"]
        assert isinstance(updates, int)
        assert isinstance(averages, list)
        self.updates = updates
        for average, saved in zip(self._averages, averages, strict=True):
            average.copy_(saved)

    def _follow_device(self) -> None:
        """The model may have moved since the average was made."""
        if self._averages and self._averages[0].device != self._weights[0].device:
            self._averages = [
                average.to(weight.device)
                for average, weight in zip(self._averages, self._weights, strict=True)
            ]
