"""A page for every cell that is registered: run beside the plugins, it covers theirs."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm import CELLS
from nmt_lstm.lab.inspection.inspection import Inspector
from nmt_lstm.lab.inspection.page import trace_page
from nmt_lstm.model.build import build_model


@pytest.mark.parametrize("cell", CELLS.names())
def test_every_cell_has_a_page(cell, tiny_run, subwords) -> None:
    model = tiny_run.model
    settings = model.model_copy(
        update={
            "encoder": model.encoder.model_copy(update={"cell": cell, "hidden_size": 16}),
            "decoder": model.decoder.model_copy(update={"cell": cell, "hidden_size": 16}),
        }
    )
    torch.manual_seed(1)
    network = build_model(settings, subwords.source.size, subwords.target.size).eval()
    run = tiny_run.model_copy(update={"model": settings})
    trace = Inspector(network, subwords, run, cell).trace("eins zwei .", target="one two")
    for layer in trace.layers:
        record = layer.record
        assert all(
            torch.isfinite(tensor).all() for tensor in (*record.gates.values(), *record.states.values())
        )
        assert layer.measured_half_lives is not None
        if record.retention is not None:
            torch.testing.assert_close(record.kept + record.written, record.after)
    assert cell in trace_page([trace])
