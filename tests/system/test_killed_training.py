"""A training run that was killed and resumed has the same weights, bit for bit, as one that was not."""

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
    times: set[int] = set()
    while process.poll() is None and len(times) < count:
        times |= {path.stat().st_mtime_ns for path in folder.rglob("last.ckpt")}
        time.sleep(0.01)


@pytest.fixture(scope="module")
def uninterrupted_run(command, train_arguments, tmp_path_factory) -> Path:
    """A run without interruption."""
    folder = tmp_path_factory.mktemp("uninterrupted") / "run"
    command(*train_arguments(folder, SETTINGS))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "kill",
    [
        signal.SIGKILL,
        *(pytest.param(each, marks=pytest.mark.long) for each in (signal.SIGTERM, signal.SIGINT)),
    ],
)
def test_a_resumed_run_has_the_same_weights(
    script, command, train_arguments, uninterrupted_run, tmp_path, kill
) -> None:
    stopped = tmp_path / "stopped"
    process = subprocess.Popen(
        [script, *train_arguments(stopped, SETTINGS)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for_checkpoint(process, stopped, 4)
    process.send_signal(kill)
    status = process.wait(timeout=120)
    assert status != 0

    command(*train_arguments(stopped, SETTINGS), "--resume")
    assert (stopped / "model.safetensors").read_bytes() == (
        uninterrupted_run / "model.safetensors"
    ).read_bytes()


@pytest.mark.slow
def test_a_different_seed_gives_different_weights(command, train_arguments, tmp_path) -> None:
    """The test above can fail."""
    short = {**SETTINGS, "training.max_steps": "10"}
    for seed in ("1", "2"):
        command(*train_arguments(tmp_path / seed, {**short, "seed": seed}))
    assert (tmp_path / "1" / "model.safetensors").read_bytes() != (
        tmp_path / "2" / "model.safetensors"
    ).read_bytes()
