"""Optimizers whose weights in training are not the weights to evaluate, and the switch between the two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import torch
from torch.nn import Parameter

__all__ = ["SwitchesWeights", "evaluation_weights"]


@runtime_checkable
class SwitchesWeights(Protocol):
    """An optimizer that keeps two sets of weights, as schedule-free ones do (Defazio et al. 2024)."""

    def train(self) -> None:
        """Put the weights into the model at which gradients are computed."""

    def eval(self) -> None:
        """Put the weights into the model that are to be evaluated and saved."""


@contextmanager
def evaluation_weights(optimizer: object, parameters: Iterable[Parameter]) -> Iterator[None]:
    """Context manager that puts an optimizer's weights for evaluation into the model, if it has such weights.

    Computing the weights of training back would round them; they are stored and restored instead, so that a run does not
    depend on how often it is validated.

    Args:
        optimizer: of the model; None before training.
        parameters: of the model.
    """
    if not isinstance(optimizer, SwitchesWeights):
        yield
        return
    weights = list(parameters)
    stored = [weight.detach().clone() for weight in weights]
    optimizer.eval()
    try:
        yield
    finally:
        optimizer.train()
        with torch.no_grad():
            for weight, value in zip(weights, stored, strict=True):
                weight.copy_(value)
