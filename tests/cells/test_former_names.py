"""Former names and locations still work for plugins written for earlier versions."""

from __future__ import annotations

import importlib

import pytest

import nmt_lstm
from nmt_lstm.cells.gated_cell import GatedCell
from nmt_lstm.recurrence import recurrence


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("nmt_lstm.attention.attention", "Attended"),
        ("nmt_lstm.attention.attention", "Attention"),
        ("nmt_lstm.attention.attention", "Memory"),
        ("nmt_lstm.attention.attention", "masked_softmax"),
        ("nmt_lstm.cells.cell", "Cell"),
        ("nmt_lstm.cells.cell", "State"),
        ("nmt_lstm.cells.cell", "check_sequence"),
        ("nmt_lstm.cells.gated_cell", "GatedCell"),
        ("nmt_lstm.cells.gru", "GRU"),
        ("nmt_lstm.cells.linear_cell", "LinearCell"),
        ("nmt_lstm.cells.linear_recurrence", "linear_recurrence"),
        ("nmt_lstm.cells.lstm", "LSTM"),
        ("nmt_lstm.cells.recurrence", "Recurrence"),
        ("nmt_lstm.cells.recurrence", "Update"),
        ("nmt_lstm.cells.replaced", "with_parameters"),
        ("nmt_lstm.cells.rnn", "RNN"),
        ("nmt_lstm.cells.stepwise_cell", "Products"),
        ("nmt_lstm.cells.stepwise_cell", "StepwiseCell"),
        ("nmt_lstm.errors", "PluginError"),
        ("nmt_lstm.numerics.batched_product", "batched_product"),
        ("nmt_lstm.numerics.linear", "linear"),
        ("nmt_lstm.numerics.pointwise", "sigmoid"),
        ("nmt_lstm.numerics.sequence_linear", "Linear"),
        ("nmt_lstm.numerics.sequence_linear", "sequence_linear"),
        ("nmt_lstm.registry", "ATTENTIONS"),
        ("nmt_lstm.registry", "CELLS"),
    ],
)
def test_a_former_location_has_the_public_name(module, name) -> None:
    assert getattr(importlib.import_module(module), name) is getattr(nmt_lstm, name)


def test_a_former_location_has_a_name_that_is_not_public() -> None:
    from nmt_lstm.cells.recurrence import Tensors

    assert Tensors is recurrence.Tensors


def test_sweep_is_the_former_name_of_unroll() -> None:
    assert GatedCell.sweep is GatedCell.unroll
    assert GatedCell.sweep_by is GatedCell.unroll_by
