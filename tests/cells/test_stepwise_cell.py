"""Cells with several products in a step, against plain autograd through the equations; and the shared product alone."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.stepwise_cell import StepwiseCell
from nmt_lstm.errors import PluginResultError
from nmt_lstm.recurrence.shared_product import SharedProduct
from nmt_lstm.testing import cell_conformance


class ResetBefore(StepwiseCell):
    """A gated recurrent unit whose reset gate acts before the product (Cho et al. 2014)."""

    gates = ("reset", "update", "candidate")
    products = (("gates", 2), ("candidate", 1))

    def advance(self, x, products, state):
        (hidden,) = state
        from_reset, from_update = products["gates"](hidden)
        reset, update = torch.sigmoid(x.reset + from_reset), torch.sigmoid(x.update + from_update)
        (from_candidate,) = products["candidate"](reset * hidden)
        return (hidden + update * (torch.tanh(x.candidate + from_candidate) - hidden),)


class Shown(StepwiseCell):
    """A cell whose output is no state."""

    gates = ("new",)
    products = (("inner", 1), ("outer", 1))
    state = ("memory",)
    output_is_state = False

    def advance(self, x, products, state):
        (memory,) = state
        memory = torch.tanh(x.new + products["inner"](memory)[0])
        return products["outer"](memory)[0], memory


@cell_conformance(ResetBefore, input_size=5, hidden_size=6)
def test_conformance(check) -> None:
    check()


@cell_conformance(Shown, input_size=5, hidden_size=6)
def test_conformance_of_an_output_that_is_no_state(check) -> None:
    check()


def test_parameters_are_named_by_products() -> None:
    shapes = {name: tuple(parameter.shape) for name, parameter in ResetBefore(3, 4).named_parameters()}
    assert shapes == {
        "weight_ih": (12, 3),
        "bias_ih": (12,),
        "weight_gates": (8, 4),
        "weight_candidate": (4, 4),
    }


@pytest.mark.parametrize("length", [1, 6])
def test_gradients_are_those_of_autograd_through_the_steps(length) -> None:
    torch.manual_seed(1)
    cell = ResetBefore(3, 4).double()
    inputs = torch.randn(2, length, 3, dtype=torch.float64)
    found = []
    for take in (cell.forward, lambda *given: Cell.forward(cell, *given)):
        outputs, _ = take(inputs, cell.initial_state(2))
        found.append([outputs, *torch.autograd.grad(outputs.square().sum(), list(cell.parameters()))])
    for seen, expected in zip(*found, strict=True):
        torch.testing.assert_close(seen, expected)


def test_a_cell_without_advance_says_so() -> None:
    class Nothing(StepwiseCell):
        gates = ("new",)
        products = (("inner", 1),)

    with pytest.raises(TypeError, match=r"Nothing does not define advance\(x, products, state\)"):
        Nothing(3, 4).step(torch.randn(2, 3), (torch.zeros(2, 4),))


@pytest.mark.parametrize("with_bias", [True, False])
def test_shared_product_has_the_gradients_of_a_plain_one(with_bias) -> None:
    torch.manual_seed(1)
    weight, bias = torch.randn(5, 3, requires_grad=True), torch.randn(5, requires_grad=True)
    first = torch.randn(2, 3, requires_grad=True)
    leaves = [first, weight, *([bias] if with_bias else [])]
    found = []
    for kind in ("shared", "plain"):
        shared = SharedProduct(weight, bias if with_bias else None, rows=2, times=4)
        plain = lambda given: torch.nn.functional.linear(given, weight, bias if with_bias else None)  # noqa: E731
        product = shared if kind == "shared" else plain
        hidden, total = first, torch.zeros(())
        for step in range(4):
            hidden = torch.tanh(product(hidden))[:, :3]
            if step != 2:
                total = total + hidden.square().sum() * (step + 1)
        kept = torch.autograd.grad(hidden.sum(), first, retain_graph=True)
        found.append(
            [
                *kept,
                *torch.autograd.grad(total, leaves, retain_graph=True),
                *torch.autograd.grad(total, leaves),
            ]
        )
    for seen, expected in zip(*found, strict=True):
        torch.testing.assert_close(seen, expected)


def test_shared_product_may_stay_unused() -> None:
    weight = torch.randn(5, 3, requires_grad=True)
    product = SharedProduct(weight, None, rows=2, times=4)
    unused = product(torch.randn(2, 3))
    assert torch.autograd.grad((weight.sum() + 0 * unused.detach().sum()), weight)[0].eq(1).all()


def test_biases_start_as_the_class_says() -> None:
    class Open(ResetBefore):
        biases: ClassVar = {"update": -1.0}

    assert Open(3, 4).bias_ih.tolist() == [0.0] * 4 + [-1.0] * 4 + [0.0] * 4
    assert not ResetBefore(3, 4).bias_ih.any()


@pytest.mark.parametrize("products", [("gates", 2), (("gates",),), "gates", (("a", 1), ("a", 1))])
def test_products_that_are_no_pairs_are_refused(products) -> None:
    with pytest.raises(TypeError, match=r"Mistaken.products"):
        type("Mistaken", (ResetBefore,), {"products": products})


@pytest.mark.parametrize("grad", [True, False])
def test_what_advance_returns_is_checked(grad) -> None:
    class Bare(ResetBefore):
        def advance(self, x, products, state):
            return state[0]

    class Many(ResetBefore):
        def advance(self, x, products, state):
            return state[0], state[0]

    with torch.set_grad_enabled(grad):
        for part in (Bare, Many):
            with pytest.raises(PluginResultError, match="tuple|tensors") as caught:
                part(3, 4).step(torch.randn(2, 3), (torch.zeros(2, 4),))
            assert (caught.value.part, caught.value.method) == (part.__name__, "advance")
