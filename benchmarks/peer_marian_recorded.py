"""Trains with Marian and records the time of each update: ``python -P peer_marian_recorded.py FILE OPTIONS...``.

Marian has no optimizer in Python, so a second process reads its output and records two clocks at each line that announces
an update (``--disp-freq 1u``): wall time (`time.monotonic`) and the processor time of Marian's process. The times that
Marian prints are ignored. This process becomes Marian, so its memory and time are those of Marian, and ending it ends
Marian. FILE has the format of peer_recorded.py, but its first line, the number of parameters, is 0, since Marian does not
print it.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
import time
from collections.abc import Iterable
from pathlib import Path

# "Ep. 1 : Up. 12 : Sen. 160 : Cost 8.96 ...", written when the parameters have been updated.
UPDATE = re.compile(rb"\bUp\. \d+ : ")


def processor_clock(process: int) -> int:
    """Return the clock of the processor time of a process with all its threads."""
    clock = ctypes.c_int()
    problem = ctypes.CDLL(None).clock_getcpuclockid(process, ctypes.byref(clock))
    if problem:
        raise OSError(problem, os.strerror(problem))
    return clock.value


def record_updates(lines: Iterable[bytes], record: Path, process: int) -> None:
    """Write both clocks to `record` at each update; forward all lines to standard error."""
    clock = processor_clock(process)
    with record.open("w", encoding="utf-8", buffering=1) as stream:
        stream.write("0\n")
        for line in lines:
            if UPDATE.search(line):
                stream.write(f"{time.monotonic()} {time.clock_gettime(clock)}\n")
            os.write(2, line)


def main() -> None:
    """Start the reader and become Marian."""
    record, *options = sys.argv[1:]
    marian = os.getpid()
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(writing)
        with os.fdopen(reading, "rb") as lines:
            record_updates(lines, Path(record), marian)
        os._exit(0)
    os.close(reading)
    os.dup2(writing, 2)
    os.close(writing)
    os.execv(sys.executable, [sys.executable, "-P", "-m", "pymarian", "train", *options])


if __name__ == "__main__":
    main()
