"""The benchmarks run and report measurements, and reject wrong options before the work."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

import pytest


@pytest.mark.bench
@pytest.mark.slow
@pytest.mark.parametrize(
    "benchmark",
    [
        *(
            "limits",
            "attentions",
            "cells",
            "train",
            "translate",
            "search-costs",
            "decoding-options",
            "kept-parts",
        ),
        *("memory", "serving", "startup", "checkpoints"),
        *("scale", "scaling", "profile", "gnmt"),
    ],
)
def test_a_quick_benchmark_reports_measurements(repository, tmp_path, benchmark) -> None:
    output = tmp_path / "figures.json"
    # Without Multi30k, benchmarks use the built-in corpus.
    words = [benchmark, "--quick", "--json", str(output), "--text", str(tmp_path)]
    finished = subprocess.run(
        [sys.executable, str(repository / "benchmarks" / "run.py"), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        cwd=tmp_path,
    )
    assert finished.returncode == 0, finished.stderr
    report = json.loads(output.read_text(encoding="utf-8"))
    assert {"processor", "torch", "nmt-lstm"} <= set(report["machine"])
    for figure in report["figures"]:
        assert figure["value"] > 0
        assert figure["unit"]
        assert figure["counted"]
        assert figure["what"].strip() in finished.stdout


CELL = """
from nmt_lstm import CELLS, GatedCell

@CELLS.register("measured")
class Measured(GatedCell):
    gates = ("candidate",)

    def update(self, x, h, state):
        return ((x.candidate + h.candidate).tanh(),)
"""
ATTENTION = """
from nmt_lstm import ATTENTIONS
from nmt_lstm.attention.dot import DotAttention

@ATTENTIONS.register("measured")
class Measured(DotAttention):
    pass
"""


@pytest.mark.bench
@pytest.mark.parametrize(
    ("words", "plugin", "measured", "other"),
    [
        (("cells", "--precision", "float32"), CELL, "measured, float32: one step", "gru"),
        (("attentions",), ATTENTION, "measured: keys and one step", "additive"),
    ],
)
def test_cells_and_attentions_of_a_plugin_are_measured(
    repository, tmp_path, words, plugin, measured, other
) -> None:
    (tmp_path / "mine.py").write_text(plugin, encoding="utf-8")
    finished = subprocess.run(
        [
            *(sys.executable, str(repository / "benchmarks" / "run.py")),
            *(*words, "--quick", "--plugin", "mine.py"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        cwd=tmp_path,
    )
    assert finished.returncode == 0, finished.stderr
    assert measured in finished.stdout
    assert other not in finished.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("peers", "--only", "nosuch"),
            "--only takes eole, joeynmt, marian, nmt-lstm, opennmt, separated by commas; not 'nosuch'",
        ),
        (("peers", "--wall", "10x"), "--wall takes times such as 90s, 10m or 1h, not '10x'"),
        (("peers", "--core", "4096"), "--core takes one of "),
        (("limits", "--text", "none"), "--text none: the folder does not exist"),
        (("gnmt", "--precision", "int7"), "invalid choice: 'int7'"),
        (("gnmt", "--quick", "--device", "cuda:99"), "gnmt: device 'cuda:99' does not exist"),
        (
            ("search-costs", "--plot", "none/costs.svg"),
            "--plot none/costs.svg: the folder 'none' does not exist",
        ),
        (
            ("limits", "--json", "none/limits.json"),
            "--json none/limits.json: the folder 'none' does not exist",
        ),
    ],
)
def test_wrong_options_are_rejected_before_the_work(
    repository, monkeypatch, tmp_path, capsys, words, message
) -> None:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        importlib.import_module("run").main(list(words))
    assert ended.value.code not in (0, None)
    assert message in f"{ended.value.code}{capsys.readouterr().err}"


def test_an_interruption_is_one_line(repository, monkeypatch, capsys) -> None:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))

    def interrupt(_) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib.import_module("limits"), "measure", interrupt)
    with pytest.raises(SystemExit) as ended:
        importlib.import_module("run").main(["limits"])
    assert ended.value.code == 130
    assert capsys.readouterr().err == "limits: interrupted; no measurements were written\n"


def test_a_run_without_measurements_fails(repository, monkeypatch, capsys) -> None:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    rows = [importlib.import_module("report").Row("training, other", 0, "failed", "no environment")]
    monkeypatch.setattr(importlib.import_module("limits"), "measure", lambda _: rows)
    with pytest.raises(SystemExit) as ended:
        importlib.import_module("run").main(["limits"])
    assert ended.value.code == 1
    assert "no environment" in capsys.readouterr().out
