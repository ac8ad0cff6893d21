"""The trial of bf16: what it answers, and that it leaves the caller as it was."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.numerics import bf16_trial
from nmt_lstm.numerics.bf16_trial import bf16_works

REGIONS = {
    "as it is": torch.enable_grad,
    "no gradients": torch.no_grad,
    "inference": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "another autocast": lambda: torch.autocast("cpu", torch.float16),
}


@pytest.fixture(autouse=True)
def not_tried():
    """The trial is run again in each test, and after it."""
    bf16_works.cache_clear()
    yield
    bf16_works.cache_clear()


def modes():
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
def test_the_answer_is_the_same_in_any_region_and_leaves_no_trace(region) -> None:
    expected = bf16_works()
    bf16_works.cache_clear()
    with REGIONS[region]():
        before = modes()
        assert bf16_works() is expected
        assert modes() == before


def test_the_answer_does_not_depend_on_the_default_format() -> None:
    expected = bf16_works()
    bf16_works.cache_clear()
    torch.set_default_dtype(torch.float64)
    try:
        assert bf16_works() is expected
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.needs_bf16
def test_products_that_are_right_are_taken() -> None:
    assert bf16_trial._is_right(torch.nn.functional.linear, bf16_trial._linear_operands())


def test_a_function_that_is_wrong_in_bf16_is_not_taken() -> None:
    def rounded_away(inputs, weight, bias):
        found = torch.nn.functional.linear(inputs, weight, bias)
        return found if found.dtype == torch.float32 else found * 2

    assert not bf16_trial._is_right(rounded_away, bf16_trial._linear_operands())


@pytest.mark.parametrize("gradients", [True, False])
def test_a_kernel_that_fails_means_no(monkeypatch, gradients) -> None:
    def failing(*operands):
        if torch.is_grad_enabled() is gradients and torch.is_autocast_enabled("cpu"):
            raise RuntimeError("could not create a primitive descriptor")
        return lstm(*operands)

    lstm = bf16_trial._lstm
    monkeypatch.setattr(bf16_trial, "_lstm", failing)
    assert not bf16_works()
