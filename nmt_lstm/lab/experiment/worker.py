"""A worker process that executes runs, started by `nmt_lstm.lab.experiment.pool` with ``python -m``."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection

from nmt_lstm.errors import NmtLstmError
from nmt_lstm.lab.experiment.job import Job
from nmt_lstm.numerics.out_of_memory import is_out_of_memory
from nmt_lstm.registry import load_plugin_file, plugin_failure

__all__ = ["main", "perform"]


def main(arguments: Sequence[str]) -> None:
    """Execute runs until the connection closes.

    Args:
        arguments: the file descriptor of the connection, then plugin files.
    """
    number, *plugins = arguments
    os.set_inheritable(int(number), False)
    connection = Connection(int(number))
    orders: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, orders), daemon=True).start()
    plugin_problem = _load(plugins)
    # Unpickling imports the modules of the run, which belongs in the main thread.
    while order := orders.get():
        job: Job[object] = pickle.loads(order)  # noqa: S301 - sent by the parent process
        end = ("failed", plugin_problem) if plugin_problem else perform(job, connection)
        _send(connection, end)


def perform(job: Job[object], connection: Connection) -> tuple[object, ...]:
    """Execute a run, sending its progress, and return the kind and the values of its last event."""
    try:
        return "finished", job.perform(lambda text: _send(connection, ("progress", text)))
    except Exception as problem:  # noqa: BLE001 - a plugin may raise anything; the other runs continue
        short = _is_short_of_memory(problem)
        if isinstance(problem, NmtLstmError):
            return "failed", str(problem), short
        traceback.print_exc()
        if short:
            return "failed", f"not enough memory; {job.memory_advice}", short
        reason = f"{type(problem).__name__}: {' '.join(str(problem).split()) or 'no message'}"
        return "failed", plugin_failure(problem) or reason, short


def _is_short_of_memory(problem: BaseException) -> bool:
    """Whether the exception, or one that it was raised from, means that memory ran out."""
    return is_out_of_memory(problem) or (
        problem.__cause__ is not None and _is_short_of_memory(problem.__cause__)
    )


def _listen(connection: Connection, orders: queue.SimpleQueue[bytes]) -> None:
    """Queue runs; when the parent closes the connection or dies, ask this process to save and stop."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            orders.put(connection.recv_bytes())
    orders.put(b"")
    os.kill(os.getpid(), signal.SIGTERM)


def _load(plugins: Sequence[str]) -> str:
    """Load plugin files, and return what is wrong with them."""
    try:
        for plugin in plugins:
            load_plugin_file(plugin)
    except NmtLstmError as problem:
        return str(problem)
    return ""


def _send(connection: Connection, event: tuple[object, ...]) -> None:
    # If the parent no longer listens, SIGTERM follows.
    with contextlib.suppress(OSError):
        connection.send(event)


if __name__ == "__main__":
    main(sys.argv[1:])
