"""The service behind all interfaces: texts in, translations out, whatever protocol they came by."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from nmt_lstm.server.models import ServedModel, ServedModels
from nmt_lstm.server.problems import RequestError, overloaded, too_long
from nmt_lstm.server.settings import ServerSettings
from nmt_lstm.server.texts import Plan, Splitter, html_plan, text_plan
from nmt_lstm.server.units import Failure, Kind, Translated, Unit
from nmt_lstm.server.waiting import Batch, WaitingLines
from nmt_lstm.server.workers import Worker, WorkerDiedError, start_workers
from nmt_lstm.text.sentences import SentenceSplitter, sentence_separator

__all__ = ["TextTranslation", "TranslationService"]

BATCH_CHARACTERS = 6_000
"""Of a batch: it takes less than a second, so that nobody waits long for a worker."""

logger = logging.getLogger(__name__)


class TextTranslation(NamedTuple):
    """A translated text.

    Attributes:
        text: the translation.
        alternatives: others, best first, all different.
        score: of the first line's translation; 0 if nothing was translated.
    """

    text: str
    alternatives: list[str]
    score: float


class TranslationService:
    """Translates texts with workers.

    Use it in the event loop that serves the clients: `start`, then any number of `translate` at the same time, then `stop`.

    Args:
        models: that are served.
        settings: of the server.
    """

    def __init__(self, models: ServedModels, settings: ServerSettings) -> None:
        self.models = models
        self.settings = settings
        self.waiting = WaitingLines(
            batch_size=settings.batch_size,
            batch_characters=BATCH_CHARACTERS,
            limit=settings.limits.queue_characters,
        )
        self._splitters: dict[str, Splitter] = {}
        for model in models:
            self._splitters[model.name] = (
                SentenceSplitter(model.source).split if settings.loading.split_sentences else _whole
            )
        self._tasks: list[asyncio.Task[None]] = []
        self._on_batch: list[Callable[[Batch, float], None]] = []

    def on_batch(self, call: Callable[[Batch, float], None]) -> None:
        """Have a function called with each translated batch and its seconds."""
        self._on_batch.append(call)

    async def start(self) -> None:
        """Start the workers.

        Raises:
            NmtLstmError: a model cannot be loaded.
        """
        workers = await start_workers(self.settings.workers, self._folders(), self.settings.loading)
        self._tasks = [asyncio.create_task(self._serve(worker)) for worker in workers]

    async def stop(self) -> None:
        """End the workers; what they translate is lost."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def translate(
        self,
        texts: Sequence[str],
        *,
        model: ServedModel,
        client: str,
        html: bool = False,
        alternatives: int = 0,
        prefix: str = "",
    ) -> list[TextTranslation]:
        """Return the translation of each text.

        Args:
            texts: of any number of lines, or HTML.
            model: that translates.
            client: whose request it is; clients share the workers equally.
            html: whether the texts are HTML.
            alternatives: other translations of each text, at most; HTML has none.
            prefix: what the translation of the first sentence begins with.

        Raises:
            RequestError: too long, too many, too late, or it failed.
        """
        limits = self.settings.limits
        if len(texts) > limits.texts:
            raise too_long(len(texts), limits.texts)
        for text in texts:
            if len(text) > limits.characters:
                raise too_long(len(text), limits.characters)
        n_best = 1 if html else min(alternatives + 1, model.beam_size)
        plans = [html_plan(text) if html else self._text_plan(text, model, prefix) for text in texts]
        units = [unit for plan in plans for unit in plan.units]
        results = await self.run(Kind(model.name, "html" if html else "text", n_best), units, client=client)
        translations, first = [], 0
        for plan in plans:
            translations.append(_translation(plan, results[first : first + len(plan.units)], n_best))
            first += len(plan.units)
        return translations

    async def run(self, kind: Kind, units: Sequence[Unit], *, client: str) -> list[Translated]:
        """Have any task done by the workers.

        Raises:
            RequestError: too many wait, it took too long, or it failed.
        """
        seconds = self.settings.limits.seconds
        job = self.waiting.submit(client, kind, units)
        try:
            async with asyncio.timeout(seconds):
                await job.done
        except TimeoutError:
            raise overloaded(
                f"The translation took more than {seconds:g} seconds, try a shorter text", seconds
            ) from None
        finally:
            self.waiting.drop(job)
        results: list[Translated] = []
        for result in job.results:
            if isinstance(result, Failure) or result is None:
                reason = result.text if isinstance(result, Failure) else "it was lost"
                raise RequestError(500, f"Cannot translate text: {reason}")
            results.append(result)
        return results

    def _text_plan(self, text: str, model: ServedModel, prefix: str) -> Plan:
        return text_plan(text, self._splitters[model.name], sentence_separator(model.target), prefix=prefix)

    def _folders(self) -> list[tuple[str, Path]]:
        return [(model.name, model.folder) for model in self.models]

    async def _serve(self, worker: Worker) -> None:
        """Give batches to a worker until the service stops; a worker that dies is replaced."""
        try:
            while True:
                batch = await self.waiting.take()
                try:
                    results, seconds = await worker.translate(
                        batch.kind, [entry.unit for entry in batch.entries]
                    )
                except WorkerDiedError:
                    worker = await self._replaced(worker, batch)
                    continue
                batch.finish(results)
                for call in self._on_batch:
                    call(batch, seconds)
        finally:
            worker.kill()
            with contextlib.suppress(asyncio.CancelledError):
                await worker.close()

    async def _replaced(self, worker: Worker, batch: Batch) -> Worker:
        logger.error("a worker died, perhaps for lack of memory; it is replaced.")
        batch.finish([Failure("the worker died, perhaps for lack of memory")] * len(batch.entries))
        await worker.close()
        return (await start_workers(1, self._folders(), self.settings.loading, quiet=True))[0]


def _whole(line: str) -> list[str]:
    return [line]


def _translation(plan: Plan, results: Sequence[Translated], n_best: int) -> TextTranslation:
    text = plan.written(results)
    others = [plan.written(results, rank) for rank in range(1, n_best)]
    score = results[0].scores[0] if results and results[0].scores else 0.0
    return TextTranslation(text, [other for other in dict.fromkeys(others) if other and other != text], score)
