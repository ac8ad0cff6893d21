"""The processes of a run on this machine: the first starts the others, and no process outlives the run."""

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
# A process whose peer died learns it at the next exchange. On a GPU it would wait there for ever.
_GRACE_SECONDS = 10.0
_STOPPED_BY_SIGNAL = (128 + signal.SIGINT, 128 + signal.SIGTERM)
_LOST = re.compile(
    r"gloo|nccl|connection (closed|reset|refused)|closed by peer|broken pipe|process ?group", re.IGNORECASE
)


class RunEnvironment(ClusterEnvironment):
    """Tells Lightning the rank of this process; all processes are started by then.

    Args:
        launch: the rank; its port is known.
    """

    def __init__(self, launch: Launch) -> None:
        super().__init__()
        self.launch = launch

    @property
    def creates_processes_externally(self) -> bool:
        """Whether Lightning has nothing to start."""
        return True

    @property
    def main_address(self) -> str:
        """Machine of the first process."""
        return self.launch.address

    @property
    def main_port(self) -> int:
        """Port at which the processes meet there."""
        return self.launch.port or 0

    @staticmethod
    def detect() -> bool:
        """Whether the environment has variables of this kind; it is never asked for by them."""
        return False

    def world_size(self) -> int:
        """Return the processes of all machines."""
        return self.launch.world_size

    def set_world_size(self, size: int) -> None:
        """Leave it: the launch has decided."""

    def global_rank(self) -> int:
        """Return the number of this process among all."""
        return self.launch.rank

    def set_global_rank(self, rank: int) -> None:
        """Leave it: the launch has decided."""

    def local_rank(self) -> int:
        """Return the number of this process on its machine."""
        return self.launch.local_rank

    def node_rank(self) -> int:
        """Return the number of this machine."""
        return self.launch.node_rank


@contextlib.contextmanager
def run_processes(launch: Launch) -> Iterator[RunEnvironment]:
    """Start the other processes of this machine if that is this one's task; all have ended after the with statement."""
    if launch.starts_others and launch.port is None:
        launch = dataclasses.replace(launch, port=_free_port())
    with contextlib.ExitStack() as stack:
        stack.enter_context(_rank_of_lightning(launch.rank))
        if launch.starts_others:
            stack.enter_context(_others(launch))
        elif is_started_by_run():
            threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
        yield RunEnvironment(launch)


@contextlib.contextmanager
def explain_lost_process(launch: Launch) -> Iterator[None]:
    """Turn what a process of several meets when another one has died into an error that says so.

    Raises:
        ConfigurationError: parameters got no gradient, which the strategy does not allow.
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
                "some parameters of the network get no gradient, which several processes do not allow by default; add "
                "--strategy ddp_find_unused_parameters_true, or train with --devices 1."
            ) from problem
        if not type(problem).__name__.startswith("Dist") and not _LOST.search(message):
            raise
        raise ResourceError(_lost_message("another process of this training ended")) from problem


@contextlib.contextmanager
def _rank_of_lightning(rank: int) -> Iterator[None]:
    """Correct what Lightning read from the environment when it was imported: who logs and speaks."""
    state = vars(rank_zero_only)
    before = state.get("rank")
    state["rank"] = rank
    try:
        yield
    finally:
        state["rank"] = before


@contextlib.contextmanager
def _others(launch: Launch) -> Iterator[None]:
    shared = {name: value for name, value in os.environ.items() if name not in launch.stray} | {
        STARTED_BY: str(os.getpid()),
        "NODE_RANK": str(launch.node_rank),
        "MASTER_ADDR": launch.address,
        "MASTER_PORT": str(launch.port),
    }
    command = [sys.executable, *sys.orig_argv[1:]]
    others: list[subprocess.Popen[bytes]] = []
    over = threading.Event()
    try:
        for local_rank in range(1, launch.processes):
            environment = {**shared, "LOCAL_RANK": str(local_rank)}
            others.append(subprocess.Popen(command, env=environment))  # noqa: S603 - ourselves
        threading.Thread(target=_watch, args=(others, over), daemon=True).start()
        yield
    finally:
        over.set()
        _end(others)


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    """Wait for processes that are about to end, and end those that do not."""
    deadline = time.monotonic() + _GRACE_SECONDS
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.0, deadline - time.monotonic()))
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.wait()


def _watch(others: list[subprocess.Popen[bytes]], over: threading.Event) -> None:
    """End this process and all others when one has failed, unless this one notices by itself."""
    while not over.wait(_POLL_SECONDS):
        failed = [process for process in others if process.poll()]
        if failed and failed[0].returncode not in _STOPPED_BY_SIGNAL:
            break
    else:
        return
    if not over.wait(_GRACE_SECONDS):
        _give_up(failed[0], others)


def _give_up(failed: subprocess.Popen[bytes], others: list[subprocess.Popen[bytes]]) -> NoReturn:
    status = failed.returncode
    how = f"by signal {-status}" if status < 0 else f"with status {status}"
    for process in others:
        process.kill()
    shown = b"\x1b[?25h\n" if sys.stderr.isatty() else b""  # a live display has hidden the cursor
    message = _lost_message(f"process {failed.pid} of this training ended {how}")
    os.write(2, shown + f"nmt-lstm: error: {message}\n".encode())
    # The main thread waits for the dead process, and nothing can wake it.
    os._exit(1)


def _lost_message(what: str) -> str:
    return (
        f"{what}, perhaps for lack of memory; what was saved before is whole: continue with --resume, with a smaller "
        f"training.batch_pieces if memory was short."
    )


def _end_with_parent(parent: int) -> None:
    """End this process when the first one, which started it, is gone: nobody would end it any more."""
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os._exit(1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
