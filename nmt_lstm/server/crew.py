"""The workers of a server: each gets batches; one that dies is replaced, and all are when the models have changed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence

from nmt_lstm.errors import NmtLstmError
from nmt_lstm.server.settings import LoadOptions, ModelFiles
from nmt_lstm.server.sharing import SharedFiles
from nmt_lstm.server.units import Failure, Translated
from nmt_lstm.server.waiting import Batch, WaitingLines
from nmt_lstm.server.workers import Worker, WorkerDiedError, start_workers

__all__ = ["Crew"]

LONGEST_PAUSE = 30.0
"""Seconds between two attempts to replace a worker."""
PATIENCE, LONGEST_PATIENCE = 0.1, 0.05
"""Share of the time of its last batch that a worker waits for more lines, and the most seconds."""

DIED = "the worker died, perhaps for lack of memory, or because a file of its model was overwritten"

Outcome = Callable[[Batch, Sequence["Translated | Failure"], float], None]

logger = logging.getLogger(__name__)


class Crew:
    """The workers.

    Args:
        waiting: where they get their batches.
        count: of workers.
        models: as they are.
        options: how models are loaded.
        translated: called with each batch, its results, and its seconds.
        died: called for each worker that dies.
    """

    def __init__(
        self,
        waiting: WaitingLines,
        *,
        count: int,
        models: Sequence[ModelFiles],
        options: LoadOptions,
        translated: Outcome,
        died: Callable[[], None],
    ) -> None:
        self._waiting = waiting
        self._count = count
        self._models = models
        self._shared = SharedFiles(models, options)
        self._files = list(models)
        self._options = options
        self._translated = translated
        self._died = died
        self._places: list[_Place] = []

    @property
    def is_alive(self) -> bool:
        """Whether any worker works."""
        return any(place.worker is not None for place in self._places)

    def processes(self) -> list[int]:
        """Return the ids of the workers' processes."""
        workers = [place.worker for place in self._places if place.worker is not None]
        return [worker.process for worker in workers if worker.process is not None]

    async def start(self) -> None:
        """Start the workers.

        Raises:
            NmtLstmError: a model cannot be loaded.
        """
        self._places = await self._new_places(self._shared, quiet=False)

    async def renew(self) -> None:
        """Replace all workers by new ones, which load the models as they are now; no line is lost.

        Raises:
            NmtLstmError: a model cannot be loaded; the old workers go on.
        """
        shared = SharedFiles(self._models, self._options)
        places = await self._new_places(shared, quiet=True)
        old, self._places = self._places, places
        old_files, self._shared = self._shared, shared
        await asyncio.gather(*(place.retire() for place in old))
        old_files.remove()

    async def stop(self) -> None:
        """End the workers; what they translate is lost."""
        await asyncio.gather(*(place.stop() for place in self._places))
        self._shared.remove()

    async def _new_places(self, shared: SharedFiles, *, quiet: bool) -> list[_Place]:
        try:
            files = list(self._models) if self._count == 1 else await shared.prepare()
            workers = await start_workers(self._count, files, self._options, quiet=quiet)
        except BaseException:
            shared.remove()
            raise
        self._files = files
        return [_Place(worker, self._serve) for worker in workers]

    async def _serve(self, place: _Place) -> None:
        """Give batches to the worker of a place until the place is retired."""
        while not place.is_retired:
            place.is_busy = False
            batch = await self._waiting.take(place.patience)
            place.is_busy = True
            if not await self._translate(place, batch):
                # Which of the lines was too much for it? Each gets a worker once more, alone.
                for entry in batch.entries:
                    await self._translate(place, Batch(batch.kind, [entry], 0.0), is_last_try=True)

    async def _translate(self, place: _Place, batch: Batch, *, is_last_try: bool = False) -> bool:
        """Have a batch translated; False if the worker died and was replaced."""
        worker = place.worker
        assert worker is not None
        start = time.perf_counter()
        place.patience = 0.0
        try:
            results, seconds = await worker.translate(batch.kind, [entry.unit for entry in batch.entries])
        except WorkerDiedError:
            logger.error(  # noqa: TRY400 - the traceback says nothing about the worker
                "a worker died while it translated %d lines, perhaps for lack of memory, or because a file of its model was "
                "overwritten in place; it is replaced.",
                len(batch.entries),
            )
            self._died()
            if not is_last_try:
                self._waiting.returned(batch, time.perf_counter() - start)
            else:
                batch.finish([Failure(DIED)] * len(batch.entries))
            await self._replace(place)
            return False
        batch.finish(results)
        if not is_last_try:
            self._waiting.returned(batch, time.perf_counter() - start)
        if len(batch.entries) > 1:
            place.patience = min(LONGEST_PATIENCE, PATIENCE * seconds)
        self._translated(batch, results, seconds)
        return True

    async def _replace(self, place: _Place) -> None:
        dead, place.worker = place.worker, None
        if dead is not None:
            await dead.close()
        pause = 1.0
        while place.worker is None:
            try:
                place.worker = (await start_workers(1, self._files, self._options, quiet=True))[0]
            except NmtLstmError as problem:
                logger.error("a worker cannot be replaced: %s", problem)  # noqa: TRY400
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)


class _Place:
    """A worker and the task that gives it batches.

    Args:
        worker: at first.
        serve: runs in the task.
    """

    def __init__(self, worker: Worker, serve: Callable[[_Place], Coroutine[None, None, None]]) -> None:
        self.worker: Worker | None = worker
        self.patience = 0.0
        self.is_busy = False
        self.is_retired = False
        self._task = asyncio.create_task(serve(self))

    async def retire(self) -> None:
        """End the worker after its batch."""
        self.is_retired = True
        if not self.is_busy:
            self._task.cancel()
        await asyncio.wait([self._task])
        if self.worker is not None:
            await self.worker.close()

    async def stop(self) -> None:
        """End the worker at once."""
        self._task.cancel()
        if self.worker is not None:
            self.worker.kill()
        await asyncio.wait([self._task])
        if self.worker is not None:
            await self.worker.close()
