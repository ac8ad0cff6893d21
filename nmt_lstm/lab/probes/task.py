"""What a probe task is: sequences drawn at random, a loss, and the loss of a network that remembers nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional

__all__ = ["SOLVED_SHARE", "Classification", "Episode", "Regression", "Task"]

SOLVED_SHARE = 0.06
"""A task is solved when the loss is under this share of its baseline: in the adding problem that is an error of 0.01."""


class Episode(NamedTuple):
    """A batch of sequences."""

    inputs: Tensor
    """(B, P, input_size) for P positions."""
    targets: Tensor
    """(B, K) or (B, K, output_size): what the last K of the P positions shall answer."""


class Task(ABC):
    """One family of sequences, of any length; the length is the distance over which something must be remembered."""

    name: ClassVar[str]
    """The word that the command line knows it by."""
    question: ClassVar[str]
    """One sentence: what the network has to do."""
    source: ClassVar[str]
    """The papers that it comes from."""
    baseline_text: ClassVar[str]
    """The baseline as a formula."""
    unit: ClassVar[str]
    """What its loss is counted in."""
    input_size: ClassVar[int]
    output_size: ClassVar[int]
    shortest: ClassVar[int] = 2
    """The smallest length."""
    multiple: ClassVar[int] = 1
    """Lengths are multiples of this."""

    @abstractmethod
    def baseline(self, length: int) -> float:
        """Return the least expected loss of an answer that uses nothing of the sequence but the position."""

    @abstractmethod
    def draw(self, length: int, rows: int, generator: Generator) -> Episode:
        """Draw `rows` sequences of this length."""

    @abstractmethod
    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss per answer, a scalar.

        Args:
            answers: (B, K, output_size).
            targets: as drawn.
        """

    def solved_below(self, length: int) -> float:
        """Return the loss under which this length counts as solved."""
        return SOLVED_SHARE * self.baseline(length)

    def length_problem(self, length: int) -> str:
        """Say what is wrong with a length, or nothing."""
        if length < self.shortest:
            return f"must be at least {self.shortest}"
        if length % self.multiple:
            return f"must be a multiple of {self.multiple}"
        return ""


class Classification(Task):
    """A task that answers with one of `output_size` classes; its loss is the cross-entropy in nats."""

    unit = "nats per answer"

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy; targets are (B, K) class numbers."""
        return functional.cross_entropy(answers.flatten(0, 1), targets.flatten())


class Regression(Task):
    """A task that answers with one number; its loss is the squared error."""

    unit = "squared error"
    output_size = 1

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Return the mean squared error; targets are (B, K) numbers."""
        return functional.mse_loss(answers.squeeze(-1), targets)


def one_hot(classes: Tensor, count: int) -> Tensor:
    """Return (B, P, count) floats of (B, P) class numbers."""
    return functional.one_hot(classes, count).to(torch.float32)
