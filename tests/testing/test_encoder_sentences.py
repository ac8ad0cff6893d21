"""Each check of an encoder's sentences detects the kind of broken encoder that it is for."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.encoders.encoder import Encoded, Encoder, token_mean
from nmt_lstm.numerics.sequence_linear import Linear
from nmt_lstm.testing import ENCODER_CHECKS, ConformanceFailure, EncoderSubject, encoder_sentences


class Neighbour(Encoder):
    """A correct encoder, from which the broken ones differ: each state sees its piece and the one before."""

    def __init__(self, input_size: int, dropout: torch.nn.Module | None = None) -> None:
        super().__init__(input_size, dropout)
        self.product = Linear(2 * input_size, input_size)

    def states(self, embedded, is_token):
        inputs = embedded.masked_fill(~is_token[..., None], 0.0)
        before = torch.nn.functional.pad(inputs, (0, 0, 1, 0))[:, :-1]
        return torch.tanh(self.product(torch.cat([inputs, before], -1)))

    def forward(self, embedded, is_token):
        states = self.states(embedded, is_token)
        return Encoded(states, is_token, token_mean(states, is_token))


class DeclaresOtherWidth(Neighbour):
    @property
    def output_size(self):
        return 2 * self.input_size


class AlwaysFloat32(Neighbour):
    def states(self, embedded, is_token):
        return super().states(embedded, is_token).float()


class ReadsPadding(Neighbour):
    def forward(self, embedded, is_token):
        states = self.states(embedded, is_token)
        return Encoded(states, is_token, states.mean(1))


class NormalizesOverBatch(Neighbour):
    def states(self, embedded, is_token):
        states = super().states(embedded, is_token)
        return states * (1 + 1e-6 * states.abs().max())


class IgnoresOrder(Neighbour):
    def states(self, embedded, is_token):
        return torch.tanh(self.product(torch.cat([embedded, embedded], -1)))


class SummaryOfTheFirst(Neighbour):
    def forward(self, embedded, is_token):
        states = self.states(embedded, is_token)
        return Encoded(states, is_token, states[:, 0])


class GrowsWithLength(Neighbour):
    def states(self, embedded, is_token):
        positions = torch.arange(embedded.shape[1]).to(embedded.dtype)
        return super().states(embedded, is_token) * torch.exp(positions)[:, None]


BROKEN = [
    (encoder_sentences.sizes_and_dtypes, DeclaresOtherWidth, "states has shape"),
    (encoder_sentences.sizes_and_dtypes, AlwaysFloat32, "states have the dtype torch.float32"),
    (encoder_sentences.padding_changes_nothing, ReadsPadding, "summary, "),
    (encoder_sentences.batch_changes_no_bit, NormalizesOverBatch, "states, 1 of 37"),
    (encoder_sentences.every_piece_is_read, IgnoresOrder, "reversal"),
    (encoder_sentences.every_piece_is_read, SummaryOfTheFirst, "position 1 does not change the summary"),
    (encoder_sentences.long_sentences_are_read, GrowsWithLength, "infinite"),
]


def test_a_broken_encoder_is_detected(broken) -> None:
    check, broken_class, message = broken
    with pytest.raises(ConformanceFailure, match=message):
        check(EncoderSubject(broken_class))


def test_the_correct_one_passes() -> None:
    for check in {check for check, _, _ in BROKEN}:
        assert check(EncoderSubject(Neighbour))


def test_every_check_detects_a_broken_encoder() -> None:
    own = {check for check in ENCODER_CHECKS if check.__module__ == encoder_sentences.__name__}
    assert {check for check, _, _ in BROKEN} == own
