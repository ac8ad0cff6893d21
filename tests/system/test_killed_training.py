"""A training that was killed and resumed is the training that was never stopped, bit for bit."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

SETTINGS = {
    "training.epochs": "100",
    "training.max_steps": "400",
    "training.validate_every": "100",
    "training.checkpoint_every": "25",
}


def wait_for_checkpoint(process: subprocess.Popen[bytes], folder: Path, count: int) -> None:
    """Return once last.ckpt was written `count` times."""
    seen: set[int] = set()
    while process.poll() is None and len(seen) < count:
        seen |= {path.stat().st_mtime_ns for path in folder.rglob("last.ckpt")}
        time.sleep(0.01)


@pytest.fixture(scope="module")
def whole(command, train_arguments, tmp_path_factory) -> Path:
    """A run that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    command(*train_arguments(folder, SETTINGS))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_resumed_training_is_the_same(script, command, train_arguments, whole, tmp_path, kill) -> None:
    stopped = tmp_path / "stopped"
    process = subprocess.Popen(
        [script, *train_arguments(stopped, SETTINGS)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for_checkpoint(process, stopped, 4)
    process.send_signal(kill)
    status = process.wait(timeout=120)
    assert status != 0

    command(*train_arguments(stopped, SETTINGS), "--resume")
    assert (stopped / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_another_seed_is_another_training(command, train_arguments, tmp_path) -> None:
    """The test above can fail."""
    short = {**SETTINGS, "training.max_steps": "10"}
    for seed in ("1", "2"):
        command(*train_arguments(tmp_path / seed, {**short, "seed": seed}))
    assert (tmp_path / "1" / "model.safetensors").read_bytes() != (
        tmp_path / "2" / "model.safetensors"
    ).read_bytes()
