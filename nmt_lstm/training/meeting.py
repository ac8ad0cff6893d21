"""How the processes of a run find the first one: through the store of PyTorch at its address and port."""

from __future__ import annotations

import datetime as dt
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import torch.distributed

from nmt_lstm.errors import LaunchError, LostProcessError
from nmt_lstm.training.launch import Launch

__all__ = ["JOIN_SECONDS", "Waiting", "open_listener", "open_store", "reach"]

JOIN_SECONDS = 600.0
"""How long the processes of a run wait for each other at the start."""
_RESOLVE_SECONDS = 60.0
_NOTE_SECONDS = 10.0
_POLL_SECONDS = 0.2
_PROBE_SECONDS = 5.0

T = TypeVar("T")


class Waiting:
    """Waiting for the other processes, with a limit and a message.

    Args:
        launch: of this process.
        check: raises an error if there is nothing to wait for any more.
        say: shows the message.
        seconds: the limit.
    """

    def __init__(
        self,
        launch: Launch,
        *,
        check: Callable[[], None],
        say: Callable[[str], None],
        seconds: float,
    ) -> None:
        self.launch = launch
        self._check = check
        self._say = say
        self._seconds = seconds
        self._start = time.monotonic()
        self._said = False

    @property
    def seconds(self) -> float:
        """Seconds of waiting so far."""
        return time.monotonic() - self._start

    def pause(self, here: str) -> None:
        """Wait a moment.

        Args:
            here: who is here and who is not.

        Raises:
            LostProcessError: the time is over.
        """
        self._check()
        if self.seconds > self._seconds:
            raise LostProcessError(
                f"the {self.launch.world_size} processes of this run have not found each other in {self.seconds:.0f} s: {here}"
            )
        if self.seconds > _NOTE_SECONDS and not self._said:
            self._say(f"Waiting for the other processes of this run: {here}.")
            self._said = True
        time.sleep(_POLL_SECONDS)

    def result(self, function: Callable[[], T], here: str) -> T:
        """Return the result of a function of PyTorch that cannot be interrupted, or what it raises."""
        future: Future[T] = Future()

        def call() -> None:
            try:
                future.set_result(function())
            except BaseException as problem:  # noqa: BLE001 - raised in the main thread
                future.set_exception(problem)

        threading.Thread(target=call, daemon=True).start()
        while not future.done():
            self.pause(here)
        return future.result()


def open_listener(*, nodes: int) -> socket.socket:
    """Return a socket at which the others can connect; those of one machine only there."""
    if nodes == 1:
        return socket.create_server(("127.0.0.1", 0))
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", 0))


def reach(launch: Launch, waiting: Waiting) -> None:
    """Wait until the first process listens, without the warnings that PyTorch writes meanwhile.

    Raises:
        LaunchError: its address is unknown.
        LostProcessError: it does not listen in time.
    """
    while True:
        try:
            socket.create_connection((launch.address, launch.port or 0), _PROBE_SECONDS).close()
        except socket.gaierror as problem:
            # In clusters of containers, names become known only when their machines start.
            if waiting.seconds > _RESOLVE_SECONDS:
                raise LaunchError(
                    f"the address of the first process, '{launch.address}' (MASTER_ADDR), is unknown on this machine: "
                    f"{problem.strerror}.",
                    variable="MASTER_ADDR",
                    value=launch.address,
                ) from problem
        except OSError:
            pass
        else:
            return
        waiting.pause(f"nothing listens at {launch.address}, port {launch.port}, where the first one should")


def open_store(launch: Launch) -> torch.distributed.Store:
    """Return the store through which the processes exchange addresses; it may take long.

    Raises:
        LaunchError: the port is in use.
    """
    # Under torchrun, its agent provides the store.
    has_agent = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    try:
        return torch.distributed.TCPStore(
            launch.address,
            launch.port or 0,
            launch.world_size,
            is_master=launch.is_first and not has_agent,
            timeout=dt.timedelta(days=1),  # `Waiting` has the limit
            wait_for_workers=False,
            multi_tenant=True,  # Lightning opens another one at this port
        )
    except RuntimeError as problem:
        raise LaunchError(
            f"the first process cannot use its address and port, {launch.address} and {launch.port} (MASTER_ADDR, "
            f"MASTER_PORT): {str(problem).splitlines()[0][:200]}.",
            variable="MASTER_PORT",
            value=str(launch.port),
        ) from problem
