"""The graphs of a network compute what the network does, and a cell that cannot be traced is named."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.errors import ConfigurationError, PluginError
from nmt_lstm.inference.onnx.folder import LARGEST_DIFFERENCE
from nmt_lstm.inference.onnx.graphs import make_onnx_graphs
from nmt_lstm.inference.onnx.model import OnnxModel
from nmt_lstm.search.beam_search import beam_search

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

NETWORKS = {
    "a custom cell": {"cell": "leaky"},
    "two layers, feeding, additive": {
        "cell": "lstm",
        "attention": "additive",
        "encoder": {"layers": 2, "residual": True},
        "decoder": {"layers": 2, "wiring": "input_feeding", "residual": True},
    },
    "queries from the top layer, mean state, output of its own": {
        "cell": "gru",
        "attention": "dot",
        "source_end": False,
        "tied_embeddings": "none",
        "decoder": {
            "layers": 2,
            "wiring": "top",
            "bridge": "mean",
            "output_size": 9,
            "output_activation": "none",
        },
    },
    "one direction, conditional": {
        "cell": "gru",
        "attention": "multi_head",
        "encoder": {"directions": "unidirectional"},
        "decoder": {"wiring": "conditional"},
    },
}


@pytest.mark.parametrize("network", NETWORKS)
def test_graphs_have_the_scores_attention_and_translations_of_the_model(
    network, make_model, sources, decode
) -> None:
    model = make_model(**NETWORKS[network])
    graphs = make_onnx_graphs(model)
    onnx_model = OnnxModel(graphs.encoder, graphs.decoder)
    logits, attention = decode(model, sources)
    onnx_log_probabilities, onnx_attention = decode(onnx_model, sources)
    assert (onnx_log_probabilities - logits.log_softmax(-1)).abs().max() < 1e-4
    assert (onnx_attention - attention).abs().max() < 1e-4
    settings = SearchSettings(beam_size=3)
    with torch.no_grad():
        expected, actual = (beam_search(each, sources, settings) for each in (model, onnx_model))
    for one, other in zip(actual, expected, strict=True):
        assert [each.pieces for each in one] == [each.pieces for each in other]
        assert [each.score for each in one] == pytest.approx([each.score for each in other], abs=1e-4)


@pytest.mark.parametrize(
    ("cell", "message"),
    [("counting", r"cell Counting cannot .*\.shape"), ("branching", r"cell Branching cannot .*torch\.where")],
)
def test_cells_that_cannot_be_traced_are_named(cell, message, make_model) -> None:
    with pytest.raises(PluginError, match=message):
        make_onnx_graphs(make_model(cell=cell))


def test_the_graph_of_a_cell_contains_its_step_and_not_its_unrolled_loop(make_model, decode) -> None:
    model = make_model(cell="wavering")
    graphs = make_onnx_graphs(model)
    expected, _ = decode(model, source_batch([[5, 6, 7]]))
    actual, _ = decode(OnnxModel(graphs.encoder, graphs.decoder), source_batch([[5, 6, 7]]))
    assert (actual - expected.log_softmax(-1)).abs().mean() > LARGEST_DIFFERENCE["float32"]


def test_copied_states_cannot_be_exported(make_model) -> None:
    model = make_model(encoder={"hidden_size": 6}, decoder={"hidden_size": 12, "bridge": "copy"})
    with pytest.raises(ConfigurationError, match="copy") as caught:
        make_onnx_graphs(model)
    assert caught.value.key == "model.decoder.bridge"
