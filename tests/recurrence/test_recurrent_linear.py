"""A weight shared by all steps has the values and gradients of plain products, whichever steps reach the loss."""

from __future__ import annotations

import functools

import pytest
import torch

from nmt_lstm.recurrence.recurrent_linear import RecurrentLinear


@pytest.mark.parametrize("with_bias", [True, False])
def test_recurrent_linear_has_the_gradients_of_a_plain_one(with_bias) -> None:
    torch.manual_seed(1)
    weight, bias = torch.randn(5, 3, requires_grad=True), torch.randn(5, requires_grad=True)
    first = torch.randn(2, 3, requires_grad=True)
    leaves = [first, weight, *([bias] if with_bias else [])]
    shared_bias = bias if with_bias else None
    shared = RecurrentLinear(weight, shared_bias, rows=2, times=4)
    plain = functools.partial(torch.nn.functional.linear, weight=weight, bias=shared_bias)
    gradients = []
    for product in (shared, plain):
        hidden, total = first, torch.zeros(())
        for step in range(4):
            hidden = torch.tanh(product(hidden))[:, :3]
            if step != 2:
                total = total + hidden.square().sum() * (step + 1)
        gradients.append(
            [
                *torch.autograd.grad(hidden.sum(), first, retain_graph=True),
                *torch.autograd.grad(total, leaves, retain_graph=True),
                *torch.autograd.grad(total, leaves),
            ]
        )
    for gradient, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(gradient, expected)


def test_a_product_that_reaches_no_loss_has_no_gradient() -> None:
    weight = torch.randn(5, 3, requires_grad=True)
    product = RecurrentLinear(weight, None, rows=2, times=4)
    unused = product(torch.randn(2, 3))
    assert torch.autograd.grad((weight.sum() + 0 * unused.detach().sum()), weight)[0].eq(1).all()
