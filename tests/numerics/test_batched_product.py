"""Products of attention: in float32 under a processor's autocast, forward and backward; otherwise as they come."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.numerics.batched_product import batched_product, operand


def tensors(dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return (
        torch.randn(3, 4, 5, dtype=dtype, requires_grad=True),
        torch.randn(3, 5, 2, dtype=dtype, requires_grad=True),
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_without_autocast_it_is_torchs_product(dtype) -> None:
    left, right = tensors(dtype)
    assert operand(right) is right
    assert torch.equal(batched_product(left, right), torch.bmm(left, right))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_under_autocast_nothing_is_rounded_to_bf16(given, found) -> None:
    left, right = tensors(given)
    with torch.autocast("cpu", torch.bfloat16):
        product = batched_product(left, right)
    exact = torch.bmm(left.to(found), right.to(found))
    assert product.dtype == operand_type(right) == found
    assert torch.equal(product, exact)
    gradients = torch.autograd.grad(product.square().sum(), (left, right))
    expected = torch.autograd.grad(exact.square().sum(), (left, right))
    for gradient, wanted in zip(gradients, expected, strict=True):
        assert torch.equal(gradient, wanted)


def operand_type(tensor: torch.Tensor) -> torch.dtype:
    with torch.autocast("cpu", torch.bfloat16):
        return operand(tensor).dtype
