"""Products of attention are in float32 under a processor's autocast, forward and backward; otherwise unchanged."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.numerics.batched_product import batched_operand, batched_product


def tensors(dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return (
        torch.randn(3, 4, 5, dtype=dtype, requires_grad=True),
        torch.randn(3, 5, 2, dtype=dtype, requires_grad=True),
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_without_autocast_the_product_is_torchs(dtype) -> None:
    left, right = tensors(dtype)
    assert batched_operand(right) is right
    assert torch.equal(batched_product(left, right), torch.bmm(left, right))


@pytest.mark.parametrize(
    ("dtype", "expected_dtype"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_under_autocast_nothing_is_rounded_to_bf16(dtype, expected_dtype) -> None:
    left, right = tensors(dtype)
    with torch.autocast("cpu", torch.bfloat16):
        product = batched_product(left, right)
    exact = torch.bmm(left.to(expected_dtype), right.to(expected_dtype))
    assert product.dtype == operand_type(right) == expected_dtype
    assert torch.equal(product, exact)
    gradients = torch.autograd.grad(product.square().sum(), (left, right))
    expected = torch.autograd.grad(exact.square().sum(), (left, right))
    for gradient, exact_gradient in zip(gradients, expected, strict=True):
        assert torch.equal(gradient, exact_gradient)


def operand_type(tensor: torch.Tensor) -> torch.dtype:
    with torch.autocast("cpu", torch.bfloat16):
        return batched_operand(tensor).dtype
