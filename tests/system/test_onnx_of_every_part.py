"""Every registered cell, attention and encoder, including those of plugins, is exported to graphs with the same scores."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import ModelSettings
from nmt_lstm.inference.onnx.graphs import make_onnx_graphs
from nmt_lstm.model.build import build_model
from nmt_lstm.registry import ATTENTIONS, CELLS, ENCODERS

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.spread]

PARTS = [
    *(("cell", name) for name in CELLS.names()),
    *(("attention", name) for name in ATTENTIONS.names()),
    *(("encoder", name) for name in ENCODERS.names()),
]


@pytest.mark.parametrize(("kind", "name"), PARTS)
@torch.no_grad()
def test_the_graphs_give_the_scores_of_the_network(kind, name) -> None:
    pytest.importorskip("onnxscript")
    from nmt_lstm.inference.onnx.model import OnnxModel

    names = {"cell": "gru", "attention": "bilinear", "encoder": "recurrent", kind: name}
    settings = {"cell": names["cell"], "hidden_size": 8}
    model = build_model(
        ModelSettings.model_validate(
            {
                "embedding_size": 8,
                "encoder": {"name": names["encoder"], **settings},
                "decoder": settings,
                "attention": {"name": names["attention"]},
            }
        ),
        40,
        40,
    ).eval()
    graphs = make_onnx_graphs(model)
    onnx_model = OnnxModel(graphs.encoder, graphs.decoder)
    source = source_batch([[5, 6, 7, 8, 9, 10], [8, 9], [11, 12, 13, 14]])
    previous = torch.tensor([2, 2, 2])
    states = model.start(model.encode(source)), onnx_model.start(onnx_model.encode(source))
    for step in range(4):
        expected, step_result = model.step(previous, states[0]), onnx_model.step(previous, states[1])
        assert (expected.logits.log_softmax(-1) - step_result.logits).abs().max() < 1e-4
        assert (expected.attention - step_result.attention).abs().max() < 1e-4
        states = expected.state, step_result.state
        previous = torch.tensor([4 + step, 7, 9])
