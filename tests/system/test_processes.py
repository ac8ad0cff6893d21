"""Two processes take the same training step as one."""

from __future__ import annotations

from pathlib import Path

import pytest

ONE_STEP = {
    "training.max_steps": "1",
    "training.schedule.warmup_steps": "0",
    "training.schedule.name": "constant",
    # Adam's first step is the gradient's sign; a large epsilon keeps rounding from deciding it.
    "training.optimizer.epsilon": "0.001",
    "model.dropout": "0.0",
}


def weights(folder: Path):
    """All weights of a model folder, by name."""
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


def largest_difference(first: Path, second: Path) -> float:
    """The largest difference of any weight."""
    first_weights, second_weights = weights(first), weights(second)
    assert set(first_weights) == set(second_weights)
    return max(float(abs(first_weights[name] - second_weights[name]).max()) for name in first_weights)


@pytest.mark.slow
def test_two_processes_take_the_step_of_one(command, train_arguments, tmp_path) -> None:
    command(*train_arguments(tmp_path / "one", ONE_STEP))
    finished = command(*train_arguments(tmp_path / "two", ONE_STEP), "--devices", "2", "--strategy", "ddp")
    command(*train_arguments(tmp_path / "still", {**ONE_STEP, "training.optimizer.learning_rate": "1e-12"}))

    assert largest_difference(tmp_path / "one", tmp_path / "two") < 1e-6
    assert largest_difference(tmp_path / "one", tmp_path / "still") > 1e-4
    assert len(list((tmp_path / "two").rglob("metrics.csv"))) == 1
    assert finished.stderr.count(b"Next:") + finished.stdout.count(b"Next:") <= 1
