"""The processor's cores and threads: how many this process may use, and how threads that wait behave."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["one_thread", "sleep_while_waiting", "usable_cores"]

# Turns of GNU OpenMP's waiting loop before a thread sleeps; its own default is ten times that. Measured in training on
# two cores: within 3 % of that default's speed with the machine to itself; beside a busy program 950 to 1,230 pieces/s
# where the default had 350 to 1,110. 10,000 turns had 1,900 there, and 5 % less with the machine to itself.
TURNS_BEFORE_SLEEP = 30_000


def usable_cores() -> int:
    """Return the number of cores assigned to this process: containers and schedulers often assign fewer than there are."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS has no such function, and assigns all of them
        return os.cpu_count() or 1


def sleep_while_waiting() -> None:
    """Ask GNU OpenMP (torch's on Linux) to put waiting threads to sleep soon, unless the user has configured it.

    On a machine that does other work too, a thread that spins uses up its share of the processor, and then all others
    wait for it at every operation. Call this before torch is imported; results stay the same.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(TURNS_BEFORE_SLEEP))


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread inside the `with` block, to measure: several would wait for each other on a busy core."""
    import torch  # not before `sleep_while_waiting` has been called

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
