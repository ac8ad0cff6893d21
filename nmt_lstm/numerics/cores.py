"""How many processor cores this process may use."""

from __future__ import annotations

import os

__all__ = ["usable_cores"]


def usable_cores() -> int:
    """Return the number of cores lent to this process: containers and schedulers often lend a part of the machine's."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS lends all of them, and has no such function
        return os.cpu_count() or 1
