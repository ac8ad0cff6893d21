"""Gradient flow of a model before and after training: sequences, initial weights, and every cell and wiring."""

from __future__ import annotations

import json

import pytest
import torch

from nmt_lstm.config.wirings import WIRINGS
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.lab.inspection import gradient_flow as gradient_flow_module
from nmt_lstm.lab.inspection.gradient_flow import inspect_gradients, untrained
from nmt_lstm.lab.inspection.inspection import Inspector
from nmt_lstm.lab.inspection.joined_sequences import joined_batch
from nmt_lstm.model.gradient_flow import gradient_flow
from nmt_lstm.text.preparation import prepare
from nmt_lstm.text.special_pieces import END
from nmt_lstm.training.module import TranslationModule

LINES = ["eins zwei drei .", "vier .", "fünf sechs ."]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("wiring", WIRINGS)
def test_every_stock_cell_in_every_wiring(make_inspector, cell, wiring) -> None:
    trace = inspect_gradients(make_inspector(cell=cell, wiring=wiring), LINES, lengths=[4, 6])
    assert trace.lengths == [4, 6]
    names = [flow.name for flow in trace.flows if flow.length == 6]
    decoder = ["first", "second"] if wiring == "conditional" else ["forward"]
    assert names == [
        "encoder, layer 1, forward", "encoder, layer 1, backward", *(f"decoder, layer 1, {each}" for each in decoder),
    ]  # fmt: skip
    for flow in trace.flows:
        assert flow.cell == cell
        assert len(flow.before.norms) == len(flow.after.norms) == flow.length
        assert all(norm > 0 for norm in (*flow.before.norms, *flow.after.norms))
        assert flow.before.norms != flow.after.norms


def test_the_flows_are_those_of_the_sequences(make_inspector) -> None:
    inspector = make_inspector()
    trace = inspect_gradients(inspector, LINES, lengths=[5])
    assert trace.sequences == 3
    pieces = [inspector.subwords.source.encode(line) for line in LINES]
    # The search's pieces rather than those of its text: a random network says what no tokenizer would.
    with_target = inspect_gradients(inspector, LINES[0], target="one two .", lengths=[5])
    targets = [inspector.subwords.target.encode("one two .")]
    expected = gradient_flow(inspector.model, joined_batch(pieces[:1], targets, [0], 5))
    assert [flow.after.norms for flow in with_target.flows] == [flow.norms for flow in expected]
    assert with_target.targets == ("one two .",)


def test_the_initial_weights_are_those_that_training_starts_from(tiny_run) -> None:
    prepared = prepare(tiny_run)
    started = TranslationModule.of_run(tiny_run, prepared).model
    inspector = Inspector(started, prepared.subwords, tiny_run, "started")
    before = torch.get_rng_state()
    fresh = untrained(inspector)
    assert torch.equal(torch.get_rng_state(), before)
    for name, weight in fresh.state_dict().items():
        if name != "output_bias":
            assert torch.equal(weight, started.state_dict()[name]), name


def test_json_is_a_contract(make_inspector) -> None:
    inspector = make_inspector(layers=2)
    found = json.loads(inspect_gradients(inspector, LINES, lengths=[4]).to_json())
    assert (found["format"], found["version"]) == ("nmt-lstm gradient flow", 1)
    assert found["sources"] == LINES
    assert (found["horizon_share"], found["growth"]) == (0.1, 10)
    assert [(flow["side"], flow["layer"]) for flow in found["flows"]] == [
        ("encoder", 1), ("encoder", 1), ("encoder", 2), ("encoder", 2), ("decoder", 1), ("decoder", 2),
    ]  # fmt: skip
    assert found["flows"][0].keys() == {"side", "layer", "direction", "cell", "length", "before", "after"}
    assert found["flows"][0]["after"].keys() == {"norms", "horizon", "grows", "factor"}
    assert len(found["flows"][0]["after"]["norms"]) == 4


@pytest.mark.parametrize(
    ("lines", "named", "error", "key"),
    [
        (["  "], {}, DataError, "no sentence"),
        (["\u200b"], {}, DataError, "no sentence"),
        (["eins ."] * 1001, {}, DataError, "at most 1,000"),
        (LINES, {"target": "one"}, ConfigurationError, "one sentence"),
        (LINES, {"lengths": [1]}, ConfigurationError, "2 to 500"),
        (LINES, {"lengths": []}, ConfigurationError, "none"),
    ],
)
def test_what_cannot_be_measured_is_refused(make_inspector, lines, named, error, key) -> None:
    with pytest.raises(error, match=key):
        inspect_gradients(make_inspector(), lines, **named)


def test_sentences_are_searched_in_batches_and_truncated_as_in_translation(
    make_inspector, monkeypatch
) -> None:
    shapes = []
    search = gradient_flow_module.beam_search

    def noted(model, batch, settings, **named):
        shapes.append(tuple(batch.pieces.shape))
        return search(model, batch, settings, **named)

    monkeypatch.setattr(gradient_flow_module, "beam_search", noted)
    inspector = make_inspector()
    settings = inspector.run.search.model_copy(update={"max_source_pieces": 7})
    lines = [*(["vier ."] * 70), "eins zwei drei . " * 20]
    trace = inspect_gradients(inspector, lines, lengths=[4], search=settings)
    assert max(rows for rows, _ in shapes) <= 64
    assert sum(rows for rows, _ in shapes) == len(lines) == len(trace.targets)
    assert max(length for _, length in shapes) == 8  # with the end of the sentence


def test_empty_translations_are_refused(make_inspector) -> None:
    inspector = make_inspector()
    inspector.model.output_bias.data[END] = 1000.0
    with pytest.raises(DataError, match="give a target"):
        inspect_gradients(inspector, LINES)
