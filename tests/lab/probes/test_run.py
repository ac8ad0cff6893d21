"""Runs: parsing of cells, identity, and rejected input."""

from __future__ import annotations

import pytest

from nmt_lstm.errors import ConfigurationError, PluginError
from nmt_lstm.lab.probes.run import ProbeSettings, parse_cell, plan_runs

PLUGIN = """
import torch
from nmt_lstm import CELLS, GatedCell

@CELLS.register("probed_{name}")
class Mine(GatedCell):
    gates = ("candidate",)

    def __init__(self, input_size: int, hidden_size: int, *, sign: int = 1) -> None:
        super().__init__(input_size, hidden_size)
        {body}

    def update(self, x, h, state):
        return (torch.tanh(x.candidate + h.candidate),)
"""


def test_a_cell_is_parsed_with_its_options() -> None:
    cell = parse_cell("lstm:forget_bias=2.5")
    assert (cell.name, cell.options, cell.label) == ("lstm", {"forget_bias": 2.5}, "lstm:forget_bias=2.5")
    cell = parse_cell("nmt_lstm.cells.rnn:RNN:nonlinearity=relu")
    assert (cell.name, cell.options) == ("nmt_lstm.cells.rnn:RNN", {"nonlinearity": "relu"})
    assert cell.label == "nmt_lstm.cells.rnn:RNN:nonlinearity=relu"
    assert cell.code == parse_cell("rnn").code != parse_cell("lstm").code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lstn", "Did you mean 'lstm'"),
        ("lstm:forget_bais=2", "Did you mean 'forget_bias'"),
        ("lstm:forget_bias=big", "option 'forget_bias' is 'big', but must be float"),
        ("no_module:Cell", "no module named 'no_module'"),
        ("rnn:nonlinearity=sine", "option 'nonlinearity' is 'sine', but must be \"tanh\" or \"relu\""),
        ("lstm:", "'lstm:' does not name a class"),
    ],
)
def test_unknown_cells_and_options_are_rejected(text, message) -> None:
    with pytest.raises(PluginError, match=message):
        parse_cell(text)


def test_a_failing_constructor_is_named(tmp_path) -> None:
    from nmt_lstm.registry import load_plugin_file

    path = tmp_path / "mine.py"
    path.write_text(PLUGIN.format(name="fails", body="self.turns = [][0]"))
    load_plugin_file(str(path))
    with pytest.raises(PluginError, match="'probed_fails' .*IndexError"):
        parse_cell("probed_fails")


def test_changed_code_changes_the_identity(tmp_path, make_run) -> None:
    from nmt_lstm.registry import load_plugin_file

    path = tmp_path / "mine.py"
    identities = []
    for body in ("pass", "pass  # not quite the same"):
        path.write_text(PLUGIN.format(name="changes", body=body))
        load_plugin_file(str(path))
        identities.append(make_run("probed_changes").identity)
    assert identities[0] != identities[1]


def test_all_but_the_time_limit_determine_the_identity(make_run) -> None:
    run = make_run()
    assert make_run().identity == make_run(time_limit=5.0).identity == run.identity
    others = [make_run("rnn"), make_run("lstm:forget_bias=2.0"), make_run(task="copy"), make_run(length=5)]
    others += [make_run(seed=2), make_run(steps=7), make_run(hidden_size=9), make_run(learning_rates=(0.1,))]
    assert len({run.identity, *(other.identity for other in others)}) == 9


def test_a_plan_has_each_combination_once() -> None:
    cells = ["gru", "lstm", "gru", "lstm:forget_bias=1"]
    runs = plan_runs(cells, ["copy", "adding"], [4, 6, 4], [1, 2], ProbeSettings())
    assert len(runs) == 3 * 2 * 2 * 2
    assert len({run.identity for run in runs}) == len(runs)
    assert str(runs[0]) == "copy, length 4, gru, seed 1"


def test_the_order_of_options_does_not_matter(monkeypatch) -> None:
    from nmt_lstm.cells.rnn import RNN
    from nmt_lstm.registry import CELLS

    class Two(RNN):
        def __init__(self, input_size: int, hidden_size: int, *, one: int = 1, two: int = 2) -> None:
            super().__init__(input_size, hidden_size)

    CELLS.register("two_options")(Two)
    runs = plan_runs(
        ["two_options:two=3:one=4", "two_options:one=4:two=3"], ["adding"], [4], [1], ProbeSettings()
    )
    assert [run.cell.label for run in runs] == ["two_options:one=4:two=3"]


@pytest.mark.parametrize(
    ("task", "length", "message"),
    [
        ("ading", 5, "unknown task 'ading'"),
        ("adding", 1, "length 1 must be at least 2"),
        ("dyck", 9, "length 9 must be a multiple"),
    ],
)
def test_unknown_tasks_and_lengths_are_rejected(task, length, message) -> None:
    with pytest.raises(ConfigurationError, match=message):
        plan_runs(["gru"], [task, "copy"], [length], [1], ProbeSettings())
