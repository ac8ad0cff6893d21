"""Variables of launchers that are left in a shell neither hang nor change a command that no launcher has started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nmt_lstm.config.load import dump_toml, make_run
from nmt_lstm.training.fit import fit

STRAY = {
    "torchrun": {
        "RANK": "1",
        "LOCAL_RANK": "1",
        "GROUP_RANK": "1",
        "WORLD_SIZE": "4",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "192.0.2.1",  # reserved for documents: nothing answers there
        "MASTER_PORT": "29500",
        "TORCHELASTIC_RUN_ID": "none",
        "TORCHELASTIC_USE_AGENT_STORE": "True",
    },
    "a job of PyTorch in a container": {
        "RANK": "1",
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "192.0.2.1",
        "MASTER_PORT": "23456",
    },
    "an interactive shell of SLURM": {
        "SLURM_JOB_ID": "4711",
        "SLURM_NTASKS": "4",
        "SLURM_NNODES": "2",
        "SLURM_PROCID": "0",
        "SLURM_NODEID": "0",
        "SLURM_LOCALID": "0",
        "SLURM_JOB_NODELIST": "node[01-02]",
        "SLURM_STEP_NUM_TASKS": "1",
        "SLURM_STEP_NODELIST": "node01",
    },
    "no number": {"RANK": "first", "WORLD_SIZE": "", "LOCAL_RANK": "-1", "NODE_RANK": "x"},
}


@pytest.fixture(scope="module")
def run(parallel_files: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    names = ("train_source", "train_target", "valid_source", "valid_target")
    texts = {name: str(getattr(parallel_files, name)) for name in names}
    values = {
        "data": {**texts, "prepared": str(tmp_path_factory.mktemp("prepared"))},
        "subwords": {"vocabulary_size": 100},
        "model": {"embedding_size": 8, "encoder": {"hidden_size": 8}, "decoder": {"hidden_size": 8}},
        "training": {"max_steps": 3, "precision": "float32", "accelerator": "cpu", "tensorboard": False},
    }
    return make_run(values, [])


@pytest.fixture(scope="module")
def whole(run: Any, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The weights of a run without stray variables."""
    folder = tmp_path_factory.mktemp("whole")
    fit(run, folder, console=Console(quiet=True))
    return (folder / "model.safetensors").read_bytes()


@pytest.mark.parametrize("kind", STRAY)
def test_a_run_from_python_is_the_same(
    run: Any, whole: bytes, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    for name, value in STRAY[kind].items():
        monkeypatch.setenv(name, value)
    fit(run, tmp_path, console=Console(quiet=True))
    assert (tmp_path / "model.safetensors").read_bytes() == whole
    named = [record.getMessage() for record in caplog.records if "training.nodes" in record.getMessage()]
    named += [record.getMessage() for record in caplog.records if "--nodes" in record.getMessage()]
    assert len(named) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [each if each == "torchrun" else pytest.param(each, marks=pytest.mark.long) for each in STRAY]
)
def test_commands_are_the_same(run: Any, whole: bytes, tmp_path: Path, kind: str) -> None:
    (tmp_path / "run.toml").write_text(dump_toml(run), encoding="utf-8")
    (tmp_path / "in").write_text("one two\n")
    for arguments in (
        ["train", "run.toml", "-o", "run"],
        ["translate", "-m", "run", "-i", "in", "-o", "out"],
    ):
        finished = subprocess.run(
            [sys.executable, "-m", "nmt_lstm", *arguments],
            cwd=tmp_path,
            env={**os.environ, **STRAY[kind]},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        assert "Traceback" not in finished.stderr
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == whole
    assert (tmp_path / "out").read_text().count("\n") == 1
