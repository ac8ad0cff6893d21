"""How threads wait for each other: on a machine that does other work too, spinning costs more than sleeping."""

from __future__ import annotations

import os

__all__ = ["sleep_while_waiting"]

# Turns of GNU OpenMP's waiting loop before a thread sleeps; its own default is ten times that. Measured in training on
# two cores: within 3 % of that default's speed with the machine to itself; beside a busy program 950 to 1,230 pieces/s
# where the default had 350 to 1,110. 10,000 turns had 1,900 there, and 5 % less with the machine to itself.
TURNS_BEFORE_SLEEP = 30_000


def sleep_while_waiting() -> None:
    """Ask GNU OpenMP (torch's on Linux) to let waiting threads sleep soon, unless the user has said how they wait.

    A thread that spins uses its share of a busy processor up, and then all others wait for it at every operation.
    To be called before torch is imported; the numbers computed are the same.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(TURNS_BEFORE_SLEEP))
