"""Processes that do runs side by side, one thread each; a run that dies takes no other with it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import NamedTuple

import torch

from nmt_lstm.errors import NmtLstmError
from nmt_lstm.lab.probes.record import RunRecord
from nmt_lstm.lab.probes.run import ProbeRun
from nmt_lstm.lab.probes.training import Progress, train_probe
from nmt_lstm.registry import load_plugin_file, plugin_failure

__all__ = ["Event", "Failure", "run_in_processes"]


class Failure(NamedTuple):
    """A run that did not come to an end."""

    run: ProbeRun
    reason: str


Event = Progress | RunRecord | Failure


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    run: ProbeRun | None = None


def run_in_processes(
    runs: Sequence[ProbeRun], *, jobs: int, plugins: Sequence[str] = ()
) -> Generator[Event, None, None]:
    """Do the runs in up to `jobs` processes and yield what they tell, as it comes; each run ends in a record or a failure.

    Whatever ends the iteration (an exception, ctrl-C) ends the processes too.

    Args:
        runs: taken in this order.
        jobs: how many at a time.
        plugins: files that each process loads first.
    """
    waiting = list(reversed(runs))
    workers: list[_Worker] = []
    try:
        while waiting or any(worker.run for worker in workers):
            busy = sum(worker.run is not None for worker in workers)
            while len(workers) < min(jobs, busy + len(waiting)):
                workers.append(_start(plugins))
            for worker in workers:
                if worker.run is None and waiting:
                    worker.run = waiting.pop()
                    with contextlib.suppress(OSError):  # it is dead: the wait below says so
                        worker.connection.send(worker.run)
            ready = wait([worker.connection for worker in workers if worker.run])
            for worker in [worker for worker in workers if worker.connection in ready]:
                event = _receive(worker)
                if not isinstance(event, Progress):
                    worker.run = None
                if not worker.process.is_alive():
                    workers.remove(worker)
                yield event
    finally:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.process.join()
            worker.connection.close()


def _start(plugins: Sequence[str]) -> _Worker:
    # Not forked: threads of the parent's torch would not be there in the child.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, tuple(plugins)), daemon=True)
    with _without_interrupts():
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ignore ctrl-C, which processes started meanwhile inherit: at a terminal it comes to all, and the first decides."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _receive(worker: _Worker) -> Event:
    assert worker.run is not None
    try:
        event: Event = worker.connection.recv()
        return event
    except (EOFError, OSError):
        worker.process.join()
    status = worker.process.exitcode or 0
    if status >= 0:
        return Failure(worker.run, f"its process ended with status {status}")
    name = signal.Signals(-status).name
    kill = " (the system may have run out of memory)" if name == "SIGKILL" else ""
    return Failure(worker.run, f"its process was ended by {name}{kill}")


def _work(connection: Connection, plugins: Sequence[str]) -> None:
    """Do runs until there are no more."""
    torch.set_num_threads(1)
    try:
        unloadable = _load(plugins)
        while True:
            run: ProbeRun = connection.recv()
            connection.send(Failure(run, unloadable) if unloadable else _do(run, connection))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        # The first process is gone, and nobody wants the results.
        os._exit(0)


def _load(plugins: Sequence[str]) -> str:
    """Load the files and return what is wrong with one of them."""
    try:
        for plugin in plugins:
            load_plugin_file(plugin)
    except NmtLstmError as problem:
        return str(problem)
    return ""


def _do(run: ProbeRun, connection: Connection) -> Event:
    try:
        return train_probe(run, connection.send)
    except (BrokenPipeError, ConnectionResetError):
        raise
    except MemoryError:
        return Failure(run, "not enough memory; lower --batch-size, --hidden-size or --jobs")
    except Exception as problem:  # noqa: BLE001 - a plugin may fail in any way; the other runs go on
        reason = f"{type(problem).__name__}: {' '.join(str(problem).split()) or 'no message'}"
        return Failure(run, plugin_failure(problem) or reason)
