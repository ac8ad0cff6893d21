"""Two processes on a CPU train like one, log once and save once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from nmt_lstm.config.load import dump_toml
from nmt_lstm.training.checkpointing import read_checkpoint
from nmt_lstm.training.fit import fit

SETTINGS = (
    "model.dropout=0.0",
    "training.optimizer.epsilon=0.001",  # otherwise Adam amplifies rounding errors where gradients are nearly 0
    "training.validate_every=2",
    "training.strategy=ddp",
)


def load_weights(output: Path) -> dict[str, torch.Tensor]:
    return read_checkpoint(output / "checkpoints" / "last.ckpt")["state_dict"]


def train(run: Any, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    file = folder / "run.toml"
    file.write_text(dump_toml(run), encoding="utf-8")
    command = [sys.executable, "-m", "nmt_lstm", "train", file, "-o", folder / "two", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("steps", [1, pytest.param(5, marks=[pytest.mark.slow, pytest.mark.long])])
def test_two_processes_compute_the_weights_of_one(make_small_run: Any, tmp_path: Path, steps: int) -> None:
    run = make_small_run(*SETTINGS, f"training.max_steps={steps}")
    fit(run, tmp_path / "one", console=Console(quiet=True))
    finished = train(run, tmp_path, "--devices", "2")
    assert finished.returncode == 0, finished.stderr
    one, two = load_weights(tmp_path / "one"), load_weights(tmp_path / "two")
    for name, weight in one.items():
        torch.testing.assert_close(weight, two[name], atol=1e-5, rtol=1e-4, msg=name)
    assert finished.stderr.count("stopped because") == 1
    assert finished.stderr.count("400 training pairs") == 1
    assert [file.name for file in (tmp_path / "two" / "logs").iterdir()] == ["metrics.csv"]


@pytest.mark.slow
def test_two_processes_stop_and_resume_together(make_small_run: Any, tmp_path: Path) -> None:
    limited = train(make_small_run(*SETTINGS, "training.max_steps=3"), tmp_path, "--devices", "2")
    assert limited.returncode == 0, limited.stderr
    resumed = train(make_small_run(*SETTINGS, "training.max_steps=6"), tmp_path, "--devices", "2", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert read_checkpoint(tmp_path / "two" / "checkpoints" / "last.ckpt")["global_step"] == 6
