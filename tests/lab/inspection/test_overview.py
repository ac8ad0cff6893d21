"""A model over a text: what is sampled, read, counted, written and looked up."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
import torch

from nmt_lstm.errors import DataError
from nmt_lstm.lab.inspection.overview import overview
from nmt_lstm.lab.inspection.overview_page import overview_page
from nmt_lstm.lab.inspection.page import trace_page
from nmt_lstm.lab.inspection.text_index import NONE, PLACES, extremes, index_of
from nmt_lstm.lab.inspection.text_sample import sampled

LINES = ["eins zwei .", "", "drei ( vier ) fünf .", "sechs", "eins " * 200]


def test_a_sample_is_the_same_every_time_and_in_order() -> None:
    lines = [str(number) for number in range(1000)]
    found = sampled(lines, 50)
    assert found == sampled(iter(lines), 50)
    assert found == sorted(found, key=int)
    assert len(set(found)) == 50
    # By chance from the whole text: about half from each half.
    assert 10 < sum(int(line) < 500 for line in found) < 40


def test_a_short_text_is_taken_whole_without_its_blank_lines() -> None:
    assert sampled(["a", " ", "b", ""]) == ["a", "b"]


def test_each_cell_has_its_statistics(make_inspector) -> None:
    inspector = make_inspector(layers=2)
    found = overview(inspector, LINES)
    assert len(found.sources) == 3
    values = json.loads(found.to_json())
    assert (values["format"], values["version"], values["sentences"]) == ("nmt-lstm overview", 1, 3)
    assert [layer["layer"] for layer in values["layers"]] == [
        "encoder.1.forward", "encoder.1.backward", "encoder.2.forward", "encoder.2.backward", "decoder.1.forward",
        "decoder.2.forward",
    ]  # fmt: skip
    first = values["layers"][0]
    assert first["positions"] == sum(len(pieces) for pieces in found.sources)
    assert set(first["gates"]) == {"input", "forget", "output"}
    # The gates of the overview are those of the traces, all sentences together.
    traces = [inspector.trace(line) for line in LINES if 0 < len(line) < 50]
    forget = torch.cat([trace.layers[0].record.gates["forget"] for trace in traces])
    assert first["gates"]["forget"]["mean"] == pytest.approx(float(forget.mean()), abs=1e-3)
    assert first["horizon_quantiles"][0] == min(trace.layers[0].horizon for trace in traces)


def test_a_text_without_usable_sentences_is_refused(make_inspector) -> None:
    with pytest.raises(DataError, match="no sentence"):
        overview(make_inspector(), [" ", "eins " * 200])


def test_the_page_names_every_cell_and_is_escaped(make_inspector) -> None:
    page = overview_page([overview(make_inspector(), LINES)], "<text>")
    assert "encoder, layer 1, backward: lstm" in page
    assert "&lt;text&gt;" in page


def test_a_cell_without_gates_has_a_page(make_inspector) -> None:
    assert "names no gates that open" in overview_page([overview(make_inspector(cell="rnn"), LINES)], "text")


def test_extremes_are_one_of_each_sentence() -> None:
    memory = torch.tensor([[1.0], [5.0], [4.0], [-3.0], [0.0]])
    found = extremes(memory, [3, 2])
    assert found.shape == (1, 2, PLACES)
    assert found[0, 0, :3].tolist() == [1, 4, NONE]
    assert found[0, 1, :3].tolist() == [3, 0, NONE]


def test_a_page_with_a_text_has_its_sentences_and_their_places(make_inspector) -> None:
    inspector = make_inspector()
    found = overview(inspector, LINES)
    index = index_of(found)
    places = np.frombuffer(base64.b64decode(index["cells"]["encoder.1.forward"]["places"]), "<u2")
    units = found.cells[0].statistics.units
    assert places.size == units * 2 * PLACES
    positions = sum(map(len, index["encoder"]))
    assert set(places[places != NONE]) <= set(range(positions))
    page = trace_page([inspector.trace("eins zwei .")], texts=[found])
    assert len(page) - len(trace_page([inspector.trace("eins zwei .")])) < 100_000
