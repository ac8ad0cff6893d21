"""What a gated cell may say of itself, and what may be put around its update."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.lstm import LSTM
from nmt_lstm.errors import PluginResultError
from nmt_lstm.recurrence.replaced import with_parameters


class Carried(GatedCell):
    """No recurrent product, an output that is no state, and a highway."""

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
    """A parameter of its own, and of a module of its own."""

    gates = ("new",)

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.scale = nn.Parameter(torch.ones(hidden_size))
        self.norm = nn.LayerNorm(hidden_size)

    def update(self, x, h, state):
        return (torch.tanh(self.norm(x.new + h.new) * self.scale) + 0.5 * state[0],)


def test_without_recurrent_gates_there_is_no_recurrent_weight() -> None:
    assert {name for name, _ in Carried(3, 4).named_parameters()} == {"weight_ih", "bias_ih"}


def test_the_former_names_of_options_do_the_same() -> None:
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
    assert not Carried.history
    cell, mask = Scaled(3, 4), torch.tensor([[0.0, 2.0, 2.0, 0.0]])
    given = torch.randn(1, 5, 3), (torch.ones(1, 4),)
    outputs = [
        cell.unroll_by(recurrence, *given)[0]
        for recurrence in (cell.recurrence(recurrent_mask=mask), cell.recurrence(history_mask=mask))
    ]
    assert torch.equal(*outputs)
    assert not torch.equal(outputs[0], cell(*given)[0])


def test_a_highway_is_projected_only_where_widths_differ() -> None:
    assert Carried(4, 4).weight_ih.shape == (4, 4)
    assert Carried(3, 4).weight_ih.shape == (8, 3)
    cell = Carried(4, 4)
    inputs, (memory,) = torch.randn(2, 4), cell.initial_state(2)
    output, (new,) = cell.step(inputs, (memory + 1,))
    keep = torch.sigmoid(inputs @ cell.weight_ih.t() + cell.bias_ih)
    torch.testing.assert_close(new, keep + (1 - keep) * inputs)
    torch.testing.assert_close(output, new + inputs)


@pytest.mark.parametrize("size", [3, 4])
@pytest.mark.parametrize("length", [2, 7])
def test_an_output_that_is_no_state_has_the_gradients_of_autograd(size, length) -> None:
    torch.manual_seed(1)
    cell = Carried(size, 4).double()
    found = []
    for take in (cell.forward, lambda *given: Cell.forward(cell, *given)):
        inputs = torch.linspace(-1, 1, 2 * length * size).double().view(2, length, size).requires_grad_()
        state = torch.ones(2, 4, dtype=torch.float64, requires_grad=True)
        outputs, (last,) = take(inputs, (state,))
        leaves = [inputs, state, *cell.parameters()]
        found.append([outputs, last, *torch.autograd.grad(outputs.square().sum() + last.sum(), leaves)])
    for seen, expected in zip(*found, strict=True):
        torch.testing.assert_close(seen, expected)


def test_an_update_of_another_number_of_tensors_is_named() -> None:
    class Short(LSTM):
        def update(self, x, h, state):
            return (state[0],)

    class NoOutput(Carried):
        def update(self, x, h, state):
            return (state[0],)

    with pytest.raises(
        PluginResultError, match=r"Short.update returned 1 tensors; expected \(hidden, cell\)"
    ):
        Short(3, 4).step(torch.randn(2, 3), (torch.zeros(2, 4), torch.zeros(2, 4)))
    with pytest.raises(
        PluginResultError, match=r"NoOutput.update returned 1 tensors; expected \(output, memory\)"
    ):
        NoOutput(3, 4).step(torch.randn(2, 3), (torch.zeros(2, 4),))


@pytest.mark.parametrize("length", [2, 7])
def test_parameters_replaced_for_a_call_get_the_gradients(length) -> None:
    """As weight drop and torch.func do: what was used in the call is differentiated, whatever the module has later."""
    torch.manual_seed(1)
    cell = Scaled(3, 4).double()
    others = {name: torch.randn_like(value).requires_grad_() for name, value in cell.named_parameters()}
    inputs = torch.randn(2, length, 3, dtype=torch.float64)
    found = []
    for take in (cell.forward, lambda *given: Cell.forward(cell, *given)):
        outputs, _ = with_parameters(
            cell, others, lambda take=take: take(inputs, (torch.ones(2, 4).double(),))
        )
        found.append(torch.autograd.grad(outputs.square().sum(), list(others.values())))
    for seen, expected in zip(*found, strict=True):
        assert seen.abs().sum() > 0
        torch.testing.assert_close(seen, expected)
    assert all(cell.get_parameter(name) is not other for name, other in others.items())


@pytest.mark.parametrize("length", [2, 7])
def test_what_enters_the_product_can_be_masked(length) -> None:
    torch.manual_seed(1)
    cell = Scaled(3, 4).double()
    mask = torch.tensor([[0.0, 2.0, 2.0, 0.0], [2.0, 0.0, 2.0, 2.0]], dtype=torch.float64)
    masked = Scaled(3, 4).double()
    masked.load_state_dict(cell.state_dict())
    inputs = torch.randn(2, length, 3, dtype=torch.float64)
    outputs, _ = cell.unroll_by(cell.recurrence(recurrent_mask=mask), inputs, (torch.ones(2, 4).double(),))
    hidden, written = torch.ones(2, 4).double(), []
    for position in inputs.unbind(1):
        x = position @ cell.weight_ih.t() + cell.bias_ih
        h = (hidden * mask) @ cell.weight_hh.t() + cell.bias_hh
        hidden = torch.tanh(cell.norm(x + h) * cell.scale) + 0.5 * hidden
        written.append(hidden)
    expected = torch.stack(written, 1)
    torch.testing.assert_close(outputs, expected)
    for seen, wanted in zip(
        torch.autograd.grad(outputs.square().sum(), list(cell.parameters())),
        torch.autograd.grad(expected.square().sum(), list(cell.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(seen, wanted)


@pytest.mark.parametrize("length", [2, 7])
def test_noise_reaches_an_update_step_by_step(length) -> None:
    cell = Scaled(3, 4)
    noise = torch.arange(length * 2.0).view(length, 2, 1)

    def around(update):
        def noisy(x, h, state, given):
            output, new = update(x, h, state, ())
            return output + given[0], new

        return noisy

    inputs, state = torch.randn(2, length, 3), cell.initial_state(2)
    for grad in (True, False):
        with torch.set_grad_enabled(grad):
            plain, _ = cell(inputs, state)
            noised, _ = cell.unroll_by(cell.recurrence(around, noise=(noise,)), inputs, state)
        torch.testing.assert_close(noised - plain, noise.transpose(0, 1).expand_as(plain))


def test_states_stay_in_float32_under_autocast() -> None:
    cell = LSTM(8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        for grad in (True, False):
            with torch.set_grad_enabled(grad):
                outputs, last = cell.unroll(torch.randn(2, 6, 8), cell.initial_state(2))
            assert outputs.dtype == torch.bfloat16
            assert {part.dtype for part in last} == {torch.float32}
        output, after = cell.step(torch.randn(2, 8), last)
    assert output.dtype == torch.bfloat16
    assert {part.dtype for part in after} == {torch.float32}


def test_the_state_is_made_of_what_the_bridge_gives() -> None:
    class Normalised(Carried):
        state = ("memory", "count")

        @property
        def bridge_sizes(self):
            return {"memory": self.hidden_size}

        def bridged_state(self, parts):
            return (*parts, torch.ones_like(parts[0]))

    memory, count = Normalised(3, 4).initial_state(2)
    assert memory.eq(0).all()
    assert count.eq(1).all()
