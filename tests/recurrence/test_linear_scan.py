"""The linear recurrence, step by step and by joining pairs, against a loop written out; and cells made of it."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.cells.linear_cell import LinearCell
from nmt_lstm.recurrence import linear_scan as module
from nmt_lstm.recurrence.linear_scan import linear_recurrence


def by_hand(decay, addition, initial):
    """The recurrence as it is written."""
    states = []
    for factor, term in zip(decay, addition, strict=True):
        initial = factor * initial + term
        states.append(initial)
    return torch.stack(states)


@pytest.fixture(params=["steps", "pairs"])
def kind(request, monkeypatch) -> str:
    """Both ways to compute it; the one of GPUs is run here too."""
    if request.param == "pairs":
        monkeypatch.setattr(module, "_scan", module._scan_by_pairs)
    return request.param


@pytest.mark.parametrize("length", [1, 2, 3, 8, 13])
def test_values_are_those_of_the_loop(kind, length) -> None:
    torch.manual_seed(length)
    decay, addition = torch.randn(2, length, 3, 4, dtype=torch.float64)
    initial = torch.randn(3, 4, dtype=torch.float64)
    before = [part.clone() for part in (decay, addition, initial)]
    seen = linear_recurrence(decay, addition, initial)
    torch.testing.assert_close(seen, by_hand(decay, addition, initial))
    for part, kept in zip((decay, addition, initial), before, strict=True):
        assert torch.equal(part, kept)


@pytest.mark.parametrize("length", [1, 5])
def test_gradients_pass_gradcheck(kind, length) -> None:
    torch.manual_seed(1)
    decay, addition = torch.randn(2, length, 2, 3, dtype=torch.float64)
    given = [part.requires_grad_() for part in (decay, addition, torch.randn(2, 3, dtype=torch.float64))]
    assert torch.autograd.gradcheck(linear_recurrence, given)


def test_factors_of_zero_and_long_sequences_are_sound(kind) -> None:
    decay = torch.full((500, 1, 2), 0.5)
    decay[250] = 0.0
    addition = torch.ones_like(decay)
    states = linear_recurrence(decay, addition, torch.full((1, 2), 1e30))
    assert torch.isfinite(states).all()
    torch.testing.assert_close(states[250], torch.ones(1, 2))
    torch.testing.assert_close(states[-1], torch.full((1, 2), 2.0))


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
@pytest.mark.parametrize("part", [Leaky, Read])
def test_all_positions_at_once_give_what_the_unrolled_loop_gives(kind, part, autocast) -> None:
    torch.manual_seed(1)
    cell = part(5, 6)
    found = []
    for take in (cell.scan, cell.unroll):
        inputs, state = torch.randn(3, 7, 5, generator=torch.Generator().manual_seed(2)), torch.ones(3, 6)
        leaves = [inputs.requires_grad_(), state.requires_grad_(), *cell.parameters()]
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            outputs, (last,) = take(inputs, (state,))
        assert outputs.dtype == (torch.bfloat16 if autocast else torch.float32)
        assert last.dtype == torch.float32
        found.append(
            [outputs, last, *torch.autograd.grad(outputs.float().square().sum() + last.sum(), leaves)]
        )
    for seen, expected in zip(*found, strict=True):
        assert (seen - expected).norm() <= (0.02 if autocast else 1e-5) * expected.norm()


def test_a_cell_without_coefficients_says_so() -> None:
    class Nothing(LinearCell):
        gates = ("keep",)

    with pytest.raises(TypeError, match=r"Nothing does not define coefficients\(x\)"):
        Nothing(3, 4)(torch.randn(2, 1, 3), (torch.zeros(2, 4),))


def test_a_cell_without_output_says_so() -> None:
    class Silent(Read):
        output = LinearCell.output

    with pytest.raises(TypeError, match=r"Silent has an output that is no state, but does not define output"):
        Silent(3, 4)(torch.randn(2, 1, 3), (torch.zeros(2, 4),))


def test_an_output_that_is_defined_is_the_output() -> None:
    class Doubled(Leaky):
        def output(self, x, state):
            return 2 * state

    class Doubtful(Doubled):
        gates = ("keep", "add")

    for part in (Doubled, Doubtful):
        assert part.output_is_state is False
        cell = part(3, 4)
        outputs, (last,) = cell(torch.randn(2, 5, 3), cell.initial_state(2))
        torch.testing.assert_close(outputs[:, -1], 2 * last)


def test_an_output_that_would_not_be_used_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Unused .*output_is_state"):
        type("Unused", (Leaky,), {"output": Read.output, "output_is_state": True})


def test_coefficients_that_are_no_pair_are_named() -> None:
    class Single(Leaky):
        def coefficients(self, x):
            return torch.sigmoid(x.keep)

    with pytest.raises(TypeError, match=r"Single.coefficients returned a tensor"):
        Single(3, 4).step(torch.randn(2, 3), (torch.zeros(2, 4),))
