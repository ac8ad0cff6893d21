"""The other processes of a run: how they meet, agree on values, and end together."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import inf
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch.distributed

from nmt_lstm.errors import LostProcessError
from nmt_lstm.training.heartbeats import Heartbeats, Loss
from nmt_lstm.training.launch import Launch, is_started_by_run
from nmt_lstm.training.meeting import JOIN_SECONDS, Waiting, open_listener, open_store, reach

__all__ = ["Peers"]

_POLL_SECONDS = 0.1
_CONNECT_SECONDS = 10.0
# Where the first process stores its address for the others.
_KEY = "nmt-lstm/heartbeats"


class Peers:
    """Context manager for the other processes of a run; without others, it does nothing.

    Args:
        silence: seconds after which a process that does not answer is lost.
        say: shows for whom the run is waiting.
    """

    def __init__(self, *, silence: float = inf, say: Callable[[str], None] = lambda _: None) -> None:
        self.silence = silence
        self.say = say
        self._own: Mapping[int, subprocess.Popen[bytes]] = {}
        self._heartbeats: Heartbeats | None = None
        self._store: torch.distributed.Store | None = None
        self._ending = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        heartbeats, self._heartbeats = self._heartbeats, None
        if heartbeats is None:
            return
        failure = None if error is None else (str(error) or type(error).__name__)
        if isinstance(error, SystemExit | KeyboardInterrupt):
            failure = "it was interrupted"
        heartbeats.leave(failure)
        if failure is not None:
            _tell_torchrun(failure)

    def join(self, launch: Launch, own: Mapping[int, subprocess.Popen[bytes]] | None = None) -> None:
        """Wait until all processes of the run are connected.

        Args:
            launch: the rank of this process, and the address and port of the first one.
            own: the processes that this one has started, by their ranks.

        Raises:
            LaunchError: the address or the port of the first process cannot be used.
            LostProcessError: a process ended, or did not arrive in time.
        """
        if launch.world_size == 1:
            return
        self._own = own or {}
        # Launchers start all processes at once. Started by hand, one machine may prepare text much longer than another.
        by_hand = launch.nodes > 1 and (launch.starts_others or is_started_by_run())
        seconds = inf if by_hand else JOIN_SECONDS
        waiting = Waiting(launch, check=self.check, say=self.say, seconds=seconds)
        self._heartbeats = heartbeats = Heartbeats(
            rank=launch.rank,
            world_size=launch.world_size,
            host=socket.gethostname(),
            silence=self.silence,
            give_up=self._give_up,
            status_of=self._status_of,
        )
        if launch.is_first:
            listener, secret = open_listener(nodes=launch.nodes), secrets.token_bytes(16)
            heartbeats.listen(listener, secret)
            self._store = store = waiting.result(lambda: open_store(launch), "the port is not open yet")
            store.set(_KEY, f"{listener.getsockname()[1]} {secret.hex()}")
            while heartbeats.connected() < launch.world_size:
                waiting.pause(f"{heartbeats.connected()} of {launch.world_size} are here")
            return
        reach(launch, waiting)
        self._store = store = waiting.result(lambda: open_store(launch), "the first one does not answer")
        told = waiting.result(lambda: store.get(_KEY), "the first one has not started").decode().split()
        address = launch.address if launch.nodes > 1 else "127.0.0.1"
        try:
            heartbeats.connect(address, int(told[0]), bytes.fromhex(told[1]), _CONNECT_SECONDS)
        except OSError as problem:
            raise LostProcessError(
                f"cannot connect to the first process of this run at {address}, port {told[0]} "
                f"({problem.strerror or 'no answer'}): the machines of a run must reach each other on all ports",
                rank=0,
            ) from problem

    def gather(self, value: Any) -> list[Any]:
        """Return the plain values that all processes pass, in the order of their ranks; all must take part.

        It waits as long as the others are alive.

        Raises:
            LostProcessError: one is lost.
        """
        if self._heartbeats is None:
            return [value]
        self._heartbeats.share(value)
        while (values := self._heartbeats.shared(_POLL_SECONDS)) is None:
            self.check()
        return values

    @property
    def have_met(self) -> bool:
        """Whether this process is connected with others."""
        return self._heartbeats is not None

    def send_file(self, path: Path, ranks: Sequence[int]) -> None:
        """Send a file from the first process to others, which call `receive_file`.

        Raises:
            LostProcessError: a process is lost.
        """
        if self._heartbeats is None or not ranks:
            return
        sent = self._heartbeats.send_file(path, ranks)
        while not sent.done():
            self.check()
            time.sleep(_POLL_SECONDS)
        sent.result()

    def receive_file(self, path: Path) -> None:
        """Write a file that the first process sends.

        Raises:
            LostProcessError: a process is lost.
        """
        assert self._heartbeats is not None
        with path.open("wb") as file:
            while part := self._next_part():
                file.write(part)

    def _next_part(self) -> bytes:
        assert self._heartbeats is not None
        while (part := self._heartbeats.data(_POLL_SECONDS)) is None:
            self.check()
        return part

    def check(self) -> None:
        """Raise an error if a process is lost, or one of those that this process started has ended.

        Raises:
            LostProcessError: it is.
        """
        loss = None if self._heartbeats is None else self._heartbeats.loss
        if loss is not None:
            raise LostProcessError(loss.what, loss.rank)
        for rank in self._own:
            if status := self._status_of(rank):
                raise LostProcessError(f"process {rank} of this run {status}", rank)

    def loss(self, seconds: float) -> LostProcessError | None:
        """Return the error of a process that was lost; None if none is known after some seconds."""
        deadline = time.monotonic() + seconds
        while self._heartbeats is not None and time.monotonic() < deadline:
            try:
                self.check()
            except LostProcessError as lost:
                return lost
            time.sleep(_POLL_SECONDS)
        return None

    def _status_of(self, rank: int) -> str:
        """Return how a process that this one started has ended; empty if it has not, or was not started by this one."""
        status = self._own[rank].poll() if rank in self._own else None
        if status is None:
            return ""
        how = f"by signal {-status}" if status < 0 else f"with status {status}"
        return f"ended {how}, perhaps because memory ran out (a smaller training.batch_pieces needs less)"

    def _give_up(self, loss: Loss) -> None:
        """End this process from the thread of its heartbeats, since the main thread may be waiting forever."""
        with self._ending:
            for process in self._own.values():
                process.kill()
            message = str(LostProcessError(loss.what, loss.rank))
            show_cursor = b"\x1b[?25h\n" if sys.stderr.isatty() else b""  # a live display has hidden it
            os.write(2, show_cursor + f"nmt-lstm: error: {message}\n".encode())
            _tell_torchrun(message)
            os._exit(1)


def _tell_torchrun(message: str) -> None:
    """Write the file from which torchrun takes the reason that it shows in its own report."""
    path = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if path:
        error = {"message": message, "extraInfo": {"timestamp": str(int(time.time()))}}
        with suppress(OSError):
            Path(path).write_text(json.dumps({"message": error}), encoding="utf-8")
