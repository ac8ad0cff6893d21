"""Each check of an attention as a class and a module detects the kind of broken attention that it is for."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.attention.attention import Attended
from nmt_lstm.attention.bilinear import BilinearAttention
from nmt_lstm.numerics.sequence_linear import Linear
from nmt_lstm.testing import (
    ATTENTION_CHECKS,
    AttentionSubject,
    ConformanceFailure,
    attention_values,
    module_values,
    whole_model,
)


class OptionWithoutType(BilinearAttention):
    def __init__(self, *, query_size: int, memory_size: int, slope=1.0) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)


class ScalesWithQueries(BilinearAttention):
    def scores(self, query, keys):
        return super().scores(query, keys) * query.shape[1]


class UselessBias(BilinearAttention):
    """Has a bias of the keys, which adds the same value to all scores of a query, so that the softmax cancels it."""

    def __init__(self, *, query_size: int, memory_size: int) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        self.key = Linear(memory_size, query_size)


class DetachesKeys(BilinearAttention):
    def project_keys(self, source_states):
        return super().project_keys(source_states).detach()


class RoundsWeights(BilinearAttention):
    def forward(self, query, memory, state):
        attended = super().forward(query, memory, state)
        weights = attended.weights.float()
        return Attended(torch.bmm(weights.to(memory.values.dtype), memory.values), weights, state)


class LosesDigits(BilinearAttention):
    def scores(self, query, keys):
        scores = torch.bmm(query.to(keys.dtype), keys.transpose(1, 2))
        return (scores + 300) - 300


class StoresWeights(BilinearAttention):
    def forward(self, query, memory, state):
        attended = super().forward(query, memory, state)
        self.weights = [attended.weights]
        return attended


class HiddenConstant(BilinearAttention):
    def __init__(self, *, query_size: int, memory_size: int) -> None:
        super().__init__(query_size=query_size, memory_size=memory_size)
        self.noise = torch.rand(query_size)

    def project_keys(self, source_states):
        keys = super().project_keys(source_states)
        return keys * self.noise.to(keys.dtype)


class ReturnsTuple(BilinearAttention):
    """Returns a plain tuple."""

    def forward(self, query, memory, state):
        return tuple(super().forward(query, memory, state))


class ReturnsKeys(BilinearAttention):
    def prepare(self, source_states, source_is_token):
        return self.project_keys(source_states)


class BranchesOnValue(BilinearAttention):
    """Has a trace that is valid for one input only."""

    def scores(self, query, keys):
        scores = super().scores(query, keys)
        return scores / 2 if bool(scores.max() > 1e9) else scores


BROKEN = [
    (attention_values.first_call_works, ReturnsTuple, "forward returned a tuple"),
    (attention_values.first_call_works, ReturnsKeys, "prepare returned a tensor"),
    (attention_values.step_can_be_traced, BranchesOnValue, "cannot be traced"),
    (module_values.options_fit_a_run_file, OptionWithoutType, "option 'slope' has no type"),
    (
        attention_values.gradients_reach_every_parameter,
        UselessBias,
        "no gradient reaches key.bias",
    ),
    (attention_values.gradients_reach_every_parameter, DetachesKeys, "no gradient reaches key.weight"),
    (attention_values.gradients_are_right, RoundsWeights, "gradcheck.*rounded"),
    (attention_values.bf16_is_near_float32, LosesDigits, "result 0 in bf16"),
    (
        module_values.nothing_is_kept_between_calls,
        StoresWeights,
        r"attribute 'weights\[0\]'",
    ),
    (module_values.copies_compute_the_same, HiddenConstant, "result 0 of the state dict"),
    (whole_model.wirings_train_what_they_search, ScalesWithQueries, "gnmt, scores at"),
    (whole_model.model_folder_keeps_it, HiddenConstant, "loss of the model read back"),
]


def test_a_broken_attention_is_detected(broken) -> None:
    check, broken_class, message = broken
    with pytest.raises(ConformanceFailure, match=message):
        check(AttentionSubject(broken_class))


def test_every_check_detects_a_broken_attention() -> None:
    assert {check for check, _, _ in BROKEN} == {
        check
        for check in ATTENTION_CHECKS
        if check.__module__ in {module.__name__ for module in (attention_values, module_values, whole_model)}
    }
