"""Products of int8 against the same sums in float64, and against the slow way that stands in for them."""

from __future__ import annotations

import logging
import time

import pytest
import torch

from nmt_lstm.numerics import int8
from nmt_lstm.numerics.int8 import int8_is_fast, int8_product, quantized


def drawn(rows, width, outputs, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(rows, width, generator=generator)
    weight = torch.randn(outputs, width, generator=generator) / width**0.5
    return inputs, weight, torch.randn(outputs, generator=generator)


@pytest.fixture
def slow(monkeypatch):
    monkeypatch.setattr(int8, "_fast_form", lambda: None)
    int8._say_slow.cache_clear()
    yield
    int8._say_slow.cache_clear()


def test_quantized_values_are_within_half_a_level() -> None:
    values = torch.randn(9, 33) * torch.logspace(-3, 3, 9)[:, None]
    integers, scale = quantized(values)
    assert integers.dtype == torch.int8
    assert (integers.abs().amax(1) == 127).all()
    assert ((integers * scale - values).abs() <= 0.5001 * scale).all()


def test_rows_of_zeros_stay_zeros() -> None:
    integers, scale = quantized(torch.zeros(2, 5))
    assert (integers == 0).all()
    assert torch.isfinite(scale).all()


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize(("rows", "width", "outputs"), [(8, 512, 300), (40, 13, 37), (64, 256, 1_000)])
def test_products_are_those_of_the_quantized_numbers(rows, width, outputs, bounded, with_bias) -> None:
    inputs, weight, bias = drawn(rows, width, outputs)
    inputs = inputs.tanh() if bounded else inputs
    bias = bias if with_bias else torch.zeros(outputs)
    integers, scale = quantized(weight)
    found = int8_product(integers, scale[:, 0], bias if with_bias else None, bounded=bounded)(inputs)
    whole = (inputs * 127).round() / 127 if bounded else quantized(inputs)[0] * quantized(inputs)[1]
    expected = whole.double() @ (integers * scale).double().t() + bias
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), expected, atol=1e-4)
    exact = inputs.double() @ weight.double().t() + bias
    assert (found - exact).norm() / exact.norm() < 0.02


@pytest.mark.parametrize("bounded", [True, False])
def test_the_slow_way_says_so_and_gives_the_same(slow, bounded, caplog) -> None:
    inputs, weight, bias = drawn(16, 64, 50)
    integers, scale = quantized(weight)
    with caplog.at_level(logging.WARNING):
        found = int8_product(integers, scale[:, 0], bias, bounded=bounded)(inputs.tanh())
        int8_product(integers, scale[:, 0], bias, bounded=bounded)
    (record,) = caplog.records
    assert (
        "no fast products of int8; they are computed in float32, with the same results" in record.getMessage()
    )
    levels, row_scale = quantized(inputs.tanh())
    whole = (inputs.tanh() * 127).round() / 127 if bounded else levels * row_scale
    expected = whole.double() @ (integers * scale).double().t() + bias
    assert torch.allclose(found.double(), expected, atol=1e-4)


@pytest.mark.skipif(not int8_is_fast(), reason="no fast int8 here")
@pytest.mark.parametrize("bounded", [True, False])
def test_neither_rows_nor_outputs_beside_change_a_bit(bounded) -> None:
    inputs, weight, bias = drawn(300, 200, 120)
    inputs = inputs.tanh() if bounded else inputs
    integers, scale = quantized(weight)
    whole = int8_product(integers, scale[:, 0], bias, bounded=bounded)(inputs)
    for rows in (8, 9, 16, 31, 64, 100, 299):
        product = int8_product(integers, scale[:, 0], bias, bounded=bounded)
        assert torch.equal(product(inputs[:rows]), whole[:rows])
    some = torch.arange(3, 120, 7)
    part = int8_product(integers[some], scale[some, 0], bias[some], bounded=bounded)(inputs)
    assert torch.equal(part, whole[:, some])


@pytest.fixture
def tried_anew():
    int8._fast_form.cache_clear()
    yield
    int8._fast_form.cache_clear()


def test_a_product_that_answers_wrongly_is_not_used(tried_anew, monkeypatch) -> None:
    real = int8._onednn

    def saturated(*arguments):
        product = real(*arguments)
        return lambda integers: product(integers).clamp(-2e5, 2e5)

    monkeypatch.setattr(int8, "_onednn", saturated)
    assert not int8_is_fast()


@pytest.mark.skipif(not int8_is_fast(), reason="no fast int8 here")
def test_a_form_without_a_kernel_is_not_used(tried_anew, monkeypatch) -> None:
    kept = int8._fast_form()
    int8._fast_form.cache_clear()
    real = int8._onednn

    def with_stand_in(weight, scale, bias, input_scale, form):
        product = real(weight, scale, bias, input_scale, form)
        return (lambda integers: time.sleep(0.2) or product(integers)) if form is kept else product

    monkeypatch.setattr(int8, "_onednn", with_stand_in)
    assert int8._fast_form() is not kept


@pytest.mark.skipif(not int8_is_fast(), reason="no fast int8 here")
@pytest.mark.parametrize("bounded", [True, False])
def test_each_form_gives_the_same_products(monkeypatch, bounded) -> None:
    inputs, weight, bias = drawn(8, 64, 30)
    integers, scale = quantized(weight)
    found = []
    for form in (int8.SIGNED, int8.UNSIGNED):
        monkeypatch.setattr(int8, "_fast_form", lambda form=form: form)
        found.append(int8_product(integers, scale[:, 0], bias, bounded=bounded)(inputs.tanh()))
    assert torch.allclose(*found, rtol=1e-6, atol=1e-6)
