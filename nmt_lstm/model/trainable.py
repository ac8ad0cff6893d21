"""The base of all networks that a run trains, whatever their task."""

from __future__ import annotations

from torch import nn

from nmt_lstm.batching.batch import Batch
from nmt_lstm.model.loss import Loss

__all__ = ["Trainable"]


class Trainable(nn.Module):
    """A network with a loss."""

    def loss(self, batch: Batch, label_smoothing: float = 0.0) -> Loss:
        """Return the loss summed over the batch's real labels."""
        raise TypeError(f"{type(self).__name__} does not define loss.")
