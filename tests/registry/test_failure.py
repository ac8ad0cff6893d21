"""An exception is traced to the line of the innermost plugin in which it was raised, or to none."""

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


class MisspelledField(GatedCell):
    gates = ("new",)

    def update(self, x, h, state):
        return (x.nw,)


class FailsInSecondFile(GatedCell):
    gates = ("new",)

    def update(self, x, h, state):
        return (shifted(x.new),)


class WrongShape(GatedCell):
    gates = ("new",)

    def update(self, x, h, state):
        return (linear(x.new, torch.ones(3, 3)),)


class WrongShapeInTorch(GatedCell):
    gates = ("new",)

    def update(self, x, h, state):
        return (x.new @ torch.ones(3, 3),)


class Wrapper(CellWrapper):
    def __init__(self, input_size: int, hidden_size: int, *, cell: str = "lstm") -> None:
        super().__init__(CELLS.build(cell, input_size, hidden_size))

    def forward(self, inputs, state):
        return self.cell(inputs, state)


class FailsInInitialState(GatedCell):
    gates = ("new",)

    def initial_state(self, batch_size):
        return missing

    def update(self, x, h, state):
        return (x.new,)


class FailsInReset(GatedCell):
    gates = ("new",)

    def reset_parameters(self):
        self.weight_hi.zero_()


class FailsInPrepare(Attention):
    def prepare(self, source_states, source_is_token):
        return source_states.key


class FailsInForward(Attention):
    def forward(self, query, memory, state):
        return memory.key
""",
    "inner.py": "def shifted(values):\n    return values + shift\n",
}


@pytest.fixture
def target(tmp_path, monkeypatch):
    """A function from the name of a class above to the one by which Python imports it."""
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
    """The exception that a function raises."""
    try:
        function()
    except Exception as problem:
        return problem
    raise AssertionError("nothing was raised")


def train(cell) -> None:
    """Run a cell forward and backward through a short sequence."""
    outputs, _ = cell(torch.randn(2, 6, 3), cell.initial_state(2))
    outputs.sum().backward()


@pytest.mark.parametrize(
    ("name", "file", "words"),
    [
        ("MisspelledField", "cells.py", ("return (x.nw,)", "AttributeError", "nw")),
        ("FailsInSecondFile", "inner.py", ("return values + shift", "NameError", "line 2")),
        ("WrongShape", "cells.py", ("linear(x.new", "ValueError", "shapes", "linear.py", "report")),
        ("WrongShapeInTorch", "cells.py", ("x.new @", "RuntimeError", "shapes")),
        ("FailsInInitialState", "cells.py", ("return missing", "NameError")),
    ],
)
def test_the_failure_of_a_cell_is_described_with_its_line(target, name, file, words) -> None:
    cell = CELLS.build(target(name), 3, 4)
    text = plugin_failure(raised(lambda: train(cell)))
    assert f"the cell '{target(name)}'" in text
    missing = [word for word in (file, *words, f"plugins check {target(name)}") if word not in text]
    assert not missing, text
    assert ("report" in text) == ("report" in words)
    assert "\n" not in text


@pytest.mark.parametrize("gradients", [True, False])
def test_the_failure_of_a_step_is_described(target, gradients) -> None:
    cell = CELLS.build(target("MisspelledField"), 3, 4)
    with torch.set_grad_enabled(gradients):
        text = plugin_failure(raised(lambda: cell.step(torch.zeros(1, 3), cell.initial_state(1))))
    assert "return (x.nw,)" in text


def test_the_failure_of_a_constructor_is_described(target) -> None:
    text = plugin_failure(raised(lambda: CELLS.build(target("FailsInReset"), 3, 4)))
    assert "self.weight_hi.zero_()" in text


@pytest.mark.parametrize(
    ("name", "line"), [("FailsInPrepare", "source_states.key"), ("FailsInForward", "memory.key")]
)
def test_the_failure_of_an_attention_is_described(target, name, line) -> None:
    attention = ATTENTIONS.build(target(name), query_size=4, memory_size=5)

    def attend() -> None:
        memory = attention.prepare(torch.randn(2, 3, 5), torch.ones(2, 3, dtype=torch.bool))
        attention(torch.randn(2, 1, 4), memory, ())

    text = plugin_failure(raised(attend))
    assert f"the attention '{target(name)}'" in text
    assert line in text


def test_the_cell_inside_a_wrapper_is_blamed_for_its_own_failure(target, tmp_path) -> None:
    cell = CELLS.build(target("Wrapper"), 3, 4, options={"cell": target("MisspelledField")})
    assert "return (x.nw,)" in plugin_failure(raised(lambda: train(cell)))
    file = tmp_path / "inside.py"
    file.write_text(
        "from nmt_lstm import CELLS, GatedCell\n\n@CELLS.register('inside_of_a_test')\nclass Inside(GatedCell):\n"
        "    gates = ('new',)\n\n    def update(self, x, h, state):\n        return (x.neu,)\n"
    )
    load_plugin_file(str(file))
    cell = CELLS.build(target("Wrapper"), 3, 4, options={"cell": "inside_of_a_test"})
    text = plugin_failure(raised(lambda: train(cell)))
    assert all(word in text for word in (f"the plugin '{file}'", "line 8", "x.neu"))


def test_a_failure_of_a_stock_cell_is_blamed_on_no_plugin(target, monkeypatch) -> None:
    CELLS.get(target("MisspelledField"))
    cell = CELLS.build("lstm", 3, 4)
    problem = raised(lambda: cell(torch.zeros(2, 5, 7), cell.initial_state(2)))
    assert plugin_failure(problem) == ""


def test_loaded_plugins_are_suspects_and_stock_parts_are_not(target) -> None:
    CELLS.get("lstm")
    assert plugin_suspicion() == ""
    CELLS.get(target("MisspelledField"))
    text = plugin_suspicion()
    assert all(word in text for word in ("the cell", target("MisspelledField"), "plugins check"))
    assert "lstm" not in text.replace("nmt-lstm", "")
