"""The base of gated cells: parameters and their initial values, and what it derives from an update."""

from __future__ import annotations

import math
from typing import ClassVar

import pytest
import torch
from torch import nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.gru import GRU
from nmt_lstm.cells.lstm import LSTM


class Peephole(GatedCell):
    """Two gates, two states, and parameters of its own that `update` uses (Gers and Schmidhuber 2000)."""

    gates = ("candidate", "forget")
    state = ("hidden", "cell")
    biases: ClassVar = {"forget": 1.0}

    def __init__(self, input_size: int, hidden_size: int, *, scale: float = 1.0) -> None:
        super().__init__(input_size, hidden_size)
        self.peephole = nn.Parameter(torch.full((hidden_size,), scale))
        self.unused = nn.Parameter(torch.zeros(1), requires_grad=False)

    def update(self, x, h, state):
        _, cell = state
        forget = torch.sigmoid(x.forget + h.forget + self.peephole * cell)
        cell = forget * cell + (1 - forget) * torch.tanh(x.candidate + h.candidate)
        return torch.tanh(cell), cell


class WithoutUpdate(GatedCell):
    gates = ("candidate",)


class Inherits(Peephole):
    """A subclass that inherits its gates."""


def random_inputs_and_state(cell: Cell, batch: int = 3, length: int = 4, dtype: torch.dtype = torch.float32):
    """Return inputs and a state that require gradients."""
    inputs = torch.randn(batch, length, cell.input_size, dtype=dtype, requires_grad=True)
    state = tuple(
        torch.randn(batch, width, dtype=dtype, requires_grad=True) for width in cell.state_sizes.values()
    )
    return inputs, state


def test_parameters_have_the_layout_of_torch() -> None:
    cell = Peephole(3, 5)
    shapes = {name: tuple(parameter.shape) for name, parameter in cell.named_parameters()}
    assert shapes == {
        "weight_ih": (10, 3), "weight_hh": (10, 5), "bias_ih": (10,), "bias_hh": (10,), "peephole": (5,), "unused": (1,)
    }  # fmt: skip
    assert cell.state_sizes == {"hidden": 5, "cell": 5}
    assert cell.output_size == 5


def test_recurrent_weights_start_orthogonal_and_input_weights_within_xaviers_bound() -> None:
    torch.manual_seed(0)
    cell = Peephole(7, 16)
    for block in cell.weight_hh.split(16):
        torch.testing.assert_close(block @ block.t(), torch.eye(16), rtol=0.0, atol=1e-5)
    bound = math.sqrt(6 / (7 + 16))
    assert 0.9 * bound < cell.weight_ih.abs().max() <= bound


def test_biases_start_as_the_class_declares_and_others_at_zero() -> None:
    cell = Peephole(3, 5)
    assert cell.bias_ih.tolist() == [0.0] * 5 + [1.0] * 5
    assert not cell.bias_hh.any()


def test_the_name_of_a_gate_has_no_meaning() -> None:
    class Plain(Peephole):
        biases: ClassVar = {}

    assert not Plain(3, 5).bias_ih.any()


def test_parameters_are_drawn_again_as_the_constructor_draws_them() -> None:
    for build in (lambda: LSTM(3, 5, forget_bias=5.0), lambda: Peephole(3, 5), lambda: GRU(3, 5)):
        torch.manual_seed(1)
        cell = build()
        before = {name: value.clone() for name, value in cell.state_dict().items()}
        torch.manual_seed(1)
        cell.reset_parameters()
        assert all(torch.equal(value, before[name]) for name, value in cell.state_dict().items())
    assert LSTM(3, 5, forget_bias=5.0).bias_ih.tolist() == [0.0] * 5 + [5.0] * 5 + [0.0] * 10


@pytest.mark.parametrize(
    ("attributes", "error", "words"),
    [
        ({"gates": "candidate"}, TypeError, ("gates", "('candidate',)")),
        ({"gates": ("a b",)}, TypeError, ("gates", "a b")),
        ({"gates": ("a", "a")}, TypeError, ("gates", "twice")),
        ({"gates": ()}, TypeError, ("gates", "tuple")),
        ({"gates": ("a",), "state": "hidden"}, TypeError, ("state", "('hidden',)")),
        ({"gates": ("a",), "biases": {"b": 1.0}}, ValueError, ("'b'", "not a gate")),
        ({"gates": ("a", "b"), "highway": "a"}, TypeError, ("highway", "last gate")),
    ],
)
def test_wrong_names_are_rejected_when_the_class_is_defined(attributes, error, words) -> None:
    with pytest.raises(error) as error_info:
        type("Mistaken", (GatedCell,), attributes)
    assert all(word in str(error_info.value) for word in ("Mistaken", *words))


def test_a_tensor_instead_of_a_tuple_is_rejected() -> None:
    class Bare(GatedCell):
        gates = ("candidate",)

        def update(self, x, h, state):
            return torch.tanh(x.candidate)

    for rows in (1, 2):
        with pytest.raises(TypeError, match=r"Bare.*\(hidden,\)"):
            Bare(3, 4).step(torch.randn(rows, 3), (torch.zeros(rows, 4),))


def test_gates_are_the_rows_of_the_weights_in_their_order() -> None:
    torch.manual_seed(0)
    cell = Peephole(3, 5, scale=0.0).double()
    inputs, state = random_inputs_and_state(cell, 1, 1, torch.float64)
    (position,), (hidden, old) = inputs, state
    pre = cell.weight_ih @ position[0] + cell.bias_ih + cell.weight_hh @ hidden[0] + cell.bias_hh
    candidate, forget = torch.tanh(pre[:5]), torch.sigmoid(pre[5:])
    expected = torch.tanh(forget * old[0] + (1 - forget) * candidate)
    output, new = cell.step(position, state)
    torch.testing.assert_close(output[0], expected)
    assert output is new[0]


@pytest.mark.parametrize("gradients", [True, False])
def test_sequence_and_steps_agree(gradients) -> None:
    torch.manual_seed(0)
    cell = Peephole(3, 5)
    inputs, state = random_inputs_and_state(cell)
    with torch.set_grad_enabled(gradients):
        outputs, last = cell(inputs, state)
        stepped, stepped_last = Cell.forward(cell, inputs, state)
    torch.testing.assert_close(outputs, stepped)
    torch.testing.assert_close(last, stepped_last)
    assert outputs.requires_grad is gradients


def test_gradients_and_those_of_own_parameters_pass_gradcheck() -> None:
    torch.manual_seed(0)
    cell = Peephole(2, 3).double()
    inputs, state = random_inputs_and_state(cell, 2, 3, torch.float64)
    parameters = [parameter for parameter in cell.parameters() if parameter.requires_grad]

    def run(inputs, hidden, old, *_):
        outputs, last = cell(inputs, (hidden, old))
        return outputs, *last

    assert torch.autograd.gradcheck(run, (inputs, *state, *parameters))
    run(inputs, *state)[0].sum().backward()
    assert cell.peephole.grad.all()
    assert cell.unused.grad is None


def test_one_result_alone_may_be_differentiated() -> None:
    torch.manual_seed(0)
    cell = Peephole(2, 3).double()
    inputs, state = random_inputs_and_state(cell, 2, 3, torch.float64)
    for select in (lambda outputs, last: outputs[:, 0], lambda outputs, last: last[1]):
        results = [select(*cell(inputs, state)), select(*Cell.forward(cell, inputs, state))]
        gradient, expected = (torch.autograd.grad(result.sum(), cell.peephole)[0] for result in results)
        torch.testing.assert_close(gradient, expected)


def test_results_and_gradients_in_bf16_are_near_float32() -> None:
    torch.manual_seed(0)
    cell = Peephole(6, 8)
    inputs, state = random_inputs_and_state(cell, 4, 6)
    outputs, _ = cell(inputs, state)
    expected = torch.autograd.grad(outputs.sum(), [cell.weight_hh, cell.peephole])
    with torch.autocast("cpu", torch.bfloat16):
        rounded, last = cell(inputs, state)
    assert rounded.dtype == torch.bfloat16
    assert all(part.isfinite().all() for part in last)
    torch.testing.assert_close(rounded.float(), outputs, rtol=0.0, atol=0.05)
    gradients = torch.autograd.grad(rounded.float().sum(), [cell.weight_hh, cell.peephole])
    for gradient, exact in zip(gradients, expected, strict=True):
        assert gradient.dtype == torch.float32
        assert (gradient - exact).norm() < 0.05 * exact.norm()


def test_an_error_names_a_cell_without_update() -> None:
    cell = WithoutUpdate(3, 4)
    with pytest.raises(TypeError, match="WithoutUpdate does not define update"):
        cell(torch.zeros(1, 1, 3), cell.initial_state(1))


def test_gates_are_inherited() -> None:
    cell = Inherits(3, 4)
    assert cell(torch.zeros(2, 3, 3), cell.initial_state(2))[0].shape == (2, 3, 4)


def test_an_empty_sequence_is_rejected() -> None:
    cell = Peephole(3, 4)
    with pytest.raises(ValueError, match=r"Peephole .*\(2, 0, 3\)"):
        cell(torch.zeros(2, 0, 3), cell.initial_state(2))
