"""Sums of gradient norms: means, clipped steps, norms that are not finite, and continuation."""

from __future__ import annotations

import json

import pytest
import torch

from nmt_lstm.training.gradient_norms import Norms, NormSums


def summed(*pairs: tuple[float, float]) -> NormSums:
    sums = NormSums()
    for norm, clipped in pairs:
        sums.add(torch.tensor(norm), torch.tensor(clipped))
    return sums


def test_means_and_the_share_of_clipped_steps() -> None:
    assert NormSums().norms() == Norms(0, 0.0, 0.0, 0.0)
    assert summed((4.0, 1.0), (0.5, 0.5)).norms() == Norms(2, 2.25, 0.75, 0.5)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_steps_without_a_finite_norm_count_but_have_no_part_in_the_means(value) -> None:
    assert summed((4.0, 1.0), (value, value)).norms() == Norms(2, 4.0, 1.0, 1.0)
    assert summed((value, value)).norms() == Norms(1, 0.0, 0.0, 0.0)


def test_sums_continue_from_plain_values() -> None:
    continued = NormSums()
    continued.load_state_dict(json.loads(json.dumps(summed((4.0, 1.0)).state_dict())))
    continued.add(torch.tensor(0.5), torch.tensor(0.5))
    assert continued.norms() == summed((4.0, 1.0), (0.5, 0.5)).norms()
    continued.load_state_dict(NormSums().state_dict())
    assert continued.norms().steps == 0
