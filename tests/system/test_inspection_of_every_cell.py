"""A page and the gradient flow of every registered cell and encoder, including those of installed plugins."""

from __future__ import annotations

import math

import pytest
import torch

from nmt_lstm import ATTENTIONS, CELLS, ENCODERS
from nmt_lstm.config.schema import AttentionSettings, EncoderSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.lab.inspection.gradient_flow import inspect_gradients
from nmt_lstm.lab.inspection.inspection import Inspector
from nmt_lstm.lab.inspection.overview import overview
from nmt_lstm.lab.inspection.overview_page import overview_page
from nmt_lstm.lab.inspection.page import trace_page
from nmt_lstm.model.build import build_model


@pytest.fixture
def make_inspector(tiny_run, subwords):
    def make(cell: str, **decoder: object) -> Inspector:
        model = tiny_run.model
        settings = model.model_copy(
            update={
                "encoder": model.encoder.model_copy(update={"cell": cell, "hidden_size": 16}),
                "decoder": model.decoder.model_copy(update={"cell": cell, "hidden_size": 16, **decoder}),
            }
        )
        torch.manual_seed(1)
        network = build_model(settings, subwords.source.size, subwords.target.size).eval()
        return Inspector(network, subwords, tiny_run.model_copy(update={"model": settings}), cell)

    return make


@pytest.mark.parametrize("cell", CELLS.names())
def test_every_cell_has_a_page(cell, make_inspector) -> None:
    inspector = make_inspector(cell)
    trace = inspector.trace("eins zwei .", target="one two")
    for layer in trace.layers:
        record = layer.record
        assert all(
            torch.isfinite(tensor).all() for tensor in (*record.gates.values(), *record.states.values())
        )
        assert layer.measured_half_lives is not None
        if record.retention is not None:
            torch.testing.assert_close(record.kept + record.written, record.after)
    assert "memory" in trace.to_svg(["memory"])
    text = overview(inspector, ["eins zwei .", "drei vier"])
    assert cell in overview_page([text], "text")
    assert cell in trace_page([trace], texts=[text])


@pytest.mark.parametrize("wiring", ["gnmt", "conditional"])
@pytest.mark.parametrize("cell", CELLS.names())
def test_every_cell_has_a_gradient_flow(cell, wiring, make_inspector) -> None:
    inspector = make_inspector(cell, wiring=wiring)
    flows = inspect_gradients(inspector, "eins zwei .", target="one two .", lengths=[6]).flows
    assert len(flows) == (4 if wiring == "conditional" else 3)
    for flow in flows:
        assert all(math.isfinite(norm) for norm in flow.after.norms), flow.name
        # Where units are switched off at zero, an error may end within a sentence.
        assert flow.after.norms[0] > 0, flow.name
        # The network was not trained, so that its weights are the initial ones.
        assert flow.after.norms == pytest.approx(flow.before.norms, rel=1e-4)


@pytest.mark.parametrize("attention", ATTENTIONS.names())
def test_every_attention_lets_gradients_flow(attention, tiny_run, subwords) -> None:
    settings = tiny_run.model.model_copy(update={"attention": AttentionSettings(name=attention)})
    torch.manual_seed(1)
    network = build_model(settings, subwords.source.size, subwords.target.size).eval()
    run = tiny_run.model_copy(update={"model": settings})
    flows = inspect_gradients(
        Inspector(network, subwords, run, attention), "eins zwei .", target="one two .", lengths=[6]
    ).flows
    assert all(norm > 0 for flow in flows for norm in flow.after.norms)


@pytest.mark.parametrize("encoder", ENCODERS.names())
def test_attention_gradients_and_cells_of_the_decoder_are_shown_with_every_encoder(
    encoder, tiny_run, subwords
) -> None:
    settings = tiny_run.model.model_copy(
        update={"embedding_size": 16, "encoder": EncoderSettings(name=encoder)}
    )
    torch.manual_seed(1)
    network = build_model(settings, subwords.source.size, subwords.target.size).eval()
    inspector = Inspector(network, subwords, tiny_run.model_copy(update={"model": settings}), "model")
    trace = inspector.trace("eins zwei .", target="one two")
    assert (trace.connectivity.source.sum(1) > 0).all()
    first = trace.layers[0].key
    assert first == ("encoder.1.forward" if encoder == "recurrent" else "decoder.1.forward")
    assert "<svg" in trace.to_svg()
    assert "decoder.1.forward" in trace_page([trace])
    assert overview_page([overview(inspector, ["eins zwei .", "drei vier"])], "text")
    flows = inspect_gradients(inspector, "eins zwei .", target="one two .", lengths=[6]).flows
    assert flows[0].location.key == first
    if encoder != "recurrent":
        assert trace.settings["encoder"] == encoder
        with pytest.raises(ConfigurationError, match=encoder):
            trace.to_svg(layers=["encoder.1"])
