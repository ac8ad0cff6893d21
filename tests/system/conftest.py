"""The installed program in a shell, and a small model that it has trained."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[bytes]]
SMALL = {
    "model.embedding_size": "24",
    "model.encoder.hidden_size": "32",
    "model.decoder.hidden_size": "32",
    "subwords.vocabulary_size": "60",
    "training.batch_pieces": "400",
    "training.precision": "float32",
    "training.tensorboard": "false",
}


@pytest.fixture(scope="session")
def script() -> str:
    """Path of the console script of the tested installation."""
    return str(Path(sys.executable).with_name("nmt-lstm"))


@pytest.fixture(scope="session")
def command(script: str) -> Command:
    """Run ``nmt-lstm`` with arguments and check its exit status."""

    def run(
        *arguments: str | Path,
        stdin: bytes = b"",
        status: int = 0,
        folder: Path | None = None,
        **environment: str,
    ) -> subprocess.CompletedProcess[bytes]:
        finished = subprocess.run(
            [script, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            cwd=folder,
            env={**os.environ, **environment},
            timeout=300,
            check=False,
        )
        assert finished.returncode == status, finished.stderr.decode()
        return finished

    return run


@pytest.fixture(scope="session")
def train_arguments(parallel_files) -> Callable[..., list[str]]:
    """Arguments of ``nmt-lstm train`` for a network that trains in seconds."""

    def arguments(output: Path, settings: dict[str, str] | None = None) -> list[str]:
        files = parallel_files
        all_settings = {**SMALL, "data.prepared": str(files.folder / "prepared"), **(settings or {})}
        return [
            "train",
            *("-s", str(files.train_source), "-t", str(files.train_target)),
            *("--valid-source", str(files.valid_source), "--valid-target", str(files.valid_target)),
            *("-o", str(output)),
            *(word for key, value in all_settings.items() for word in ("--set", f"{key}={value}")),
        ]

    return arguments


@pytest.fixture(scope="session")
def model_folder(command: Command, train_arguments, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder written by ``nmt-lstm train`` after a few steps."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    command(*train_arguments(folder, {"training.epochs": "3", "training.max_steps": "40"}))
    return folder
