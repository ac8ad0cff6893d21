"""Costs as formulas, compared with formulas derived by hand for all kinds of cells."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gru import GRU
from nmt_lstm.cells.linear_cell import LinearCell
from nmt_lstm.cells.lstm import LSTM
from nmt_lstm.cells.rnn import RNN
from nmt_lstm.lab.cell_facts import cell_cost


class Averaging(LinearCell):
    gates = ("update", "candidate")

    def coefficients(self, x):
        update = torch.sigmoid(x.update)
        return 1 - update, update * x.candidate


class Halves(Cell):
    """Two products of half the width."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        half = hidden_size // 2
        self.products = nn.ModuleList([nn.Linear(half, half, bias=False) for _ in range(2)])
        self.offset = nn.Parameter(torch.zeros(3))

    @property
    def state_sizes(self) -> dict[str, int]:
        return {"hidden": self.hidden_size}

    def step(self, inputs, state):
        new = torch.cat(
            [product(part) for product, part in zip(self.products, state[0].chunk(2, 1), strict=True)], 1
        )
        return new, (new,)


class Cubic(Halves):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.cube = nn.Parameter(torch.zeros(hidden_size, hidden_size, input_size))


@pytest.mark.parametrize(
    ("part", "parameters", "products"),
    [
        (LSTM, "4HI + 4H² + 8H", "4HI + 4H²"),
        (GRU, "3HI + 3H² + 6H", "3HI + 3H²"),
        (RNN, "HI + H² + 2H", "HI + H²"),
        (Averaging, "2HI + 2H", "2HI"),
        (Halves, "1/2H² + 3", "1/2H²"),
        (Cubic, "", "1/2H²"),
    ],
)
def test_costs_are_the_formulas_derived_by_hand(part, parameters: str, products: str) -> None:
    assert cell_cost(part) == (parameters, products)


def test_counting_leaves_the_random_state_alone() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    cell_cost(LSTM)
    assert torch.equal(torch.get_rng_state(), before)
