"""int8 products equal the same sums in float64, whichever library computes them, and the slow form that replaces it."""

from __future__ import annotations

import logging
import time

import pytest
import torch

from nmt_lstm.numerics import int8
from nmt_lstm.numerics.int8 import (
    FORMS,
    Float32Form,
    Int8Form,
    fast_form,
    int8_is_fast,
    int8_product,
    quantized,
)


def random_layer_and_inputs(rows, width, outputs, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(rows, width, generator=generator)
    weight = torch.randn(outputs, width, generator=generator) / width**0.5
    return inputs, weight, torch.randn(outputs, generator=generator)


def works(form: Int8Form) -> bool:
    """Whether a form answers correctly on this machine, however slowly."""
    levels = torch.full((8, 64), float(form.largest_level))
    weight = torch.full((16, 64), 127, dtype=torch.int8)
    try:
        sums = form.product(weight, torch.ones(16), None, 1.0)(levels.clone())
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False
    return bool((sums == form.largest_level * 127 * 64).all())


def use_forms(monkeypatch, *forms: Int8Form) -> None:
    """Make these the only forms to choose from."""
    fast_form.cache_clear()
    monkeypatch.setattr(int8, "FORMS", {str(number): form for number, form in enumerate(forms)})


@pytest.fixture(autouse=True)
def untried_forms():
    """Each test chooses a form itself, and leaves no choice to the next."""
    fast_form.cache_clear()
    int8._warn_slow.cache_clear()
    yield
    fast_form.cache_clear()
    int8._warn_slow.cache_clear()


@pytest.fixture(params=[*FORMS, "float32"])
def form(request, monkeypatch):
    """Each form that works here, as the one that is used."""
    form = Float32Form() if request.param == "float32" else FORMS[request.param]
    if not works(form):
        pytest.skip(f"no {request.param} on this processor")
    monkeypatch.setattr(int8, "fast_form", lambda: form)
    return form


def rounded_to_levels(inputs, form, *, bounded):
    """Return inputs rounded to the form's levels, in float64."""
    largest = form.largest_level
    if bounded:
        return (inputs * largest).round().double() / largest
    scale = inputs.abs().amax(1, keepdim=True) / largest
    return (inputs / scale).round().double() * scale


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
def test_products_are_those_of_the_quantized_numbers(form, rows, width, outputs, bounded, with_bias) -> None:
    inputs, weight, bias = random_layer_and_inputs(rows, width, outputs)
    inputs = inputs.tanh() if bounded else inputs
    bias = bias if with_bias else torch.zeros(outputs)
    integers, scale = quantized(weight)
    products = int8_product(integers, scale[:, 0], bias if with_bias else None, bounded=bounded)(inputs)
    expected = rounded_to_levels(inputs, form, bounded=bounded) @ (integers * scale).double().t() + bias
    assert products.dtype == torch.float32
    assert torch.allclose(products.double(), expected, atol=1e-4)
    exact = inputs.double() @ weight.double().t() + bias
    assert (products - exact).norm() / exact.norm() < 0.02


@pytest.mark.parametrize("bounded", [True, False])
def test_the_slow_form_warns_once_and_gives_the_same_results(monkeypatch, bounded, caplog) -> None:
    use_forms(monkeypatch)
    inputs, weight, bias = random_layer_and_inputs(16, 64, 50)
    integers, scale = quantized(weight)
    with caplog.at_level(logging.WARNING):
        products = int8_product(integers, scale[:, 0], bias, bounded=bounded)(inputs.tanh())
        int8_product(integers, scale[:, 0], bias, bounded=bounded)
    (record,) = caplog.records
    assert "no fast int8 products" in record.getMessage()
    levels, row_scale = quantized(inputs.tanh())
    whole = (inputs.tanh() * 127).round() / 127 if bounded else levels * row_scale
    expected = whole.double() @ (integers * scale).double().t() + bias
    assert torch.allclose(products.double(), expected, atol=1e-4)


@pytest.mark.parametrize("bounded", [True, False])
def test_a_result_depends_on_neither_other_rows_nor_other_outputs(form, bounded) -> None:
    if isinstance(form, Float32Form):
        pytest.skip("sums in float32 are exact up to 2**24 only")
    inputs, weight, bias = random_layer_and_inputs(300, 200, 120)
    inputs = inputs.tanh() if bounded else inputs
    integers, scale = quantized(weight)
    whole = int8_product(integers, scale[:, 0], bias, bounded=bounded)(inputs)
    for rows in (1, 2, 3, 7, 8, 9, 16, 31, 64, 100, 299):
        product = int8_product(integers, scale[:, 0], bias, bounded=bounded)
        assert torch.equal(product(inputs[:rows]), whole[:rows])
        assert torch.equal(product(inputs[300 - rows :]), whole[300 - rows :])
    some = torch.arange(3, 120, 7)
    part = int8_product(integers[some], scale[some, 0], bias[some], bounded=bounded)(inputs)
    assert torch.equal(part, whole[:, some])


def test_inputs_are_not_changed(form) -> None:
    inputs, weight, _ = random_layer_and_inputs(16, 32, 20)
    before = inputs.clone()
    int8_product(*(quantized(weight)[0], quantized(weight)[1][:, 0], None))(inputs)
    assert torch.equal(inputs, before)


class Changed:
    """A form that works, with its results changed or delayed."""

    def __init__(self, form: Int8Form, change) -> None:
        self.form = form
        self.largest_level = form.largest_level
        self.change = change

    def is_available(self) -> bool:
        return True

    def product(self, *arguments):
        product = self.form.product(*arguments)
        return lambda levels: self.change(product(levels))


def test_a_product_that_answers_wrongly_is_not_used(monkeypatch) -> None:
    use_forms(monkeypatch, Changed(Float32Form(), lambda outputs: outputs.clamp(-2e5, 2e5)))
    assert not int8_is_fast()


def test_a_form_without_a_kernel_is_not_used(monkeypatch) -> None:
    slow = Changed(Float32Form(), lambda outputs: time.sleep(0.2) or outputs)
    other = Float32Form()
    use_forms(monkeypatch, slow, other)
    assert fast_form() is other


def test_a_form_that_raises_is_not_used(monkeypatch) -> None:
    class Missing(Float32Form):
        def product(self, *arguments):
            raise AttributeError("no such operator")

    other = Float32Form()
    use_forms(monkeypatch, Missing(), other)
    assert fast_form() is other


def test_the_engine_of_quantized_modules_is_left_alone() -> None:
    form = FORMS["FBGEMM, 7-bit inputs (AVX2)"]
    if not form.is_available():
        pytest.skip("this PyTorch was built without FBGEMM")
    before = torch.backends.quantized.engine
    form.product(torch.ones(8, 8, dtype=torch.int8), torch.ones(8), None, 1.0)
    assert torch.backends.quantized.engine == before


@pytest.mark.parametrize("bounded", [True, False])
def test_forms_with_the_same_number_of_levels_give_the_same_products(monkeypatch, bounded) -> None:
    inputs, weight, bias = random_layer_and_inputs(8, 64, 30)
    integers, scale = quantized(weight)
    working = [form for form in FORMS.values() if form.largest_level == 127 and works(form)]
    products = []
    for form in (*working, Float32Form()):
        monkeypatch.setattr(int8, "fast_form", lambda form=form: form)
        products.append(int8_product(integers, scale[:, 0], bias, bounded=bounded)(inputs.tanh()))
    for other in products[1:]:
        assert torch.allclose(products[0], other, rtol=1e-6, atol=1e-6)
