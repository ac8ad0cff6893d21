"""Products by a weight packed once: the values of plain products, and none of it where it does not pay or exist."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.numerics import packed
from nmt_lstm.numerics.packed import packing_is_available, repeated_product


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("times", [1, 10])
@pytest.mark.parametrize("with_bias", [True, False])
def test_product_is_that_of_torch(dtype, times, with_bias) -> None:
    torch.manual_seed(0)
    weight, bias = torch.randn(24, 40).to(dtype), torch.randn(24).to(dtype)
    product = repeated_product(weight, bias if with_bias else None, rows=6, times=times)
    for rows in (6, 3):
        inputs = torch.randn(rows, 40).to(dtype)
        expected = inputs.double() @ weight.double().t() + (bias.double() if with_bias else 0)
        tolerance = 0.05 if dtype == torch.bfloat16 else 1e-5
        with torch.no_grad():
            torch.testing.assert_close(product(inputs).double(), expected, rtol=tolerance, atol=tolerance)


def test_a_turned_weight_is_packed_as_it_is_seen() -> None:
    weight, inputs = torch.randn(40, 24), torch.randn(6, 40)
    with torch.no_grad():
        seen = repeated_product(weight.t(), rows=6, times=10)(inputs)
    torch.testing.assert_close(seen, inputs @ weight)


def test_other_formats_are_not_packed() -> None:
    assert not packing_is_available(torch.float64)
    assert not packing_is_available(torch.float16)


def test_the_answer_does_not_depend_on_autocast() -> None:
    packing_is_available.cache_clear()
    with torch.autocast("cpu", torch.bfloat16):
        inside = packing_is_available(torch.bfloat16)
    packing_is_available.cache_clear()
    assert inside == packing_is_available(torch.bfloat16)


def test_a_library_that_packs_wrongly_is_not_used(monkeypatch) -> None:
    monkeypatch.setattr(
        packed, "_packed", lambda weight, *_: lambda inputs: torch.zeros(len(inputs), len(weight))
    )
    packing_is_available.cache_clear()
    try:
        assert not packing_is_available(torch.float32)
        weight, inputs = torch.randn(8, 5), torch.randn(6, 5)
        torch.testing.assert_close(repeated_product(weight, rows=6, times=10)(inputs), inputs @ weight.t())
    finally:
        packing_is_available.cache_clear()
