"""Tables hold the products of embeddings, as accurately as their format allows."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.numerics.piece_table import DTYPES, piece_table


def random_operands():
    generator = torch.Generator().manual_seed(1)
    shapes = (40, 5), (12, 5), (12,)
    return [torch.randn(shape, generator=generator) for shape in shapes]


def test_rows_are_the_products_of_pieces() -> None:
    embeddings, weight, bias = random_operands()
    expected = embeddings @ weight.t() + bias
    pieces = torch.tensor([[3, 0], [39, 3]])
    torch.testing.assert_close(piece_table(embeddings, weight, bias, "float32")(pieces), expected[pieces])


def test_an_int8_table_is_accurate_to_half_a_level() -> None:
    embeddings, weight, bias = random_operands()
    expected = embeddings @ weight.t() + bias
    table = piece_table(embeddings, weight, bias, "int8")
    levels = expected.abs().amax(1, keepdim=True) / 127
    rows = table(torch.arange(40))
    assert ((rows - expected).abs() <= 0.51 * levels).all()
    assert not torch.equal(rows, expected)


@pytest.mark.parametrize("precision", ["float32", "bf16", "int8"])
def test_a_table_on_the_meta_device_has_shapes_and_dtypes_only(precision) -> None:
    embeddings, weight, bias = random_operands()
    expected = piece_table(embeddings, weight, bias, precision).state_dict()
    meta = piece_table(embeddings.to("meta"), weight, bias, precision).state_dict()
    assert {name: (value.shape, value.dtype) for name, value in meta.items()} == {
        name: (value.shape, value.dtype) for name, value in expected.items()
    }
    assert all(value.is_meta for value in meta.values())
    assert expected["weight"].dtype == DTYPES[precision]
