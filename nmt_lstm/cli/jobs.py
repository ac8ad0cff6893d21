"""Translation by several processes: parts of the input go to whoever is free, and come back in order."""

from __future__ import annotations

import contextlib
import itertools
import logging
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nmt_lstm.cli.arguments import load_plugins
from nmt_lstm.cli.messages import show_log
from nmt_lstm.errors import NmtLstmError, PluginError, ResourceError
from nmt_lstm.registry import plugin_failure

if TYPE_CHECKING:
    from nmt_lstm.config.schema import SearchSettings
    from nmt_lstm.inference.translation import Translation
    from nmt_lstm.inference.translator import Translator
    from nmt_lstm.text.lines import LineWarnings

__all__ = ["Loading", "translate_in_jobs"]

# Batches in a part: large enough to be sorted by length, small enough that no process waits long for the last one.
PART_BATCHES = 16
# Parts given out for each process: one that it works on, and one that waits for it.
PARTS_AHEAD = 2


class Loading(NamedTuple):
    """How each process loads the translator."""

    folders: Sequence[Path]
    device: str
    precision: str
    plugins: Sequence[Path]
    trusted: Sequence[Path] = ()
    """Model folders whose copies of plugins are run."""


class _Worker(NamedTuple):
    translator: Translator
    warnings: LineWarnings


# What a worker process keeps between its parts; the first process never has one.
_worker: list[_Worker] = []


def translate_in_jobs(
    lines: Iterable[str],
    loading: Loading,
    jobs: int,
    *,
    beam_size: int | None,
    n_best: int,
    batch_size: int,
    search: SearchSettings | None = None,
    alignment: bool = True,
) -> Generator[Translation, None, None]:
    """Translate lines by several processes of one thread each and yield the translations in order.

    The processes map the same files into memory, so that what an exported folder holds is there once. They end with the
    iteration, whatever ends it, and with this process, even if that is killed.

    Args:
        lines: read ahead only as far as the processes need.
        loading: how each process loads the translator.
        jobs: how many processes.
        beam_size: see `Translator.stream`.
        n_best: see `Translator.stream`.
        batch_size: see `Translator.stream`.
        search: see `Translator.stream`.
        alignment: see `Translator.stream`.

    Raises:
        NmtLstmError: what loading or translating raises.
        ResourceError: a process died.
    """
    given = {
        "beam_size": beam_size,
        "n_best": n_best,
        "batch_size": batch_size,
        "search": search,
        "alignment": alignment,
    }
    numbered = enumerate(lines, start=1)
    # A fresh interpreter, because a copy of one whose threads have run may hang.
    context = multiprocessing.get_context("spawn")
    # Nothing is ever sent: its closing, by us or by the system after our death, tells the processes to end.
    life, our_end = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(jobs, context, _start, (loading, life))
    pending: deque[Future[list[Translation]]] = deque()
    try:
        while part := list(itertools.islice(numbered, batch_size * PART_BATCHES)):
            with _without_interrupts():  # submitting starts a process as long as there are too few
                pending.append(pool.submit(_translate, part[0][0], [line for _, line in part], given))
            if len(pending) >= jobs * PARTS_AHEAD:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()
        pool.shutdown(wait=True)
    except BrokenProcessPool as problem:
        raise ResourceError(
            f"a process of --jobs {jobs} died, perhaps for lack of memory; use fewer, or a smaller --batch-size."
        ) from problem
    finally:
        # Parts that are left undone are no longer needed.
        our_end.close()
        pool.shutdown(wait=True, cancel_futures=True)
        life.close()


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Hold ctrl-C back, also from processes started meanwhile: at a terminal it comes to all, and the first decides."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(loading: Loading, life: Connection) -> None:
    """Load the translator in a new process."""
    threading.Thread(target=_end_with_first, args=(life,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    show_log()
    # The first process has loaded the same, and given the warnings.
    logging.getLogger("nmt_lstm").setLevel(logging.ERROR)
    import torch

    torch.set_num_threads(1)
    try:
        load_plugins(loading.plugins, trusted=loading.trusted)
        from nmt_lstm.inference.translator import Translator
        from nmt_lstm.text.lines import LineWarnings

        translator = Translator.load(loading.folders, device=loading.device, precision=loading.precision)
        _worker[:] = [_Worker(translator, LineWarnings())]
        show_log()
    except Exception:
        # The pool tells only that a process ended early; the first process has loaded the same and would have said why.
        logging.getLogger(__name__).exception("a process could not load the translator")
        raise


def _end_with_first(life: Connection) -> None:
    """End this process, in the middle of a part if need be, when the first one closes its end or is gone."""
    with contextlib.suppress(EOFError, OSError):
        life.recv_bytes()
    os._exit(1)


def _translate(first_line: int, lines: list[str], search: dict[str, Any]) -> list[Translation]:
    worker = _worker[0]
    try:
        return list(
            worker.translator.stream(
                lines, window=len(lines), first_line=first_line, warnings=worker.warnings, **search
            )
        )
    except NmtLstmError:
        raise
    except Exception as problem:
        # A traceback does not leave its process, and so neither does the line of a plugin that is in it.
        if failure := plugin_failure(problem):
            raise PluginError(failure) from problem
        raise
