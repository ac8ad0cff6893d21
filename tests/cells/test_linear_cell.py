"""Cells that are linear in their state: the scan equals the unrolled loop, and wrong declarations are rejected."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.cells.linear_cell import LinearCell
from nmt_lstm.errors import PluginResultError
from nmt_lstm.recurrence import linear_scan


class Leaky(LinearCell):
    """A cell whose output is its state."""

    gates = ("keep", "add")

    def coefficients(self, x):
        keep = torch.sigmoid(x.keep)
        return keep, (1 - keep) * x.add


class Read(LinearCell):
    """A cell whose output is read from its state."""

    gates = ("keep", "add", "show")
    state = ("cell",)
    output_is_state = False

    def coefficients(self, x):
        return torch.sigmoid(x.keep), torch.tanh(x.add)

    def output(self, x, state):
        return torch.sigmoid(x.show) * state


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("kind", [Leaky, Read])
@pytest.mark.parametrize("parallel", [False, True])
def test_the_scan_equals_the_unrolled_loop(monkeypatch, kind, parallel, autocast) -> None:
    if parallel:
        monkeypatch.setattr(linear_scan, "_scan", linear_scan._parallel_scan)
    torch.manual_seed(1)
    cell = kind(5, 6)
    results = []
    for take in (cell.scan, cell.unroll):
        inputs, state = torch.randn(3, 7, 5, generator=torch.Generator().manual_seed(2)), torch.ones(3, 6)
        leaves = [inputs.requires_grad_(), state.requires_grad_(), *cell.parameters()]
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            outputs, (last,) = take(inputs, (state,))
        assert outputs.dtype == (torch.bfloat16 if autocast else torch.float32)
        assert last.dtype == torch.float32
        gradients = torch.autograd.grad(outputs.float().square().sum() + last.sum(), leaves)
        results.append([outputs, last, *gradients])
    for tensor, expected in zip(*results, strict=True):
        assert (tensor - expected).norm() <= (0.02 if autocast else 1e-5) * expected.norm()


def test_an_error_names_a_cell_without_coefficients() -> None:
    class Nothing(LinearCell):
        gates = ("keep",)

    with pytest.raises(TypeError, match="Nothing does not define coefficients"):
        Nothing(3, 4)(torch.randn(2, 1, 3), (torch.zeros(2, 4),))


def test_an_error_names_a_cell_without_output() -> None:
    class Silent(Read):
        output = LinearCell.output

    with pytest.raises(TypeError, match="Silent .*define output"):
        Silent(3, 4)(torch.randn(2, 1, 3), (torch.zeros(2, 4),))


def test_a_class_that_defines_output_has_a_separate_output() -> None:
    class Doubled(Leaky):
        def output(self, x, state):
            return 2 * state

    class Inherits(Doubled):
        gates = ("keep", "add")

    for kind in (Doubled, Inherits):
        assert kind.output_is_state is False
        cell = kind(3, 4)
        outputs, (last,) = cell(torch.randn(2, 5, 3), cell.initial_state(2))
        torch.testing.assert_close(outputs[:, -1], 2 * last)


def test_an_output_that_would_not_be_used_is_rejected() -> None:
    with pytest.raises(TypeError, match=r"Unused .*output_is_state"):
        type("Unused", (Leaky,), {"output": Read.output, "output_is_state": True})


def test_coefficients_that_are_not_a_pair_are_rejected() -> None:
    class Single(Leaky):
        def coefficients(self, x):
            return torch.sigmoid(x.keep)

    with pytest.raises(PluginResultError, match="a tensor") as error_info:
        Single(3, 4).step(torch.randn(2, 3), (torch.zeros(2, 4),))
    assert (error_info.value.part, error_info.value.method) == ("Single", "coefficients")
