"""Trains with Marian and writes down when each update ended: ``python -P peer_marian_recorded.py FILE OPTIONS...``.

Marian has no optimizer that Python could watch, so a second process reads what Marian prints and notes two clocks at
each line that announces an update, one line an update (``--disp-freq 1u``): the wall's (`time.monotonic`) and that
of the processor time of Marian's process. The times that Marian itself prints are not used. This process becomes Marian, so that its memory and
its time are those of Marian, and ending it ends Marian. FILE has the form that peer_recorded.py writes, except that
its first line, the number of parameters, is 0: Marian does not print it.
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
    """The number of the clock that counts a process's processor time, all its threads together."""
    clock = ctypes.c_int()
    problem = ctypes.CDLL(None).clock_getcpuclockid(process, ctypes.byref(clock))
    if problem:
        raise OSError(problem, os.strerror(problem))
    return clock.value


def note_updates(lines: Iterable[bytes], record: Path, process: int) -> None:
    """Write the two clocks to `record` at each update; hand all lines on to standard error."""
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
            note_updates(lines, Path(record), marian)
        os._exit(0)
    os.close(reading)
    os.dup2(writing, 2)
    os.close(writing)
    os.execv(sys.executable, [sys.executable, "-P", "-m", "pymarian", "train", *options])


if __name__ == "__main__":
    main()
