"""The server's side of its workers: processes that are started, given batches, replaced and ended."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

from nmt_lstm.errors import NmtLstmError, ResourceError
from nmt_lstm.server.settings import LoadOptions, ModelFiles
from nmt_lstm.server.units import Kind, Unit
from nmt_lstm.server.worker import Reply, work

__all__ = ["Worker", "WorkerDiedError", "start_workers"]

# How long a worker may take to end after its last batch.
_SECONDS_TO_END = 10.0


class WorkerDiedError(Exception):
    """A worker ended in the middle of a batch, perhaps for lack of memory."""


class Worker:
    """A process that translates one batch at a time.

    Args:
        models: which.
        options: how they are loaded.
        quiet: whether another worker shows the same warnings.
    """

    def __init__(self, models: Sequence[ModelFiles], options: LoadOptions, *, quiet: bool) -> None:
        # A fork of a process whose threads have run may hang.
        context = multiprocessing.get_context("spawn")
        self._pipe: Connection
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=work, args=(theirs, list(models), options), kwargs={"quiet": quiet}, daemon=True
        )
        self._process.start()
        theirs.close()
        # Reading a pipe blocks, which the loop that serves clients must not.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="worker")

    @property
    def process(self) -> int | None:
        """Id of the process."""
        return self._process.pid

    async def ready(self) -> None:
        """Wait until the models are loaded.

        Raises:
            NmtLstmError: one cannot be loaded.
            ResourceError: the process died.
        """
        loop = asyncio.get_running_loop()
        try:
            problem = await loop.run_in_executor(self._thread, self._pipe.recv)
        except (EOFError, OSError):
            raise ResourceError(
                "a worker died while it loaded the models, perhaps for lack of memory, or because a file was overwritten "
                "in place; use fewer --workers, or models exported in int8."
            ) from None
        if isinstance(problem, NmtLstmError):
            raise problem

    async def translate(self, kind: Kind, units: list[Unit]) -> Reply:
        """Return what became of each unit, and the seconds that it took.

        Raises:
            WorkerDiedError: the process has ended.
        """
        try:
            reply: Reply = await asyncio.get_running_loop().run_in_executor(
                self._thread, self._exchange, kind, units
            )
        except (EOFError, OSError) as problem:
            raise WorkerDiedError from problem
        return reply

    async def close(self) -> None:
        """End the process; it is idle."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._end)
        self._thread.shutdown(wait=False)

    def kill(self) -> None:
        """End the process at once, whatever it does."""
        with contextlib.suppress(OSError, ValueError):
            self._process.kill()

    def _exchange(self, kind: Kind, units: list[Unit]) -> Reply:
        self._pipe.send((kind, units))
        reply: Reply = self._pipe.recv()
        return reply

    def _end(self) -> None:
        self._pipe.close()
        self._process.join(_SECONDS_TO_END)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


async def start_workers(
    count: int, models: Sequence[ModelFiles], options: LoadOptions, *, quiet: bool = False
) -> list[Worker]:
    """Start workers, and return them when all have loaded their models.

    Raises:
        NmtLstmError: a model cannot be loaded; no worker is left.
    """
    workers = [Worker(models, options, quiet=quiet or number > 0) for number in range(count)]
    outcomes = await asyncio.gather(*(worker.ready() for worker in workers), return_exceptions=True)
    problem = next((outcome for outcome in outcomes if isinstance(outcome, BaseException)), None)
    if problem is not None:
        for worker in workers:
            worker.kill()
        await asyncio.gather(*(worker.close() for worker in workers))
        raise problem
    return workers
