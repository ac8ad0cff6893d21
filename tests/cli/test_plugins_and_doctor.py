"""plugins and doctor: what is there, where it comes from, and what is missing."""

from __future__ import annotations

import importlib.util

import pytest
import torch

from nmt_lstm.extras import install_command
from nmt_lstm.registry import CELLS


def test_the_list_has_names_origins_and_descriptions(command):
    text = command("plugins").out.decode()
    cells, attentions = text.split("Attentions")
    for name in ("lstm", "gru", "rnn"):
        (row,) = [line.split() for line in cells.splitlines() if line.split()[:1] == [name]]
        assert row[1] == "nmt-lstm"
        assert len(row) > 4, f"the cell {name} has no description"
    assert {"additive", "bilinear", "dot", "multi_head", "none"} <= {
        line.split()[0] for line in attentions.splitlines() if line.startswith("  ")
    }


def test_the_list_keeps_to_the_width_of_the_terminal(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, command("plugins").lines)) <= 80


def test_show_gives_options_equations_and_source(command):
    text = command("plugins", "show", "lstm").out.decode()
    assert text.startswith("cell lstm (nmt-lstm ")
    assert "  forget_bias: float = 1.0" in text
    assert "class LSTM(" in text
    assert "parameters         4HI + 4H² + 8H\n" in text
    assert "initial biases     forget 1, others 0\n" in text
    assert "states             hidden, cell\n" in text
    assert CELLS.get("lstm").__doc__.strip().splitlines()[0] in text
    assert "class LSTM(" not in command("plugins", "show", "lstm", "--no-source").out.decode()


def test_show_an_attention_and_a_class_by_its_path(command):
    assert command("plugins", "show", "dot").out.startswith(b"attention dot (nmt-lstm ")
    assert command("plugins", "show", "nmt_lstm.cells.gru:GRU").out.startswith(b"cell nmt_lstm.cells.gru:GRU")
    target = "nmt_lstm.attention.dot:DotAttention"
    assert command("plugins", "show", target).out.startswith(f"attention {target}".encode())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lsmt", "no cell or attention is called 'lsmt'. Did you mean 'lstm'? Known: gru, lstm, rnn"),
        ("no_module:Cell", "cannot be imported: no module named 'no_module'"),
        ("nmt_lstm.errors:PluginError", "is not a subclass of nmt_lstm.attention.attention.Attention"),
    ],
)
def test_show_something_unknown(command, name, message):
    finished = command("plugins", "show", name)
    assert finished.status == 1
    assert message in finished.err
    assert len(finished.err.splitlines()) == 1


def test_a_plugin_file_that_is_missing(command):
    finished = command("plugins", "--plugin", "none.py")
    assert (finished.status, finished.err) == (
        1,
        "nmt-lstm: error: plugin file 'none.py' does not exist or is not a file.\n",
    )


def test_doctor_names_versions_devices_and_optional_packages(command):
    finished = command("doctor")
    assert finished.status == 0
    text = finished.out.decode()
    for word in (
        "torch",
        "pytorch-lightning",
        "cpu",
        "precision",
        "tensorboard",
        "mecab-python3",
        "lstm",
        "bilinear",
    ):
        assert word in text
    assert "Everything that is needed is there." in text


def test_doctor_says_how_to_get_what_is_missing(command, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "MeCab" else found(name))
    text = command("doctor").out.decode()
    assert f"for BLEU on Japanese words (ja-mecab); not installed: {install_command('ja')}" in text
    assert "Everything that is needed is there." in text


def test_doctor_reports_a_plugin_that_does_not_load(command, monkeypatch):
    monkeypatch.setattr(CELLS, "base", "nmt_lstm.errors:PluginError")
    text = command("doctor").out.decode()
    assert "Problems\n" in text
    assert "cell 'gru' (nmt-lstm" in text
    assert "Everything that is needed is there." not in text


def processor_section(command):
    """What doctor says of the processor: a dictionary, and the section's longest line."""
    text = command("doctor").out.decode()
    lines = text.partition("Processor\n")[2].partition("\n\n")[0].splitlines()
    return dict(line.split(maxsplit=1) for line in lines), max(map(len, lines))


@pytest.mark.parametrize(
    ("has", "limit", "works", "auto"),
    [
        (("AVX2",), "", True, "float32: neither BF16 nor AMX"),
        (("AVX512", "BF16", "AMX"), "", True, "bf16: BF16 and AMX"),
        (("BF16",), "AVX512_CORE_VNNI", True, "float32: ONEDNN_MAX_CPU_ISA=AVX512_CORE_VNNI"),
        (("AMX",), "", False, "float32: bf16 fails in this PyTorch in spite of AMX"),
    ],
)  # fmt: skip
def test_doctor_says_what_is_fast_and_what_auto_is(command, monkeypatch, has, limit, works, auto):
    from nmt_lstm.numerics import precision, processor, speeds

    for name, question in processor.QUESTIONS.items():
        monkeypatch.setattr(torch.cpu, question, lambda name=name: name in has, raising=False)
    monkeypatch.setattr(processor, "processor_name", lambda: "Abacus 3000 " * 9)
    monkeypatch.setattr(precision, "bf16_works", lambda: works)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    monkeypatch.delenv("DNNL_MAX_CPU_ISA", raising=False)
    monkeypatch.setattr(
        speeds, "measured_speeds", lambda: speeds.Speeds(93.4e9, 0.25 if works else None, 1.75)
    )
    found, width = processor_section(command)
    assert width <= 80
    assert found["model"].startswith("Abacus 3000 ")
    assert found["instructions"] == ", ".join(has)
    assert found.get("limit") == (f"ONEDNN_MAX_CPU_ISA={limit}" if limit else None)
    assert found["float32"] == "93 GFLOP/s (64 x 512 x 2048, one thread)"
    assert found["bf16"] == ("0.2 times the speed of float32: slow" if works else "does not work here")
    assert found["int8"] == "1.8 times the speed of float32: fast"
    assert found["training"] == f"auto is {auto}"


def test_doctor_measures_the_processor_that_it_runs_on(command):
    found, width = processor_section(command)
    assert width <= 80
    assert {"model", "instructions", "float32", "bf16", "int8", "training", "translation"} <= set(found)
    assert float(found["float32"].split()[0]) > 0


def test_a_plugin_that_fails_later_is_named_with_its_line(command, tmp_path, monkeypatch):
    """Whatever a command does with a part: the mistake is its author's."""
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
    assert len(finished.err.splitlines()) == 1
    assert "late.py" in finished.err
    assert "line 8, 'return (x.candidat,)': AttributeError" in finished.err
