"""Which cells and attentions the argument of ``plugins show`` and ``plugins check`` names."""

from __future__ import annotations

import pytest

from nmt_lstm.cli.plugin_names import named_parts, short_origin
from nmt_lstm.errors import PluginError, WrongBaseError
from nmt_lstm.registry import ATTENTIONS, CELLS, ENCODERS, Entry

PLUGIN = """
from nmt_lstm import ATTENTIONS, CELLS, GatedCell
from nmt_lstm.attention.dot import DotAttention

@CELLS.register("named_cell")
class NamedCell(GatedCell):
    gates = ("candidate",)

@ATTENTIONS.register("named_attention")
class NamedAttention(DotAttention):
    pass
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A plugin folder with a cell and an attention; the registries forget them afterwards."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "named"
    folder.mkdir()
    (folder / "__init__.py").write_text(PLUGIN, encoding="utf-8")
    return folder


def test_a_registered_name_has_its_entry():
    (part,) = named_parts("lstm")
    assert (part.registry, part.name, part.entry.distribution) == (CELLS, "lstm", "nmt-lstm")


@pytest.mark.parametrize(
    ("target", "registry"),
    [
        ("nmt_lstm.cells.gru:GRU", CELLS),
        ("nmt_lstm.attention.dot:DotAttention", ATTENTIONS),
        ("nmt_lstm.encoders.recurrent:RecurrentEncoder", ENCODERS),
    ],
)
def test_a_class_is_a_cell_an_attention_or_an_encoder_by_its_base(target, registry):
    assert named_parts(target) == [(registry, target, None)]


@pytest.mark.parametrize("name", ["named", "named/", "named/__init__.py"])
def test_a_file_or_folder_stands_for_all_it_registers(plugin, name):
    parts = named_parts(name)
    assert {(part.registry, part.name) for part in parts} == {
        (CELLS, "named_cell"),
        (ATTENTIONS, "named_attention"),
    }


def test_a_class_of_no_kind_is_refused_when_it_is_loaded():
    (part,) = named_parts("nmt_lstm.errors:DataError")
    with pytest.raises(WrongBaseError) as caught:
        part.registry.get(part.name)
    assert caught.value.target == "nmt_lstm.errors:DataError"


@pytest.mark.parametrize(
    ("name", "word"), [("lsmt", "'lstm'"), ("none.py", "none.py"), ("no:Cell", "module")]
)
def test_an_unknown_name_is_an_error(name, word):
    with pytest.raises(PluginError, match=word):
        named_parts(name)


def test_the_error_of_an_unknown_name_has_the_known_ones():
    with pytest.raises(PluginError) as caught:
        named_parts("lsmt")
    assert caught.value.value == "lsmt"
    assert {"lstm", "dot"} <= set(caught.value.known)


def test_the_origin_of_a_file_is_the_shorter_path(plugin):
    (part, _) = named_parts("named")
    assert short_origin(part.entry) == "named/__init__.py"
    distant = Entry("x", "/x.py", "", "", "x:X")
    assert short_origin(distant) == "/x.py"
