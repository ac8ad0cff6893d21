"""Pointwise functions give a row the same bits whatever the other rows are."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.numerics import pointwise
from nmt_lstm.numerics.pointwise import by_rows, sigmoid, tanh

COUNTS = (1, 2, 3, 5, 7, 8, 13, 16, 17, 31, 33, 64)


def gate(tensors: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    x, state = tensors
    gate = torch.sigmoid(x[:, : state.shape[1]] + state)
    return gate * state, torch.nn.functional.softplus(state)


@pytest.mark.parametrize("width", [1, 5, 12, 20, 32, 77])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_row_does_not_depend_on_the_number_of_rows(width, threads, monkeypatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(pointwise, "MAX_UNSPLIT", 640)
    x, state = torch.randn(70, 2 * width), torch.randn(70, width)
    expected = by_rows(gate, (x, state), width)
    assert [result.shape for result in expected] == [(70, width)] * 2
    for result, plain in zip(expected, gate((x, state)), strict=True):
        torch.testing.assert_close(result, plain, rtol=1e-6, atol=1e-6)
    for count in COUNTS:
        for first in (0, 6):
            rows = slice(first, first + count)
            alone = by_rows(gate, (x[rows].contiguous(), state[rows].contiguous()), width)
            assert all(torch.equal(result, full[rows]) for result, full in zip(alone, expected, strict=True))


@pytest.mark.parametrize("width", [5, 10, 24])
def test_a_row_of_a_view_does_not_depend_on_the_number_of_rows(width) -> None:
    """A gate is a view of the product of all gates."""
    gates = torch.randn(64, 3 * width)

    def function(tensors: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return tuple(torch.sigmoid(tensor) for tensor in tensors)

    expected = by_rows(function, gates.split(width, 1), width)
    for count in COUNTS:
        results = by_rows(function, gates[:count].split(width, 1), width)
        assert all(torch.equal(result, full[:count]) for result, full in zip(results, expected, strict=True))


def test_many_rows_are_computed_in_chunks_too_small_for_threads(monkeypatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    monkeypatch.setattr(pointwise, "MAX_UNSPLIT", 1_000)
    rows_of_calls = []

    def identity(tensors: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        rows_of_calls.append(tensors[0].shape[0])
        return tensors

    (result,) = by_rows(identity, (torch.arange(2_000.0).view(100, 20),), 20)
    assert rows_of_calls == [48, 48, 8]  # 8 rows of 20 fill whole vectors
    assert torch.equal(result, torch.arange(2_000.0).view(100, 20))


def test_the_sigmoid_is_the_logistic_function() -> None:
    inputs = torch.linspace(-30.0, 30.0, 1001, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(sigmoid(inputs), torch.sigmoid(inputs), rtol=0.0, atol=1e-15)
    inputs.requires_grad_()
    sigmoid(inputs).sum().backward()
    assert inputs.grad is not None


def test_the_sigmoid_of_a_value_does_not_depend_on_its_index() -> None:
    inputs = torch.randn(1_000)
    with torch.no_grad():
        expected = sigmoid(inputs)
        for count in range(1, 70):
            assert torch.equal(sigmoid(inputs[3 : 3 + count]), expected[3 : 3 + count])


@pytest.fixture(params=[True, False], ids=["Intel", "other"])
def made_by_intel(request, monkeypatch):
    monkeypatch.setattr(pointwise, "is_made_by_intel", lambda: request.param)
    return request.param


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_tanh_is_the_hyperbolic_tangent(made_by_intel, dtype) -> None:
    inputs = torch.linspace(-30.0, 30.0, 1_001, dtype=dtype)
    expected = torch.tanh(inputs)
    with torch.no_grad():
        result = tanh(inputs)
    assert result.dtype == dtype
    torch.testing.assert_close(result, expected, rtol=0.0, atol=3e-7 if dtype == torch.float32 else 1e-15)
    inputs.requires_grad_()
    assert torch.equal(tanh(inputs), expected)
    tanh(inputs).sum().backward()
    assert inputs.grad is not None


def test_processors_of_other_makers_use_the_sigmoid(made_by_intel) -> None:
    inputs = torch.randn(4, 32)
    with torch.no_grad():
        assert torch.equal(tanh(inputs), torch.tanh(inputs)) == made_by_intel


def test_tanh_of_a_row_does_not_depend_on_the_number_of_rows(made_by_intel) -> None:
    inputs = torch.randn(6, 13, 20)
    with torch.no_grad():
        expected = tanh(inputs)
        for count in COUNTS[:6]:
            assert torch.equal(tanh(inputs[:, :count]), expected[:, :count])
