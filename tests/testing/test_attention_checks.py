"""Each check of an attention catches one that is broken in the way it looks for, and lets whole ones pass."""

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
    attention_values,
    check_attention,
)


class Plain(Attention):
    """A whole attention (Luong et al. 2015), for others to break."""

    def __init__(self, *, query_size: int, memory_size: int) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        self.key = Linear(memory_size, query_size, bias=False)

    def project_keys(self, source_states):
        return self.key(source_states)

    def scores(self, query, keys):
        return torch.bmm(query.to(keys.dtype), keys.transpose(1, 2))


class Coverage(Plain):
    """A whole recurrent attention: what was attended to is asked for less (Tu et al. 2016, without its gates)."""

    recurrent = True

    def __init__(self, *, query_size: int, memory_size: int) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        self.dislike = nn.Parameter(torch.ones(()))

    def initial_state(self, memory):
        return (torch.zeros(memory.is_token.shape, dtype=memory.values.dtype),)

    def forward(self, query, memory, state):
        (covered,) = state
        scores = self.scores(query, memory.keys) - self.dislike * covered[:, None]
        weights = masked_softmax(scores, memory.is_token)
        context = torch.bmm(weights.to(memory.values.dtype), memory.values)
        return Attended(context, weights, (covered + weights[:, 0],))


class OptionWithoutType(Plain):
    def __init__(self, *, query_size: int, memory_size: int, slope=1.0) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)


class NeedsEqualWidths(Attention):
    def scores(self, query, keys):
        width = min(query.shape[-1], keys.shape[-1])
        return torch.bmm(query[..., :width], keys[..., :width].transpose(1, 2))

    def forward(self, query, memory, state):
        attended = super().forward(query, memory, state)
        return attended._replace(context=attended.context[..., : self.query_size])


class TransposesWeights(Plain):
    def forward(self, query, memory, state):
        attended = super().forward(query, memory, state)
        return attended._replace(weights=attended.weights.transpose(1, 2))


class WithoutMask(Plain):
    def forward(self, query, memory, state):
        weights = self.scores(query, memory.keys).softmax(-1)
        return Attended(torch.bmm(weights, memory.values), weights, state)


class Sigmoid(Plain):
    def forward(self, query, memory, state):
        weights = torch.sigmoid(self.scores(query, memory.keys)).masked_fill(~memory.is_token[:, None], 0.0)
        return Attended(torch.bmm(weights.to(memory.values.dtype), memory.values), weights, state)


class Negative(Plain):
    def forward(self, query, memory, state):
        return (
            super()
            .forward(query, memory, state)
            ._replace(
                weights=2 * super().forward(query, memory, state).weights - memory.is_token[:, None] / 6
            )
        )


class NormalisesKeys(Plain):
    def project_keys(self, source_states):
        return self.key(source_states - source_states.mean(1, keepdim=True))


class QueriesSeeEachOther(Plain):
    def scores(self, query, keys):
        return super().scores(query - query.mean(1, keepdim=True) / 2, keys)


class DividesByLengthLessOne(Plain):
    def forward(self, query, memory, state):
        steps = memory.is_token.sum(1) - 1
        scores = self.scores(query, memory.keys) * (steps / steps)[:, None, None]
        weights = masked_softmax(scores, memory.is_token)
        return Attended(torch.bmm(weights, memory.values), weights, state)


class NormalisesOverSentences(Plain):
    def project_keys(self, source_states):
        return self.key(source_states / (1 + source_states.abs().amax((0, 1))))


class UndeclaredState(Coverage):
    recurrent = False


class DeclaredWithoutState(Plain):
    recurrent = True


class StateStays(Coverage):
    def forward(self, query, memory, state):
        return super().forward(query, memory, state)._replace(state=state)


class StateIsForAll(Coverage):
    def initial_state(self, memory):
        return (super().initial_state(memory)[0][:1],)


class StateIsTensor(Coverage):
    def initial_state(self, memory):
        return super().initial_state(memory)[0]


class StateGrows(Coverage):
    def forward(self, query, memory, state):
        attended = super().forward(query, memory, state[:1])
        return attended._replace(state=(*state, *attended.state))


class UsesItsRowNumber(Plain):
    def scores(self, query, keys):
        return super().scores(query + torch.arange(len(query))[:, None, None], keys)


class UselessBias(Plain):
    """A bias of the keys adds the same to all scores of a query, which the softmax takes away."""

    def __init__(self, *, query_size: int, memory_size: int) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        self.key = Linear(memory_size, query_size)


class HardToTrain(Plain):
    def project_keys(self, source_states):
        return super().project_keys(source_states).detach()


class RoundsWeights(Plain):
    def forward(self, query, memory, state):
        attended = super().forward(query, memory, state)
        weights = attended.weights.float()
        return Attended(torch.bmm(weights.to(memory.values.dtype), memory.values), weights, state)


class LosesDigits(Plain):
    def scores(self, query, keys):
        return (super().scores(query, keys) + 300) - 300


class KeepsWeights(Plain):
    def forward(self, query, memory, state):
        attended = super().forward(query, memory, state)
        self.seen = [attended.weights]
        return attended


class HiddenConstant(Plain):
    def __init__(self, *, query_size: int, memory_size: int) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        self.noise = torch.rand(query_size)

    def project_keys(self, source_states):
        keys = super().project_keys(source_states)
        return keys * self.noise.to(keys.dtype)


class ReturnsTuple(Plain):
    """Its result has no names."""

    def forward(self, query, memory, state):
        return tuple(super().forward(query, memory, state))


class ReturnsKeys(Plain):
    def prepare(self, source_states, source_is_token):
        return self.project_keys(source_states)


class BranchesOnValue(Plain):
    """A query that a trace holds for one input only."""

    def scores(self, query, keys):
        scores = super().scores(query, keys)
        return scores / 2 if bool(scores.max() > 1e9) else scores


BROKEN = [
    (attention_values.first_call_works, ReturnsTuple, "forward returned a tuple of Tensor.*Attended"),
    (attention_values.first_call_works, ReturnsKeys, "prepare returned a tensor of shape.*Memory"),
    (attention_values.step_can_be_traced, BranchesOnValue, "cannot be traced: .*torch.where"),
    (attention_values.options_fit_a_run_file, OptionWithoutType, "option 'slope' has no type"),
    (
        attention_queries.shapes_are_declared,
        NeedsEqualWidths,
        r"context has the shape \(3, 1, 20\), expected \(3, 1, 24\)",
    ),
    (
        attention_queries.shapes_are_declared,
        TransposesWeights,
        r"weights has the shape \(3, 6, 1\), expected \(3, 1, 6\)",
    ),
    (
        attention_queries.weights_sum_to_one,
        WithoutMask,
        "weights on padding are up to .*, expected 0.*masked_softmax",
    ),
    (attention_queries.weights_sum_to_one, Sigmoid, "the sum of weights: largest difference"),
    (attention_queries.weights_sum_to_one, Negative, "the smallest weight is -.*, expected 0 or more"),
    (
        attention_queries.padding_changes_nothing,
        NormalisesKeys,
        "contexts, large values on padding: .*Mask by memory.is_token",
    ),
    (
        attention_queries.queries_at_once_equal_one_at_a_time,
        QueriesSeeEachOther,
        "context of query 0: .*recurrent = True",
    ),
    (
        attention_queries.one_token_is_enough,
        DividesByLengthLessOne,
        "one token and 0 positions of padding give NaN",
    ),
    (
        attention_queries.sentence_alone_equals_sentence_in_batch,
        NormalisesOverSentences,
        "contexts of sentence .*over the sentences",
    ),
    (
        attention_queries.state_is_carried_where_declared,
        UndeclaredState,
        "recurrent is False, but initial_state returns a state of 1",
    ),
    (
        attention_queries.state_is_carried_where_declared,
        DeclaredWithoutState,
        "recurrent is True, but initial_state .* of 0 tensors",
    ),
    (attention_queries.state_is_carried_where_declared, StateStays, "a query changes no state"),
    (
        attention_queries.state_is_carried_where_declared,
        StateIsForAll,
        r"state 0 has the shape \(1, 6\), expected \(3, 6\)",
    ),
    (
        attention_queries.state_is_carried_where_declared,
        StateIsTensor,
        "state from initial_state is Tensor, expected a tuple",
    ),
    (
        attention_queries.state_is_carried_where_declared,
        StateGrows,
        "initial_state returns 1 tensors, and forward returns 2",
    ),
    (attention_queries.hypotheses_reorder, UsesItsRowNumber, "contexts: .*not one row per sentence"),
    (
        attention_values.gradients_reach_every_parameter,
        UselessBias,
        r"no gradient reaches key.bias: its largest value is \d.*e-0\d",
    ),
    (attention_values.gradients_reach_every_parameter, HardToTrain, "no gradient reaches key.weight"),
    (attention_values.gradients_are_right, RoundsWeights, "gradcheck: .*rounded on their way"),
    (attention_values.bf16_is_near_float32, LosesDigits, "result 0 in bf16: largest difference"),
    (
        attention_values.nothing_is_kept_between_calls,
        KeepsWeights,
        r"changed the module's attribute 'seen\[0\]'",
    ),
    (attention_values.copies_compute_the_same, HiddenConstant, "result 0 of the state dict"),
    (attention_values.wirings_train_what_they_search, QueriesSeeEachOther, "gnmt, scores at"),
    (attention_values.model_folder_keeps_it, HiddenConstant, "the loss of the model that was read"),
]


def test_a_broken_attention_is_caught(broken) -> None:
    check, part, message = broken
    with pytest.raises(ConformanceFailure, match=message):
        check(AttentionSubject(part))


def test_every_check_has_an_attention_that_it_catches() -> None:
    assert {check for check, _, _ in BROKEN} == set(ATTENTION_CHECKS)


@pytest.mark.parametrize("part", [Plain, Coverage])
def test_whole_attentions_pass(part, bf16_outcome) -> None:
    outcomes = {result.name: (result.outcome, result.numbers) for result in check_attention(part)}
    asked_at_once = outcomes.pop("queries_at_once_equal_one_at_a_time")
    assert asked_at_once[0] == ("does not apply" if part.recurrent else "passed")
    assert outcomes.pop("bf16_is_near_float32")[0] == bf16_outcome
    assert {outcome for outcome, _ in outcomes.values()} == {"passed"}
    assert outcomes["state_is_carried_where_declared"][1] == (
        "state of (3, 6)" if part.recurrent else "no state"
    )


def test_recurrent_attentions_get_one_query_at_a_time() -> None:
    subject = AttentionSubject(Coverage)
    with pytest.raises(DoesNotApply, match="queries come one at a time"):
        attention_queries.queries_at_once_equal_one_at_a_time(subject)
    attention, queries = subject.build(), subject.queries()
    memory = attention.prepare(*subject.source())
    attended = subject.attend(attention, queries, memory)
    state = attention.initial_state(memory)
    for number in range(queries.shape[1]):
        one = attention(queries[:, number : number + 1], memory, state)
        state = one.state
        assert torch.equal(attended.context[:, number], one.context[:, 0])
    assert torch.equal(attended.state[0], state[0])
