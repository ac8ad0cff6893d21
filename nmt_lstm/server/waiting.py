"""The lines that wait for a worker, and which of them are translated together: fair between clients.

Each client has a virtual time that advances by the cost of what it had translated, and the client with the least is next
(start-time fair queueing, Goyal et al. 1996); its own requests take turns. Lines of similar lengths form a batch, so that a
short line never waits in a batch for a long one.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from nmt_lstm.server.problems import overloaded
from nmt_lstm.server.units import Failure, Kind, Translated, Unit

__all__ = ["Batch", "Entry", "Job", "WaitingLines"]

LENGTH_FACTOR = 2.0
SHORT = 120
"""Lines of so many characters are of one length."""
GATHERING = 0.003
"""Seconds in which another line comes if more are to come."""
SMALLEST_SHARE = 8
"""Lines that one worker translates as fast as two would."""
LINE_COST = 16
"""What a line costs beside its characters."""


@dataclass(eq=False)
class Job:
    """The lines of one request.

    Attributes:
        kind: of all of them.
        client: whose they are.
        results: one for each line; filled when `done` is.
        done: set when all lines are translated.
        since: when it came, by the clock of the event loop.
    """

    kind: Kind
    client: str
    results: list[Translated | Failure | None]
    done: asyncio.Future[None]
    since: float = 0.0
    entries: deque[Entry] = field(default_factory=deque)
    remaining: int = 0

    def finish(self, index: int, result: Translated | Failure) -> None:
        """Store the result of a line."""
        self.results[index] = result
        self.remaining -= 1
        if self.remaining == 0 and not self.done.done():
            self.done.set_result(None)


class Entry(NamedTuple):
    """A line that waits."""

    unit: Unit
    job: Job
    number: int

    @property
    def cost(self) -> int:
        """Of translating it, in characters."""
        return len(self.unit.text) + LINE_COST


class Batch(NamedTuple):
    """Lines to be translated together."""

    kind: Kind
    entries: list[Entry]
    waited: float
    """Seconds of the first line."""

    @property
    def characters(self) -> int:
        """Of all lines."""
        return sum(len(entry.unit.text) for entry in self.entries)

    def finish(self, results: Sequence[Translated | Failure]) -> None:
        """Store the results of all lines."""
        for entry, result in zip(self.entries, results, strict=True):
            entry.job.finish(entry.number, result)


@dataclass(eq=False)
class _Client:
    name: str
    time: float
    jobs: deque[Job] = field(default_factory=deque)


class WaitingLines:
    """Lines that wait.

    Args:
        batch_size: most lines of a batch.
        batch_characters: most characters of a batch, unless a single line has more.
        limit: characters that may wait, with some more for each line; more are refused.
        workers: that take batches.
    """

    def __init__(self, *, batch_size: int, batch_characters: int, limit: int, workers: int = 1) -> None:
        self._batch_size = batch_size
        self._workers = workers
        self._taken = 0
        self._batch_cost = batch_characters + batch_size * LINE_COST
        self._limit = limit
        self._clients: dict[str, _Client] = {}
        self._time = 0.0
        self._takers: deque[asyncio.Future[None]] = deque()
        self.lines = 0
        """Number of lines that wait."""
        self.characters = 0
        """Number of their characters."""
        self.speed = 1_000.0
        """Characters that were translated in a second, lately."""

    def submit(self, client: str, kind: Kind, units: Sequence[Unit]) -> Job:
        """Let lines wait, and return their job.

        Raises:
            RequestError: too many wait already.
        """
        characters = sum(len(unit.text) for unit in units)
        cost = characters + LINE_COST * len(units)
        if self.lines and self.characters + LINE_COST * self.lines + cost > self._limit:
            raise overloaded("The server is busy, try again later", self.characters / self.speed)
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        job = Job(kind, client, [None] * len(units), done, loop.time(), remaining=len(units))
        job.entries.extend(Entry(unit, job, number) for number, unit in enumerate(units))
        if not units:
            done.set_result(None)
            return job
        owner = self._clients.get(client)
        if owner is None:
            owner = self._clients[client] = _Client(client, self._time)
        owner.jobs.append(job)
        self.lines += len(units)
        self.characters += characters
        self._wake()
        return job

    def drop(self, job: Job) -> None:
        """Forget the lines of a job that no worker has yet."""
        owner = self._clients.get(job.client)
        if owner is not None and job in owner.jobs:
            owner.jobs.remove(job)
            self.lines -= len(job.entries)
            self.characters -= sum(len(entry.unit.text) for entry in job.entries)
            self._forget_if_idle(owner)
        job.entries.clear()

    async def take(self, patience: float = 0.0) -> Batch:
        """Return the next batch, as soon as there is one.

        Args:
            patience: seconds to wait for more lines, as long as more come. After a large batch, its clients are about to send
                their next lines; a worker that began with the first of them would be busy with one line.
        """
        while not self._clients:
            taker = asyncio.get_running_loop().create_future()
            self._takers.append(taker)
            try:
                await taker
                # What other clients sent at the same time has been received, but not yet submitted.
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                if taker in self._takers:
                    self._takers.remove(taker)
                elif self._clients:
                    self._wake()  # another worker has to take the lines for which this one was woken
                raise
            if patience:
                await self._gather(patience)
        batch = self._batch()
        if self._clients:
            self._wake()
        return batch

    def returned(self, batch: Batch, seconds: float) -> None:
        """Take into account that a worker is done with a batch, and how fast it was."""
        self._taken -= len(batch.entries)
        speed = self._workers * batch.characters / max(seconds, 1e-3)
        self.speed += 0.1 * (speed - self.speed)

    async def _gather(self, patience: float) -> None:
        """Wait until no more lines come."""
        loop = asyncio.get_running_loop()
        end, lines = loop.time() + patience, 0
        while lines < self.lines < self._share() and loop.time() < end:
            lines = self.lines
            await asyncio.sleep(GATHERING)

    def _share(self) -> int:
        """Return how many lines a batch may have: as many for each worker, so that none is left with the rest."""
        outstanding = self.lines + self._taken
        return min(self._batch_size, max(SMALLEST_SHARE, -(-outstanding // self._workers)))

    def _wake(self) -> None:
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                return

    def _batch(self) -> Batch:
        numbers = itertools.count()
        clients = [(client.time, next(numbers), client) for client in self._clients.values()]
        heapq.heapify(clients)
        first = clients[0][2].jobs[0]
        kind, length = first.kind, len(first.entries[0].unit.text)
        entries: list[Entry] = []
        cost = 0
        size = self._share()
        while clients and len(entries) < size:
            time, _, client = heapq.heappop(clients)
            entry = self._next(client, kind, length, self._batch_cost - cost if entries else None)
            if entry is None:
                continue
            entries.append(entry)
            cost += entry.cost
            self._time = max(self._time, time)
            client.time = max(time, self._time) + entry.cost
            if not self._forget_if_idle(client):
                heapq.heappush(clients, (client.time, next(numbers), client))
        waited = asyncio.get_running_loop().time() - min(entry.job.since for entry in entries)
        batch = Batch(kind, entries, waited)
        self.lines -= len(entries)
        self.characters -= batch.characters
        self._taken += len(entries)
        return batch

    def _next(self, client: _Client, kind: Kind, length: int, affordable: int | None) -> Entry | None:
        """Take from a client the next line that goes with a batch; None if it has none."""
        for job in self._turns(client, kind):
            entry = job.entries[0]
            fits = affordable is None or (entry.cost <= affordable and _similar(len(entry.unit.text), length))
            if not fits:
                continue
            job.entries.popleft()
            client.jobs.remove(job)
            if job.entries:
                client.jobs.append(job)
            return entry
        return None

    @staticmethod
    def _turns(client: _Client, kind: Kind) -> Iterator[Job]:
        return iter([job for job in client.jobs if job.kind == kind])

    def _forget_if_idle(self, client: _Client) -> bool:
        if client.jobs:
            return False
        del self._clients[client.name]
        return True


def _similar(one: int, other: int) -> bool:
    return max(one, other) <= max(SHORT, LENGTH_FACTOR * min(one, other))
