"""Translation by several processes: chunks of the input go to the next free process, and come back in order."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from nmt_lstm.cli.chunk_worker import BATCHES_PER_CHUNK, CHUNKS_PER_WORKER, ChunkWorker, LoadOptions
from nmt_lstm.cli.lines import consecutive_chunks
from nmt_lstm.cli.messages import show_log
from nmt_lstm.errors import ResourceError

if TYPE_CHECKING:
    from nmt_lstm.config.schema import SearchSettings
    from nmt_lstm.inference.requests import TranslationRequest
    from nmt_lstm.inference.text_options import TextOptions
    from nmt_lstm.inference.translation import Translation

__all__ = ["translate_in_jobs"]

# What a worker process keeps between chunks; empty in the first process.
_worker: list[ChunkWorker] = []


def translate_in_jobs(
    numbered: Iterable[tuple[int, str | TranslationRequest]],
    options: LoadOptions,
    jobs: int,
    *,
    beam_size: int | None,
    n_best: int,
    batch_size: int,
    search: SearchSettings | None = None,
    alignment: bool = True,
    probabilities: bool = False,
    text: TextOptions | None = None,
    part_lines: int = 0,
) -> Generator[Translation, None, None]:
    """Translate lines with several processes of one thread each, and yield the translations in order.

    The processes map the files of an exported model into memory, so that they share one copy. They end when the
    iteration ends for any reason, and when this process ends, even if it is killed.

    Args:
        numbered: the lines with their numbers; read only as far ahead as the processes need.
        options: how each process loads the translator.
        jobs: the number of processes.
        beam_size: see `Translator.stream`.
        n_best: see `Translator.stream`.
        batch_size: see `Translator.stream`.
        search: see `Translator.stream`.
        alignment: see `Translator.stream`.
        probabilities: see `Translator.stream`.
        text: see `Translator.stream`.
        part_lines: lines of a part of the output; see `consecutive_chunks`.

    Raises:
        NmtLstmError: from loading or translating.
        ResourceError: a process died.
    """
    arguments = {
        "beam_size": beam_size,
        "n_best": n_best,
        "batch_size": batch_size,
        "search": search,
        "alignment": alignment,
        "probabilities": probabilities,
        "text": text,
    }
    # A fork of a process whose threads have run may hang.
    context = multiprocessing.get_context("spawn")
    # Nothing is ever sent. When this end is closed, by us or by the system after our death, the processes end.
    their_end, our_end = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(jobs, context, _start, (options, their_end))
    pending: deque[Future[list[Translation]]] = deque()
    try:
        for first_line, chunk in consecutive_chunks(
            numbered, batch_size * BATCHES_PER_CHUNK, part_lines=part_lines
        ):
            with _interrupts_blocked():  # submitting may start a process
                pending.append(pool.submit(_translate, first_line, chunk, arguments))
            if len(pending) >= jobs * CHUNKS_PER_WORKER:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()
        pool.shutdown(wait=True)
    except BrokenProcessPool as problem:
        raise ResourceError(
            f"a process of --jobs {jobs} died, perhaps for lack of memory; use fewer, or a smaller --batch-size."
        ) from problem
    finally:
        our_end.close()  # before shutdown: a process in the middle of a chunk ends at once
        pool.shutdown(wait=True, cancel_futures=True)
        their_end.close()


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block ctrl-C here and in processes started meanwhile: a terminal sends it to all, but the first one decides."""
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


def _start(options: LoadOptions, pipe: Connection) -> None:
    """Load the translator in a new process."""
    threading.Thread(target=_end_with_first, args=(pipe,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    show_log()
    # The first process has loaded the same model and shown the warnings.
    logging.getLogger("nmt_lstm").setLevel(logging.ERROR)
    import torch

    torch.set_num_threads(1)
    try:
        _worker[:] = [ChunkWorker(options)]
        show_log()
    except Exception:
        # The pool reports only that a process ended, and the first process has loaded the same model without error.
        logging.getLogger(__name__).exception("a process could not load the translator")
        raise


def _end_with_first(pipe: Connection) -> None:
    """End this process, even in the middle of a chunk, when the first process closes its end of the pipe or dies."""
    with contextlib.suppress(EOFError, OSError):
        pipe.recv_bytes()
    os._exit(1)


def _translate(
    first_line: int, lines: list[str | TranslationRequest], arguments: dict[str, Any]
) -> list[Translation]:
    return _worker[0].translate(first_line, lines, arguments)
