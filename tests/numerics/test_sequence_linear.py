"""Products of whole sequences have the values and gradients of torch's own, in bf16 within its rounding."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from nmt_lstm.numerics.sequence_linear import Linear, sequence_linear


def value_and_gradients(product, *, autocast: bool, transposed: bool = False):
    """Value and gradients of a product, in float32."""
    torch.manual_seed(0)
    inputs = torch.randn(5, 7, 40, requires_grad=True)
    weight, bias = torch.randn(24, 40, requires_grad=True), torch.randn(24, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        value = product(inputs.transpose(0, 1) if transposed else inputs, weight, bias)
    weighted = value.float() * torch.linspace(-1, 1, value.numel()).view_as(value)
    return [value, *torch.autograd.grad(weighted.sum(), [inputs, weight, bias])]


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("autocast", [False, True])
def test_product_and_gradients_are_those_of_torch(autocast, transposed) -> None:
    value, *gradients = value_and_gradients(sequence_linear, autocast=autocast, transposed=transposed)
    expected = value_and_gradients(functional.linear, autocast=False, transposed=transposed)
    assert value.dtype == (torch.bfloat16 if autocast else torch.float32)
    for tensor, exact in zip([value, *gradients], expected, strict=True):
        assert (tensor - exact).norm() <= (0.01 if autocast else 1e-6) * exact.norm()
    assert {gradient.dtype for gradient in gradients} == {torch.float32}


def test_a_weight_alone_gets_its_gradient() -> None:
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


def test_the_module_has_the_values_of_torchs_and_rows_independent_of_the_batch() -> None:
    torch.manual_seed(0)
    ours, theirs = Linear(7, 5), nn.Linear(7, 5)
    theirs.load_state_dict(ours.state_dict())
    inputs = torch.randn(2, 3, 7)
    torch.testing.assert_close(ours(inputs), theirs(inputs))
    with torch.no_grad():
        assert torch.equal(ours(inputs)[0, :1], ours(inputs[0, :1]))
