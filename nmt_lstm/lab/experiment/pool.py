"""Worker processes that execute runs in parallel, each on its own device; a crash affects no other run."""

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

__all__ = [
    "WORKER",
    "Event",
    "Failed",
    "Finished",
    "Postponed",
    "Progress",
    "run_in_processes",
    "start_worker",
    "worker_environment",
]

WORKER = (sys.executable, "-m", "nmt_lstm.lab.experiment.worker")
_POLL_SECONDS = 0.1


class Progress(NamedTuple):
    """A progress message from a run."""

    job: Job[Any]
    text: str


class Failed(NamedTuple):
    """A run that failed."""

    job: Job[Any]
    reason: str
    short_of_memory: bool = False
    """Whether it might succeed with fewer runs in parallel."""


class Postponed(NamedTuple):
    """A run that ran out of memory; it is tried again after the others."""

    job: Job[Any]
    reason: str


class Finished(NamedTuple, Generic[Result]):
    """A run that succeeded."""

    job: Job[Result]
    result: Result


Event = Progress | Failed | Postponed | Finished[Result]


@dataclass
class Worker:
    """A worker process and the run that it executes."""

    process: subprocess.Popen[bytes]
    connection: Connection
    slot: int
    job: Job[Any] | None = None


def run_in_processes(
    jobs: Sequence[Job[Result]], *, parallel: int, gpus: int = 0, plugins: Sequence[Path] = ()
) -> Generator[Event[Result] | None, None, None]:
    """Execute the runs and yield their events as they occur; each run ends in `Finished` or `Failed`.

    Runs that run out of memory in parallel with others are repeated at the end, one at a time. When the iteration ends, for
    whatever reason, the processes receive SIGTERM and are waited for. They also end when this process is killed.

    Args:
        jobs: the runs, in starting order.
        parallel: number of parallel runs.
        gpus: number of GPUs to distribute them over; with 0, each gets one processor thread, or OMP_NUM_THREADS.
        plugins: files that each process loads first.

    Yields:
        Events; None if there was none for a while, so that the caller can check for signals.
    """
    waiting, short = deque(jobs), deque[Job[Result]]()
    workers: list[Worker] = []
    try:
        while waiting or short or any(worker.job for worker in workers):
            if not waiting and not any(worker.job for worker in workers):
                waiting, short, parallel = short, waiting, 1
                _stop(workers)
            for worker in _free(workers, waiting, parallel, gpus, plugins):
                worker.job = waiting.popleft()
                with contextlib.suppress(OSError):  # it is dead, as the wait below will show
                    worker.connection.send_bytes(pickle.dumps(worker.job))
            busy = [worker for worker in workers if worker.job]
            ready = wait([worker.connection for worker in busy], _POLL_SECONDS)
            if not ready:
                yield None
            for worker in [worker for worker in busy if worker.connection in ready]:
                event: Event[Result] = _receive(worker)
                if not isinstance(event, Progress):
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
    workers: list[Worker], waiting: Sequence[Job[Any]], parallel: int, gpus: int, plugins: Sequence[Path]
) -> Iterator[Worker]:
    """Yield idle workers, then new ones, as long as runs are waiting."""
    yield from [worker for worker in workers if not worker.job][: len(waiting)]
    while waiting and len(workers) < parallel:
        slot = min(set(range(parallel)) - {worker.slot for worker in workers})
        workers.append(start_worker(waiting[0].log, slot, gpus, plugins))
        yield workers[-1]


def start_worker(log: Path | None, slot: int, gpus: int, plugins: Sequence[Path]) -> Worker:
    """Start a worker; `slot` selects its GPU.

    Args:
        log: file for its output; None inherits that of this process.
        slot: a number below that of parallel workers, which no other worker has.
        gpus: number of GPUs.
        plugins: files to load first.
    """
    ours, theirs = Pipe()
    with contextlib.ExitStack() as stack:
        stack.enter_context(theirs)
        output = None
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            output = stack.enter_context(log.open("ab"))
        # multiprocessing would run the main module of the caller again, and cannot set the environment.
        process = subprocess.Popen(  # noqa: S603 - our own module
            [*WORKER, str(theirs.fileno()), *map(str, plugins)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=worker_environment(slot, gpus),
            pass_fds=[theirs.fileno()],
            # Ctrl-C at a terminal then reaches only this process, which decides what to do.
            start_new_session=True,
        )
    return Worker(process, ours, slot)


def worker_environment(slot: int, gpus: int) -> dict[str, str]:
    """Return the environment of a worker: one thread, and one of the GPUs if there are any."""
    environment = without_thread_cache(
        {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", **without_launcher(os.environ)}
    )
    if gpus:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        names = visible.split(",") if visible else [str(number) for number in range(gpus)]
        environment["CUDA_VISIBLE_DEVICES"] = names[slot % len(names)]
    return environment


def _receive(worker: Worker) -> Event[Result]:
    job = worker.job
    assert job is not None
    hint = f"; see {job.log}" if job.log is not None else ""
    try:
        kind, *values = worker.connection.recv()
    except (EOFError, OSError):
        status = worker.process.wait()
        if status >= 0:
            return Failed(job, f"its process ended with status {status}{hint}")
        name = signal.Signals(-status).name
        killed = name == "SIGKILL"
        cause = " (the system may have run out of memory)" if killed else ""
        return Failed(job, f"its process was ended by {name}{cause}{hint}", short_of_memory=killed)
    event: Event[Result] = {"progress": Progress, "failed": Failed, "finished": Finished}[kind](job, *values)
    return event


def _stop(workers: list[Worker]) -> None:
    """End all workers at the same time and remove them from the list."""
    for worker in workers:
        worker.process.terminate()
        worker.connection.close()
    for worker in workers:
        worker.process.wait()
    workers.clear()
