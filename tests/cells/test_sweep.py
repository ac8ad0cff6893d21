"""The sweep against plain autograd: whatever the update is, values and gradients are the same."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from nmt_lstm.cells.sweep import sweep

HIDDEN = 4


def leaky(x, h, state):
    """One state that is also the output; a product of both pre-activations."""
    (hidden,) = state
    return (0.5 * hidden + torch.tanh(x * h + x),)


def two_parts(x, h, state):
    """A second state that does not enter the product, and an output that forgets its first state."""
    _, total = state
    total = total + torch.sigmoid(x + h)
    return torch.tanh(total), total


def ignores_history(x, h, state):
    """An update whose gradient for history is nothing."""
    return (torch.tanh(x),)


def plain(update, from_input, weight, bias, state):
    """The definition, for autograd."""
    outputs = []
    for position in from_input.unbind(1):
        state = update(position, functional.linear(state[0], weight, bias), state)
        outputs.append(state[0])
    return torch.stack(outputs, 1), state


def arguments(states: int, length: int = 5, batch: int = 3):
    torch.manual_seed(states + length)
    made = [
        torch.randn(batch, length, HIDDEN, dtype=torch.float64),
        torch.randn(HIDDEN, HIDDEN, dtype=torch.float64),
        torch.randn(HIDDEN, dtype=torch.float64),
        *(torch.randn(batch, HIDDEN, dtype=torch.float64) for _ in range(states)),
    ]
    return [tensor.requires_grad_() for tensor in made]


def results(take, update, given, extra=()):
    from_input, weight, bias, *state = given
    outputs, last = take(update, from_input, weight, bias, tuple(state))
    weights = [
        torch.linspace(-1, 2, part.numel(), dtype=part.dtype).view_as(part) for part in (outputs, *last)
    ]
    total = sum((part * weight).sum() for part, weight in zip((outputs, *last), weights, strict=True))
    gradients = torch.autograd.grad(total, [*given, *extra], allow_unused=True)
    zeros = (torch.zeros_like(leaf) for leaf in [*given, *extra])
    return [
        outputs,
        *last,
        *(zero if found is None else found for found, zero in zip(gradients, zeros, strict=True)),
    ]


@pytest.mark.parametrize(("update", "states"), [(leaky, 1), (two_parts, 2), (ignores_history, 1)])
@pytest.mark.parametrize("length", [1, 5])
def test_values_and_gradients_are_those_of_autograd(update, states, length) -> None:
    given = arguments(states, length)
    for seen, expected in zip(results(sweep, update, given), results(plain, update, given), strict=True):
        torch.testing.assert_close(seen, expected, rtol=0.0, atol=1e-12)


def test_gradients_pass_gradcheck() -> None:
    given = arguments(2, 3, 2)
    assert torch.autograd.gradcheck(
        lambda *tensors: _flat(sweep(two_parts, *tensors[:3], tensors[3:])), given
    )


def _flat(found):
    return (found[0], *found[1])


def test_parameters_of_the_update_get_their_gradients() -> None:
    slope = torch.randn(HIDDEN, dtype=torch.float64, requires_grad=True)
    fixed = torch.randn(HIDDEN, dtype=torch.float64)

    def update(x, h, state):
        return (torch.tanh(slope * x + fixed * h) + state[0] * slope,)

    def take(update, *given):
        return sweep(update, *given, extra=[fixed, slope])

    given = arguments(1)
    for seen, expected in zip(
        results(take, update, given, [slope]), results(plain, update, given, [slope]), strict=True
    ):
        torch.testing.assert_close(seen, expected, rtol=0.0, atol=1e-12)
    assert fixed.grad is None


def test_without_gradients_the_values_are_the_same_and_nothing_is_recorded() -> None:
    given = arguments(2)
    expected, expected_last = sweep(two_parts, *given[:3], tuple(given[3:]))
    with torch.no_grad():
        outputs, last = sweep(two_parts, *given[:3], tuple(given[3:]))
    assert not outputs.requires_grad
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(last, expected_last)


def test_the_last_state_does_not_share_memory_with_the_outputs() -> None:
    given = arguments(1)
    outputs, (last,) = sweep(leaky, *given[:3], tuple(given[3:]))
    before = outputs.detach().clone()
    last.detach().zero_()
    assert torch.equal(outputs, before)


def test_part_of_the_arguments_may_need_no_gradient() -> None:
    from_input, weight, bias, state = arguments(1)
    outputs, _ = sweep(leaky, from_input.detach(), weight, bias.detach(), (state.detach(),))
    expected, _ = plain(leaky, from_input.detach(), weight, bias.detach(), (state.detach(),))
    for seen, wanted in zip(
        *(torch.autograd.grad(found.sum(), [weight]) for found in (outputs, expected)), strict=True
    ):
        torch.testing.assert_close(seen, wanted)


def test_in_bf16_the_state_of_float32_is_taken_and_gets_a_gradient_of_float32() -> None:
    given = [tensor.detach().float().requires_grad_() for tensor in arguments(2)]
    from_input = given[0].bfloat16()
    outputs, last = sweep(two_parts, from_input, given[1], given[2], tuple(given[3:]))
    assert {outputs.dtype, *(part.dtype for part in last)} == {torch.bfloat16}
    outputs.float().sum().backward()
    assert given[1].grad.dtype == given[3].grad.dtype == torch.float32
    expected, _ = plain(two_parts, *given[:3], tuple(given[3:]))
    torch.testing.assert_close(outputs.float(), expected, rtol=0.0, atol=0.05)
