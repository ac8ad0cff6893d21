"""The trial of bf16 recognises failures, and does not change the caller's settings."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.numerics import bf16_trial
from nmt_lstm.numerics.bf16_trial import bf16_works

REGIONS = {
    "default": torch.enable_grad,
    "no gradients": torch.no_grad,
    "inference": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "fp16 autocast": lambda: torch.autocast("cpu", torch.float16),
}


@pytest.fixture(autouse=True)
def no_cached_answer():
    """Each test runs the trial itself, and leaves no answer to the next."""
    bf16_works.cache_clear()
    yield
    bf16_works.cache_clear()


def torch_settings():
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_autocast_dtype("cpu"),
        torch.is_autocast_cache_enabled(),
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.get_rng_state().tolist(),
    )


@pytest.mark.parametrize("region", REGIONS)
def test_the_answer_is_the_same_in_any_region_and_changes_no_setting(region) -> None:
    expected = bf16_works()
    bf16_works.cache_clear()
    with REGIONS[region]():
        before = torch_settings()
        assert bf16_works() is expected
        assert torch_settings() == before


def test_the_answer_does_not_depend_on_the_default_dtype() -> None:
    expected = bf16_works()
    bf16_works.cache_clear()
    torch.set_default_dtype(torch.float64)
    try:
        assert bf16_works() is expected
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.needs_bf16
def test_correct_products_are_accepted() -> None:
    assert bf16_trial._is_correct(torch.nn.functional.linear, bf16_trial._linear_operands())


def test_a_function_that_is_wrong_in_bf16_is_rejected() -> None:
    def doubled_in_bf16(inputs, weight, bias):
        result = torch.nn.functional.linear(inputs, weight, bias)
        return result if result.dtype == torch.float32 else result * 2

    assert not bf16_trial._is_correct(doubled_in_bf16, bf16_trial._linear_operands())


@pytest.mark.parametrize("gradients", [True, False])
def test_a_kernel_that_raises_is_rejected(monkeypatch, gradients) -> None:
    def failing(*operands):
        if torch.is_grad_enabled() is gradients and torch.is_autocast_enabled("cpu"):
            raise RuntimeError("could not create a primitive descriptor")
        return lstm(*operands)

    lstm = bf16_trial._lstm
    monkeypatch.setattr(bf16_trial, "_lstm", failing)
    assert not bf16_works()
