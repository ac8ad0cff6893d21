"""Static pictures of a trace: what is in them, and that models share their scales."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.lab.inspection.picture import picture
from nmt_lstm.lab.report.heat_map import LEVELS

SENTENCE = "eins zwei drei ."


@pytest.fixture
def trace(make_inspector):
    return make_inspector(layers=2).trace(SENTENCE)


def values(each, columns: int) -> np.ndarray:
    shades = np.frombuffer(each.shades, dtype=np.uint8).reshape(-1, columns)
    return each.scale.low + shades / (LEVELS - 1) * (each.scale.high - each.scale.low)


def test_everything_is_shown_unless_something_is_chosen(trace) -> None:
    ((_, blocks),) = picture([trace]).columns
    assert [block.title for block in blocks] == ["attention", "encoder, layer 1, forward: lstm"]
    assert [each.name for each in blocks[1].maps] == [
        "input", "forget", "candidate", "output", "kept", "written", "memory",
    ]  # fmt: skip


def test_values_are_those_of_the_trace(trace) -> None:
    ((_, (attention, layer)),) = picture([trace]).columns
    columns = len(trace.source_pieces)
    np.testing.assert_allclose(values(attention.maps[0], columns), trace.attention.numpy(), atol=0.003)
    forget = next(each for each in layer.maps if each.name == "forget")
    expected = trace.layers[0].record.gates["forget"].T.numpy()
    np.testing.assert_allclose(values(forget, columns), expected, atol=0.003)


def test_a_layer_names_all_of_its_cells_and_each_is_shown_once(trace) -> None:
    ((_, blocks),) = picture([trace], contents=["gates"], layers=["encoder.2", "encoder.2.forward"]).columns
    assert [block.title[:26] for block in blocks] == [
        "encoder, layer 2, forward:",
        "encoder, layer 2, backward",
    ]


def test_a_decoder_shows_the_pieces_that_it_reads(trace) -> None:
    ((_, (block,)),) = picture([trace], contents=["memory"], layers=["decoder.1"]).columns
    assert block.columns[0] == "<s>"
    assert len(block.columns) == len(trace.target_pieces)


def test_models_share_their_scales(trace) -> None:
    layers = tuple(
        dataclasses.replace(
            layer,
            record=dataclasses.replace(
                layer.record, states={name: 3 * value for name, value in layer.record.states.items()}
            ),
        )
        for layer in trace.layers
    )
    larger = dataclasses.replace(trace, layers=layers)
    columns = picture([trace, larger], contents=["memory"]).columns
    scales = [block.maps[-1].scale for _, (block,) in columns]
    assert scales[0] == scales[1]
    assert scales[0].high > picture([trace], contents=["memory"]).columns[0][1][0].maps[-1].scale.high


def test_large_values_do_not_make_the_rest_pale(trace) -> None:
    trace.layers[0].record.states["cell"][0, 0] = 1000.0
    ((_, (block,)),) = picture([trace], contents=["memory"]).columns
    scale = block.maps[-1].scale
    assert scale.high < 100
    assert scale.marks[0][1].endswith("or more")


def test_svg_is_well_formed_whatever_the_pieces_are(trace) -> None:
    odd = dataclasses.replace(trace, source_pieces=("▁<b>&", "\x1b[2J", "▁", "若い", "</s>"))
    odd = dataclasses.replace(odd, attention=torch.full((len(odd.target_pieces), 5), 0.2))
    root = ET.fromstring(odd.to_svg(["attention"]))
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"<b>&", "\\x1b[2J", "▁", "若い", "⏎"} <= set(texts)


@pytest.mark.parametrize(
    ("contents", "layers", "key"),
    [(["gates"], ["encoder.3"], "encoder.2.backward"), (["colours"], ["encoder.1"], "attention, gates")],
)
def test_what_there_is_not_is_refused_with_what_there_is(trace, contents, layers, key) -> None:
    with pytest.raises(ConfigurationError, match=key):
        picture([trace], contents=contents, layers=layers)


def test_a_cell_without_gates_has_no_picture_of_them(trace) -> None:
    bare = dataclasses.replace(
        trace.layers[0], record=dataclasses.replace(trace.layers[0].record, gates={}, functions={})
    )
    without = dataclasses.replace(trace, layers=(bare, *trace.layers[1:]))
    with pytest.raises(ConfigurationError, match="memory"):
        picture([without], contents=["gates"])
    assert picture([without], contents=["memory"])
