"""Processes that do runs side by side: so many at a time, each on its own device; one that dies takes no other with it."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Generic, NamedTuple

from nmt_lstm.lab.experiment.job import Job, Result
from nmt_lstm.numerics.memory import without_thread_cache
from nmt_lstm.training.launch import without_launcher

__all__ = ["WORKER", "Ended", "Event", "Failed", "Postponed", "Told", "run_in_processes"]

WORKER = (sys.executable, "-m", "nmt_lstm.lab.experiment.worker")
_POLL_SECONDS = 0.1


class Told(NamedTuple):
    """How far a run is, in words."""

    job: Job[Any]
    text: str


class Failed(NamedTuple):
    """A run that failed."""

    job: Job[Any]
    reason: str
    short_of_memory: bool = False
    """Whether it might end well with fewer runs beside it."""


class Postponed(NamedTuple):
    """A run that was short of memory; it is tried again when the others have ended."""

    job: Job[Any]
    reason: str


class Ended(NamedTuple, Generic[Result]):
    """A run that came to its end."""

    job: Job[Result]
    result: Result


Event = Told | Failed | Postponed | Ended[Result]


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    connection: Connection
    slot: int
    job: Job[Any] | None = None


def run_in_processes(
    jobs: Sequence[Job[Result]], *, at_once: int, gpus: int = 0, plugins: Sequence[Path] = ()
) -> Generator[Event[Result] | None, None, None]:
    """Do the runs and yield what they tell, as it comes; each ends in `Ended` or in `Failed`.

    Runs that are short of memory beside others are done once more at the end, one at a time. Whatever ends the
    iteration ends the processes: they get SIGTERM and are waited for. They also end with this process, even if it is
    killed.

    Args:
        jobs: taken in this order.
        at_once: how many run at a time.
        gpus: how many GPUs they are dealt to; with 0 each gets one thread of the processor, unless OMP_NUM_THREADS says more.
        plugins: files that each process loads first.

    Yields:
        Events; None where there was none for a while, so that the caller can look at something else.
    """
    waiting, short = deque(jobs), deque[Job[Result]]()
    workers: list[_Worker] = []
    try:
        while waiting or short or any(worker.job for worker in workers):
            if not waiting and not any(worker.job for worker in workers):
                waiting, short, at_once = short, waiting, 1
                _stop(workers)
            for worker in _free(workers, waiting, at_once, gpus, plugins):
                worker.job = waiting.popleft()
                with contextlib.suppress(OSError):  # it is dead: the wait below says so
                    worker.connection.send_bytes(pickle.dumps(worker.job))
            busy = [worker for worker in workers if worker.job]
            ready = wait([worker.connection for worker in busy], _POLL_SECONDS)
            if not ready:
                yield None
            for worker in [worker for worker in busy if worker.connection in ready]:
                event: Event[Result] = _receive(worker)
                if not isinstance(event, Told):
                    worker.job = None
                    if event.job.log is not None or worker.process.poll() is not None:
                        workers.remove(worker)
                        _stop([worker])
                    if isinstance(event, Failed) and event.short_of_memory and len(busy) > 1:
                        short.append(event.job)
                        event = Postponed(event.job, event.reason)
                yield event
    finally:
        _stop(workers)


def _free(
    workers: list[_Worker], waiting: Sequence[Job[Any]], at_once: int, gpus: int, plugins: Sequence[Path]
) -> Iterator[_Worker]:
    """Yield workers without a run, started where there are none, as long as runs wait."""
    yield from [worker for _, worker in zip(list(waiting), (w for w in workers if not w.job), strict=False)]
    while waiting and len(workers) < at_once:
        slot = min(set(range(at_once)) - {worker.slot for worker in workers})
        workers.append(_start(waiting[0].log, slot, gpus, plugins))
        yield workers[-1]


def _start(log: Path | None, slot: int, gpus: int, plugins: Sequence[Path]) -> _Worker:
    ours, theirs = Pipe()
    with contextlib.ExitStack() as stack:
        stack.enter_context(theirs)
        output = None
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            output = stack.enter_context(log.open("ab"))
        # Not by multiprocessing: it would run the caller's main module again, and offers no environment.
        process = subprocess.Popen(  # noqa: S603 - our own module
            [*WORKER, str(theirs.fileno()), *map(str, plugins)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(slot, gpus),
            pass_fds=[theirs.fileno()],
            # Ctrl-C at a terminal comes to us alone, and we decide.
            start_new_session=True,
        )
    return _Worker(process, ours, slot)


def _environment(slot: int, gpus: int) -> dict[str, str]:
    """Return the environment of a process: one thread, or one GPU."""
    environment = without_thread_cache(
        {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", **without_launcher(os.environ)}
    )
    if gpus:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        names = visible.split(",") if visible else [str(number) for number in range(gpus)]
        environment["CUDA_VISIBLE_DEVICES"] = names[slot % len(names)]
    return environment


def _receive(worker: _Worker) -> Event[Result]:
    job = worker.job
    assert job is not None
    see = f"; see {job.log}" if job.log is not None else ""
    try:
        kind, *values = worker.connection.recv()
    except (EOFError, OSError):
        status = worker.process.wait()
        if status >= 0:
            return Failed(job, f"its process ended with status {status}{see}")
        name = signal.Signals(-status).name
        killed = name == "SIGKILL"
        reason = " (the system may have run out of memory)" if killed else ""
        return Failed(job, f"its process was ended by {name}{reason}{see}", short_of_memory=killed)
    event: Event[Result] = {"told": Told, "failed": Failed, "ended": Ended}[kind](job, *values)
    return event


def _stop(workers: list[_Worker]) -> None:
    """End processes, all at once, and forget them."""
    for worker in workers:
        worker.process.terminate()
        worker.connection.close()
    for worker in workers:
        worker.process.wait()
    workers.clear()
