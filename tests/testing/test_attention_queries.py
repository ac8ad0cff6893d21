"""Each check of an attention's results detects the kind of broken attention that it is for; correct ones pass all."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nmt_lstm.attention.attention import Attended, Attention, masked_softmax
from nmt_lstm.numerics.sequence_linear import Linear
from nmt_lstm.testing import (
    ATTENTION_CHECKS,
    AttentionSubject,
    ConformanceFailure,
    DoesNotApply,
    attention_queries,
    check_attention,
)


class LuongAttention(Attention):
    """A correct attention (Luong et al. 2015), from which the broken ones are derived."""

    def __init__(self, *, query_size: int, memory_size: int) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        self.key = Linear(memory_size, query_size, bias=False)

    def project_keys(self, source_states):
        return self.key(source_states)

    def scores(self, query, keys):
        return torch.bmm(query.to(keys.dtype), keys.transpose(1, 2))


class Coverage(LuongAttention):
    """A correct recurrent attention with coverage (Tu et al. 2016, without gates)."""

    recurrent = True

    def __init__(self, *, query_size: int, memory_size: int) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        self.penalty = nn.Parameter(torch.ones(()))

    def initial_state(self, memory):
        return (torch.zeros(memory.is_token.shape, dtype=memory.values.dtype),)

    def forward(self, query, memory, state):
        (covered,) = state
        scores = self.scores(query, memory.keys) - self.penalty * covered[:, None]
        weights = masked_softmax(scores, memory.is_token)
        context = torch.bmm(weights.to(memory.values.dtype), memory.values)
        return Attended(context, weights, (covered + weights[:, 0],))


class NeedsEqualWidths(Attention):
    def scores(self, query, keys):
        width = min(query.shape[-1], keys.shape[-1])
        return torch.bmm(query[..., :width], keys[..., :width].transpose(1, 2))

    def forward(self, query, memory, state):
        attended = super().forward(query, memory, state)
        return attended._replace(context=attended.context[..., : self.query_size])


class TransposesWeights(LuongAttention):
    def forward(self, query, memory, state):
        attended = super().forward(query, memory, state)
        return attended._replace(weights=attended.weights.transpose(1, 2))


class WithoutMask(LuongAttention):
    def forward(self, query, memory, state):
        weights = self.scores(query, memory.keys).softmax(-1)
        return Attended(torch.bmm(weights, memory.values), weights, state)


class Sigmoid(LuongAttention):
    def forward(self, query, memory, state):
        weights = torch.sigmoid(self.scores(query, memory.keys)).masked_fill(~memory.is_token[:, None], 0.0)
        return Attended(torch.bmm(weights.to(memory.values.dtype), memory.values), weights, state)


class Negative(LuongAttention):
    def forward(self, query, memory, state):
        return (
            super()
            .forward(query, memory, state)
            ._replace(
                weights=2 * super().forward(query, memory, state).weights - memory.is_token[:, None] / 6
            )
        )


class NormalizesKeys(LuongAttention):
    def project_keys(self, source_states):
        return self.key(source_states - source_states.mean(1, keepdim=True))


class QueriesSeeEachOther(LuongAttention):
    def scores(self, query, keys):
        return super().scores(query - query.mean(1, keepdim=True) / 2, keys)


class DividesByLengthMinusOne(LuongAttention):
    def forward(self, query, memory, state):
        steps = memory.is_token.sum(1) - 1
        scores = self.scores(query, memory.keys) * (steps / steps)[:, None, None]
        weights = masked_softmax(scores, memory.is_token)
        return Attended(torch.bmm(weights, memory.values), weights, state)


class NormalizesOverSentences(LuongAttention):
    def project_keys(self, source_states):
        return self.key(source_states / (1 + source_states.abs().amax((0, 1))))


class UndeclaredState(Coverage):
    recurrent = False


class DeclaredWithoutState(LuongAttention):
    recurrent = True


class StateIsConstant(Coverage):
    def forward(self, query, memory, state):
        return super().forward(query, memory, state)._replace(state=state)


class StateIsShared(Coverage):
    def initial_state(self, memory):
        return (super().initial_state(memory)[0][:1],)


class StateIsTensor(Coverage):
    def initial_state(self, memory):
        return super().initial_state(memory)[0]


class StateGrows(Coverage):
    def forward(self, query, memory, state):
        attended = super().forward(query, memory, state[:1])
        return attended._replace(state=(*state, *attended.state))


class UsesRowIndex(LuongAttention):
    def scores(self, query, keys):
        return super().scores(query + torch.arange(len(query))[:, None, None], keys)


BROKEN = [
    (
        attention_queries.shapes_are_declared,
        NeedsEqualWidths,
        r"context has shape \(3, 1, 20\)",
    ),
    (
        attention_queries.shapes_are_declared,
        TransposesWeights,
        r"weights has shape \(3, 6, 1\)",
    ),
    (
        attention_queries.weights_sum_to_one,
        WithoutMask,
        "weights on padding are up to",
    ),
    (attention_queries.weights_sum_to_one, Sigmoid, "sum of weights"),
    (attention_queries.weights_sum_to_one, Negative, "smallest weight is -"),
    (
        attention_queries.padding_changes_nothing,
        NormalizesKeys,
        "large values on padding",
    ),
    (
        attention_queries.queries_at_once_equal_one_at_a_time,
        QueriesSeeEachOther,
        "context of query 0",
    ),
    (
        attention_queries.one_token_is_enough,
        DividesByLengthMinusOne,
        "one token with 0 positions of padding",
    ),
    (
        attention_queries.sentence_alone_equals_sentence_in_batch,
        NormalizesOverSentences,
        "contexts of sentence",
    ),
    (
        attention_queries.state_is_carried_where_declared,
        UndeclaredState,
        "recurrent is False, but initial_state",
    ),
    (
        attention_queries.state_is_carried_where_declared,
        DeclaredWithoutState,
        "recurrent is True, but initial_state",
    ),
    (attention_queries.state_is_carried_where_declared, StateIsConstant, "does not change the state"),
    (
        attention_queries.state_is_carried_where_declared,
        StateIsShared,
        r"state 0 has shape \(1, 6\)",
    ),
    (
        attention_queries.state_is_carried_where_declared,
        StateIsTensor,
        "state from initial_state is Tensor",
    ),
    (
        attention_queries.state_is_carried_where_declared,
        StateGrows,
        "returns 1 tensors, and forward returns 2",
    ),
    (attention_queries.hypotheses_reorder, UsesRowIndex, "contexts: .*one row per sentence"),
]


def test_a_broken_attention_is_detected(broken) -> None:
    check, broken_class, message = broken
    with pytest.raises(ConformanceFailure, match=message):
        check(AttentionSubject(broken_class))


def test_every_check_detects_a_broken_attention() -> None:
    assert {check for check, _, _ in BROKEN} == {
        check for check in ATTENTION_CHECKS if check.__module__ == attention_queries.__name__
    }


@pytest.mark.parametrize("correct_class", [LuongAttention, Coverage])
def test_correct_attentions_pass(correct_class, bf16_outcome) -> None:
    outcomes = {result.name: (result.outcome, result.numbers) for result in check_attention(correct_class)}
    several_queries = outcomes.pop("queries_at_once_equal_one_at_a_time")
    assert several_queries[0] == ("does not apply" if correct_class.recurrent else "passed")
    assert outcomes.pop("bf16_is_near_float32")[0] == bf16_outcome
    assert {outcome for outcome, _ in outcomes.values()} == {"passed"}
    assert outcomes["state_is_carried_where_declared"][1] == (
        "state of (3, 6)" if correct_class.recurrent else "no state"
    )


def test_recurrent_attentions_receive_one_query_at_a_time() -> None:
    subject = AttentionSubject(Coverage)
    with pytest.raises(DoesNotApply, match="one at a time"):
        attention_queries.queries_at_once_equal_one_at_a_time(subject)
    attention, queries = subject.build(), subject.queries()
    memory = attention.prepare(*subject.source())
    attended = subject.attend(attention, queries, memory)
    state = attention.initial_state(memory)
    for number in range(queries.shape[1]):
        single = attention(queries[:, number : number + 1], memory, state)
        state = single.state
        assert torch.equal(attended.context[:, number], single.context[:, 0])
    assert torch.equal(attended.state[0], state[0])
