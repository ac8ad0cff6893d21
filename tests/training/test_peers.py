"""The processes of a run meet, agree on values and pass files; what keeps them apart is named."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nmt_lstm.errors import LaunchError, LostProcessError
from nmt_lstm.training import meeting, peers
from nmt_lstm.training.launch import Launch
from nmt_lstm.training.peers import Peers


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def launches() -> list[Launch]:
    """Two processes on machines of their own, which here are the same."""
    port = free_port()
    return [Launch(nodes=2, node_rank=rank, port=port) for rank in range(2)]


@pytest.fixture
def together(launches: list[Launch]) -> Iterator[Callable[[Callable[[Peers, int], Any]], list[Any]]]:
    """Return a function that calls another one in both processes, here threads, which have met."""
    with ThreadPoolExecutor(2) as pool:

        def run(function: Callable[[Peers, int], Any]) -> list[Any]:
            def process(rank: int) -> Any:
                with Peers() as own:
                    own.join(launches[rank])
                    return function(own, rank)

            return [each.result(timeout=60.0) for each in [pool.submit(process, rank) for rank in range(2)]]

        yield run


def test_a_process_without_others_has_nothing_to_wait_for(tmp_path: Path) -> None:
    with Peers() as alone:
        alone.join(Launch())
        assert not alone.have_met
        assert alone.gather("own") == ["own"]
        alone.send_file(tmp_path / "missing", [])
        assert alone.loss(0.0) is None


def test_processes_meet_and_share_values_and_files(
    together: Callable[[Callable[[Peers, int], Any]], list[Any]], tmp_path: Path
) -> None:
    (tmp_path / "0").write_bytes(b"checkpoint" * 300_000)

    def process(own: Peers, rank: int) -> list[Any]:
        if rank == 0:
            own.send_file(tmp_path / "0", [1])
        else:
            own.receive_file(tmp_path / "1")
        return own.gather({"rank": rank})

    assert together(process) == [[{"rank": 0}, {"rank": 1}]] * 2
    assert (tmp_path / "0").read_bytes() == (tmp_path / "1").read_bytes()


def test_the_failure_of_a_process_is_known_to_the_other(
    together: Callable[[Callable[[Peers, int], Any]], list[Any]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(tmp_path / "error.json"))

    def process(own: Peers, rank: int) -> list[Any]:
        if rank == 1:
            raise OSError("the disk is full")
        return own.gather(rank)

    with pytest.raises(LostProcessError, match="disk is full") as caught:
        together(process)
    assert caught.value.rank == 1
    assert "disk is full" in json.loads((tmp_path / "error.json").read_text())["message"]["message"]


def test_an_unknown_address_is_named(monkeypatch: pytest.MonkeyPatch, launches: list[Launch]) -> None:
    monkeypatch.setattr(meeting, "_RESOLVE_SECONDS", -1.0)
    with Peers() as own, pytest.raises(LaunchError, match="MASTER_ADDR") as caught:
        own.join(replace(launches[1], address="no-such-machine.invalid"))
    assert caught.value.value == "no-such-machine.invalid"


def test_a_port_in_use_is_named(launches: list[Launch]) -> None:
    with (
        socket.create_server(("127.0.0.1", launches[0].port or 0)),
        Peers() as own,
        pytest.raises(LaunchError, match="MASTER_PORT") as caught,
    ):
        own.join(launches[0])
    assert caught.value.value == str(launches[0].port)


@pytest.mark.parametrize("rank", [0, 1])
def test_processes_do_not_wait_forever(
    monkeypatch: pytest.MonkeyPatch, launches: list[Launch], rank: int
) -> None:
    monkeypatch.setattr(peers, "JOIN_SECONDS", 0.5)
    monkeypatch.setattr(meeting, "_NOTE_SECONDS", 0.0)
    said: list[str] = []
    with Peers(say=said.append) as own, pytest.raises(LostProcessError, match="found each other"):
        own.join(launches[rank])
    assert len(said) == 1


def test_a_process_that_ends_before_it_is_connected_is_noticed() -> None:
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as other, Peers() as own:
        with pytest.raises(LostProcessError, match="status 3") as caught:
            own.join(Launch(2, starts_others=True, port=free_port()), {1: other})
        assert caught.value.rank == 1


def test_giving_up_kills_the_processes_of_this_machine_and_says_why() -> None:
    """In a process of its own, since it ends it."""
    program = """
import os, subprocess, sys
from nmt_lstm.training.heartbeats import Loss
from nmt_lstm.training.peers import Peers
other = subprocess.Popen(["sleep", "600"], stdout=sys.stdout)
peers = Peers()
peers._own = {1: other}
peers._give_up(Loss(1, "process 1 is stopped", 0.0))
"""
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == 1
    assert finished.stderr.startswith("nmt-lstm: error: process 1 is stopped")
    assert "--resume" in finished.stderr


def test_threads_are_gone_when_a_run_is_over(
    together: Callable[[Callable[[Peers, int], Any]], list[Any]],
) -> None:
    together(lambda own, rank: own.gather(rank))
    assert not [each for each in threading.enumerate() if each.name == "heartbeats"]
