"""Cells that can be exported to ONNX, and cells that cannot."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.registry import CELLS


class Leaky(GatedCell):
    """One gate, two states, and a parameter whose rows are used separately."""

    gates = ("candidate",)
    state = ("hidden", "slow")

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.rates = nn.Parameter(torch.rand(2, hidden_size))

    def update(self, x, h, state):
        fast, slow = (rate.sigmoid() for rate in self.rates)
        mixed = fast * state[0] + (1 - fast) * torch.tanh(x.candidate + h.candidate + state[1])
        return mixed, torch.lerp(state[1], mixed, slow)


class Counting(Leaky):
    """Uses the number of rows as a Python number."""

    def update(self, x, h, state):
        mixed, slow = super().update(x, h, state)
        return mixed + torch.zeros(len(mixed), 1), slow


class Branching(Leaky):
    """Branches on the values of a tensor."""

    def update(self, x, h, state):
        mixed, slow = super().update(x, h, state)
        return (mixed if bool(mixed.sum() > 0) else -mixed), slow


class Wavering(Leaky):
    """Takes steps that differ from its unrolled loop."""

    def step(self, inputs, state):
        output, new = super().step(inputs, state)
        return output + 0.1, (new[0] + 0.1, *new[1:])


@pytest.fixture(autouse=True)
def registered_cells():
    """Register the cells by their names in lower case."""
    for cell in (Leaky, Counting, Branching, Wavering):
        CELLS.register(cell.__name__.lower())(cell)
