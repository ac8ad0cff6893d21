"""``plugins``: the list of cells and attentions, and the facts about one."""

from __future__ import annotations

import pytest
import torch

from nmt_lstm.registry import CELLS


def test_the_list_has_names_origins_and_descriptions(command):
    text = command("plugins").text
    cells, rest = text.split("Attentions")
    attentions, encoders = rest.split("Encoders")
    assert "recurrent" in encoders
    for name in ("lstm", "gru", "rnn"):
        (row,) = [line.split() for line in cells.splitlines() if line.split()[:1] == [name]]
        assert row[1] == "nmt-lstm"
        assert len(row) > 4, f"the cell {name} has no description"
    assert {"additive", "bilinear", "dot", "multi_head", "none"} <= {
        line.split()[0] for line in attentions.splitlines() if line.startswith("  ")
    }


def test_the_list_fits_the_width_of_the_terminal(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, command("plugins").lines)) <= 80


def test_show_prints_options_equations_and_source(command):
    text = command("plugins", "show", "lstm").text
    assert text.startswith("cell lstm (nmt-lstm ")
    assert "  forget_bias: float = 1.0" in text
    assert "class LSTM(" in text
    assert "parameters         4HI + 4H² + 8H\n" in text
    assert "initial biases     forget 1, others 0\n" in text
    assert "states             hidden, cell\n" in text
    assert CELLS.get("lstm").__doc__.strip().splitlines()[0] in text
    assert "class LSTM(" not in command("plugins", "show", "lstm", "--no-source").text


def test_show_accepts_an_attention_and_a_class(command):
    assert command("plugins", "show", "dot").out.startswith(b"attention dot (nmt-lstm ")
    assert command("plugins", "show", "nmt_lstm.cells.gru:GRU").out.startswith(b"cell nmt_lstm.cells.gru:GRU")
    target = "nmt_lstm.attention.dot:DotAttention"
    assert command("plugins", "show", target).out.startswith(f"attention {target}".encode())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lsmt", "Did you mean 'lstm'?"),
        ("no_module:Cell", "no module named 'no_module'"),
        ("nmt_lstm.errors:PluginError", "not a subclass"),
    ],
)
def test_show_of_an_unknown_name_is_an_error(command, name, message):
    finished = command("plugins", "show", name)
    assert finished.status == 1
    assert message in finished.error


def test_a_missing_plugin_file_is_an_error(command):
    finished = command("plugins", "--plugin", "none.py")
    assert finished.status == 1
    assert "'none.py' does not exist" in finished.error


def test_an_error_in_the_code_of_a_plugin_names_its_file_and_line(command, tmp_path, monkeypatch):
    from nmt_lstm.cli import plugins

    (tmp_path / "late.py").write_text(
        "from nmt_lstm import CELLS, GatedCell\n\n@CELLS.register('late')\nclass Late(GatedCell):\n"
        "    gates = ('candidate',)\n\n    def update(self, x, h, state):\n        return (x.candidat,)\n"
    )

    def take_a_step(name):
        cell = CELLS.build("late", 3, 4)
        cell.step(torch.zeros(1, 3), cell.initial_state(1))

    monkeypatch.setattr(plugins, "named_parts", take_a_step)
    finished = command("plugins", "show", "late", "--plugin", "late.py")
    assert finished.status == 1
    assert "late.py" in finished.error
    assert "line 8, 'return (x.candidat,)'" in finished.error
