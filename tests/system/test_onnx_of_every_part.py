"""Every registered cell and attention, plugins' too, gives graphs that score as the network does."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import ModelSettings
from nmt_lstm.inference.onnx.graphs import make_onnx_graphs
from nmt_lstm.model.build import build_model
from nmt_lstm.registry import ATTENTIONS, CELLS

pytestmark = [pytest.mark.slow, pytest.mark.spread]

PARTS = [
    *(("cell", name) for name in CELLS.names()),
    *(("attention", name) for name in ATTENTIONS.names()),
]


@pytest.mark.parametrize(("kind", "name"), PARTS)
@torch.no_grad()
def test_graphs_score_as_the_network(kind, name) -> None:
    pytest.importorskip("onnxscript")
    from nmt_lstm.inference.onnx.model import OnnxModel

    chosen = {"cell": "gru", "attention": "bilinear", kind: name}
    settings = {"cell": chosen["cell"], "hidden_size": 8}
    model = build_model(
        ModelSettings.model_validate(
            {
                "embedding_size": 8,
                "encoder": settings,
                "decoder": settings,
                "attention": {"name": chosen["attention"]},
            }
        ),
        40,
        40,
    ).eval()
    graphs = make_onnx_graphs(model)
    other = OnnxModel(graphs.encoder, graphs.decoder)
    source = source_batch([[5, 6, 7, 8, 9, 10], [8, 9], [11, 12, 13, 14]])
    previous = torch.tensor([2, 2, 2])
    states = model.start(model.encode(source)), other.start(other.encode(source))
    for step in range(4):
        ours, theirs = model.step(previous, states[0]), other.step(previous, states[1])
        assert (ours.logits.log_softmax(-1) - theirs.logits).abs().max() < 1e-4
        assert (ours.attention - theirs.attention).abs().max() < 1e-4
        states = ours.state, theirs.state
        previous = torch.tensor([4 + step, 7, 9])
