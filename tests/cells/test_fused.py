"""Which stock cells use PyTorch's fused kernel for which inputs."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.cells import fused
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.cells.gru import GRU
from nmt_lstm.cells.lstm import LSTM
from nmt_lstm.cells.rnn import RNN

INPUT, HIDDEN = 6, 10


@pytest.fixture
def unrolled(monkeypatch) -> list[type]:
    """The classes of the cells that used the unrolled loop, in the order of their calls."""
    classes: list[type] = []

    def unroll(cell, inputs, state):
        classes.append(type(cell))
        return inputs, state

    monkeypatch.setattr(GatedCell, "unroll", unroll)
    return classes


def test_in_float32_on_a_cpu_gru_and_rnn_use_the_unrolled_loop(monkeypatch, unrolled) -> None:
    monkeypatch.setattr(fused, "MAX_SMALL_STATE", 2 * HIDDEN)
    for kind in (GRU, RNN, LSTM):
        cell = kind(INPUT, HIDDEN)
        cell(torch.zeros(3, 2, INPUT), cell.initial_state(3))
    assert unrolled == [GRU, RNN]
    assert not fused.prefers_unrolled_loop(torch.zeros(3, dtype=torch.float64), HIDDEN)


@pytest.mark.needs_bf16
def test_in_bf16_on_a_cpu_all_cells_use_the_kernel(monkeypatch, unrolled) -> None:
    monkeypatch.setattr(fused, "MAX_SMALL_STATE", 2 * HIDDEN)
    for kind in (GRU, RNN, LSTM):
        cell = kind(INPUT, HIDDEN)
        with torch.autocast("cpu", torch.bfloat16):
            cell(torch.zeros(3, 2, INPUT), cell.initial_state(3))
    assert unrolled == []


def test_few_rows_train_with_the_kernel_but_without_gradients_all_use_the_loop(unrolled) -> None:
    for kind in (GRU, RNN):
        cell = kind(INPUT, HIDDEN)
        outputs, _ = cell(torch.zeros(3, 2, INPUT), cell.initial_state(3))
        assert outputs.shape == (3, 2, HIDDEN)
    assert unrolled == []
    with torch.no_grad():
        for kind in (GRU, RNN):
            cell = kind(INPUT, HIDDEN)
            cell(torch.zeros(3, 2, INPUT), cell.initial_state(3))
    assert unrolled == [GRU, RNN]
