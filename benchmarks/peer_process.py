"""Processes of the comparison: one after the other, on one core with one thread, timed, measured and ended at a limit."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

# For OpenMP and MKL, and for libraries that would start threads or access the network.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    # OpenNMT-py and JoeyNMT read their checkpoints with a call that torch 2.6 restricted; these files are our own.
    "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1",
}


class ToolkitError(Exception):
    """The process of a toolkit failed; the message is its last line of output."""


@dataclass(frozen=True)
class Command:
    """The command line of a process.

    Args:
        words: program and arguments.
        standard_input: file for its standard input, if any.
        standard_output: file for its standard output, if that is the result.
    """

    words: tuple[str | Path, ...]
    standard_input: Path | None = None
    standard_output: Path | None = None


@dataclass(frozen=True)
class Usage:
    """Time and memory of a process. `begin` is on the clock of `time.monotonic`, which all processes share."""

    begin: float
    seconds: float
    processor_seconds: float
    peak_bytes: int
    ended_by_limit: bool


def pin(core: int) -> bool:
    """Pin this process and its children to a core, and return whether the system supports that."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    os.sched_setaffinity(0, {core})
    return True


def run(command: Command, *, folder: Path, log: Path, time_limit: float, may_be_ended: bool = False) -> Usage:
    """Run a process, and end it at the time limit.

    This process must be small: the peak memory of a child process starts at that of its parent.

    Args:
        command: its command line.
        folder: its working directory.
        log: file for its output.
        time_limit: the most seconds.
        may_be_ended: whether reaching the limit is acceptable.

    Raises:
        ToolkitError: its status is not 0, or it reached the limit.
    """
    with contextlib.ExitStack() as streams:
        output = streams.enter_context(log.open("wb"))
        source, result = command.standard_input, command.standard_output
        reads = streams.enter_context(source.open("rb")) if source else subprocess.DEVNULL
        writes = streams.enter_context(result.open("wb")) if result else output
        begin = time.monotonic()
        process = subprocess.Popen(
            list(map(str, command.words)),
            cwd=folder,
            stdin=reads,
            stdout=writes,
            stderr=output,
            env={**os.environ, **ENVIRONMENT},
            start_new_session=True,
        )
        ended_by_limit = False
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            if time.monotonic() - begin > time_limit and not ended_by_limit:
                ended_by_limit = True
                process.kill()
            time.sleep(0.01)
    process.returncode = os.waitstatus_to_exitcode(status)
    if ended_by_limit and not may_be_ended:
        raise ToolkitError(f"ended after {time_limit:,.0f} s, the remaining time")
    if process.returncode and not ended_by_limit:
        raise ToolkitError(_last_line(log, process.returncode))
    return Usage(
        begin=begin,
        seconds=time.monotonic() - begin,
        processor_seconds=usage.ru_utime + usage.ru_stime,
        peak_bytes=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        ended_by_limit=ended_by_limit,
    )


def _last_line(log: Path, status: int) -> str:
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    return f"status {status}: {lines[-1][:200] if lines else 'no output'}"
