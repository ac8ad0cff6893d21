"""The unrolled loop has the values and gradients of plain autograd through single steps, whatever the update is."""

from __future__ import annotations

import functools
import gc
import weakref

import pytest
import torch
from torch import nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gated_cell import GatedCell


class Product(GatedCell):
    """Multiplies the two pre-activations, so that they do not enter as their sum."""

    gates = ("mix",)

    def update(self, x, h, state):
        (hidden,) = state
        return (0.5 * hidden + torch.tanh(x.mix * h.mix + x.mix),)


class Sum(GatedCell):
    """Two gates that enter as sums; the second state does not enter the recurrent product."""

    gates = ("keep", "add")
    state = ("hidden", "total")

    def update(self, x, h, state):
        _, total = state
        total = torch.sigmoid(x.keep + h.keep) * total + torch.tanh(h.add + x.add)
        return torch.tanh(total), total


class HalfSum(GatedCell):
    """One gate enters as a sum; the other does not, and its recurrent pre-activation is used twice."""

    gates = ("keep", "add")

    def update(self, x, h, state):
        keep = torch.sigmoid(x.keep + h.keep)
        return (keep * state[0] + torch.tanh(x.add + keep * h.add),)


class IgnoresState(GatedCell):
    """An update that gives the recurrent gate no gradient."""

    gates = ("new",)

    def update(self, x, h, state):
        return (torch.tanh(x.new),)


class Detached(GatedCell):
    """Uses a detached pre-activation: its value matters, but it passes no gradient on."""

    gates = ("new",)

    def update(self, x, h, state):
        return (torch.tanh(x.new + h.new) * torch.sigmoid(h.new.detach()),)


class OwnParameters(GatedCell):
    """An update that uses parameters of its own, one of which is fixed."""

    gates = ("new",)

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.slope = nn.Parameter(torch.linspace(0.5, 1.5, hidden_size))
        self.fixed = nn.Parameter(torch.linspace(1.0, 2.0, hidden_size), requires_grad=False)

    def update(self, x, h, state):
        return (torch.tanh(self.slope * x.new + self.fixed * h.new) + 0.1 * self.slope * state[0],)


CELLS = [Product, Sum, HalfSum, IgnoresState, Detached, OwnParameters]


def cell_with_inputs(part, length: int = 5, batch: int = 3, dtype: torch.dtype = torch.float64):
    """Return a cell with inputs and a state that require gradients."""
    torch.manual_seed(length)
    cell = part(3, 4).to(dtype)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    inputs = torch.randn(batch, length, 3, dtype=dtype, requires_grad=True)
    state = [
        torch.randn(batch, width, dtype=dtype, requires_grad=True) for width in cell.state_sizes.values()
    ]
    return cell, inputs, tuple(state)


def values_and_gradients(take, cell, inputs, state):
    """Return values, and the gradients of a sum that weights each value differently."""
    outputs, last = take(inputs, state)
    weighted = [
        (part * torch.linspace(-1, 2, part.numel(), dtype=part.dtype).view_as(part)).sum()
        for part in (outputs, *last)
    ]
    leaves = [inputs, *state, *(parameter for parameter in cell.parameters() if parameter.requires_grad)]
    gradients = torch.autograd.grad(sum(weighted), leaves, allow_unused=True, materialize_grads=True)
    return [outputs, *last, *gradients]


@pytest.mark.parametrize("length", [1, 5])
@pytest.mark.parametrize("part", CELLS)
def test_values_and_gradients_are_those_of_autograd(part, length) -> None:
    cell, inputs, state = cell_with_inputs(part, length)
    unrolled = values_and_gradients(cell.unroll, cell, inputs, state)
    stepped = values_and_gradients(functools.partial(Cell.forward, cell), cell, inputs, state)
    for tensor, expected in zip(unrolled, stepped, strict=True):
        torch.testing.assert_close(tensor, expected, rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("part", [Product, Sum, OwnParameters])
def test_gradients_pass_gradcheck(part) -> None:
    cell, inputs, state = cell_with_inputs(part, 3, 2)

    def run(inputs, *rest):
        outputs, last = cell.unroll(inputs, rest[: len(state)])
        return outputs, *last

    parameters = [parameter for parameter in cell.parameters() if parameter.requires_grad]
    assert torch.autograd.gradcheck(run, (inputs, *state, *parameters))


@pytest.mark.parametrize("part", CELLS)
def test_without_gradients_the_values_are_the_same_and_have_no_graph(part) -> None:
    cell, inputs, state = cell_with_inputs(part)
    expected, expected_last = cell.unroll(inputs, state)
    with torch.no_grad():
        outputs, last = cell.unroll(inputs, state)
    assert not outputs.requires_grad
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(last, expected_last)


def test_the_last_state_does_not_share_memory_with_the_outputs() -> None:
    cell, inputs, state = cell_with_inputs(Sum)
    outputs, last = cell.unroll(inputs, state)
    before = outputs.detach().clone()
    for part in last:
        part.detach().zero_()
    assert torch.equal(outputs, before)


@pytest.mark.parametrize("trained", ["weight_ih", "weight_hh", "bias_hh"])
def test_one_parameter_alone_may_require_a_gradient(trained) -> None:
    cell, inputs, state = cell_with_inputs(Product)
    for name, parameter in cell.named_parameters():
        parameter.requires_grad_(name == trained)
    inputs, state = inputs.detach(), tuple(part.detach() for part in state)
    ways = [cell.unroll(inputs, state), Cell.forward(cell, inputs, state)]
    unrolled, expected = (
        torch.autograd.grad(outputs.sum(), cell.get_parameter(trained))[0] for outputs, _ in ways
    )
    torch.testing.assert_close(unrolled, expected)


def test_the_state_alone_may_require_a_gradient() -> None:
    cell, inputs, state = cell_with_inputs(Sum)
    cell.requires_grad_(False)
    ways = [cell.unroll(inputs.detach(), state), Cell.forward(cell, inputs.detach(), state)]
    unrolled, expected = (torch.autograd.grad(outputs.sum(), state) for outputs, _ in ways)
    torch.testing.assert_close(unrolled, expected)


def test_one_result_alone_may_be_differentiated() -> None:
    cell, inputs, state = cell_with_inputs(Sum)
    for select in (lambda outputs, last: outputs[:, 1], lambda outputs, last: last[1]):
        ways = [select(*cell.unroll(inputs, state)), select(*Cell.forward(cell, inputs, state))]
        unrolled, expected = (torch.autograd.grad(result.sum(), inputs)[0] for result in ways)
        torch.testing.assert_close(unrolled, expected)


@pytest.mark.parametrize("part", CELLS)
def test_under_autocast_gradients_are_float32_and_nearly_the_same(part) -> None:
    cell, inputs, state = cell_with_inputs(part, dtype=torch.float32)
    expected = values_and_gradients(cell.unroll, cell, inputs, state)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = values_and_gradients(cell.unroll, cell, inputs, state)
    assert rounded[0].dtype == torch.bfloat16
    for tensor, exact in zip(rounded, expected, strict=True):
        assert (tensor - exact).norm() <= 0.05 * max(1.0, float(exact.detach().norm()))
    assert {gradient.dtype for gradient in rounded[1 + len(state) :]} == {torch.float32}


class SeparateOutput(GatedCell):
    """A cell whose output is not one of its states."""

    gates = ("new",)
    output_is_state = False

    def update(self, x, h, state):
        hidden = torch.tanh(x.new + h.new)
        return hidden * state[0], hidden


def recurrent_products(outputs):
    """Return the recurrent products in the graph of the outputs."""
    nodes, queue = set(), [outputs.grad_fn]
    while queue:
        node = queue.pop()
        if node is not None and node not in nodes:
            nodes.add(node)
            queue += [following for following, _ in node.next_functions]
    return [node for node in nodes if type(node).__name__ == "_StepProductBackward"]


@pytest.mark.parametrize("kind", [Sum, SeparateOutput])
def test_a_graph_is_freed_with_its_results(kind) -> None:
    cell = kind(3, 4)
    gc.disable()
    try:
        outputs, _ = cell(torch.randn(2, 6, 3), cell.initial_state(2))
        outputs.sum().backward()
        references = [weakref.ref(node) for node in recurrent_products(outputs)]
        assert len(references) == 6
        del outputs, _
        assert not any(node() for node in references)
    finally:
        gc.enable()
