"""Whose mistake an exception shows: the innermost plugin whose code was running, by its line, or none."""

from __future__ import annotations

import sys

import pytest
import torch

from nmt_lstm.registry import (
    ATTENTIONS,
    CELLS,
    load_plugin_file,
    plugin_failure,
    plugin_suspicion,
)
from nmt_lstm.registry.plugin_contents import loaded_contents

PACKAGE = {
    "__init__.py": "",
    "cells.py": """
import torch
from nmt_lstm import Attention, Cell, CELLS, CellWrapper, GatedCell, linear
from failing_parts.inner import shifted


class Misspelt(GatedCell):
    gates = ("new",)

    def update(self, x, h, state):
        return (x.nw,)


class InAnotherFile(GatedCell):
    gates = ("new",)

    def update(self, x, h, state):
        return (shifted(x.new),)


class OfWrongShape(GatedCell):
    gates = ("new",)

    def update(self, x, h, state):
        return (linear(x.new, torch.ones(3, 3)),)


class OfWrongShapeByTorch(GatedCell):
    gates = ("new",)

    def update(self, x, h, state):
        return (x.new @ torch.ones(3, 3),)


class Around(CellWrapper):
    def __init__(self, input_size: int, hidden_size: int, *, cell: str = "lstm") -> None:
        super().__init__(CELLS.build(cell, input_size, hidden_size))

    def forward(self, inputs, state):
        return self.cell(inputs, state)


class StartsWrong(GatedCell):
    gates = ("new",)

    def initial_state(self, batch_size):
        return missing

    def update(self, x, h, state):
        return (x.new,)


class ResetsWrong(GatedCell):
    gates = ("new",)

    def reset_parameters(self):
        self.weight_hi.zero_()


class PreparesWrong(Attention):
    def prepare(self, source_states, source_is_token):
        return source_states.key


class AttendsWrong(Attention):
    def forward(self, query, memory, state):
        return memory.key
""",
    "inner.py": "def shifted(values):\n    return values + shift\n",
}


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """The name of each class of a package that Python can import."""
    folder = tmp_path / "failing_parts"
    folder.mkdir()
    for name, text in PACKAGE.items():
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    for registry in (CELLS, ATTENTIONS):
        monkeypatch.setattr(registry, "_loaded", {})
        monkeypatch.setattr(registry, "_decorated", {})
    before = dict(loaded_contents)
    loaded_contents.clear()
    yield "failing_parts.cells:{}".format
    loaded_contents.clear()
    loaded_contents.update(before)
    for module in [name for name in sys.modules if name.partition(".")[0] == "failing_parts"]:
        del sys.modules[module]


def raised(function) -> Exception:
    """What a function raises."""
    try:
        function()
    except Exception as problem:
        return problem
    raise AssertionError("nothing was raised")


def trained(cell) -> None:
    """Forward and backward through a sequence that is long enough to be recorded."""
    outputs, _ = cell(torch.randn(2, 6, 3), cell.initial_state(2))
    outputs.sum().backward()


@pytest.mark.parametrize(
    ("name", "file", "words"),
    [
        ("Misspelt", "cells.py", ("return (x.nw,)", "AttributeError", "nw")),
        ("InAnotherFile", "inner.py", ("return values + shift", "NameError", "line 2")),
        ("OfWrongShape", "cells.py", ("linear(x.new", "ValueError", "shapes", "linear.py", "report")),
        ("OfWrongShapeByTorch", "cells.py", ("x.new @", "RuntimeError", "shapes")),
        ("StartsWrong", "cells.py", ("return missing", "NameError")),
    ],
)
def test_a_failing_cell_is_named_with_the_line_of_its_author(parts, name, file, words) -> None:
    cell = CELLS.build(parts(name), 3, 4)
    text = plugin_failure(raised(lambda: trained(cell)))
    assert f"the cell '{parts(name)}'" in text
    missing = [word for word in (file, *words, f"plugins check {parts(name)}") if word not in text]
    assert not missing, text
    assert ("report" in text) == ("report" in words)
    assert "\n" not in text


@pytest.mark.parametrize("gradients", [True, False])
def test_so_it_is_in_a_step(parts, gradients) -> None:
    cell = CELLS.build(parts("Misspelt"), 3, 4)
    with torch.set_grad_enabled(gradients):
        text = plugin_failure(raised(lambda: cell.step(torch.zeros(1, 3), cell.initial_state(1))))
    assert "return (x.nw,)" in text


def test_so_it_is_where_the_constructor_fails(parts) -> None:
    text = plugin_failure(raised(lambda: CELLS.build(parts("ResetsWrong"), 3, 4)))
    assert "self.weight_hi.zero_()" in text


@pytest.mark.parametrize(
    ("name", "line"), [("PreparesWrong", "source_states.key"), ("AttendsWrong", "memory.key")]
)
def test_so_is_an_attention(parts, name, line) -> None:
    attention = ATTENTIONS.build(parts(name), query_size=4, memory_size=5)

    def attend() -> None:
        memory = attention.prepare(torch.randn(2, 3, 5), torch.ones(2, 3, dtype=torch.bool))
        attention(torch.randn(2, 1, 4), memory, ())

    text = plugin_failure(raised(attend))
    assert f"the attention '{parts(name)}'" in text
    assert line in text


def test_of_a_wrapper_and_the_cell_inside_the_innermost_is_named(parts, tmp_path) -> None:
    cell = CELLS.build(parts("Around"), 3, 4, options={"cell": parts("Misspelt")})
    assert "return (x.nw,)" in plugin_failure(raised(lambda: trained(cell)))
    file = tmp_path / "inside.py"
    file.write_text(
        "from nmt_lstm import CELLS, GatedCell\n\n@CELLS.register('inside_of_a_test')\nclass Inside(GatedCell):\n"
        "    gates = ('new',)\n\n    def update(self, x, h, state):\n        return (x.neu,)\n"
    )
    load_plugin_file(str(file))
    cell = CELLS.build(parts("Around"), 3, 4, options={"cell": "inside_of_a_test"})
    text = plugin_failure(raised(lambda: trained(cell)))
    assert all(word in text for word in (f"the plugin '{file}'", "line 8", "x.neu"))


def test_what_is_raised_by_our_own_code_alone_is_not_a_plugins(parts, monkeypatch) -> None:
    CELLS.get(parts("Misspelt"))
    cell = CELLS.build("lstm", 3, 4)
    problem = raised(lambda: cell(torch.zeros(2, 5, 7), cell.initial_state(2)))
    assert plugin_failure(problem) == ""


def test_loaded_plugins_are_suspected_and_stock_parts_are_not(parts) -> None:
    CELLS.get("lstm")
    assert plugin_suspicion() == ""
    CELLS.get(parts("Misspelt"))
    text = plugin_suspicion()
    assert all(word in text for word in ("the cell", parts("Misspelt"), "plugins check"))
    assert "lstm" not in text.replace("nmt-lstm", "")
