"""The stock attentions follow their equations, computed here for one query and one source position at a time."""

from __future__ import annotations

import math

import pytest
import torch

from nmt_lstm.attention import additive
from nmt_lstm.attention.additive import AdditiveAttention
from nmt_lstm.attention.bilinear import BilinearAttention
from nmt_lstm.attention.dot import DotAttention
from nmt_lstm.attention.multi_head import MultiHeadAttention
from nmt_lstm.attention.none import NoAttention
from nmt_lstm.errors import PluginError
from nmt_lstm.registry import ATTENTIONS

LENGTHS = (5, 3)
QUERIES = 4


def random_source(width: int):
    """Return source states (B, S, width) and tokens of sentences of different lengths."""
    is_token = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    return torch.randn(len(LENGTHS), max(LENGTHS), width, dtype=torch.float64), is_token


def expected_attention(score, queries, states, values=None):
    """Return the contexts and weights that follow from the scores of single pairs."""
    values = states if values is None else values
    contexts, weights = [], []
    for row, length in enumerate(LENGTHS):
        for query in queries[row]:
            scores = torch.stack([score(query, states[row, position]) for position in range(length)])
            token_weights = scores.exp() / scores.exp().sum()
            weights.append(torch.cat([token_weights, token_weights.new_zeros(max(LENGTHS) - length)]))
            contexts.append(
                sum(weight * value for weight, value in zip(token_weights, values[row], strict=False))
            )
    shape = (len(LENGTHS), QUERIES, -1)
    return torch.stack(contexts).view(shape), torch.stack(weights).view(shape)


def check_equations(attention, score, query_size, memory_size) -> None:
    states, is_token = random_source(memory_size)
    queries = torch.randn(len(LENGTHS), QUERIES, query_size, dtype=torch.float64)
    with torch.no_grad():
        attended = attention(queries, attention.prepare(states, is_token), ())
        context, weights = expected_attention(score, queries, states)
    torch.testing.assert_close(attended.weights, weights)
    torch.testing.assert_close(attended.context, context)


@pytest.mark.parametrize("sizes", [(6, 6), (4, 6)], ids=["equal", "projected"])
def test_dot_follows_its_equation(sizes) -> None:
    torch.manual_seed(0)
    attention = DotAttention(query_size=sizes[0], memory_size=sizes[1]).double()
    assert sum(parameter.numel() for parameter in attention.parameters()) == (
        0 if sizes[0] == sizes[1] else 24
    )

    def score(query, key):
        projected = query if sizes[0] == sizes[1] else attention.project_query.weight @ query
        return projected @ key / math.sqrt(6)

    check_equations(attention, score, *sizes)


def test_dot_may_be_unscaled() -> None:
    attention = DotAttention(query_size=6, memory_size=6, scaled=False).double()
    check_equations(attention, lambda query, key: query @ key, 6, 6)


def test_bilinear_follows_its_equation() -> None:
    torch.manual_seed(0)
    attention = BilinearAttention(query_size=4, memory_size=6).double()
    check_equations(attention, lambda query, key: query @ (attention.key.weight @ key), 4, 6)


def test_additive_follows_its_equation() -> None:
    torch.manual_seed(0)
    attention = AdditiveAttention(query_size=4, memory_size=6).double()

    def score(query, key):
        return attention.vector @ torch.tanh(attention.query.weight @ query + attention.key.weight @ key)

    check_equations(attention, score, 4, 6)
    assert attention.scale is attention.bias is None


def test_additive_may_have_a_width_and_a_bias_of_its_own() -> None:
    torch.manual_seed(0)
    attention = AdditiveAttention(query_size=4, memory_size=6, width=9, bias=True).double()
    assert attention.bias.shape == (9,)
    with torch.no_grad():
        attention.bias.normal_()

    def score(query, key):
        total = attention.query.weight @ query + attention.key.weight @ key + attention.bias
        return attention.vector @ torch.tanh(total)

    check_equations(attention, score, 4, 6)


def test_a_negative_width_is_rejected() -> None:
    with pytest.raises(PluginError, match="-1"):
        ATTENTIONS.build("additive", options={"width": -1}, query_size=4, memory_size=6)


def test_normed_additive_follows_its_equation() -> None:
    torch.manual_seed(0)
    attention = AdditiveAttention(query_size=4, memory_size=6, normed=True).double()
    assert attention.scale.item() == pytest.approx(math.sqrt(1 / 4))
    with torch.no_grad():
        attention.scale.fill_(1.7)
        attention.bias.copy_(torch.randn(4))
    vector = attention.scale * attention.vector / attention.vector.square().sum().sqrt()

    def score(query, key):
        inner = attention.query.weight @ query + attention.key.weight @ key + attention.bias
        return vector @ torch.tanh(inner)

    check_equations(attention, score, 4, 6)


@pytest.mark.parametrize("largest", [1, 60, 10_000])
def test_additive_never_holds_the_whole_sum(monkeypatch, largest) -> None:
    torch.manual_seed(0)
    attention = AdditiveAttention(query_size=3, memory_size=6)
    states, queries = torch.randn(2, 5, 6), torch.randn(2, 7, 3)
    sizes = []
    tanh = torch.tanh
    monkeypatch.setattr(torch, "tanh", lambda sums: sizes.append(sums.numel()) or tanh(sums))
    keys = attention.project_keys(states)
    expected = attention.scores(queries, keys)
    monkeypatch.setattr(additive, "MAX_SUM_ELEMENTS", largest)
    sizes.clear()
    torch.testing.assert_close(attention.scores(queries, keys), expected)
    one_step = keys.numel()  # elements of the sum for each query step
    assert max(sizes) <= max(largest, one_step)
    assert sum(sizes) == 7 * one_step


def test_multi_head_follows_its_equations() -> None:
    torch.manual_seed(0)
    attention = MultiHeadAttention(query_size=4, memory_size=6, heads=3).double()
    states, is_token = random_source(6)
    queries = torch.randn(len(LENGTHS), QUERIES, 4, dtype=torch.float64)
    with torch.no_grad():
        attended = attention(queries, attention.prepare(states, is_token), ())
        contexts, weights = [], []
        for head in range(3):
            columns = slice(2 * head, 2 * head + 2)

            def score(query, key, columns=columns):
                return attention.query(query)[columns] @ attention.key(key)[columns] / math.sqrt(2)

            context, token_weights = expected_attention(
                score, queries, states, attention.value(states)[..., columns]
            )
            contexts.append(context)
            weights.append(token_weights)
        expected = attention.output(torch.cat(contexts, -1))
    torch.testing.assert_close(attended.context, expected)
    torch.testing.assert_close(attended.weights, torch.stack(weights).mean(0))


@pytest.mark.parametrize("heads", [0, -2, 5, 8])
def test_heads_that_do_not_divide_the_width_are_rejected(heads) -> None:
    message = rf"heads={heads} .*width 12"
    with pytest.raises(ValueError, match=message):
        MultiHeadAttention(query_size=4, memory_size=12, heads=heads)
    with pytest.raises(PluginError, match=rf"heads = {heads}: .*{message}"):
        ATTENTIONS.build("multi_head", query_size=4, memory_size=12, options={"heads": heads})


def test_no_attention_is_the_mean_of_each_sentence() -> None:
    attention = NoAttention(query_size=4, memory_size=6).double()
    check_equations(attention, lambda query, key: key.new_zeros(()), 4, 6)
    assert not list(attention.parameters())


def test_keys_are_projected_once_per_sentence(monkeypatch) -> None:
    for name in ("bilinear", "additive", "multi_head"):
        attention = ATTENTIONS.build(name, query_size=8, memory_size=8)
        calls = []
        attention.key.register_forward_hook(lambda module, inputs, result, calls=calls: calls.append(inputs))
        memory = attention.prepare(torch.randn(2, 3, 8), torch.ones(2, 3, dtype=torch.bool))
        for _ in range(3):
            attention(torch.randn(2, 1, 8), memory, ())
        assert len(calls) == 1
