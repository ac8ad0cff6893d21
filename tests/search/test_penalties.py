"""Length and coverage penalties follow the equations of their papers."""

from __future__ import annotations

import math

import pytest
import torch

from nmt_lstm.search.penalties import coverage_penalty, length_divisor


def test_length_divisors_are_those_of_the_papers() -> None:
    assert length_divisor(7, kind="average", alpha=1.0) == 7.0
    assert length_divisor(9, kind="average", alpha=0.5) == 3.0
    assert length_divisor(7, kind="wu", alpha=1.0) == 2.0
    assert length_divisor(19, kind="wu", alpha=0.5) == 2.0
    assert length_divisor(7, kind="none", alpha=3.0) == 1.0


@pytest.mark.parametrize("kind", ["average", "wu", "none"])
@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0, 5.0])
def test_length_divisors_never_decrease_with_the_length(kind: str, alpha: float) -> None:
    divisors = [length_divisor(length, kind=kind, alpha=alpha) for length in range(1, 200)]
    assert divisors == sorted(divisors)
    assert divisors[0] >= 1.0


def test_coverage_penalty_is_equation_14_of_wu() -> None:
    coverage = torch.tensor([[[0.5, 2.0, 0.25, 0.0]]])
    is_token = torch.tensor([[[True, True, True, False]]])
    expected = 0.3 * (math.log(0.5) + math.log(1.0) + math.log(0.25))
    assert coverage_penalty(coverage, is_token, beta=0.3).item() == pytest.approx(expected)


def test_a_position_without_attention_has_a_finite_penalty() -> None:
    penalty = coverage_penalty(torch.zeros(1, 1), torch.ones(1, 1, dtype=torch.bool), beta=1.0).item()
    assert -20.0 < penalty < -10.0
