"""What a gated cell may declare, and what wrappers may change about its recurrence."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.lstm import LSTM
from nmt_lstm.errors import PluginResultError
from nmt_lstm.recurrence.with_parameters import with_parameters


class HighwayCell(GatedCell):
    """A cell without a recurrent product, with a separate output and a highway."""

    gates = ("keep", "through")
    state = ("memory",)
    recurrent = False
    output_is_state = False
    highway = "through"

    def update(self, x, h, state):
        assert h is None
        keep = torch.sigmoid(x.keep)
        memory = keep * state[0] + (1 - keep) * x.through
        return memory + x.through, memory


class Scaled(GatedCell):
    """A cell with a parameter and a module of its own."""

    gates = ("new",)

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.scale = nn.Parameter(torch.ones(hidden_size))
        self.norm = nn.LayerNorm(hidden_size)

    def update(self, x, h, state):
        return (torch.tanh(self.norm(x.new + h.new) * self.scale) + 0.5 * state[0],)


def test_without_recurrent_gates_there_is_no_recurrent_weight() -> None:
    assert {name for name, _ in HighwayCell(3, 4).named_parameters()} == {"weight_ih", "bias_ih"}


def test_the_former_names_of_options_still_work() -> None:
    class Former(GatedCell):
        gates = ("new",)
        history = False

        def update(self, x, h, state):
            assert h is None
            return (torch.tanh(x.new),)

    class Inherits(Former):
        pass

    for kind in (Former, Inherits):
        assert not kind.recurrent
        assert {name for name, _ in kind(3, 4).named_parameters()} == {"weight_ih", "bias_ih"}
    assert not HighwayCell.history
    cell, mask = Scaled(3, 4), torch.tensor([[0.0, 2.0, 2.0, 0.0]])
    arguments = torch.randn(1, 5, 3), (torch.ones(1, 4),)
    outputs = [
        cell.unroll_by(recurrence, *arguments)[0]
        for recurrence in (cell.recurrence(recurrent_mask=mask), cell.recurrence(history_mask=mask))
    ]
    assert torch.equal(*outputs)
    assert not torch.equal(outputs[0], cell(*arguments)[0])


def test_a_highway_is_projected_only_where_widths_differ() -> None:
    assert HighwayCell(4, 4).weight_ih.shape == (4, 4)
    assert HighwayCell(3, 4).weight_ih.shape == (8, 3)
    cell = HighwayCell(4, 4)
    inputs, (memory,) = torch.randn(2, 4), cell.initial_state(2)
    output, (new,) = cell.step(inputs, (memory + 1,))
    keep = torch.sigmoid(inputs @ cell.weight_ih.t() + cell.bias_ih)
    torch.testing.assert_close(new, keep + (1 - keep) * inputs)
    torch.testing.assert_close(output, new + inputs)


@pytest.mark.parametrize("size", [3, 4])
@pytest.mark.parametrize("length", [2, 7])
def test_a_separate_output_has_the_gradients_of_autograd(size, length) -> None:
    torch.manual_seed(1)
    cell = HighwayCell(size, 4).double()
    results = []
    for take in (cell.forward, functools.partial(Cell.forward, cell)):
        inputs = torch.linspace(-1, 1, 2 * length * size).double().view(2, length, size).requires_grad_()
        state = torch.ones(2, 4, dtype=torch.float64, requires_grad=True)
        outputs, (last,) = take(inputs, (state,))
        leaves = [inputs, state, *cell.parameters()]
        results.append([outputs, last, *torch.autograd.grad(outputs.square().sum() + last.sum(), leaves)])
    for tensor, expected in zip(*results, strict=True):
        torch.testing.assert_close(tensor, expected)


def test_an_error_names_an_update_with_a_wrong_number_of_tensors() -> None:
    class Short(LSTM):
        def update(self, x, h, state):
            return (state[0],)

    class NoOutput(HighwayCell):
        def update(self, x, h, state):
            return (state[0],)

    with pytest.raises(PluginResultError, match=r"Short.*\(hidden, cell\)"):
        Short(3, 4).step(torch.randn(2, 3), (torch.zeros(2, 4), torch.zeros(2, 4)))
    with pytest.raises(PluginResultError, match=r"NoOutput.*\(output, memory\)"):
        NoOutput(3, 4).step(torch.randn(2, 3), (torch.zeros(2, 4),))


@pytest.mark.parametrize("length", [2, 7])
def test_parameters_replaced_for_a_call_get_the_gradients(length) -> None:
    """Weight drop and torch.func do this: the tensors used in the call get gradients, not the module's parameters."""
    torch.manual_seed(1)
    cell = Scaled(3, 4).double()
    replacements = {name: torch.randn_like(value).requires_grad_() for name, value in cell.named_parameters()}
    inputs = torch.randn(2, length, 3, dtype=torch.float64)
    results = []
    for take in (cell.forward, functools.partial(Cell.forward, cell)):
        outputs, _ = with_parameters(
            cell, replacements, lambda take=take: take(inputs, (torch.ones(2, 4).double(),))
        )
        results.append(torch.autograd.grad(outputs.square().sum(), list(replacements.values())))
    for gradient, expected in zip(*results, strict=True):
        assert gradient.abs().sum() > 0
        torch.testing.assert_close(gradient, expected)
    assert all(cell.get_parameter(name) is not other for name, other in replacements.items())


@pytest.mark.parametrize("length", [2, 7])
def test_the_input_of_the_recurrent_product_can_be_masked(length) -> None:
    torch.manual_seed(1)
    cell = Scaled(3, 4).double()
    mask = torch.tensor([[0.0, 2.0, 2.0, 0.0], [2.0, 0.0, 2.0, 2.0]], dtype=torch.float64)
    masked = Scaled(3, 4).double()
    masked.load_state_dict(cell.state_dict())
    inputs = torch.randn(2, length, 3, dtype=torch.float64)
    outputs, _ = cell.unroll_by(cell.recurrence(recurrent_mask=mask), inputs, (torch.ones(2, 4).double(),))
    hidden, states = torch.ones(2, 4).double(), []
    for position in inputs.unbind(1):
        x = position @ cell.weight_ih.t() + cell.bias_ih
        h = (hidden * mask) @ cell.weight_hh.t() + cell.bias_hh
        hidden = torch.tanh(cell.norm(x + h) * cell.scale) + 0.5 * hidden
        states.append(hidden)
    expected = torch.stack(states, 1)
    torch.testing.assert_close(outputs, expected)
    for gradient, exact in zip(
        torch.autograd.grad(outputs.square().sum(), list(cell.parameters())),
        torch.autograd.grad(expected.square().sum(), list(cell.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(gradient, exact)


@pytest.mark.parametrize("length", [2, 7])
def test_each_step_of_an_update_receives_its_noise(length) -> None:
    cell = Scaled(3, 4)
    noise = torch.arange(length * 2.0).view(length, 2, 1)

    def around(update):
        def noisy(x, h, state, noise_of_step):
            output, new = update(x, h, state, ())
            return output + noise_of_step[0], new

        return noisy

    inputs, state = torch.randn(2, length, 3), cell.initial_state(2)
    for grad in (True, False):
        with torch.set_grad_enabled(grad):
            plain, _ = cell(inputs, state)
            with_noise, _ = cell.unroll_by(cell.recurrence(around, noise=(noise,)), inputs, state)
        torch.testing.assert_close(with_noise - plain, noise.transpose(0, 1).expand_as(plain))


def test_states_stay_in_float32_under_autocast() -> None:
    cell = LSTM(8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        for grad in (True, False):
            with torch.set_grad_enabled(grad):
                outputs, last = cell.unroll(torch.randn(2, 6, 8), cell.initial_state(2))
            assert outputs.dtype == torch.bfloat16
            assert {part.dtype for part in last} == {torch.float32}
        output, new_state = cell.step(torch.randn(2, 8), last)
    assert output.dtype == torch.bfloat16
    assert {part.dtype for part in new_state} == {torch.float32}


def test_the_state_is_made_from_the_bridges_projection() -> None:
    class Normalised(HighwayCell):
        state = ("memory", "count")

        @property
        def bridge_sizes(self):
            return {"memory": self.hidden_size}

        def bridged_state(self, projected):
            return (*projected, torch.ones_like(projected[0]))

    memory, count = Normalised(3, 4).initial_state(2)
    assert memory.eq(0).all()
    assert count.eq(1).all()
