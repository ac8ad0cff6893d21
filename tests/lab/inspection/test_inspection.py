"""From a model folder and a line to a trace, a page and shades of text."""

from __future__ import annotations

import json
import re

import pytest
import torch

from nmt_lstm import Translator, inspect
from nmt_lstm.checkpoint import model_folder
from nmt_lstm.config.wirings import WIRINGS
from nmt_lstm.errors import ConfigurationError, DataError, ModelFolderError
from nmt_lstm.inference.exported import write_exported
from nmt_lstm.lab.inspection.page import trace_page
from nmt_lstm.lab.inspection.terminal import terminal_lines

SENTENCE = "eins zwei drei ."


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("wiring", WIRINGS)
def test_shapes_of_a_trace(make_inspector, cell, wiring) -> None:
    trace = make_inspector(cell=cell, wiring=wiring, layers=2).trace(SENTENCE)
    sources, targets = len(trace.source_pieces), len(trace.target_pieces)
    assert trace.attention.shape == (targets, sources)
    torch.testing.assert_close(trace.attention.sum(1), torch.ones(targets))
    assert trace.connectivity.source.shape == (targets, sources)
    assert len(trace.layers) == 4 + 2 + (wiring == "conditional")
    for layer in trace.layers:
        positions = sources if layer.side == "encoder" else targets
        assert layer.survival.shape == (positions,)
        for tensor in (*layer.record.gates.values(), *layer.record.states.values()):
            assert tensor.shape[0] == positions
        torch.testing.assert_close(layer.record.kept + layer.record.written, layer.record.after)


def test_a_backward_cell_is_shown_in_the_order_of_the_text(make_inspector) -> None:
    trace = make_inspector().trace(SENTENCE)
    backward = next(layer for layer in trace.layers if layer.direction == "backward")
    # It read the end of the sentence first, from a memory of zeros.
    assert torch.equal(backward.record.before[-1], torch.zeros_like(backward.record.before[-1]))
    assert backward.record.before[0].abs().sum() > 0


def test_translator_folder_and_inspector_agree(random_model_folder) -> None:
    of_folder = inspect(random_model_folder, SENTENCE)
    translator = Translator.load(random_model_folder, device="cpu")
    of_translator = inspect(translator, SENTENCE)
    assert of_folder.to_json() == of_translator.to_json()
    assert of_folder.target_text == translator.translate([SENTENCE])[0].text


def test_a_given_translation_is_followed(make_inspector) -> None:
    trace = make_inspector().trace(SENTENCE, target="one two")
    assert trace.target_text == "one two"
    assert trace.search is None


def test_the_translation_begins_with_the_prefix(make_inspector) -> None:
    trace = make_inspector().trace(SENTENCE, prefix="three")
    assert trace.target_text.startswith("three")
    assert trace.settings["forced beginning"] == "three"
    assert "forced beginning" not in make_inspector().trace(SENTENCE).settings


@pytest.mark.parametrize(("line", "key"), [("  ", "blank"), ("eins " * 200, "at most 100")])
def test_lines_that_make_no_picture_are_refused(make_inspector, line, key) -> None:
    with pytest.raises(DataError, match=key):
        make_inspector().trace(line)


def test_a_prefix_that_no_translation_has_room_for_is_refused(make_inspector) -> None:
    with pytest.raises(DataError, match="prefix"):
        make_inspector().trace("eins", prefix="one two three four five six seven eight nine " * 4)


def test_an_ensemble_is_refused(random_model_folder) -> None:
    translator = Translator.load([random_model_folder, random_model_folder], device="cpu")
    with pytest.raises(ConfigurationError, match="2 models"):
        inspect(translator, SENTENCE)


def test_an_exported_model_points_to_its_source(random_model_folder, tmp_path) -> None:
    write_exported(tmp_path / "exported", model_folder.read(random_model_folder), "float32")
    with pytest.raises(ModelFolderError, match="exported from"):
        inspect(tmp_path / "exported", SENTENCE)


def test_json_is_a_contract(make_inspector) -> None:
    values = json.loads(make_inspector().trace(SENTENCE).to_json())
    assert values["format"] == "nmt-lstm trace"
    assert values["version"] == 1
    assert set(values) == {
        "format", "version", "model", "settings", "source", "target", "attention", "connectivity", "layers", "search",
    }  # fmt: skip
    layer = values["layers"][0]
    assert set(layer["gates"]) == {"input", "forget", "candidate", "output"}
    assert len(layer["gates"]["forget"]["values"]) == len(values["source"]["pieces"])
    measured = layer["half_lives_measured"]
    assert len(measured["units"]) == len(measured["values"]) == len(layer["half_lives"])
    assert 0 < measured["room"] < len(values["source"]["pieces"])


def test_page_holds_its_data_and_asks_nobody(make_inspector) -> None:
    trace = make_inspector().trace(SENTENCE)
    page = trace_page([trace, trace])
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    assert "fetch(" not in page
    (data,) = re.findall(r'<script type="application/json" id="traces">(.*?)</script>', page)
    assert len(json.loads(data)["traces"]) == 2


def test_models_of_a_page_share_their_scales(make_inspector) -> None:
    small, large = make_inspector(cell="gru").trace(SENTENCE), make_inspector(cell="lstm").trace(SENTENCE)

    def bounds(page: str) -> list[float]:
        (data,) = re.findall(r'<script type="application/json" id="traces">(.*?)</script>', page)
        strips = [trace["layers"][0]["strips"] for trace in json.loads(data)["traces"]]
        return [next(each["bound"] for each in own if each["name"] == "written") for own in strips]

    alone = bounds(trace_page([small])) + bounds(trace_page([large]))
    together = bounds(trace_page([small, large]))
    assert alone[0] != alone[1]
    assert together[0] == together[1]
    assert min(alone) <= together[0] <= max(alone)


def test_text_of_a_page_is_not_markup(make_inspector) -> None:
    page = trace_page([make_inspector().trace("</script><script>alert(1)</script>")])
    assert "<script>alert" not in page
    (data,) = re.findall(r'<script type="application/json" id="traces">(.*?)</script>', page)
    assert "</script>" in json.loads(data)["traces"][0]["source"]["text"]


def test_a_notebook_shows_the_page(make_inspector) -> None:
    frame = make_inspector().trace(SENTENCE)._repr_html_()
    assert frame.startswith("<iframe")
    assert "&lt;!doctype html&gt;" in frame


@pytest.mark.parametrize("width", [40, 80, 200])
def test_terminal_lines_fit(make_inspector, width) -> None:
    from rich.cells import cell_len

    lines = list(terminal_lines(make_inspector().trace(SENTENCE), width))
    drawn = [line for line in lines if line.startswith(("one", "forget", "memory", "kept"))]
    assert drawn
    assert all(cell_len(line) <= width for line in drawn)
    assert any(line.startswith("forget") for line in lines)
