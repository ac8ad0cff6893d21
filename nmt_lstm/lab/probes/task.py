"""The interface of a probe task: random sequences, a loss, and the loss of a network without memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional

__all__ = ["SOLVED_SHARE", "Classification", "Episode", "Regression", "Task"]

SOLVED_SHARE = 0.06
"""A task is solved when the loss is below this share of its baseline; for adding, that is an error of 0.01."""


class Episode(NamedTuple):
    """A batch of B sequences of P positions."""

    inputs: Tensor
    """Shape (B, P, input_size)."""
    targets: Tensor
    """Expected answers at the last K positions: classes of shape (B, K), or numbers of shape (B, K)."""


class Task(ABC):
    """A family of sequences of any length, which is the distance over which something must be remembered."""

    name: ClassVar[str]
    """Name on the command line."""
    question: ClassVar[str]
    """What the network has to do, as an infinitive."""
    source: ClassVar[str]
    """The papers that introduced it."""
    baseline_text: ClassVar[str]
    """The baseline as a formula."""
    unit: ClassVar[str]
    """Unit of the loss."""
    input_size: ClassVar[int]
    output_size: ClassVar[int]
    shortest: ClassVar[int] = 2
    """The smallest length."""
    multiple: ClassVar[int] = 1
    """All lengths are multiples of this."""

    @abstractmethod
    def baseline(self, length: int) -> float:
        """Return the lowest expected loss of answers that depend on the position alone."""

    @abstractmethod
    def draw(self, length: int, rows: int, generator: Generator) -> Episode:
        """Draw `rows` sequences of this length, the B of an `Episode`."""

    @abstractmethod
    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss per answer, a scalar.

        Args:
            answers: shape (B, K, output_size).
            targets: the targets of the `Episode`.
        """

    def solved_below(self, length: int) -> float:
        """Return the loss below which this length counts as solved."""
        return SOLVED_SHARE * self.baseline(length)

    def length_problem(self, length: int) -> str:
        """Return what is wrong with a length; an empty string if nothing is."""
        if length < self.shortest:
            return f"must be at least {self.shortest}"
        if length % self.multiple:
            return f"must be a multiple of {self.multiple}"
        return ""


class Classification(Task):
    """A task whose answers are one of `output_size` classes; its loss is the cross-entropy in nats."""

    unit = "nats per answer"

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy; targets are classes of shape (B, K)."""
        return functional.cross_entropy(answers.flatten(0, 1), targets.flatten())


class Regression(Task):
    """A task whose answers are numbers; its loss is the squared error."""

    unit = "squared error"
    output_size = 1

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Return the mean squared error; targets have shape (B, K)."""
        return functional.mse_loss(answers.squeeze(-1), targets)


def one_hot(classes: Tensor, count: int) -> Tensor:
    """Return classes of shape (B, P) as floats of shape (B, P, count)."""
    return functional.one_hot(classes, count).to(torch.float32)
