"""An error in the code of a plugin ends every command with one line that names the file and the line."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nmt_lstm.checkpoint.model_folder import write
from nmt_lstm.model.build import build_model

# The misspelt line is reached only if a variable is set, so that a model with the cell can be built first.
CELL = """
import os

import torch
from nmt_lstm import GatedCell


class Late(GatedCell):
    gates = ("new",)

    def update(self, x, h, state):
        if "LATE_CELL_FAILS" in os.environ:
            return (torch.tanh(x.nw),)
        return (torch.tanh(x.new + h.new),)
"""
LINE = "return (torch.tanh(x.nw),)"
NUMBER = CELL.splitlines().index(f"            {LINE}") + 1
SMALL = [
    "subwords.vocabulary_size=300",
    "training.max_steps=1",
    "training.precision=float32",
    "model.embedding_size=8",
    "model.encoder.hidden_size=8",
    "model.decoder.hidden_size=8",
]


@pytest.fixture
def model(tmp_path, tiny_run, subwords, monkeypatch) -> Path:
    """A model folder with a cell that Python can import, like a cell of an installed distribution."""
    (tmp_path / "late_cell.py").write_text(CELL, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    encoder = tiny_run.model.encoder.model_copy(update={"cell": "late_cell:Late"})
    run = tiny_run.model_copy(update={"model": tiny_run.model.model_copy(update={"encoder": encoder})})
    torch.manual_seed(0)
    state = build_model(run.model, subwords.source.size, subwords.target.size).state_dict()
    write(tmp_path / "model", run=run, subwords=subwords, model_state=state, metrics={})
    yield tmp_path / "model"
    del sys.modules["late_cell"]


def errors_of(folder: Path, *arguments: object) -> list[str]:
    """The lines on stderr of a command that fails in `folder`, from which Python imports."""
    path = os.pathsep.join([str(folder), *sys.path])
    finished = subprocess.run(
        [sys.executable, "-m", "nmt_lstm", *map(str, arguments)],
        input=b"eins zwei .\ndrei .\n" * 8,
        env={**os.environ, "PYTHONPATH": path, "LATE_CELL_FAILS": "1"},
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert finished.returncode == 1
    return finished.stderr.decode().splitlines()


def assert_names_the_line(lines: list[str]) -> None:
    """The last line has all that the plugin's author needs, and there is no traceback."""
    assert not any("Traceback" in line or "bug in nmt-lstm" in line for line in lines)
    expected = (
        "nmt-lstm: error: ",
        "late_cell:Late",
        "late_cell.py",
        f"line {NUMBER}",
        LINE,
        "AttributeError",
        "plugins check",
    )
    assert all(word in lines[-1] for word in expected), lines[-1]


@pytest.mark.parametrize(
    "arguments",
    [("translate",), ("translate", "--jobs", 2, "--batch-size", 1), ("evaluate",)],
    ids=["translate", "translate in jobs", "evaluate"],
)
def test_commands_that_use_a_model_name_the_line(model, parallel_files, arguments) -> None:
    name, *options = arguments
    if name == "evaluate":
        options += ["-s", parallel_files.valid_source, "-r", parallel_files.valid_target]
    common = ("-m", model, "--trust-plugins", "--device", "cpu")
    assert_names_the_line(errors_of(model.parent, name, *common, *options))


def test_train_names_the_line(model, parallel_files) -> None:
    texts = ("-s", parallel_files.train_source, "-t", parallel_files.train_target)
    valid = ("--valid-source", parallel_files.valid_source, "--valid-target", parallel_files.valid_target)
    settings = [word for setting in SMALL for word in ("--set", setting)]
    assert_names_the_line(
        errors_of(model.parent, "train", *texts, *valid, "-o", "out", "--cell", "late_cell:Late", *settings)
    )


def test_probe_names_the_line(model) -> None:
    options = shlex.split("--cells late_cell:Late --tasks copy --lengths 5 --jobs 1 -o out")
    lines = errors_of(model.parent, "probe", *options)
    assert any(all(word in line for word in ("late_cell.py", f"line {NUMBER}", LINE)) for line in lines)
