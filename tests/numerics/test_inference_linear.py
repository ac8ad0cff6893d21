"""Layers for inference compute the products of the layers they replace."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.numerics import onednn
from nmt_lstm.numerics.inference_linear import InferenceLinear, inference_linear
from nmt_lstm.numerics.linear import linear

PRECISIONS = ["float32", "bf16", "int8"]


def random_layer_and_inputs(width=48, outputs=70):
    generator = torch.Generator().manual_seed(width)
    weight = torch.randn(outputs, width, generator=generator) / width**0.5
    return weight, torch.randn(outputs, generator=generator), torch.randn(300, width, generator=generator)


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-6), ("bf16", 0.01), ("int8", 0.02)])
@pytest.mark.parametrize("bounded", [True, False])
def test_products_are_those_of_linear(precision, tolerance, bounded) -> None:
    weight, bias, inputs = random_layer_and_inputs()
    inputs = inputs.tanh()
    layer = inference_linear(weight, bias, precision, bounded=bounded)
    layer.pack()
    with torch.no_grad():
        expected = linear(inputs, weight, bias)
        outputs = layer(inputs)
        assert outputs.dtype == torch.float32
        assert ((outputs - expected).norm() / expected.norm()).item() < tolerance
        assert torch.equal(layer(inputs.view(3, 100, 48)), outputs.view(3, 100, 70))


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_row_has_the_same_bits_in_any_number_of_rows(precision) -> None:
    weight, bias, inputs = random_layer_and_inputs(100, 363)
    layer = inference_linear(weight, bias, precision)
    with torch.no_grad():
        expected = layer(inputs)
        for rows in (1, 2, 3, 5, 8, 9, 17, 63, 65, 130, 299):
            assert torch.equal(layer(inputs[:rows]), expected[:rows])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_selected_outputs_are_those_of_the_full_layer(precision) -> None:
    weight, bias, inputs = random_layer_and_inputs()
    layer = inference_linear(weight, bias, precision)
    outputs = torch.tensor([0, 3, 4, 17, 69])
    with torch.no_grad():
        assert torch.allclose(layer.selected(outputs)(inputs), layer(inputs)[:, outputs], atol=1e-5)


def test_the_base_names_the_methods_that_a_subclass_must_define() -> None:
    with pytest.raises(TypeError, match="define pack"):
        InferenceLinear(2, 3)(torch.zeros(1, 2))
    with pytest.raises(TypeError, match="define selected"):
        InferenceLinear(2, 3).selected(torch.zeros(1, dtype=torch.long))


def test_bf16_weights_are_multiplied_in_float32_where_there_is_no_bf16(monkeypatch) -> None:
    monkeypatch.setattr(onednn, "packing_works", lambda dtype: dtype != torch.bfloat16)
    weight, bias, inputs = random_layer_and_inputs()
    layer = inference_linear(weight, bias, "bf16")
    assert layer.weight.dtype == torch.bfloat16
    with torch.no_grad():
        assert torch.equal(layer(inputs), linear(inputs, weight.bfloat16().float(), bias.bfloat16().float()))
