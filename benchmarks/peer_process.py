"""Processes of the comparison: one after the other, on one core with one thread, timed, measured and ended at a limit."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

# What reads these: OpenMP and MKL, and libraries that would start threads or go to the network.
SURROUNDINGS = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    # OpenNMT-py and JoeyNMT read their checkpoints with a call that torch 2.6 restricted; these are files of our making.
    "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1",
}


class ToolkitError(Exception):
    """A toolkit's process ended badly; the message is the last line that it wrote."""


@dataclass(frozen=True)
class Command:
    """A process to run.

    Args:
        words: program and arguments.
        standard_input: file that it reads, if any.
        standard_output: file for what it prints, if that is the result.
    """

    words: tuple[str | Path, ...]
    standard_input: Path | None = None
    standard_output: Path | None = None


@dataclass(frozen=True)
class Spent:
    """What a process took. `begin` is on the clock of `time.monotonic`, which all processes share."""

    begin: float
    seconds: float
    processor_seconds: float
    peak_bytes: int
    ended_by_limit: bool


def pin(core: int) -> bool:
    """Keep this process and those that it starts on one core, where the system can; say whether it can."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    os.sched_setaffinity(0, {core})
    return True


def run(command: Command, *, folder: Path, log: Path, time_limit: float, may_be_ended: bool = False) -> Spent:
    """Run a process to its end, or end it at the limit.

    This process must be small: a child's peak memory starts at that of its parent.

    Args:
        command: the process.
        folder: where it runs.
        log: file for what it says.
        time_limit: seconds.
        may_be_ended: whether reaching the limit is as good as an end.

    Raises:
        ToolkitError: it ended with another status than 0, or too late.
    """
    with contextlib.ExitStack() as streams:
        said = streams.enter_context(log.open("wb"))
        source, result = command.standard_input, command.standard_output
        reads = streams.enter_context(source.open("rb")) if source else subprocess.DEVNULL
        writes = streams.enter_context(result.open("wb")) if result else said
        begin = time.monotonic()
        process = subprocess.Popen(
            list(map(str, command.words)),
            cwd=folder,
            stdin=reads,
            stdout=writes,
            stderr=said,
            env={**os.environ, **SURROUNDINGS},
            start_new_session=True,
        )
        ended_by_limit = False
        while True:
            found, status, usage = os.wait4(process.pid, os.WNOHANG)
            if found:
                break
            if time.monotonic() - begin > time_limit and not ended_by_limit:
                ended_by_limit = True
                process.kill()
            time.sleep(0.01)
    process.returncode = os.waitstatus_to_exitcode(status)
    if ended_by_limit and not may_be_ended:
        raise ToolkitError(f"ended after {time_limit:,.0f} s, the time that was left for it")
    if process.returncode and not ended_by_limit:
        raise ToolkitError(_last_words(log, process.returncode))
    return Spent(
        begin=begin,
        seconds=time.monotonic() - begin,
        processor_seconds=usage.ru_utime + usage.ru_stime,
        peak_bytes=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        ended_by_limit=ended_by_limit,
    )


def _last_words(log: Path, status: int) -> str:
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    return f"status {status}: {lines[-1][:200] if lines else 'no word'}"
