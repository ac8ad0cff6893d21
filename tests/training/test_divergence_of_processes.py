"""Processes that train together decide alike about a step that diverges, although only one of them sees why."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nmt_lstm.config.load import dump_toml
from nmt_lstm.training.checkpointing import read_checkpoint

# The second process spoils the loss of the second part of two steps.
SCRIPT = """
import math, sys
from pathlib import Path
from nmt_lstm.config.load import load_run
from nmt_lstm.training.fit import fit
from nmt_lstm.training.module import TranslationModule

original = TranslationModule.training_step

def spoilt(self, batch, batch_idx):
    loss = original(self, batch, batch_idx)
    fails = self.global_step in (3, 6) and not self.guard.returns
    return loss * math.nan if fails and batch_idx % 2 and self.global_rank else loss

TranslationModule.training_step = spoilt
fit(load_run(sys.argv[1]), Path(sys.argv[2]), resume=True)
"""


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("action", ["skip", "return"])
def test_two_processes_decide_alike(make_small_run: Any, tmp_path: Path, action: str) -> None:
    run = make_small_run(
        f"training.on_divergence={action}",
        "training.devices=2",
        "training.accumulate=2",
        "training.checkpoint_every=2",
        "training.epochs=1",
    )
    (tmp_path / "run.toml").write_text(dump_toml(run), encoding="utf-8")
    (tmp_path / "train.py").write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, tmp_path / "train.py", tmp_path / "run.toml", tmp_path / "run"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert finished.returncode == 0, finished.stderr
    state = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")["nmt_lstm_module"]["divergence"]
    assert (state["skipped"], state["returns"]) == ((2, 0) if action == "skip" else (0, 1))
    assert finished.stderr.count("warning: ") == state["skipped"] + state["returns"]
    written = json.loads((tmp_path / "run" / "logs" / "divergence-step-4.json").read_text(encoding="utf-8"))
    assert [(each["process"], each["part"]) for each in written["batches"]] == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    ]
    numbers = [pair["pair"] for each in written["batches"] for pair in each["pairs"]]
    assert len(numbers) == len(set(numbers)) > 4
