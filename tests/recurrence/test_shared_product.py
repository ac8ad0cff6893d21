"""One weight for all steps: the values and gradients of plain products, whichever steps reach the loss."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.recurrence.shared_product import SharedProduct


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
