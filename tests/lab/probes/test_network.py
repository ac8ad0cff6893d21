"""Gradient flow: compared with Jacobians in closed form, and with autograd through the whole sequence."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from torch import nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.lab.probes.catalogue import TASKS
from nmt_lstm.lab.probes.network import ProbeNetwork, gradient_flow
from nmt_lstm.lab.probes.task import Episode
from nmt_lstm.registry import CELLS


class Leaky(Cell):
    """A cell that decays its state in each step; its output differs from its state."""

    def __init__(self, input_size: int, hidden_size: int, *, decay: float = 0.5) -> None:
        super().__init__(input_size, hidden_size)
        self.weight = nn.Parameter(torch.randn(input_size, hidden_size))
        self.decay = decay

    def step(self, inputs, state):
        (hidden,) = state
        hidden = self.decay * hidden + inputs @ self.weight
        return 3.0 * hidden, (hidden,)


class Counting(Cell):
    """A cell whose state includes an integer, which has no gradient."""

    state_sizes: ClassVar = {"hidden": 4, "count": 1}

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.weight = nn.Parameter(torch.randn(input_size, hidden_size))

    def initial_state(self, batch_size):
        return torch.zeros(batch_size, 4), torch.zeros(batch_size, 1, dtype=torch.long)

    def step(self, inputs, state):
        hidden, count = state
        hidden = 2.0 * hidden + inputs @ self.weight
        return hidden, (hidden, count + 1)


@pytest.mark.parametrize("decay", [0.5, 1.0, 1.5])
def test_gradients_of_a_leaky_cell_decay_exponentially(decay) -> None:
    torch.manual_seed(1)
    task = TASKS["adding"]
    network = ProbeNetwork(Leaky(2, 4, decay=decay), 1)
    flow = gradient_flow(network, task, task.draw(12, 8, torch.Generator().manual_seed(1)))
    assert len(flow) == 12
    assert flow == pytest.approx([flow[0] * decay**distance for distance in range(12)], rel=1e-5)
    assert flow[0] > 0


def test_states_without_gradients_are_ignored() -> None:
    task = TASKS["adding"]
    flow = gradient_flow(ProbeNetwork(Counting(2, 4), 1), task, task.draw(4, 3, torch.Generator()))
    assert flow == pytest.approx([flow[0] * 2.0**distance for distance in range(4)], rel=1e-5)


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("task", ["adding", "copy"])
def test_the_last_norm_is_that_of_the_initial_state(name, task) -> None:
    torch.manual_seed(2)
    task = TASKS[task]
    cell = CELLS.build(name, task.input_size, 6)
    network = ProbeNetwork(cell, task.output_size)
    inputs, targets = task.draw(4, 5, torch.Generator().manual_seed(2))
    norms = []
    for row in range(5):
        state = tuple(tensor.requires_grad_() for tensor in cell.initial_state(1))
        outputs, _ = cell(inputs[row : row + 1], state)
        answer = network.readout(outputs[:, -1:])
        task.loss(answer, targets[row : row + 1, -1:]).backward()
        norms.append(torch.cat([tensor.grad.flatten() for tensor in state]).norm())
    flow = gradient_flow(network, task, Episode(inputs, targets))
    assert flow[-1] == pytest.approx(float(torch.stack(norms).mean()), rel=1e-4)
    assert len(flow) == inputs.shape[1]


def test_no_gradients_are_left_in_the_network() -> None:
    task = TASKS["parity"]
    network = ProbeNetwork(CELLS.build("lstm", 2, 4), 2)
    with torch.no_grad():
        gradient_flow(network, task, task.draw(4, 3, torch.Generator()))
    assert all(parameter.grad is None for parameter in network.parameters())
