"""Tables of products: what a product of embeddings gives, as near as the format allows."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.numerics.piece_table import DTYPES, piece_table


def drawn():
    generator = torch.Generator().manual_seed(1)
    shapes = (40, 5), (12, 5), (12,)
    return [torch.randn(shape, generator=generator) for shape in shapes]


def test_a_row_is_the_product() -> None:
    embeddings, weight, bias = drawn()
    expected = embeddings @ weight.t() + bias
    pieces = torch.tensor([[3, 0], [39, 3]])
    torch.testing.assert_close(piece_table(embeddings, weight, bias, "float32")(pieces), expected[pieces])


def test_an_int8_table_is_as_near_as_its_levels() -> None:
    embeddings, weight, bias = drawn()
    expected = embeddings @ weight.t() + bias
    table = piece_table(embeddings, weight, bias, "int8")
    levels = expected.abs().amax(1, keepdim=True) / 127
    found = table(torch.arange(40))
    assert ((found - expected).abs() <= 0.51 * levels).all()
    assert not torch.equal(found, expected)


@pytest.mark.parametrize("precision", ["float32", "bf16", "int8"])
def test_on_the_meta_device_it_has_shapes_and_types_alone(precision) -> None:
    embeddings, weight, bias = drawn()
    real = piece_table(embeddings, weight, bias, precision).state_dict()
    shown = piece_table(embeddings.to("meta"), weight, bias, precision).state_dict()
    assert {name: (value.shape, value.dtype) for name, value in shown.items()} == {
        name: (value.shape, value.dtype) for name, value in real.items()
    }
    assert all(value.is_meta for value in shown.values())
    assert real["weight"].dtype == DTYPES[precision]
