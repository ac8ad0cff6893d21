"""The chunked loss has the value and gradients of PyTorch's cross-entropy, in far less memory."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from nmt_lstm.model.loss import linear_cross_entropy

ROWS, WIDTH, PIECES = 21, 6, 13


def random_operands(
    *, dtype: torch.dtype = torch.float64, rows: int = ROWS
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return states, weight and bias that require gradients, and labels."""
    torch.manual_seed(3)
    operands = [
        torch.randn(shape, dtype=dtype, requires_grad=True)
        for shape in ((rows, WIDTH), (PIECES, WIDTH), (PIECES,))
    ]
    return *operands, torch.randint(PIECES, (rows,))


def reference(
    states: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, smoothing: float
) -> tuple[Tensor, Tensor]:
    logits = functional.linear(states, weight, bias)
    return (
        functional.cross_entropy(logits, labels, reduction="sum", label_smoothing=smoothing),
        functional.cross_entropy(logits, labels, reduction="sum"),
    )


def gradients(total: Tensor, *inputs: Tensor | None) -> list[Tensor]:
    return list(torch.autograd.grad(2.5 * total, [tensor for tensor in inputs if tensor is not None]))


@pytest.mark.parametrize("chunk_rows", [1, 7, 20, 21, 22, 1000])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("with_bias", [True, False])
def test_value_and_gradients_do_not_depend_on_chunks(
    chunk_rows: int, smoothing: float, with_bias: bool
) -> None:
    states, weight, bias, labels = random_operands()
    chosen_bias = bias if with_bias else None
    loss = linear_cross_entropy(states, weight, chosen_bias, labels, smoothing, chunk_rows)
    expected = reference(states, weight, chosen_bias, labels, smoothing)
    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(
        gradients(loss[0], states, weight, chosen_bias),
        gradients(expected[0], states, weight, chosen_bias),
        rtol=1e-11,
        atol=1e-12,
    )


@pytest.mark.parametrize("rows", [255, 256, 257, 600])
def test_float32_agrees_at_the_chunk_size_of_training(rows: int) -> None:
    states, weight, bias, labels = random_operands(dtype=torch.float32, rows=rows)
    loss = linear_cross_entropy(states, weight, bias, labels, 0.1)
    expected = reference(states, weight, bias, labels, 0.1)
    assert loss[0].dtype == torch.float32
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(
        gradients(loss[0], states, weight, bias),
        gradients(expected[0], states, weight, bias),
        rtol=1e-4,
        atol=1e-4,
    )


def test_bf16_autocast_is_near_float32() -> None:
    states, weight, bias, labels = random_operands(dtype=torch.float32, rows=300)
    with torch.autocast("cpu", torch.bfloat16):
        loss = linear_cross_entropy(states, weight, bias, labels, 0.1)
    expected = reference(states, weight, bias, labels, 0.1)
    assert loss[0].dtype == torch.float32
    torch.testing.assert_close(loss, expected, rtol=5e-3, atol=0.0)
    for ours, theirs in zip(
        gradients(loss[0], states, weight, bias),
        gradients(expected[0], states, weight, bias),
        strict=True,
    ):
        assert ours.dtype == torch.float32
        assert float((ours - theirs).norm() / theirs.norm()) < 0.01


def test_gradients_have_the_dtypes_of_their_tensors() -> None:
    states, weight, bias, labels = random_operands(dtype=torch.float32)
    narrow = states.detach().bfloat16().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        total, _ = linear_cross_entropy(narrow, weight, bias, labels)
    for_states, for_weight = gradients(total, narrow, weight)
    assert (for_states.dtype, for_weight.dtype) == (torch.bfloat16, torch.float32)


def test_gradients_agree_with_finite_differences() -> None:
    states, weight, bias, labels = random_operands(rows=5)
    assert torch.autograd.gradcheck(
        lambda *tensors: linear_cross_entropy(*tensors, labels, 0.1, 3)[0], (states, weight, bias)
    )


def test_a_tied_weight_gets_both_gradients() -> None:
    states, weight, bias, labels = random_operands()
    read = torch.randint(PIECES, (ROWS,))

    def both(loss: Any) -> Tensor:
        total, _ = loss(functional.embedding(read, weight) + states, weight, bias, labels, 0.1)
        return gradients(total, weight)[0]

    torch.testing.assert_close(both(linear_cross_entropy), both(reference), rtol=1e-11, atol=1e-12)


def test_the_unsmoothed_sum_is_detached() -> None:
    states, weight, bias, labels = random_operands()
    _, likelihood = linear_cross_entropy(states, weight, bias, labels, 0.1)
    assert not likelihood.requires_grad


@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_a_tensor_that_requires_no_gradient_gets_none(frozen: int) -> None:
    *operands, labels = random_operands()
    expected = gradients(linear_cross_entropy(*operands, labels, 0.1)[0], *operands)
    operands[frozen].requires_grad_(False)
    linear_cross_entropy(*operands, labels, 0.1)[0].mul(2.5).backward()
    assert operands[frozen].grad is None
    for index in {0, 1, 2} - {frozen}:
        torch.testing.assert_close(operands[index].grad, expected[index])


def test_without_gradients_the_value_is_the_same() -> None:
    states, weight, bias, labels = random_operands()
    expected = linear_cross_entropy(states, weight, bias, labels, 0.1)
    with torch.no_grad():
        loss = linear_cross_entropy(states, weight, bias, labels, 0.1)
    assert not loss[0].requires_grad
    torch.testing.assert_close(loss, tuple(part.detach() for part in expected))


def test_a_batch_without_labels_has_no_loss() -> None:
    states, weight, bias, labels = random_operands(rows=0)
    total, likelihood = linear_cross_entropy(states, weight, bias, labels, 0.1)
    assert float(total.detach()) == float(likelihood) == 0.0
    assert [float(part.abs().sum()) for part in gradients(total, states, weight, bias)] == [0.0, 0.0, 0.0]


def test_huge_logits_stay_finite() -> None:
    states, weight, bias, labels = random_operands(dtype=torch.float32)
    total, _ = linear_cross_entropy(1e4 * states, weight, bias, labels, 0.1)
    assert torch.isfinite(total)
    assert all(torch.isfinite(part).all() for part in gradients(total, states, weight, bias))


class LargestTensor(TorchDispatchMode):
    """Records the size of the largest tensor that any operation returns."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = 0

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        result = function(*arguments, **(named or {}))
        tensors = result if isinstance(result, (tuple, list)) else [result]
        sizes = [tensor.numel() for tensor in tensors if isinstance(tensor, Tensor)]
        self.largest = max([self.largest, *sizes])
        return result


def largest_tensor(loss: Any) -> int:
    states, weight, bias, labels = random_operands(dtype=torch.float32, rows=1000)
    with LargestTensor() as mode:
        loss(states, weight, bias, labels, 0.1)[0].backward()
    return mode.largest


def test_logits_of_the_whole_batch_never_exist() -> None:
    def chunked(*arguments: Any) -> Any:
        return linear_cross_entropy(*arguments, chunk_rows=50)

    assert largest_tensor(chunked) < 1000 * PIECES
    assert largest_tensor(chunked) <= max(50 * PIECES, 1000 * WIDTH)


def test_the_check_above_can_fail() -> None:
    assert largest_tensor(reference) >= 1000 * PIECES
