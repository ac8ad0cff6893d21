"""The processes of a run start together, and none outlives the run or waits for a dead one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from nmt_lstm.errors import ConfigurationError, LostProcessError
from nmt_lstm.training.launch import STARTED_BY, Launch
from nmt_lstm.training.peers import Peers
from nmt_lstm.training.processes import RunEnvironment, explain_lost_process, run_processes

PAIR = Launch(2, starts_others=True)


def test_lightning_gets_the_rank_of_the_launch() -> None:
    environment = RunEnvironment(Launch(2, 2, local_rank=1, node_rank=1, address="first", port=5000))
    assert environment.creates_processes_externally
    assert (environment.main_address, environment.main_port) == ("first", 5000)
    environment.set_global_rank(0)
    environment.set_world_size(1)
    assert (environment.global_rank(), environment.world_size()) == (3, 4)
    assert (environment.local_rank(), environment.node_rank()) == (1, 1)


def test_only_the_first_process_of_a_run_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if RANK=3 had been there when Lightning was imported."""
    monkeypatch.setitem(vars(rank_zero_only), "rank", 3)
    with run_processes(Launch()):
        assert vars(rank_zero_only)["rank"] == 0
    assert vars(rank_zero_only)["rank"] == 3


OTHER = """
import os, pathlib, sys
names = ("LOCAL_RANK", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT", {started_by!r})
pathlib.Path(sys.argv[1]).write_text(" ".join(os.environ[name] for name in names))
sys.exit(int(sys.argv[2]))
"""


def start_as(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Let the program that is started again be another one."""
    command = ["python", "-c", OTHER.format(started_by=STARTED_BY), *arguments]
    monkeypatch.setattr(sys, "orig_argv", command)


def test_the_other_processes_get_their_ranks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    start_as(monkeypatch, str(tmp_path / "told"), "0")
    before = dict(os.environ)
    with run_processes(PAIR) as environment:
        pass
    told = (tmp_path / "told").read_text().split()
    assert told == ["1", "0", "127.0.0.1", str(environment.main_port), str(os.getpid())]
    assert environment.main_port > 0
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("message", "kind", "word"),
    [
        (
            "[gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:1234",
            LostProcessError,
            "--resume",
        ),
        ("NCCL error in: ProcessGroupNCCL.cpp", LostProcessError, "--resume"),
        (
            "Expected to have finished reduction ... `find_unused_parameters=True`",
            ConfigurationError,
            "ddp_find_unused_parameters_true",
        ),
        ("shapes do not fit", RuntimeError, "shapes"),
    ],
)
def test_errors_after_the_death_of_a_process_are_explained(
    message: str, kind: type[Exception], word: str
) -> None:
    with pytest.raises(kind, match=word) as caught, explain_lost_process(PAIR, Peers()):
        raise RuntimeError(message)
    assert type(caught.value) is kind
    with pytest.raises(RuntimeError), explain_lost_process(Launch(), Peers()):
        raise RuntimeError(message)
