"""Heartbeats between the processes of a run: each learns within seconds that another is dead, stopped or unreachable.

Each process has a thread that sends a beat every second, however busy the process is. So a slow step, a long validation
or a large checkpoint is no reason to end a run; a short timeout of collective operations would not know the difference.
The first process is connected with all others, and tells them which one it has lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import queue
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nmt_lstm.training.frames import Frame, Kind, encode, read_frame

__all__ = ["Heartbeats", "Loss"]

BEAT_SECONDS = 1.0
# A process whose peer died fails in the next collective operation. On a GPU it would wait there forever.
GRACE_SECONDS = 10.0
_HELLO_SECONDS = 10.0
_FLUSH_SECONDS = 2.0
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Loss:
    """Why the run cannot continue."""

    rank: int
    """The process that was lost."""
    what: str
    """What happened to it, as a clause."""
    grace: float
    """Seconds in which this process may notice it and end by itself."""


@dataclass
class _Peer:
    rank: int
    host: str
    writer: asyncio.StreamWriter
    silent: float = 0.0
    """Seconds since it was heard."""
    left: bool = False
    """Whether it has said that it ends."""

    def __post_init__(self) -> None:
        # `drain` then waits until everything is sent.
        self.writer.transport.set_write_buffer_limits(high=0)

    def __str__(self) -> str:
        name = f"process {self.rank}" if self.rank else "the first process"
        return f"{name} of this run (on {self.host})"


@dataclass
class Heartbeats:
    """The thread that sends and receives beats in this process.

    Args:
        rank: of this process.
        world_size: number of processes.
        host: name of this machine.
        silence: seconds without a beat after which a process is lost.
        give_up: ends this process with a message; called in the thread, since the main thread may be waiting forever.
        status_of: returns how a process of this machine ended, as a clause; empty if that is unknown.
    """

    rank: int
    world_size: int
    host: str
    silence: float
    give_up: Callable[[Loss], None]
    status_of: Callable[[int], str] = lambda _: ""
    loss: Loss | None = None
    _peers: dict[int, _Peer] = field(default_factory=dict)
    _values: defaultdict[int, dict[int, Any]] = field(default_factory=lambda: defaultdict(dict))
    _answers: queue.SimpleQueue[list[Any]] = field(default_factory=queue.SimpleQueue)
    _data: queue.SimpleQueue[bytes] = field(default_factory=queue.SimpleQueue)
    _closing: bool = False

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._secret = b""
        self._thread = threading.Thread(target=self._work, daemon=True, name="heartbeats")
        self._thread.start()

    # Called by the main thread

    def listen(self, listener: socket.socket, secret: bytes) -> None:
        """Accept the connections of the others, in the first process."""
        self._secret = secret

        async def start() -> None:
            self._server = await asyncio.start_server(self._accept, sock=listener)
            self._start(self._beat())

        self._run(start()).result()

    def connect(self, address: str, port: int, secret: bytes, seconds: float) -> None:
        """Connect with the first process.

        Raises:
            OSError: it cannot be reached.
        """

        async def start() -> None:
            async with asyncio.timeout(seconds):
                reader, writer = await asyncio.open_connection(address, port)
            hello = {"secret": secret.hex(), "rank": self.rank, "host": self.host}
            writer.write(encode(Kind.HELLO, hello))
            peer = self._peers[0] = _Peer(0, address, writer)
            self._start(self._receive(peer, reader))
            self._start(self._beat())

        self._run(start()).result()

    def connected(self) -> int:
        """Return how many processes are connected with this one, itself included."""
        return len(self._peers) + 1

    def share(self, value: Any) -> None:
        """Send a value to all; `shared` returns those of all processes once each has sent one."""
        if self.rank:
            self._loop.call_soon_threadsafe(self._send, self._peers[0], Kind.VALUE, value)
        else:
            self._loop.call_soon_threadsafe(self._collect, 0, value)

    def shared(self, seconds: float) -> list[Any] | None:
        """Return the values of all processes, in the order of their ranks; None if they are not there in time."""
        with contextlib.suppress(queue.Empty):
            return self._answers.get(timeout=seconds)
        return None

    def send_file(self, path: Path, ranks: Sequence[int]) -> Future[None]:
        """Send a file to some of the others, in the first process."""
        return self._run(self._send_file(path, ranks))

    def data(self, seconds: float) -> bytes | None:
        """Return the next part of a file that the first process sends, empty at its end; None if it is not there in time."""
        with contextlib.suppress(queue.Empty):
            return self._data.get(timeout=seconds)
        return None

    def leave(self, failure: str | None) -> None:
        """Tell the others that this process ends, with the message of its failure if there is one, and stop."""
        if self._closing:
            return
        self._closing = True
        with contextlib.suppress(Exception):
            self._run(self._leave(failure)).result(timeout=2 * _FLUSH_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=_FLUSH_SECONDS)

    # In the thread

    def _work(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        # The loop itself holds only weak references to its tasks.
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _beat(self) -> None:
        """Send beats, and count how long the others have been silent.

        What is counted is the time that this thread was running: after the process, or its machine, was stopped itself,
        the others were not heard either.
        """
        before = self._loop.time()
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            now = self._loop.time()
            elapsed, before = min(now - before, 2 * BEAT_SECONDS), now
            for peer in list(self._peers.values()):
                if peer.left:
                    continue
                self._send(peer, Kind.BEAT)
                peer.silent += elapsed
                if peer.silent > self.silence:
                    what = f"has not answered for {self.silence:.0f} s: it is stopped, or its machine is down or unreachable"
                    await self._lose(peer, f"{peer} {what}", grace=0.0)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._start(self._welcome(reader, writer))

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_HELLO_SECONDS):
                hello = await read_frame(reader)
            said = hello.json()
            rank, host, secret = int(said["rank"]), str(said["host"])[:100], bytes.fromhex(said["secret"])
            known = hello.kind == Kind.HELLO and hmac.compare_digest(secret, self._secret)
        except (EOFError, OSError, TimeoutError, ValueError, TypeError, KeyError):
            known = False
        # Anyone can connect; only a process of this run knows its secret.
        if not known or not 0 < rank < self.world_size or rank in self._peers:
            writer.close()
            return
        peer = self._peers[rank] = _Peer(rank, host, writer)
        await self._receive(peer, reader)

    async def _receive(self, peer: _Peer, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                frame = await read_frame(reader)
                peer.silent = 0.0
                await self._handle(peer, frame)
        except (EOFError, OSError, ValueError):
            if not peer.left:
                await asyncio.sleep(BEAT_SECONDS)  # until its status is known
                what = self.status_of(peer.rank) or "has ended without a message; perhaps its memory ran out"
                await self._lose(peer, f"{peer} {what}", grace=GRACE_SECONDS)

    async def _handle(self, peer: _Peer, frame: Frame) -> None:
        if frame.kind == Kind.VALUE:
            self._collect(peer.rank, frame.json())
        elif frame.kind == Kind.VALUES:
            self._answers.put(frame.json())
        elif frame.kind == Kind.DATA:
            self._data.put(frame.content)
        elif frame.kind == Kind.BYE:
            peer.left = True
        elif frame.kind == Kind.FAILED:
            peer.left = True
            # A process that is about to fail for the same reason says so better.
            self._start(
                self._lose(
                    peer, f"{peer} has stopped: {str(frame.json()).rstrip('.')}", grace=3 * GRACE_SECONDS
                )
            )
        elif frame.kind == Kind.LOST:
            said = frame.json()
            self._start(self._lose(self._peers[0], str(said["what"]), grace=float(said["grace"])))

    def _collect(self, rank: int, value: Any) -> None:
        number = sum(rank in values for values in self._values.values())
        self._values[number][rank] = value
        if len(self._values[number]) == self.world_size:
            values = [self._values[number][each] for each in range(self.world_size)]
            for peer in self._peers.values():
                self._send(peer, Kind.VALUES, values)
            self._answers.put(values)

    async def _lose(self, lost: _Peer, what: str, *, grace: float) -> None:
        if self.loss is not None or self._closing:
            return
        self.loss = Loss(lost.rank, what, grace)
        if self.rank == 0:
            for peer in self._peers.values():
                self._send(peer, Kind.LOST, {"what": what, "grace": grace})
            await self._flush()
        await asyncio.sleep(grace)
        if not self._closing:
            self.give_up(self.loss)

    async def _leave(self, failure: str | None) -> None:
        for peer in self._peers.values():
            if failure is None:
                self._send(peer, Kind.BYE)
            else:
                self._send(peer, Kind.FAILED, failure)
        await self._flush()
        for peer in self._peers.values():
            peer.writer.close()
        if self._server is not None:
            self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _send_file(self, path: Path, ranks: Sequence[int]) -> None:
        for part in _parts(path):
            for rank in ranks:
                writer = self._peers[rank].writer
                writer.write(encode(Kind.DATA, part))
                # Waits until little is left to send, so that beats are not delayed.
                await writer.drain()

    def _send(self, peer: _Peer, kind: int, content: Any = b"") -> None:
        if not peer.writer.is_closing():
            peer.writer.write(encode(kind, content))

    async def _flush(self) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_FLUSH_SECONDS):
                for peer in self._peers.values():
                    if not peer.writer.is_closing():
                        await peer.writer.drain()


def _parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(_CHUNK):
            yield part
    yield b""
