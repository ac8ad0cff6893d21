"""Subjects build the same module for the same seed, with perturbed parameters."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.attention.additive import AdditiveAttention
from nmt_lstm.cells.lstm import LSTM
from nmt_lstm.encoders.recurrent import RecurrentEncoder
from nmt_lstm.testing import AttentionSubject, CellSubject, EncoderSubject


@pytest.mark.parametrize(
    "subject",
    [
        CellSubject(LSTM),
        AttentionSubject(AdditiveAttention, {"normed": True}),
        EncoderSubject(RecurrentEncoder, {"hidden_size": 5}),
    ],
)
def test_the_same_seed_builds_the_same_module_without_changing_other_random_numbers(subject) -> None:
    rng_state = torch.get_rng_state()
    one, same, other = subject.build(), subject.build(), subject.build(seed=2)
    assert torch.equal(torch.get_rng_state(), rng_state)
    assert not one.training
    for name, parameter in one.named_parameters():
        assert torch.equal(parameter, same.get_parameter(name))
        assert not torch.equal(parameter, other.get_parameter(name))
        assert parameter.any()


def test_options_and_sizes_are_passed_to_the_class() -> None:
    cell = CellSubject(LSTM, {"forget_bias": 30.0}, input_size=5, hidden_size=7).build(torch.float64)
    assert cell.weight_ih.shape == (28, 5)
    assert cell.weight_ih.dtype == torch.float64
    assert cell.bias_ih[7:14].min() > 20


def test_the_source_is_zero_on_padding() -> None:
    states, is_token = AttentionSubject(AdditiveAttention).source((3, 1))
    assert is_token.tolist() == [[True, True, True], [True, False, False]]
    assert states[is_token].all()
    assert not states[~is_token].any()
