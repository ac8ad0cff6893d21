"""The processes of a run on this machine: the first starts the others, and none outlives the run."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping

from lightning_fabric.plugins import ClusterEnvironment
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from nmt_lstm.errors import ConfigurationError, LostProcessError
from nmt_lstm.training.launch import STARTED_BY, Launch, is_started_by_run
from nmt_lstm.training.peers import Peers

__all__ = ["RunEnvironment", "explain_lost_process", "run_processes"]

_POLL_SECONDS = 0.5
_GRACE_SECONDS = 10.0
# The heartbeats may learn of a lost process a little later than a collective operation.
_REASON_SECONDS = 3.0
_LOST = re.compile(
    r"gloo|nccl|connection (closed|reset|refused)|closed by peer|broken pipe|process ?group", re.IGNORECASE
)


class RunEnvironment(ClusterEnvironment):
    """Tells Lightning the rank of this process, in a run whose processes are already started.

    Args:
        launch: the rank; its port must be set.
        own: the processes that this one has started, by their ranks.
    """

    def __init__(self, launch: Launch, own: Mapping[int, subprocess.Popen[bytes]] | None = None) -> None:
        super().__init__()
        self.launch = launch
        self.own = own or {}

    @property
    def creates_processes_externally(self) -> bool:
        """True: Lightning must not start processes."""
        return True

    @property
    def main_address(self) -> str:
        """Address of the first process's machine."""
        return self.launch.address

    @property
    def main_port(self) -> int:
        """Port of the first process."""
        return self.launch.port or 0

    @staticmethod
    def detect() -> bool:
        """Return False: this environment is never chosen by variables."""
        return False

    def world_size(self) -> int:
        """Return the number of processes on all machines."""
        return self.launch.world_size

    def set_world_size(self, size: int) -> None:
        """Ignore it: the launch determines it."""

    def global_rank(self) -> int:
        """Return the rank of this process among all."""
        return self.launch.rank

    def set_global_rank(self, rank: int) -> None:
        """Ignore it: the launch determines it."""

    def local_rank(self) -> int:
        """Return the rank of this process on its machine."""
        return self.launch.local_rank

    def node_rank(self) -> int:
        """Return the rank of this machine."""
        return self.launch.node_rank


@contextlib.contextmanager
def run_processes(launch: Launch) -> Iterator[RunEnvironment]:
    """Context manager that starts the other processes of this machine if the launch says so, and ends them."""
    if launch.starts_others and launch.port is None:
        launch = dataclasses.replace(launch, port=_free_port())
    with contextlib.ExitStack() as stack:
        stack.enter_context(_lightning_rank(launch.rank))
        own: dict[int, subprocess.Popen[bytes]] = {}
        if launch.starts_others:
            own = stack.enter_context(_other_processes(launch))
        elif is_started_by_run():
            threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
        yield RunEnvironment(launch, own)


@contextlib.contextmanager
def explain_lost_process(launch: Launch, peers: Peers) -> Iterator[None]:
    """Context manager that turns the errors that the death of another process causes into one that says so.

    Raises:
        ConfigurationError: parameters received no gradient, which the strategy does not allow.
        LostProcessError: another process has ended.
    """
    try:
        yield
    except RuntimeError as problem:
        message = str(problem)
        if launch.world_size == 1:
            raise
        if "find_unused_parameters" in message:
            raise ConfigurationError(
                "some parameters of the network receive no gradient, which several processes do not allow by default; add "
                "--strategy ddp_find_unused_parameters_true, or train with --devices 1."
            ) from problem
        if not type(problem).__name__.startswith("Dist") and not _LOST.search(message):
            raise
        lost = peers.loss(_REASON_SECONDS)
        raise lost or LostProcessError(
            "the connection with another process of this run was lost"
        ) from problem


@contextlib.contextmanager
def _lightning_rank(rank: int) -> Iterator[None]:
    """Context manager that corrects the rank that Lightning read from the environment when it was imported."""
    state = vars(rank_zero_only)
    previous = state.get("rank")
    state["rank"] = rank
    try:
        yield
    finally:
        state["rank"] = previous


@contextlib.contextmanager
def _other_processes(launch: Launch) -> Iterator[dict[int, subprocess.Popen[bytes]]]:
    shared = {name: value for name, value in os.environ.items() if name not in launch.stray} | {
        STARTED_BY: str(os.getpid()),
        "NODE_RANK": str(launch.node_rank),
        "MASTER_ADDR": launch.address,
        "MASTER_PORT": str(launch.port),
    }
    command = [sys.executable, *sys.orig_argv[1:]]
    others: dict[int, subprocess.Popen[bytes]] = {}
    try:
        for local_rank in range(1, launch.processes):
            environment = {**shared, "LOCAL_RANK": str(local_rank)}
            others[launch.rank + local_rank] = subprocess.Popen(command, env=environment)  # noqa: S603 - this program
        yield others
    finally:
        _terminate(list(others.values()))


def _terminate(processes: list[subprocess.Popen[bytes]]) -> None:
    """Wait for processes to end, and kill those that do not."""
    deadline = time.monotonic() + _GRACE_SECONDS
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.0, deadline - time.monotonic()))
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait()


def _end_with_parent(parent: int) -> None:
    """End this process when the first one, which started it and would end it, no longer exists."""
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    lost = LostProcessError("the first process of this run, which started this one, has ended", 0)
    # The main thread may be waiting forever.
    os.write(2, f"nmt-lstm: error: {lost}\n".encode())
    os._exit(1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
