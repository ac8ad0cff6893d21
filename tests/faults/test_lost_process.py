"""A process of a run that is killed or stopped ends the others with the reason, and the run resumes to the same weights."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nmt_lstm.config.load import dump_toml, make_run

KILL, STOP = signal.SIGKILL, signal.SIGSTOP
SECONDS = 3
COMMAND = [sys.executable, "-m", "nmt_lstm", "train", "run.toml", "--devices", "2", "-o"]


@pytest.fixture(scope="module")
def place(parallel_files: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run file, and the model of an undisturbed run of two processes in `whole`."""
    folder = tmp_path_factory.mktemp("lost")
    values = {
        "data": {
            "train_source": str(parallel_files.train_source),
            "train_target": str(parallel_files.train_target),
            "valid_source": str(parallel_files.valid_source),
            "valid_target": str(parallel_files.valid_target),
            "prepared": str(folder / "prepared"),
        },
        "subwords": {"vocabulary_size": 100},
        "model": {
            "embedding_size": 16,
            "encoder": {"hidden_size": 16},
            "decoder": {"hidden_size": 16},
        },
        "training": {
            "epochs": 1000,
            "max_steps": 60,
            "validate_every": 30,
            "checkpoint_every": 5,
            "batch_pieces": 1500,
            "precision": "float32",
            "accelerator": "cpu",
            "tensorboard": False,
            "process_timeout": f"{SECONDS}s",
        },
        "search": {"beam_size": 2},
    }
    (folder / "run.toml").write_text(dump_toml(make_run(values, [])), encoding="utf-8")
    finished = subprocess.run([*COMMAND, "whole"], cwd=folder, capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, finished.stderr
    return folder


def children(process: int) -> list[int]:
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listing.stdout.splitlines()]
    return [child for child, parent in pairs if parent == process]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("victim", "number"),
    [
        ("other", STOP),
        pytest.param("other", KILL, marks=pytest.mark.long),
        pytest.param("first", STOP, marks=pytest.mark.long),
        pytest.param("first", KILL, marks=pytest.mark.long),
    ],
)
def test_a_lost_process_ends_the_run_which_resumes_to_the_same_weights(
    place: Path, victim: str, number: signal.Signals
) -> None:
    output = f"{victim}-{number.name}"
    first = subprocess.Popen([*COMMAND, output], cwd=place, stderr=subprocess.PIPE, text=True)
    while first.poll() is None and not (place / output / "checkpoints" / "last.ckpt").exists():
        time.sleep(0.02)
    (other,) = children(first.pid)
    os.kill(first.pid if victim == "first" else other, number)
    if victim == "first" and number == STOP:
        assert first.stderr is not None
        lines = iter(first.stderr.readline, "")
        message = next(line for line in lines if "nmt-lstm: error" in line)
        first.kill()
        rest = first.communicate(timeout=60)[1]
    else:
        # Ends only when no process holds it open any more.
        rest = first.communicate(timeout=60)[1]
        (message, *_) = [line for line in rest.splitlines() if "nmt-lstm: error" in line]
        assert first.returncode == (1 if victim == "other" else -KILL)
    assert "Traceback" not in rest
    assert "--resume" in message
    assert ("has not answered" in message) == (number == STOP)
    resumed = subprocess.run(
        [*COMMAND, output, "--resume"], cwd=place, capture_output=True, text=True, timeout=300, check=False
    )
    assert resumed.returncode == 0, resumed.stderr
    weights = [(place / name / "model.safetensors").read_bytes() for name in ("whole", output)]
    assert weights[0] == weights[1]
