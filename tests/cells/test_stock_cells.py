"""LSTM, GRU and RNN load and compute PyTorch's own weights unchanged; kernel, unrolled loop and steps agree."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gru import GRU
from nmt_lstm.cells.lstm import LSTM
from nmt_lstm.cells.rnn import RNN
from nmt_lstm.errors import PluginError
from nmt_lstm.registry import CELLS

TWINS = [
    pytest.param(LSTM, nn.LSTM, {}, id="lstm"),
    pytest.param(GRU, nn.GRU, {}, id="gru"),
    pytest.param(RNN, nn.RNN, {}, id="rnn-tanh"),
    pytest.param(RNN, nn.RNN, {"nonlinearity": "relu"}, id="rnn-relu"),
]
INPUT, HIDDEN = 6, 10


def twins(kind, torch_kind, options, dtype=torch.float32):
    """Return a cell with the weights of PyTorch's, and PyTorch's."""
    torch.manual_seed(0)
    reference = torch_kind(INPUT, HIDDEN, batch_first=True, **options).to(dtype)
    cell = kind(INPUT, HIDDEN, **options).to(dtype)
    cell.load_state_dict(reference.state_dict())
    return cell, reference


def random_state(cell, batch=3, dtype=torch.float32):
    return tuple(torch.randn(batch, HIDDEN, dtype=dtype) for _ in cell.state_sizes)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("kind", "torch_kind", "options"), TWINS)
def test_weights_of_torch_load_unchanged_and_compute_the_same(kind, torch_kind, options, dtype) -> None:
    cell, reference = twins(kind, torch_kind, options, dtype)
    inputs, state = torch.randn(3, 7, INPUT, dtype=dtype), random_state(cell, dtype=dtype)
    layered = tuple(tensor[None] for tensor in state)
    expected, expected_last = reference(inputs, layered if len(layered) > 1 else layered[0])
    outputs, last = cell(inputs, state)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(
        torch.stack(last)[:, None], torch.stack(tuple(expected_last)).view(-1, 1, 3, HIDDEN)
    )


@pytest.mark.parametrize(("kind", "torch_kind", "options"), TWINS)
def test_gradients_are_those_of_torch(kind, torch_kind, options) -> None:
    cell, reference = twins(kind, torch_kind, options)
    inputs = torch.randn(3, 7, INPUT)
    cell(inputs, cell.initial_state(3))[0].square().sum().backward()
    reference(inputs)[0].square().sum().backward()
    for name, parameter in cell.named_parameters():
        expected = reference.get_parameter(f"{name}_l0").grad
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("gradients", [True, False], ids=["training", "search"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("kind", "torch_kind", "options"), TWINS)
def test_kernel_unrolled_loop_and_steps_agree(kind, torch_kind, options, dtype, gradients) -> None:
    torch.manual_seed(1)
    cell = kind(INPUT, HIDDEN, **options).to(dtype)
    inputs, state = torch.randn(3, 7, INPUT, dtype=dtype), random_state(cell, dtype=dtype)
    with torch.set_grad_enabled(gradients):
        results = [cell(inputs, state), cell.unroll(inputs, state), Cell.forward(cell, inputs, state)]
    for outputs, last in results[1:]:
        torch.testing.assert_close(outputs, results[0][0])
        torch.testing.assert_close(last, results[0][1])


@pytest.mark.parametrize(("kind", "torch_kind", "options"), TWINS)
def test_gradients_of_kernel_and_unrolled_loop_pass_gradcheck(kind, torch_kind, options) -> None:
    torch.manual_seed(2)
    cell = kind(2, 3, **options).double()
    arguments = [torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True)]
    arguments += [torch.randn(2, 3, dtype=torch.float64, requires_grad=True) for _ in cell.state_sizes]
    for take in (cell.forward, cell.unroll):

        def run(inputs, *rest, take=take):
            outputs, last = take(inputs, rest[: len(cell.state_sizes)])
            return outputs, *last

        assert torch.autograd.gradcheck(run, (*arguments, *cell.parameters()))


@pytest.mark.needs_bf16
@pytest.mark.parametrize(("kind", "torch_kind", "options"), TWINS)
def test_bf16_kernels_are_near_float32(kind, torch_kind, options) -> None:
    torch.manual_seed(3)
    cell = kind(INPUT, HIDDEN, **options)
    inputs, state = torch.randn(3, 7, INPUT), random_state(cell)
    expected, _ = cell(inputs, state)
    with torch.autocast("cpu", torch.bfloat16):
        outputs, _ = cell(inputs, state)
        unrolled, _ = cell.unroll(inputs, state)
    scale = float(expected.detach().abs().max())
    torch.testing.assert_close(outputs.float(), expected, rtol=0.0, atol=0.05 * scale)
    torch.testing.assert_close(unrolled.float(), expected, rtol=0.0, atol=0.05 * scale)
    outputs.float().sum().backward()
    assert all(parameter.grad.isfinite().all() and parameter.grad.any() for parameter in cell.parameters())


@pytest.mark.parametrize(("kind", "torch_kind", "options"), TWINS)
def test_padding_rows_of_a_single_row_are_removed(kind, torch_kind, options) -> None:
    cell = kind(INPUT, HIDDEN, **options).double()
    inputs, state = torch.randn(1, 4, INPUT, dtype=torch.float64), random_state(cell, 1, torch.float64)
    with torch.no_grad():
        outputs, last = cell(inputs, state)
    assert outputs.shape == (1, 4, HIDDEN)
    assert all(tensor.shape == (1, HIDDEN) for tensor in last)
    torch.testing.assert_close(outputs, cell(inputs, state)[0].detach())


def test_the_forget_gate_starts_open() -> None:
    cell = LSTM(INPUT, HIDDEN)
    assert cell.bias_ih.view(4, HIDDEN).sum(1).tolist() == [0, HIDDEN, 0, 0]
    cell = LSTM(INPUT, HIDDEN, forget_bias=-0.5)
    assert cell.bias_ih.view(4, HIDDEN).sum(1).tolist() == [0, -HIDDEN / 2, 0, 0]
    assert not cell.bias_hh.any()


def test_states_have_names() -> None:
    assert list(LSTM(2, 3).state_sizes) == ["hidden", "cell"]
    assert list(GRU(2, 3).state_sizes) == list(RNN(2, 3).state_sizes) == ["hidden"]


def test_wrong_options_are_rejected() -> None:
    with pytest.raises(ValueError, match="nonlinearity .*'sigmoid'"):
        RNN(2, 3, nonlinearity="sigmoid")
    with pytest.raises(PluginError, match="'forget_bais'.*'forget_bias'"):
        CELLS.build("lstm", 2, 3, options={"forget_bais": 1.0})
    with pytest.raises(PluginError, match='"tanh" or "relu"'):
        CELLS.build("rnn", 2, 3, options={"nonlinearity": "sigmoid"})
    with pytest.raises(PluginError, match="'gru' .*hidden_size=0"):
        CELLS.build("gru", 2, 0)
