"""The protocol of all attentions: memory, masked softmax, contexts, and missing methods."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.attention.attention import Attention, masked_softmax


class Constant(Attention):
    """An attention whose scores are the first values of the source states."""

    def scores(self, query, keys):
        return keys[None, :, :, 0].expand(query.shape[1], -1, -1).transpose(0, 1)


def test_masked_softmax_is_the_softmax_over_the_tokens() -> None:
    torch.manual_seed(0)
    scores = torch.randn(2, 3, 5)
    is_token = torch.tensor([[True] * 5, [True] * 2 + [False] * 3])
    weights = masked_softmax(scores, is_token)
    torch.testing.assert_close(weights[0], scores[0].softmax(-1))
    torch.testing.assert_close(weights[1, :, :2], scores[1, :, :2].softmax(-1))
    assert (weights[1, :, 2:] == 0).all()


def test_masked_softmax_is_finite_for_extreme_scores() -> None:
    scores = torch.tensor([[[1e30, -1e30, 3e38]], [[-3e38, -3e38, 3e38]]])
    is_token = torch.tensor([[True, True, False], [True, True, False]])
    weights = masked_softmax(scores, is_token)
    assert weights.tolist() == [[[1.0, 0.0, 0.0]], [[0.5, 0.5, 0.0]]]


def test_a_sentence_of_padding_gets_zeros() -> None:
    weights = masked_softmax(torch.randn(1, 2, 3), torch.zeros(1, 3, dtype=torch.bool))
    assert weights.tolist() == [[[0.0] * 3] * 2]


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(torch.bfloat16, torch.float32), (torch.float32, torch.float32), (torch.float64, torch.float64)],
)
def test_weights_are_float32_or_more_precise(dtype, expected) -> None:
    assert (
        masked_softmax(torch.randn(1, 2, 3).to(dtype), torch.ones(1, 3, dtype=torch.bool)).dtype == expected
    )


def test_padding_gets_no_gradient() -> None:
    scores = torch.randn(1, 2, 4, requires_grad=True)
    masked_softmax(scores, torch.tensor([[True, True, False, False]]))[..., 0].sum().backward()
    assert scores.grad[..., :2].all()
    assert not scores.grad[..., 2:].any()


def test_contexts_are_the_weighted_sums_of_the_source_states() -> None:
    attention = Constant(query_size=7, memory_size=2)
    states = torch.tensor([[[0.0, 1.0], [100.0, 2.0], [0.0, 3.0]], [[0.0, 4.0], [0.0, 6.0], [900.0, 9.0]]])
    is_token = torch.tensor([[True, True, True], [True, True, False]])
    memory = attention.prepare(states, is_token)
    assert memory.keys is memory.values is states
    attended = attention(torch.zeros(2, 4, 7), memory, attention.initial_state(memory))
    torch.testing.assert_close(attended.context[0], torch.tensor([[100.0, 2.0]] * 4))
    torch.testing.assert_close(attended.context[1], torch.tensor([[0.0, 5.0]] * 4))
    assert attended.state == ()
    assert attention.context_size == 2
    assert not attention.recurrent


def test_contexts_have_the_dtype_of_the_values() -> None:
    attention = Constant(query_size=7, memory_size=2)
    memory = attention.prepare(torch.randn(1, 3, 2).bfloat16(), torch.ones(1, 3, dtype=torch.bool))
    attended = attention(torch.zeros(1, 1, 7), memory, ())
    assert attended.context.dtype == torch.bfloat16
    assert attended.weights.dtype == torch.float32


def test_an_error_names_an_attention_without_scores() -> None:
    class Bare(Attention):
        """Nothing."""

    bare = Bare(query_size=2, memory_size=2)
    memory = bare.prepare(torch.zeros(1, 1, 2), torch.ones(1, 1, dtype=torch.bool))
    with pytest.raises(TypeError, match="Bare defines neither scores"):
        bare(torch.zeros(1, 1, 2), memory, ())
