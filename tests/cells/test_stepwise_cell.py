"""Cells with several products in a step have the values and gradients of plain autograd through their equations."""

from __future__ import annotations

import functools
from typing import ClassVar

import pytest
import torch

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.stepwise_cell import StepwiseCell
from nmt_lstm.errors import PluginResultError
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


class SeparateOutput(StepwiseCell):
    """A cell whose output is not one of its states."""

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


@cell_conformance(SeparateOutput, input_size=5, hidden_size=6)
def test_conformance_with_a_separate_output(check) -> None:
    check()


def test_parameters_are_named_after_products() -> None:
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
    results = []
    for take in (cell.forward, functools.partial(Cell.forward, cell)):
        outputs, _ = take(inputs, cell.initial_state(2))
        results.append([outputs, *torch.autograd.grad(outputs.square().sum(), list(cell.parameters()))])
    for tensor, expected in zip(*results, strict=True):
        torch.testing.assert_close(tensor, expected)


def test_an_error_names_a_cell_without_advance() -> None:
    class Nothing(StepwiseCell):
        gates = ("new",)
        products = (("inner", 1),)

    with pytest.raises(TypeError, match="Nothing does not define advance"):
        Nothing(3, 4).step(torch.randn(2, 3), (torch.zeros(2, 4),))


def test_biases_start_as_the_class_declares() -> None:
    class Open(ResetBefore):
        biases: ClassVar = {"update": -1.0}

    assert Open(3, 4).bias_ih.tolist() == [0.0] * 4 + [-1.0] * 4 + [0.0] * 4
    assert not ResetBefore(3, 4).bias_ih.any()


@pytest.mark.parametrize("products", [("gates", 2), (("gates",),), "gates", (("a", 1), ("a", 1))])
def test_products_that_are_not_pairs_are_rejected(products) -> None:
    with pytest.raises(TypeError, match=r"Mistaken.products"):
        type("Mistaken", (ResetBefore,), {"products": products})


@pytest.mark.parametrize("grad", [True, False])
def test_the_result_of_advance_is_checked(grad) -> None:
    class Bare(ResetBefore):
        def advance(self, x, products, state):
            return state[0]

    class Many(ResetBefore):
        def advance(self, x, products, state):
            return state[0], state[0]

    with torch.set_grad_enabled(grad):
        for kind in (Bare, Many):
            with pytest.raises(PluginResultError, match="tuple|tensors") as error_info:
                kind(3, 4).step(torch.randn(2, 3), (torch.zeros(2, 4),))
            assert (error_info.value.part, error_info.value.method) == (kind.__name__, "advance")
