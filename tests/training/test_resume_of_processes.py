"""Two processes of which one is killed resume exactly; one process that continues for two leaves no pair out."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from nmt_lstm.config.load import dump_toml
from nmt_lstm.text.preparation import prepare
from nmt_lstm.training.checkpointing import read_checkpoint

# Each process writes the pairs of each of its steps; the second one dies within a step if it is told to.
SCRIPT = """
import json, os, signal, sys
from pathlib import Path
from nmt_lstm.config.load import load_run
from nmt_lstm.training import module
from nmt_lstm.training.fit import fit

module._STEPS_BETWEEN_LOGS = 3
run, output, kill_step = load_run(sys.argv[1], sys.argv[3:]), Path(sys.argv[2]), int(os.environ.get("KILL", "-1"))
original = module.TranslationModule.training_step

def observed(self, batch, batch_idx):
    if self.global_step == kill_step and self.global_rank == 1 and batch_idx % 2:
        os.kill(os.getpid(), signal.SIGKILL)
    learnt = batch.indices[batch.target_lengths > 0].tolist()
    with open(f"{output}-pairs-{self.global_rank}", "a") as file:
        file.write(json.dumps([self.current_epoch, self.global_step, learnt]) + "\\n")
    return original(self, batch, batch_idx)

module.TranslationModule.training_step = observed
fit(run, output, resume=True)
"""
SETTINGS = (
    "training.accumulate=2",
    "training.ema=0.9",
    "training.patience=50",
    "training.validate_every=6",
    "training.checkpoint_every=2",
    "training.epochs=2",
    "subwords.sampling=0.1",
)


class Runs:
    """Starts the runs of a test in processes of their own."""

    def __init__(self, folder: Path, run: Any) -> None:
        self.folder, self.run = folder, run
        (folder / "run.toml").write_text(dump_toml(run), encoding="utf-8")
        (folder / "train.py").write_text(SCRIPT, encoding="utf-8")

    def train(self, name: str, devices: int, *, kill_step: int = -1) -> subprocess.CompletedProcess[str]:
        """Start or resume a run."""
        files = [self.folder / "train.py", self.folder / "run.toml", self.folder / name]
        return subprocess.run(
            [sys.executable, *files, f"training.devices={devices}"],
            env={**os.environ, "KILL": str(kill_step)},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    def pairs(self, name: str, rank: int) -> list[tuple[int, int, list[int]]]:
        """Return the epoch, the step and the pairs of each batch of a process."""
        lines = (self.folder / f"{name}-pairs-{rank}").read_text().splitlines()
        return [(epoch, step, pairs) for epoch, step, pairs in map(json.loads, lines)]

    def logged(self, name: str) -> list[list[str]]:
        """Return the rows of a log without what depends on the clock."""
        clock = ("elapsed_seconds", "target_pieces_per_second")
        with (self.folder / name / "logs" / "metrics.csv").open(newline="") as file:
            return [[row[key] for key in row if key not in clock] for row in csv.DictReader(file)]


@pytest.fixture
def runs(make_small_run: Any, tmp_path: Path) -> Runs:
    return Runs(tmp_path, make_small_run(*SETTINGS))


@pytest.mark.slow
@pytest.mark.long
def test_two_processes_of_which_one_was_killed_resume_exactly(runs: Runs, tmp_path: Path) -> None:
    whole = runs.train("whole", 2)
    assert whole.returncode == 0, whole.stderr
    for step in (3, 6):  # within a step, and in the step after a validation
        assert runs.train("killed", 2, kill_step=step).returncode != 0
    resumed = runs.train("killed", 2)
    assert resumed.returncode == 0, resumed.stderr
    assert "note: " not in resumed.stderr
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "killed")]
    assert weights[0] == weights[1]
    assert runs.logged("killed") == runs.logged("whole")


@pytest.mark.slow
@pytest.mark.long
def test_a_different_number_of_processes_learns_from_the_same_pairs(runs: Runs, tmp_path: Path) -> None:
    assert runs.train("run", 2, kill_step=5).returncode != 0
    done = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")["global_step"]
    assert done == 4
    before = [each for rank in range(2) for each in runs.pairs("run", rank) if each[1] < done]
    for rank in range(2):
        (tmp_path / f"run-pairs-{rank}").unlink()
    resumed = runs.train("run", 1)
    assert resumed.returncode == 0, resumed.stderr
    assert "note: this run continues with 1 process instead of 2." in resumed.stderr
    after = runs.pairs("run", 0)
    assert {step for _, step, _ in after} == set(range(done, max(step for _, step, _ in after) + 1))
    count = len(prepare(runs.run).train)
    for epoch in range(2):
        learnt = Counter(pair for number, _, pairs in (*before, *after) if number == epoch for pair in pairs)
        assert learnt == Counter(range(count))
