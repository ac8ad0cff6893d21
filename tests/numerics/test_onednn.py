"""oneDNN's private operators are used only where they answer correctly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from nmt_lstm.numerics import onednn
from nmt_lstm.numerics.linear import repeated_linear


@pytest.fixture(autouse=True)
def untried_operators() -> Iterator[None]:
    """Trials start without cached answers, and leave none of theirs."""
    onednn.packing_works.cache_clear()
    onednn.float32_works.cache_clear()
    yield
    onednn.packing_works.cache_clear()
    onednn.float32_works.cache_clear()


def raise_not_built(*_: object) -> torch.Tensor:
    raise RuntimeError("not built")


def wrong_values(*_: object) -> torch.Tensor:
    return torch.zeros(2, 4)


@pytest.mark.parametrize("operator", [raise_not_built, wrong_values])
def test_an_operator_that_fails_or_answers_wrongly_is_not_used(monkeypatch, operator) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", operator, raising=False)
    assert not onednn.float32_works()


def test_a_pytorch_without_onednn_uses_no_operator(monkeypatch) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert not onednn.float32_works()
    assert not onednn.packing_works(torch.float32)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_only_float32_and_bf16_weights_are_packed(dtype) -> None:
    assert not onednn.packing_works(dtype)


def test_the_trial_does_not_depend_on_autocast() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        inside = onednn.packing_works(torch.bfloat16)
    onednn.packing_works.cache_clear()
    assert inside == onednn.packing_works(torch.bfloat16)


def test_a_library_that_packs_wrongly_is_not_used(monkeypatch) -> None:
    def packed_linear(weight, bias, *, rows):
        return lambda inputs: torch.zeros(len(inputs), len(weight))

    monkeypatch.setattr(onednn, "packed_linear", packed_linear)
    assert not onednn.packing_works(torch.float32)
    weight, inputs = torch.randn(8, 5), torch.randn(6, 5)
    torch.testing.assert_close(repeated_linear(weight, rows=6, times=10)(inputs), inputs @ weight.t())
