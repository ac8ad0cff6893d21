"""Sparsemax and 1.5-entmax: gradients, edge cases, and positions that are not allowed."""

from __future__ import annotations

import pytest
import torch
from nmt_lstm_attentions.sparse import entmax15, sparsemax

FUNCTIONS = [sparsemax, entmax15]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_gradients_pass_gradcheck(function) -> None:
    torch.manual_seed(1)
    scores = torch.randn(3, 4, 7, dtype=torch.float64, requires_grad=True)
    allowed = torch.rand(3, 1, 7) > 0.2
    allowed[:, :, 0] = True
    assert torch.autograd.gradcheck(lambda values: function(values, allowed), (scores,))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_highest_score_gets_all_and_equal_scores_share(function) -> None:
    allowed = torch.tensor([True, True, True, False])
    torch.testing.assert_close(function(torch.zeros(4), allowed), torch.tensor([1 / 3, 1 / 3, 1 / 3, 0.0]))
    torch.testing.assert_close(
        function(torch.tensor([9.0, 0.0, 0.0, 99.0]), allowed), torch.tensor([1.0, 0.0, 0.0, 0.0])
    )
    one = torch.tensor([False, True, False, False])
    torch.testing.assert_close(function(torch.randn(4), one), torch.tensor([0.0, 1.0, 0.0, 0.0]))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4, 1e30])
def test_weights_sum_to_one_for_scores_of_any_size(function, scale) -> None:
    torch.manual_seed(1)
    scores = scale * torch.randn(50, 40)
    weights = function(scores, torch.rand(50, 40) > 0.3)
    torch.testing.assert_close(weights.sum(-1), torch.ones(50))
    assert (weights >= 0).all()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_half_precision_scores_give_float32_weights(function) -> None:
    weights = function(torch.randn(5, 9).bfloat16(), torch.ones(9, dtype=torch.bool))
    assert weights.dtype == torch.float32
    torch.testing.assert_close(weights.sum(-1), torch.ones(5))


def test_sparsemax_is_sparser_than_entmax() -> None:
    torch.manual_seed(1)
    scores, allowed = torch.randn(100, 30), torch.ones(30, dtype=torch.bool)
    counts = [int((function(scores, allowed) > 0).sum()) for function in FUNCTIONS]
    assert counts[0] < counts[1] < 3000
