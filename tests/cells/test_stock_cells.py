"""LSTM, GRU and RNN: PyTorch's own weights load unchanged and compute the same; kernel, unrolled loop and steps agree."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nmt_lstm.cells import fused
from nmt_lstm.cells.cell import Cell
from nmt_lstm.cells.gated_cell import GatedCell
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


def twins(part, theirs, options, dtype=torch.float32):
    """A cell of ours with the weights of PyTorch's."""
    torch.manual_seed(0)
    reference = theirs(INPUT, HIDDEN, batch_first=True, **options).to(dtype)
    cell = part(INPUT, HIDDEN, **options).to(dtype)
    cell.load_state_dict(reference.state_dict())
    return cell, reference


def random_state(cell, batch=3, dtype=torch.float32):
    return tuple(torch.randn(batch, HIDDEN, dtype=dtype) for _ in cell.state_sizes)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("part", "theirs", "options"), TWINS)
def test_the_weights_of_torch_load_unchanged_and_compute_the_same(part, theirs, options, dtype) -> None:
    cell, reference = twins(part, theirs, options, dtype)
    inputs, state = torch.randn(3, 7, INPUT, dtype=dtype), random_state(cell, dtype=dtype)
    layered = tuple(tensor[None] for tensor in state)
    expected, expected_last = reference(inputs, layered if len(layered) > 1 else layered[0])
    outputs, last = cell(inputs, state)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(
        torch.stack(last)[:, None], torch.stack(tuple(expected_last)).view(-1, 1, 3, HIDDEN)
    )


@pytest.mark.parametrize(("part", "theirs", "options"), TWINS)
def test_gradients_are_those_of_torch(part, theirs, options) -> None:
    cell, reference = twins(part, theirs, options)
    inputs = torch.randn(3, 7, INPUT)
    cell(inputs, cell.initial_state(3))[0].square().sum().backward()
    reference(inputs)[0].square().sum().backward()
    for name, parameter in cell.named_parameters():
        expected = reference.get_parameter(f"{name}_l0").grad
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("gradients", [True, False], ids=["training", "search"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("part", "theirs", "options"), TWINS)
def test_kernel_unrolled_loop_and_steps_agree(part, theirs, options, dtype, gradients) -> None:
    torch.manual_seed(1)
    cell = part(INPUT, HIDDEN, **options).to(dtype)
    inputs, state = torch.randn(3, 7, INPUT, dtype=dtype), random_state(cell, dtype=dtype)
    with torch.set_grad_enabled(gradients):
        ways = [cell(inputs, state), cell.unroll(inputs, state), Cell.forward(cell, inputs, state)]
    for outputs, last in ways[1:]:
        torch.testing.assert_close(outputs, ways[0][0])
        torch.testing.assert_close(last, ways[0][1])


@pytest.mark.parametrize(("part", "theirs", "options"), TWINS)
def test_gradients_of_kernel_and_unrolled_loop_pass_gradcheck(part, theirs, options) -> None:
    torch.manual_seed(2)
    cell = part(2, 3, **options).double()
    given = [torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True)]
    given += [torch.randn(2, 3, dtype=torch.float64, requires_grad=True) for _ in cell.state_sizes]
    for take in (cell.forward, cell.unroll):

        def run(inputs, *rest, take=take):
            outputs, last = take(inputs, rest[: len(cell.state_sizes)])
            return outputs, *last

        assert torch.autograd.gradcheck(run, (*given, *cell.parameters()))


@pytest.mark.needs_bf16
@pytest.mark.parametrize(("part", "theirs", "options"), TWINS)
def test_bf16_by_the_kernel_is_near_float32(part, theirs, options) -> None:
    torch.manual_seed(3)
    cell = part(INPUT, HIDDEN, **options)
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


@pytest.mark.parametrize(("part", "theirs", "options"), TWINS)
def test_a_batch_of_one_row_is_padded_for_the_kernel_and_given_back_whole(part, theirs, options) -> None:
    cell = part(INPUT, HIDDEN, **options).double()
    inputs, state = torch.randn(1, 4, INPUT, dtype=torch.float64), random_state(cell, 1, torch.float64)
    with torch.no_grad():
        outputs, last = cell(inputs, state)
    assert outputs.shape == (1, 4, HIDDEN)
    assert all(tensor.shape == (1, HIDDEN) for tensor in last)
    torch.testing.assert_close(outputs, cell(inputs, state)[0].detach())


def test_in_float32_on_a_processor_gru_and_rnn_take_the_unrolled_loop(monkeypatch) -> None:
    taken = []
    monkeypatch.setattr(GatedCell, "unroll", lambda self, *given: taken.append(type(self)) or (None, ()))
    monkeypatch.setattr(fused, "LARGEST_SMALL_STATE", 2 * HIDDEN)
    for part in (GRU, RNN, LSTM):
        cell = part(INPUT, HIDDEN)
        cell(torch.zeros(3, 2, INPUT), cell.initial_state(3))
    assert taken == [GRU, RNN]
    assert not fused.unroll_is_faster(torch.zeros(3, dtype=torch.float64), HIDDEN)


@pytest.mark.needs_bf16
def test_in_bf16_on_a_processor_all_take_the_kernel(monkeypatch) -> None:
    taken = []
    monkeypatch.setattr(GatedCell, "unroll", lambda self, *given: taken.append(type(self)) or (None, ()))
    monkeypatch.setattr(fused, "LARGEST_SMALL_STATE", 2 * HIDDEN)
    for part in (GRU, RNN, LSTM):
        cell = part(INPUT, HIDDEN)
        with torch.autocast("cpu", torch.bfloat16):
            cell(torch.zeros(3, 2, INPUT), cell.initial_state(3))
    assert taken == []


def test_few_rows_train_by_the_kernel_but_without_gradients_the_rows_decide_nothing(monkeypatch) -> None:
    taken = []
    monkeypatch.setattr(GatedCell, "unroll", lambda self, *given: taken.append(type(self)) or (None, ()))
    for part in (GRU, RNN):
        cell = part(INPUT, HIDDEN)
        outputs, _ = cell(torch.zeros(3, 2, INPUT), cell.initial_state(3))
        assert outputs.shape == (3, 2, HIDDEN)
    assert taken == []
    with torch.no_grad():
        for part in (GRU, RNN):
            cell = part(INPUT, HIDDEN)
            cell(torch.zeros(3, 2, INPUT), cell.initial_state(3))
    assert taken == [GRU, RNN]


def test_the_forget_gate_starts_open() -> None:
    cell = LSTM(INPUT, HIDDEN)
    assert cell.bias_ih.view(4, HIDDEN).sum(1).tolist() == [0, HIDDEN, 0, 0]
    cell = LSTM(INPUT, HIDDEN, forget_bias=-0.5)
    assert cell.bias_ih.view(4, HIDDEN).sum(1).tolist() == [0, -HIDDEN / 2, 0, 0]
    assert not cell.bias_hh.any()


def test_states_are_named() -> None:
    assert list(LSTM(2, 3).state_sizes) == ["hidden", "cell"]
    assert list(GRU(2, 3).state_sizes) == list(RNN(2, 3).state_sizes) == ["hidden"]


def test_wrong_options_are_named_with_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="nonlinearity is 'tanh' or 'relu'; got 'sigmoid'"):
        RNN(2, 3, nonlinearity="sigmoid")
    with pytest.raises(PluginError, match=r"unknown option 'forget_bais'.*Did you mean 'forget_bias'\?"):
        CELLS.build("lstm", 2, 3, options={"forget_bais": 1.0})
    with pytest.raises(PluginError, match='option \'nonlinearity\' is .*must be "tanh" or "relu"'):
        CELLS.build("rnn", 2, 3, options={"nonlinearity": "sigmoid"})
    with pytest.raises(PluginError, match=r"cell 'gru' .*at least 1; got input_size=2, hidden_size=0"):
        CELLS.build("gru", 2, 0)
