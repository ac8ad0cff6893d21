"""The processes of a run on this machine: the first starts the others, and none outlives the run."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import NoReturn

from lightning_fabric.plugins import ClusterEnvironment
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from nmt_lstm.errors import ConfigurationError, ResourceError
from nmt_lstm.training.launch import STARTED_BY, Launch, is_started_by_run

__all__ = ["RunEnvironment", "explain_lost_process", "run_processes"]

_POLL_SECONDS = 0.5
# A process whose peer died fails in the next collective operation. On a GPU it would wait there forever.
_GRACE_SECONDS = 10.0
_STOPPED_BY_SIGNAL = (128 + signal.SIGINT, 128 + signal.SIGTERM)
_LOST = re.compile(
    r"gloo|nccl|connection (closed|reset|refused)|closed by peer|broken pipe|process ?group", re.IGNORECASE
)


class RunEnvironment(ClusterEnvironment):
    """Tells Lightning the rank of this process, in a run whose processes are already started.

    Args:
        launch: the rank; its port must be set.
    """

    def __init__(self, launch: Launch) -> None:
        super().__init__()
        self.launch = launch

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
        if launch.starts_others:
            stack.enter_context(_other_processes(launch))
        elif is_started_by_run():
            threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
        yield RunEnvironment(launch)


@contextlib.contextmanager
def explain_lost_process(launch: Launch) -> Iterator[None]:
    """Context manager that turns the errors that the death of another process causes into one that says so.

    Raises:
        ConfigurationError: parameters received no gradient, which the strategy does not allow.
        ResourceError: another process has ended.
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
        raise ResourceError(_lost_message("another process of this run ended")) from problem


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
def _other_processes(launch: Launch) -> Iterator[None]:
    shared = {name: value for name, value in os.environ.items() if name not in launch.stray} | {
        STARTED_BY: str(os.getpid()),
        "NODE_RANK": str(launch.node_rank),
        "MASTER_ADDR": launch.address,
        "MASTER_PORT": str(launch.port),
    }
    command = [sys.executable, *sys.orig_argv[1:]]
    others: list[subprocess.Popen[bytes]] = []
    finished = threading.Event()
    try:
        for local_rank in range(1, launch.processes):
            environment = {**shared, "LOCAL_RANK": str(local_rank)}
            others.append(subprocess.Popen(command, env=environment))  # noqa: S603 - this program
        threading.Thread(target=_watch, args=(others, finished), daemon=True).start()
        yield
    finally:
        finished.set()
        _terminate(others)


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


def _watch(others: list[subprocess.Popen[bytes]], finished: threading.Event) -> None:
    """End all processes when another one has failed, unless this one notices by itself."""
    while not finished.wait(_POLL_SECONDS):
        failed = [process for process in others if process.poll()]
        if failed and failed[0].returncode not in _STOPPED_BY_SIGNAL:
            break
    else:
        return
    if not finished.wait(_GRACE_SECONDS):
        _give_up(failed[0], others)


def _give_up(failed: subprocess.Popen[bytes], others: list[subprocess.Popen[bytes]]) -> NoReturn:
    status = failed.returncode
    how = f"by signal {-status}" if status < 0 else f"with status {status}"
    for process in others:
        process.kill()
    show_cursor = b"\x1b[?25h\n" if sys.stderr.isatty() else b""  # a live display has hidden it
    message = _lost_message(f"process {failed.pid} of this run ended {how}")
    os.write(2, show_cursor + f"nmt-lstm: error: {message}\n".encode())
    # The main thread waits for the dead process and cannot be interrupted.
    os._exit(1)


def _lost_message(what: str) -> str:
    return (
        f"{what}, perhaps because memory ran out; the saved state is intact: continue with --resume, and if memory was "
        f"short with a smaller training.batch_pieces."
    )


def _end_with_parent(parent: int) -> None:
    """End this process when the first one, which started it and would end it, no longer exists."""
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os._exit(1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
