"""The product of whole sequences: values and gradients of torch's own linear, in bf16 within its rounding."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from nmt_lstm.numerics.sequence_linear import sequence_linear, summed_gradients, summed_rows


def results(product, autocast: bool, shape, turned: bool = False):
    """Value and gradients of a product, in float32."""
    torch.manual_seed(0)
    inputs = torch.randn(*shape, requires_grad=True)
    weight, bias = torch.randn(24, shape[-1], requires_grad=True), torch.randn(24, requires_grad=True)
    given = inputs.transpose(0, 1) if turned else inputs
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        value = product(given, weight, bias)
    weighted = value.float() * torch.linspace(-1, 1, value.numel()).view_as(value)
    return [value, *torch.autograd.grad(weighted.sum(), [inputs, weight, bias])]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("autocast", [False, True])
def test_product_and_gradients_are_those_of_torch(autocast, turned) -> None:
    seen = results(sequence_linear, autocast, (5, 7, 40), turned)
    expected = results(functional.linear, False, (5, 7, 40), turned)
    assert seen[0].dtype == (torch.bfloat16 if autocast else torch.float32)
    for one, other in zip(seen, expected, strict=True):
        assert (one - other).norm() <= (0.01 if autocast else 1e-6) * other.norm()
    assert {gradient.dtype for gradient in seen[1:]} == {torch.float32}


def test_only_what_asks_for_gradients_gets_them() -> None:
    weight = torch.randn(4, 3, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        value = sequence_linear(torch.randn(5, 2, 3), weight, torch.zeros(4))
    value.float().sum().backward()
    assert weight.grad is not None


def test_a_bias_alone_gets_its_gradient() -> None:
    bias = torch.zeros(4, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        value = sequence_linear(torch.randn(5, 2, 3), torch.randn(4, 3), bias)
    value.float().sum().backward()
    torch.testing.assert_close(bias.grad, torch.full((4,), 10.0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(("left", "right"), [(24, 10), (10, 24)])
def test_gradients_of_weight_and_bias_are_summed(dtype, left, right) -> None:
    torch.manual_seed(0)
    one, other = torch.randn(50, left).to(dtype), torch.randn(50, right).to(dtype)
    seen = summed_gradients(one, other)
    for gradient, expected in zip(
        seen, (one.double().t() @ other.double(), one.double().sum(0)), strict=True
    ):
        assert gradient.is_contiguous()
        assert gradient.dtype == dtype
        assert (gradient - expected).norm() <= (0.01 if dtype == torch.bfloat16 else 1e-5) * expected.norm()


@pytest.mark.parametrize("rows", [3, 9_000])
def test_rows_are_summed(rows) -> None:
    torch.manual_seed(0)
    given = torch.randn(rows, 12).bfloat16()
    expected = given.double().sum(0)
    torch.testing.assert_close(summed_rows(given).double(), expected, rtol=0.01, atol=0.01 * rows**0.5)
