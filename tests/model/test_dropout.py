"""Dropout has its rate, its scale and its two kinds of masks, and does nothing in evaluation."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nmt_lstm.model.dropout import Dropout

PROBABILITIES = (0.1, 0.2, 0.5, 0.9)


def ones_after_dropout(probability: float, shape: tuple[int, ...], *, variational: bool = False) -> Tensor:
    torch.manual_seed(1)
    return Dropout(probability, variational=variational).train()(torch.ones(shape))


@pytest.mark.parametrize("variational", [False, True])
@pytest.mark.parametrize("probability", PROBABILITIES)
def test_the_share_is_zero_and_the_rest_scaled_up(probability: float, variational: bool) -> None:
    shape = (400, 1, 500) if variational else (40, 10, 500)
    result = ones_after_dropout(probability, shape, variational=variational)
    # A probability is rounded to a 256th; 200,000 draws stray by 0.1 % or so.
    assert float((result == 0).double().mean()) == pytest.approx(probability, abs=1 / 512 + 0.005)
    scaled = result[result != 0]
    assert torch.equal(scaled, scaled[:1].expand_as(scaled))
    assert float(result.double().mean()) == pytest.approx(1.0, abs=0.03)


def test_each_position_has_its_own_mask() -> None:
    result = ones_after_dropout(0.5, (3, 7, 64))
    masks = {tuple(mask.tolist()) for mask in result.flatten(0, 1)}
    assert len(masks) == 21


def test_variational_positions_share_their_sentences_mask() -> None:
    result = ones_after_dropout(0.5, (3, 7, 64), variational=True)
    assert torch.equal(result, result[:, :1].expand_as(result))
    assert len({tuple(mask.tolist()) for mask in result[:, 0]}) == 3


@pytest.mark.parametrize("variational", [False, True])
def test_nothing_is_dropped_in_evaluation_nor_at_probability_zero(variational: bool) -> None:
    inputs = torch.randn(2, 3, 4)
    assert Dropout(0.5, variational=variational).eval()(inputs) is inputs
    assert Dropout(0.0, variational=variational).train()(inputs) is inputs


@pytest.mark.parametrize("variational", [False, True])
@pytest.mark.parametrize("probability", [0.0005, 0.9995])
def test_probabilities_near_0_and_1_are_not_rounded(probability: float, variational: bool) -> None:
    shape = (2_000, 1, 500) if variational else (200, 10, 500)
    result = ones_after_dropout(probability, shape, variational=variational)
    assert float((result == 0).double().mean()) == pytest.approx(probability, abs=0.0002)
    assert torch.isfinite(result).all()


def test_gradients_use_the_mask_of_the_values() -> None:
    inputs = torch.ones(3, 4, 50, requires_grad=True)
    result = Dropout(0.3).train()(inputs)
    result.sum().backward()
    assert torch.equal(inputs.grad, result.detach())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_dtype_is_unchanged(dtype: torch.dtype) -> None:
    result = Dropout(0.5).train()(torch.ones(2, 3, 64, dtype=dtype))
    assert result.dtype == dtype
    assert set(result.flatten().tolist()) == {0.0, 2.0}


@pytest.mark.parametrize("variational", [False, True])
def test_the_seed_decides_the_mask(variational: bool) -> None:
    one, two = (ones_after_dropout(0.5, (2, 5, 40), variational=variational) for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, Dropout(0.5, variational=variational).train()(torch.ones(2, 5, 40)))


def test_masks_for_steps_have_the_shape_of_rows() -> None:
    rows = torch.zeros(5, 2, dtype=torch.float64)
    one, two = Dropout(0.5, variational=True).train().masks(rows, [40, 60])
    assert (one.shape, two.shape) == ((5, 40), (5, 60))
    assert one.dtype == torch.float64
    assert set(one.flatten().tolist()) == {0.0, 2.0}


def test_steps_get_no_masks_unless_dropout_is_variational_and_training() -> None:
    rows = torch.zeros(5, 2)
    assert Dropout(0.5).train().masks(rows, [4]) == ()
    assert Dropout(0.5, variational=True).eval().masks(rows, [4]) == ()
    assert Dropout(0.0, variational=True).train().masks(rows, [4]) == ()
