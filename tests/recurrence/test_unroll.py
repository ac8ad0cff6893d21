"""The unrolled loop against plain autograd through single steps: whatever the update is, values and gradients are the same."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch import nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gated_cell import GatedCell


class Product(GatedCell):
    """Both pre-activations multiplied, and the one from the input alone: they do not enter as their sum."""

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
    """One gate enters as a sum, the other not: its recurrent gate is seen twice."""

    gates = ("keep", "add")

    def update(self, x, h, state):
        keep = torch.sigmoid(x.keep + h.keep)
        return (keep * state[0] + torch.tanh(x.add + keep * h.add),)


class IgnoresState(GatedCell):
    """An update whose gradient for the recurrent gate is nothing."""

    gates = ("new",)

    def update(self, x, h, state):
        return (torch.tanh(x.new),)


class Detached(GatedCell):
    """A sum but for the gradient, which must not be taken for one."""

    gates = ("new",)

    def update(self, x, h, state):
        return (torch.tanh(x.new + h.new) * torch.sigmoid(h.new.detach()),)


class OwnParameters(GatedCell):
    """Parameters that the update uses, one of which is fixed."""

    gates = ("new",)

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.slope = nn.Parameter(torch.linspace(0.5, 1.5, hidden_size))
        self.fixed = nn.Parameter(torch.linspace(1.0, 2.0, hidden_size), requires_grad=False)

    def update(self, x, h, state):
        return (torch.tanh(self.slope * x.new + self.fixed * h.new) + 0.1 * self.slope * state[0],)


CELLS = [Product, Sum, HalfSum, IgnoresState, Detached, OwnParameters]


def made(part, length: int = 5, batch: int = 3, dtype: torch.dtype = torch.float64):
    """A cell with inputs and a state, all of which ask for gradients."""
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


def results(take, cell, inputs, state):
    """Values, and gradients of a sum that weighs each value otherwise."""
    outputs, last = take(inputs, state)
    weighted = [
        (part * torch.linspace(-1, 2, part.numel(), dtype=part.dtype).view_as(part)).sum()
        for part in (outputs, *last)
    ]
    leaves = [inputs, *state, *(parameter for parameter in cell.parameters() if parameter.requires_grad)]
    found = torch.autograd.grad(sum(weighted), leaves, allow_unused=True)
    gradients = [
        torch.zeros_like(leaf) if one is None else one for one, leaf in zip(found, leaves, strict=True)
    ]
    return [outputs, *last, *gradients]


@pytest.mark.parametrize("length", [1, 5])
@pytest.mark.parametrize("part", CELLS)
def test_values_and_gradients_are_those_of_autograd(part, length) -> None:
    cell, inputs, state = made(part, length)
    unrolled = results(cell.unroll, cell, inputs, state)
    stepped = results(lambda *given: Cell.forward(cell, *given), cell, inputs, state)
    for seen, expected in zip(unrolled, stepped, strict=True):
        torch.testing.assert_close(seen, expected, rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("part", [Product, Sum, OwnParameters])
def test_gradients_pass_gradcheck(part) -> None:
    cell, inputs, state = made(part, 3, 2)

    def run(inputs, *rest):
        outputs, last = cell.unroll(inputs, rest[: len(state)])
        return outputs, *last

    parameters = [parameter for parameter in cell.parameters() if parameter.requires_grad]
    assert torch.autograd.gradcheck(run, (inputs, *state, *parameters))


@pytest.mark.parametrize("part", CELLS)
def test_without_gradients_the_values_are_the_same_and_have_no_graph(part) -> None:
    cell, inputs, state = made(part)
    expected, expected_last = cell.unroll(inputs, state)
    with torch.no_grad():
        outputs, last = cell.unroll(inputs, state)
    assert not outputs.requires_grad
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(last, expected_last)


def test_the_last_state_does_not_share_memory_with_the_outputs() -> None:
    cell, inputs, state = made(Sum)
    outputs, last = cell.unroll(inputs, state)
    before = outputs.detach().clone()
    for part in last:
        part.detach().zero_()
    assert torch.equal(outputs, before)


@pytest.mark.parametrize("wanted", ["weight_ih", "weight_hh", "bias_hh"])
def test_only_what_asks_for_gradients_gets_them(wanted) -> None:
    cell, inputs, state = made(Product)
    for name, parameter in cell.named_parameters():
        parameter.requires_grad_(name == wanted)
    inputs, state = inputs.detach(), tuple(part.detach() for part in state)
    ways = [cell.unroll(inputs, state), Cell.forward(cell, inputs, state)]
    seen, expected = (
        torch.autograd.grad(outputs.sum(), cell.get_parameter(wanted))[0] for outputs, _ in ways
    )
    torch.testing.assert_close(seen, expected)


def test_a_state_alone_may_ask_for_gradients() -> None:
    cell, inputs, state = made(Sum)
    cell.requires_grad_(False)
    ways = [cell.unroll(inputs.detach(), state), Cell.forward(cell, inputs.detach(), state)]
    seen, expected = (torch.autograd.grad(outputs.sum(), state) for outputs, _ in ways)
    torch.testing.assert_close(seen, expected)


def test_one_result_alone_may_be_differentiated() -> None:
    cell, inputs, state = made(Sum)
    for pick in (lambda found: found[0][:, 1], lambda found: found[1][1]):
        ways = [pick(cell.unroll(inputs, state)), pick(Cell.forward(cell, inputs, state))]
        seen, expected = (torch.autograd.grad(result.sum(), inputs)[0] for result in ways)
        torch.testing.assert_close(seen, expected)


@pytest.mark.parametrize("part", CELLS)
def test_under_autocast_gradients_are_float32_and_near(part) -> None:
    cell, inputs, state = made(part, dtype=torch.float32)
    expected = results(cell.unroll, cell, inputs, state)
    with torch.autocast("cpu", torch.bfloat16):
        seen = results(cell.unroll, cell, inputs, state)
    assert seen[0].dtype == torch.bfloat16
    for one, other in zip(seen, expected, strict=True):
        assert (one - other).norm() <= 0.05 * max(1.0, float(other.detach().norm()))
    assert {gradient.dtype for gradient in seen[1 + len(state) :]} == {torch.float32}


class Apart(GatedCell):
    """An output that is no state."""

    gates = ("new",)
    output_is_state = False

    def update(self, x, h, state):
        hidden = torch.tanh(x.new + h.new)
        return hidden * state[0], hidden


def products_of(outputs):
    """The recurrent products in the graph of the outputs."""
    found, waiting = set(), [outputs.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in found:
            found.add(node)
            waiting += [following for following, _ in node.next_functions]
    return [node for node in found if type(node).__name__ == "_ProductBackward"]


@pytest.mark.parametrize("kind", [Sum, Apart])
def test_a_graph_is_gone_when_its_results_are(kind) -> None:
    cell = kind(3, 4)
    gc.disable()
    try:
        outputs, _ = cell(torch.randn(2, 6, 3), cell.initial_state(2))
        outputs.sum().backward()
        seen = [weakref.ref(node) for node in products_of(outputs)]
        assert len(seen) == 6
        del outputs, _
        assert not any(node() for node in seen)
    finally:
        gc.enable()
