"""The service behind all interfaces: texts in, translations out, whatever protocol they came by."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from nmt_lstm.server.crew import Crew
from nmt_lstm.server.metrics import Metrics
from nmt_lstm.server.models import ServedModel, ServedModels
from nmt_lstm.server.problems import RequestError, overloaded, too_long
from nmt_lstm.server.reloading import ModelWatch
from nmt_lstm.server.settings import ModelFiles, ServerSettings
from nmt_lstm.server.texts import Plan, Splitter, html_plan, short_sentences, text_plan
from nmt_lstm.server.units import Failure, Kind, Translated, Unit
from nmt_lstm.server.waiting import Batch, WaitingLines
from nmt_lstm.text.sentences import SentenceSplitter, sentence_separator

__all__ = ["TextTranslation", "TranslationService"]

BATCH_CHARACTERS = 6_000
"""Of a batch: it takes less than a second, so that nobody waits long for a worker."""
PLANNED_AT_ONCE = 10_000
"""Characters that are divided into sentences without a thread: it takes milliseconds."""


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
            workers=settings.workers,
        )
        self.metrics = Metrics(lambda: (self.waiting.lines, self.waiting.characters))
        split = settings.loading.split_sentences
        self._splitters: dict[str, Splitter] = {
            model.name: short_sentences(SentenceSplitter(model.source).split) if split else _whole
            for model in models
        }
        self._crew = Crew(
            self.waiting,
            count=settings.workers,
            models=[ModelFiles(model.name, model.folder, model.folder, model.tag) for model in models],
            options=settings.loading,
            translated=self._note,
            died=self.metrics.deaths.add,
        )
        self._watch: asyncio.Task[None] | None = None
        self.running = 0
        """Requests that are being answered."""

    @property
    def is_alive(self) -> bool:
        """Whether anybody translates."""
        return self._crew.is_alive

    def processes(self) -> list[int]:
        """Return the ids of the workers' processes."""
        return self._crew.processes()

    async def start(self) -> None:
        """Start the workers.

        Raises:
            NmtLstmError: a model cannot be loaded.
        """
        seconds = self.settings.reload_seconds
        folders = [model.folder for model in self.models]
        watch = ModelWatch(
            folders,
            self._crew,
            seconds=seconds,
            check=self.models.check,
            reloaded=lambda outcome: self.metrics.reloads.add(1, outcome),
        )
        await self._crew.start()
        if seconds:
            self._watch = asyncio.create_task(watch.run())

    async def stop(self) -> None:
        """End the workers; what they translate is lost."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        await self._crew.stop()

    async def translate(
        self,
        texts: Sequence[str],
        *,
        model: ServedModel,
        client: str,
        html: bool = False,
        keep: bool = False,
        alternatives: int = 0,
        prefix: str = "",
        characters: int = 0,
    ) -> list[TextTranslation]:
        """Return the translation of each text.

        Args:
            texts: of any number of lines, or HTML.
            model: that translates.
            client: whose request it is; clients share the workers equally.
            html: whether the texts are HTML.
            keep: whether placeholders, addresses and tags in plain texts stay as they are.
            alternatives: other translations of each text, at most; HTML has none.
            prefix: what the translation of the first sentence begins with.
            characters: of a text, at most; by default the limit of the server.

        Raises:
            RequestError: too long, too many, too late, or it failed.
        """
        self.check_sizes(texts, characters)
        n_best = 1 if html else min(alternatives + 1, model.beam_size)

        def planned() -> list[Plan]:
            return [html_plan(text) if html else self.plan(text, model, prefix) for text in texts]

        # A long document would keep all other clients waiting.
        is_long = sum(map(len, texts)) > PLANNED_AT_ONCE
        plans = await asyncio.to_thread(planned) if is_long else planned()
        units = [unit for plan in plans for unit in plan.units]
        results = await self.run(
            Kind(model.name, "html" if html else "kept" if keep else "text", n_best), units, client=client
        )
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
        self.running += 1
        try:
            async with asyncio.timeout(seconds):
                await job.done
        except TimeoutError:
            raise overloaded(
                f"The translation took more than {seconds:g} seconds, try again later or a shorter text",
                seconds,
            ) from None
        finally:
            self.running -= 1
            self.waiting.drop(job)
        results: list[Translated] = []
        for result in job.results:
            if isinstance(result, Failure) or result is None:
                reason = result.text if isinstance(result, Failure) else "it was lost"
                raise RequestError(500, f"Cannot translate text: {reason}")
            results.append(result)
        return results

    def plan(self, text: str, model: ServedModel, prefix: str = "") -> Plan:
        """Return what of a plain text is translated; see `text_plan`."""
        return text_plan(text, self._splitters[model.name], sentence_separator(model.target), prefix=prefix)

    def check_sizes(self, texts: Sequence[str], characters: int = 0) -> None:
        """Raise RequestError if there are too many texts, or one has too many characters.

        Args:
            texts: of a request.
            characters: of each, at most; by default the limit of the server.
        """
        limits = self.settings.limits
        characters = characters or limits.characters
        if len(texts) > limits.texts:
            raise too_long(len(texts), limits.texts)
        for text in texts:
            if len(text) > characters:
                raise too_long(len(text), characters)

    def _note(self, batch: Batch, results: Sequence[Translated | Failure], seconds: float) -> None:
        model = batch.kind.model
        self.metrics.batch_lines.observe(len(batch.entries))
        self.metrics.stage_seconds.observe(batch.waited, "wait")
        self.metrics.stage_seconds.observe(seconds, "translate")
        self.metrics.lines_total.add(len(batch.entries), model)
        self.metrics.characters.add(batch.characters, model)
        failed = sum(isinstance(result, Failure) for result in results)
        if failed:
            self.metrics.failures.add(failed, model)


def _whole(line: str) -> list[str]:
    return [line]


def _translation(plan: Plan, results: Sequence[Translated], n_best: int) -> TextTranslation:
    text = plan.written(results)
    others = [plan.written(results, rank) for rank in range(1, n_best)]
    score = results[0].scores[0] if results and results[0].scores else 0.0
    return TextTranslation(text, [other for other in dict.fromkeys(others) if other and other != text], score)
