"""Training on two hosts is the same as on one; a lost host ends the other with the reason, and the run resumes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from two_hosts import NODES, TwoHosts, two_hosts, why_not

from nmt_lstm.config.load import dump_toml, make_run

pytestmark = [pytest.mark.long, pytest.mark.skipif(bool(why_not()), reason=why_not() or "it can")]
KILL, STOP = signal.SIGKILL, signal.SIGSTOP
TRAIN = ["-m", "nmt_lstm", "train", "run.toml", "-o", "run"]


@pytest.fixture
def hosts() -> Iterator[TwoHosts]:
    with two_hosts() as made:
        yield made


@pytest.fixture(scope="module")
def whole(parallel_files: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run file, in which two processes on one host have trained."""
    folder = tmp_path_factory.mktemp("hosts")
    write_run(folder, parallel_files)
    finished = subprocess.run(
        [sys.executable, *TRAIN, "--devices", "2"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return folder


def write_run(folder: Path, files: Any) -> None:
    texts = {name: str(getattr(files, name)) for name in ("train_source", "train_target")}
    texts |= {name: str(getattr(files, name)) for name in ("valid_source", "valid_target")}
    values = {
        "data": {**texts, "prepared": "prepared"},
        "subwords": {"vocabulary_size": 100},
        "model": {"embedding_size": 16, "encoder": {"hidden_size": 16}, "decoder": {"hidden_size": 16}},
        "training": {
            "epochs": 1000,
            "max_steps": 100,
            "validate_every": 40,
            "checkpoint_every": 5,
            "batch_pieces": 1500,
            "precision": "float32",
            "accelerator": "cpu",
            "tensorboard": False,
            "process_timeout": "5s",
        },
        "search": {"beam_size": 2},
    }
    (folder / "run.toml").write_text(dump_toml(make_run(values, [])), encoding="utf-8")


def command(launcher: str, node: int, *options: str) -> list[str]:
    """The command on a host, and what srun sets there."""
    train = [*TRAIN, "--devices", "1", "--nodes", "2", *options]
    if launcher == "torchrun":
        where = ["--master-addr", NODES[0], "--master-port", "29500"]
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1"]
        return [*torchrun, "--node-rank", str(node), *where, *train]
    variables = {
        "SLURM_JOB_ID": 4711,
        "SLURM_NTASKS": 2,
        "SLURM_NNODES": 2,
        "SLURM_PROCID": node,
        "SLURM_NODEID": node,
        "SLURM_LOCALID": 0,
        "SLURM_JOB_NODELIST": "nmt-node-[a-b]",
        "SLURM_NODELIST": "nmt-node-[a-b]",
        "SLURM_STEP_NODELIST": "nmt-node-[a,b]",
        "SLURM_STEP_NUM_TASKS": 2,
        "SLURM_STEP_NUM_NODES": 2,
        "SLURM_STEP_TASKS_PER_NODE": "1(x2)",
    }
    return ["env", *(f"{name}={value}" for name, value in variables.items()), sys.executable, *train]


def start(
    hosts: TwoHosts, launcher: str, folders: list[Path], *options: str
) -> list[subprocess.Popen[bytes]]:
    return [
        hosts.start(node, command(launcher, node, *options), folder, folder / f"log-{node}")
        for node, folder in enumerate(folders)
    ]


def check_same(whole: Path, folder: Path) -> None:
    weights = [(each / "run" / "model.safetensors").read_bytes() for each in (whole, folder)]
    assert weights[0] == weights[1]


def worker_of(process: subprocess.Popen[bytes], launcher: str) -> int:
    """The process that trains: under torchrun, a child."""
    if launcher == "srun":
        return process.pid
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listing.stdout.splitlines()]
    (child,) = [child for child, parent in pairs if parent == process.pid]
    return child


@pytest.mark.parametrize("launcher", ["torchrun", "srun"])
def test_two_hosts_train_as_one(
    hosts: TwoHosts, whole: Path, parallel_files: Any, tmp_path: Path, launcher: str
) -> None:
    write_run(tmp_path, parallel_files)
    for node, process in enumerate(start(hosts, launcher, [tmp_path, tmp_path])):
        assert process.wait(timeout=600) == 0, (tmp_path / f"log-{node}").read_text()
    check_same(whole, tmp_path)


@pytest.mark.parametrize(
    ("launcher", "victim", "fault", "shared"),
    [
        ("srun", 0, KILL, True),
        ("srun", 1, KILL, False),
        ("srun", 0, STOP, False),
        ("srun", 1, STOP, True),
        ("srun", 1, None, False),
        ("torchrun", 0, STOP, True),
        ("torchrun", 1, KILL, True),
        ("torchrun", 0, None, True),
    ],
)
def test_a_lost_host_ends_the_other_and_the_run_resumes(
    hosts: TwoHosts,
    whole: Path,
    parallel_files: Any,
    tmp_path: Path,
    launcher: str,
    victim: int,
    fault: signal.Signals | None,
    shared: bool,
) -> None:
    folders = [tmp_path / "a", tmp_path / ("a" if shared else "b")]
    for folder in {*folders}:
        folder.mkdir()
        write_run(folder, parallel_files)
    processes = start(hosts, launcher, folders)
    last = folders[0] / "run" / "checkpoints" / "last.ckpt"
    while not last.exists():
        assert processes[0].poll() is None, (folders[0] / "log-0").read_text()
        time.sleep(0.02)
    if fault is None:
        hosts.cut()
    else:
        os.kill(worker_of(processes[victim], launcher), fault)
    other = 1 - victim
    assert processes[other].wait(timeout=60) == 1
    log = (folders[other] / f"log-{other}").read_text()
    (message,) = [line for line in log.splitlines() if "nmt-lstm: error" in line]
    assert "--resume" in message
    assert ("has not answered" in message) == (fault != KILL)
    assert launcher == "torchrun" or "Traceback" not in log  # torchrun writes a report of its own
    if fault == STOP:
        os.kill(worker_of(processes[victim], launcher), KILL)
    processes[victim].wait(timeout=120)
    hosts.repair()
    for node, process in enumerate(start(hosts, launcher, folders, "--resume")):
        assert process.wait(timeout=600) == 0, (folders[node] / f"log-{node}").read_text()
    check_same(whole, folders[0])
    if not shared:
        # Only the first host has the run.
        assert not (folders[1] / "run").exists() or not any((folders[1] / "run").rglob("*.safetensors"))


def test_hosts_with_different_texts_are_refused(hosts: TwoHosts, parallel_files: Any, tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        write_run(folder, parallel_files)
    other = tmp_path / "other.src"
    other.write_text("different " + parallel_files.train_source.read_text())
    run = (folders[1] / "run.toml").read_text()
    (folders[1] / "run.toml").write_text(run.replace(str(parallel_files.train_source), str(other)))
    processes = start(hosts, "srun", folders)
    assert [process.wait(timeout=120) for process in processes] == [2, 2]
    assert "text" in (folders[0] / "log-0").read_text().splitlines()[-1]
