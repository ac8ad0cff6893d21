"""A process that does runs of an experiment, started by `nmt_lstm.lab.experiment.pool` as ``python -m``."""

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
    """Do runs as they come, until there are no more.

    Args:
        arguments: the descriptor of the connection to the first process, and plugin files.
    """
    number, *plugins = arguments
    os.set_inheritable(int(number), False)
    connection = Connection(int(number))
    orders: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, orders), daemon=True).start()
    unloadable = _load(plugins)
    # Opened in this thread, since it imports what the run needs.
    while order := orders.get():
        job: Job[object] = pickle.loads(order)  # noqa: S301 - of the process that started this one
        end = ("failed", unloadable) if unloadable else perform(job, connection)
        _send(connection, end)


def perform(job: Job[object], connection: Connection) -> tuple[object, ...]:
    """Do a run, telling on the way, and return how it ended: the words of an event of the pool."""
    try:
        return "ended", job.perform(lambda text: _send(connection, ("told", text)))
    except Exception as problem:  # noqa: BLE001 - a plugin may fail in any way; the other runs go on
        short = _is_short_of_memory(problem)
        if isinstance(problem, NmtLstmError):
            return "failed", str(problem), short
        traceback.print_exc()
        if short:
            return "failed", f"not enough memory; {job.memory_advice}", short
        reason = f"{type(problem).__name__}: {' '.join(str(problem).split()) or 'no message'}"
        return "failed", plugin_failure(problem) or reason, short


def _is_short_of_memory(problem: BaseException) -> bool:
    """Whether memory ran out, also behind an error that says so in our words."""
    return is_out_of_memory(problem) or (
        problem.__cause__ is not None and _is_short_of_memory(problem.__cause__)
    )


def _listen(connection: Connection, orders: queue.SimpleQueue[bytes]) -> None:
    """Pass runs on; when the first process closes the connection or is gone, ask this one to stop and save."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            orders.put(connection.recv_bytes())
    orders.put(b"")
    os.kill(os.getpid(), signal.SIGTERM)


def _load(plugins: Sequence[str]) -> str:
    """Load the files and return what is wrong with one of them."""
    try:
        for plugin in plugins:
            load_plugin_file(plugin)
    except NmtLstmError as problem:
        return str(problem)
    return ""


def _send(connection: Connection, words: tuple[object, ...]) -> None:
    # Where nobody listens any more, SIGTERM is on its way.
    with contextlib.suppress(OSError):
        connection.send(words)


if __name__ == "__main__":
    main(sys.argv[1:])
