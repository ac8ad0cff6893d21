"""Projecting contexts before attention sums them does not change the output of the readout."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.attention.bilinear import BilinearAttention
from nmt_lstm.attention.multi_head import MultiHeadAttention
from nmt_lstm.inference.projected_context import split_readout
from nmt_lstm.numerics.sequence_linear import Linear

QUERY, MEMORY, OUTPUT = 8, 12, 6


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_split_readout_computes_the_same_output(precision) -> None:
    torch.manual_seed(1)
    attention = BilinearAttention(query_size=QUERY, memory_size=MEMORY).eval()
    readout = Linear(QUERY + MEMORY, OUTPUT).eval()
    source, is_token = torch.randn(2, 5, MEMORY), torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    query = torch.randn(2, 4, QUERY)
    with torch.no_grad():
        attended = attention(query, attention.prepare(source, is_token), ())
        expected = readout(torch.cat([query, attended.context], -1))
        projected, split = split_readout(attention, readout, precision)
        projected_attended = projected(query, projected.prepare(source, is_token), ())
        actual = split(torch.cat([query, projected_attended.context], -1))
    assert projected_attended.context.shape == (2, 4, projected.context_size) == (2, 4, OUTPUT)
    assert torch.equal(projected_attended.weights, attended.weights)
    tolerance = 1e-5 if precision == "float32" else 0.05
    torch.testing.assert_close(actual, expected, atol=tolerance, rtol=tolerance)


def test_only_attentions_that_sum_values_can_be_projected() -> None:
    assert BilinearAttention(query_size=QUERY, memory_size=MEMORY).sums_values
    assert not MultiHeadAttention(query_size=QUERY, memory_size=MEMORY, heads=2).sums_values
