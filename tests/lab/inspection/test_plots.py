"""Figures drawn by matplotlib."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
import warnings

import pytest

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.lab.inspection.picture import picture
from nmt_lstm.lab.inspection.plots import figure_png

SENTENCE = "eins zwei drei ."
matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed (the extra `plot`)")


@pytest.fixture
def trace(make_inspector):
    return make_inspector().trace(SENTENCE)


def maps_of(figure) -> list:
    """The axes that hold a map rather than the bar of a scale."""
    return [axes for axes in figure.axes if axes.images]


def test_attention_has_the_pieces_at_its_sides(trace) -> None:
    (axes,) = maps_of(trace.plot_attention())
    assert len(axes.get_xticklabels()) == len(trace.source_pieces)
    assert [label.get_text() for label in axes.get_yticklabels()][-1] == "⏎"
    assert axes.images[0].get_array().shape == tuple(trace.attention.shape)


def test_gates_and_memory_of_a_layer_have_their_names(trace) -> None:
    names = [axes.get_ylabel().split("\n")[0] for axes in maps_of(trace.plot_gates("encoder.1.backward"))]
    assert names == ["input", "forget", "candidate", "output"]
    names = [axes.get_ylabel().split("\n")[0] for axes in maps_of(trace.plot_memory("decoder.1"))]
    assert names == ["kept", "written", "memory"]


def test_pieces_are_neither_formulas_nor_missing_letters(trace) -> None:
    pieces = ("▁$x", "y$_{", *trace.source_pieces[2:])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("default", message="Glyph")  # a machine may have no Japanese font
        image = figure_png(picture([dataclasses.replace(trace, source_pieces=pieces)]))
    assert image.startswith(b"\x89PNG")


def test_nothing_stays_in_the_global_state(trace) -> None:
    before = dict(matplotlib.rcParams)
    trace.plot()
    assert dict(matplotlib.rcParams) == before
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_the_extra_is_named_where_matplotlib_is_missing(trace, monkeypatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "matplotlib" else find(name, *more)
    )
    with pytest.raises(ConfigurationError, match=r"\[plot\]"):
        trace.plot_attention()
