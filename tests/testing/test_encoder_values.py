"""Each check of an encoder as a class and a module detects the kind of broken encoder that it is for."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.encoders.encoder import Encoded, Encoder, token_mean
from nmt_lstm.numerics.sequence_linear import Linear
from nmt_lstm.testing import (
    ENCODER_CHECKS,
    ConformanceFailure,
    EncoderSubject,
    encoder_values,
    module_values,
    whole_model,
)


class Pieces(Encoder):
    """An encoder from which the broken ones differ: each state sees its own piece."""

    def __init__(self, input_size: int, dropout: torch.nn.Module | None = None) -> None:
        super().__init__(input_size, dropout)
        self.product = Linear(input_size, input_size)

    def states(self, embedded, is_token):
        return torch.tanh(self.product(embedded))

    def forward(self, embedded, is_token):
        states = self.states(embedded, is_token)
        return Encoded(states, is_token, token_mean(states, is_token))


class OptionWithoutType(Pieces):
    def __init__(self, input_size: int, dropout: torch.nn.Module | None = None, *, depth=1) -> None:
        super().__init__(input_size, dropout)


class ReturnsStates(Pieces):
    def forward(self, embedded, is_token):
        return self.states(embedded, is_token)


class DetachesStates(Pieces):
    def states(self, embedded, is_token):
        return super().states(embedded.detach(), is_token)


class GradientOfPadding(Pieces):
    def forward(self, embedded, is_token):
        encoded = super().forward(embedded, is_token)
        return encoded._replace(summary=encoded.states.mean(1))


class RoundsStates(Pieces):
    def states(self, embedded, is_token):
        return super().states(embedded.float().to(embedded.dtype), is_token)


class LosesDigits(Pieces):
    def states(self, embedded, is_token):
        return torch.tanh((self.product(embedded) + 300) - 300)


class UsesWeights(Pieces):
    def states(self, embedded, is_token):
        return torch.tanh(embedded.matmul(self.product.weight.to(embedded.dtype).t()) + self.product.bias)


class BranchesOnValue(Pieces):
    def states(self, embedded, is_token):
        states = super().states(embedded, is_token)
        return states / 2 if bool(states.max() > 1e9) else states


class StoresStates(Pieces):
    def forward(self, embedded, is_token):
        encoded = super().forward(embedded, is_token)
        self.last = [encoded.states]
        return encoded


class HiddenConstant(Pieces):
    def __init__(self, input_size: int, dropout: torch.nn.Module | None = None) -> None:
        super().__init__(input_size, dropout)
        self.noise = torch.rand(input_size)

    def states(self, embedded, is_token):
        return super().states(embedded * self.noise.to(embedded.dtype), is_token)


class DependsOnGradients(Pieces):
    """Computes something else while there are no hypotheses yet: in training sentences have gradients."""

    calls = 0

    def states(self, embedded, is_token):
        type(self).calls += 1
        return super().states(embedded, is_token) * (1 + type(self).calls % 7)


BROKEN = [
    (module_values.options_fit_a_run_file, OptionWithoutType, "option 'depth' has no type"),
    (encoder_values.first_call_works, ReturnsStates, "returned a tensor"),
    (encoder_values.gradients_reach_every_parameter, DetachesStates, "no gradient reaches the embeddings"),
    (encoder_values.gradients_reach_every_parameter, GradientOfPadding, "gradient reaches padding"),
    (encoder_values.gradients_are_right, RoundsStates, "gradcheck"),
    (encoder_values.bf16_is_near_float32, LosesDigits, "result 0 in bf16"),
    (encoder_values.prepared_products_compute_the_same, UsesWeights, "int8 have a relative distance"),
    (encoder_values.encoder_can_be_traced, BranchesOnValue, "cannot be traced"),
    (module_values.nothing_is_kept_between_calls, StoresStates, r"attribute 'last\[0\]'"),
    (module_values.copies_compute_the_same, HiddenConstant, "result 0 of the state dict"),
    (whole_model.wirings_train_what_they_search, DependsOnGradients, "gnmt, scores at"),
    (whole_model.model_folder_keeps_it, HiddenConstant, "loss of the model read back"),
]


def test_a_broken_encoder_is_detected(broken) -> None:
    check, broken_class, message = broken
    with pytest.raises(ConformanceFailure, match=message):
        check(EncoderSubject(broken_class))


def test_every_check_detects_a_broken_encoder() -> None:
    assert {check for check, _, _ in BROKEN} == {
        check
        for check in ENCODER_CHECKS
        if check.__module__ in {module.__name__ for module in (encoder_values, module_values, whole_model)}
    }
