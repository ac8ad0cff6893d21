"""Gates and memory against the equations, computed by hand from the weights."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gru import GRU
from nmt_lstm.cells.lstm import LSTM
from nmt_lstm.cells.rnn import RNN
from nmt_lstm.cells.stepwise_cell import StepwiseCell
from nmt_lstm.lab.inspection.cell_trace import Call, trace_cell

LENGTH, WIDTH, HIDDEN = 5, 3, 4


def called(cell: Cell) -> list[Call]:
    torch.manual_seed(1)
    state = tuple(torch.randn(1, width) for width in cell.state_sizes.values())
    return [Call(torch.randn(1, LENGTH, WIDTH), state)]


def preactivations(cell, call: Call, hidden: torch.Tensor) -> list[torch.Tensor]:
    """Of each position (T, H) and gate, the hidden states before being known."""
    from_input = call.inputs[0] @ cell.weight_ih.T + cell.bias_ih
    before = torch.cat([call.state[0], hidden[:-1]])
    return list((from_input + before @ cell.weight_hh.T + cell.bias_hh).split(HIDDEN, 1))


@torch.no_grad()
def test_lstm_by_hand() -> None:
    cell = LSTM(WIDTH, HIDDEN)
    (call,) = called(cell)
    trace = trace_cell(cell, [call])
    parts = preactivations(cell, call, trace.states["hidden"])
    entry, forget, candidate, output = (
        function(part)
        for function, part in zip(
            (torch.sigmoid, torch.sigmoid, torch.tanh, torch.sigmoid), parts, strict=True
        )
    )
    for name, expected in zip(cell.gates, (entry, forget, candidate, output), strict=True):
        torch.testing.assert_close(trace.gates[name], expected)
    before = torch.cat([call.state[1], trace.states["cell"][:-1]])
    assert trace.memory == "cell"
    torch.testing.assert_close(trace.kept, forget * before)
    torch.testing.assert_close(trace.written, entry * candidate)
    torch.testing.assert_close(trace.kept + trace.written, trace.states["cell"])
    torch.testing.assert_close(trace.outputs, output * trace.states["cell"].tanh())


@torch.no_grad()
def test_gru_by_hand() -> None:
    cell = GRU(WIDTH, HIDDEN)
    (call,) = called(cell)
    trace = trace_cell(cell, [call])
    hidden = trace.states["hidden"]
    _, update, _ = preactivations(cell, call, hidden)
    before = torch.cat([call.state[0], hidden[:-1]])
    assert trace.memory == "hidden"
    torch.testing.assert_close(trace.gates["update"], update.sigmoid())
    torch.testing.assert_close(trace.retention, update.sigmoid())
    torch.testing.assert_close(trace.written, (1 - update.sigmoid()) * trace.gates["candidate"])
    torch.testing.assert_close(trace.kept, update.sigmoid() * before)


def test_a_plain_rnn_keeps_nothing_but_by_its_weights() -> None:
    cell = RNN(WIDTH, HIDDEN)
    trace = trace_cell(cell, called(cell))
    assert torch.equal(trace.retention, torch.zeros(LENGTH, HIDDEN))
    assert torch.equal(trace.written, trace.states["hidden"])


class Mogrified(StepwiseCell):
    """The hidden state is scaled by a product before it decides about the update."""

    gates = ("keep", "new")
    products = (("scale", 1), ("recurrent", 1))

    def advance(self, x, products, state):
        (scale,) = products["scale"](state[0])
        (recurrent,) = products["recurrent"](state[0] * scale.sigmoid())
        keep = (x.keep + recurrent).sigmoid()
        return (keep * state[0] + (1 - keep) * x.new.tanh(),)


def test_products_of_a_stepwise_cell_count_as_gates_and_not_as_memory() -> None:
    cell = Mogrified(WIDTH, HIDDEN)
    trace = trace_cell(cell, called(cell))
    torch.testing.assert_close(trace.retention, trace.gates["keep"])
    torch.testing.assert_close(trace.kept + trace.written, trace.after)


class Plain(Cell):
    """Names no gates."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.weight = torch.nn.Parameter(torch.randn(hidden_size, input_size))

    def step(self, inputs, state):
        new = torch.tanh(inputs @ self.weight.T + state[0])
        return new, (new,)


def test_a_cell_without_gates_shows_its_states() -> None:
    cell = Plain(WIDTH, HIDDEN)
    trace = trace_cell(cell, called(cell))
    assert trace.gates == {}
    assert trace.retention is None
    assert trace.kept is None
    assert trace.states["hidden"].shape == (LENGTH, HIDDEN)


class Doubled(Cell):
    """A wrapper: what the cell inside does, twice as large."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.cell = LSTM(input_size, hidden_size)

    @property
    def state_sizes(self):
        return self.cell.state_sizes

    def step(self, inputs, state):
        output, new = self.cell.step(inputs, state)
        return 2 * output, tuple(2 * part for part in new)


def test_a_wrapper_shows_the_gates_inside_and_its_own_states() -> None:
    cell = Doubled(WIDTH, HIDDEN)
    (call,) = called(cell)
    trace = trace_cell(cell, [call])
    outputs, last = cell(call.inputs, call.state)
    assert set(trace.gates) == set(LSTM.gates)
    torch.testing.assert_close(trace.outputs, outputs[0].detach())
    torch.testing.assert_close(trace.states["cell"][-1], last[1][0].detach())


def test_steps_and_a_sequence_have_the_same_trace() -> None:
    cell = GRU(WIDTH, HIDDEN)
    (call,) = called(cell)
    whole = trace_cell(cell, [call])
    states = [call.state[0], *whole.states["hidden"][:-1].split(1)]
    steps = [Call(call.inputs[:, at : at + 1], (states[at],)) for at in range(LENGTH)]
    torch.testing.assert_close(trace_cell(cell, steps).gates["reset"], whole.gates["reset"])


def test_nothing_called_is_refused() -> None:
    with pytest.raises(ValueError, match="never called"):
        trace_cell(LSTM(WIDTH, HIDDEN), [])
