"""Running the runs: so many processes at a time, each with its own device, failures and signals kept apart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from nmt_lstm.errors import DataError
from nmt_lstm.lab.comparison.folder import RunFiles
from nmt_lstm.numerics.memory import without_thread_cache
from nmt_lstm.training.interruption import SignalWatch, TrainingInterrupted
from nmt_lstm.training.launch import without_launcher
from nmt_lstm.training.progress import duration

__all__ = ["WORKER", "Job", "run_jobs"]

WORKER = (sys.executable, "-m", "nmt_lstm.lab.comparison.worker")
_POLL_SECONDS = 0.1
_VALIDATION = "validation at step "
_ERROR = "nmt-lstm: error: "


@dataclass(frozen=True)
class Job:
    """A run to do."""

    name: str
    files: RunFiles


@dataclass
class _Running:
    job: Job
    process: subprocess.Popen[bytes]
    log: IO[str]
    """The log, read as it grows."""
    slot: int
    begin: float
    line: str = ""
    """The begin of a line whose end is not written yet."""


def run_jobs(
    jobs: Sequence[Job],
    *,
    test_source: Path,
    plugins: Sequence[Path],
    at_once: int,
    gpus: int,
    say: Callable[[str], None],
    program: Sequence[str] = WORKER,
) -> dict[str, str]:
    """Do the runs and return why the failed ones failed, by name.

    Args:
        jobs: what is to be done, in this order.
        test_source: what each translates when it is trained.
        plugins: files that each loads first.
        at_once: how many run at a time.
        gpus: how many GPUs they are dealt to; with 0 each gets one thread of the processor.
        say: told in words what happens.
        program: what is started for each, with its model folder, its records' folder, `test_source` and the plugins.

    Raises:
        TrainingInterrupted: ctrl-C or SIGTERM came; all runs were told, and have ended.
    """
    waiting = list(jobs)
    running: list[_Running] = []
    failures: dict[str, str] = {}
    slots = list(range(at_once))
    durations: list[float] = []
    with SignalWatch() as signals:
        while waiting or running:
            while waiting and slots and not signals.received:
                job, slot = waiting.pop(0), slots.pop(0)
                running.append(_start(program, job, slot, test_source, plugins, gpus))
                say(
                    f"{job.name}: started, {len(waiting)} more to come" if waiting else f"{job.name}: started"
                )
            if signals.received:
                _end(running, signals.received, say)
                raise TrainingInterrupted(signals.received)
            time.sleep(_POLL_SECONDS)
            for each in list(running):
                _tell_validations(each, say)
                status = each.process.poll()
                if status is None:
                    continue
                running.remove(each)
                slots.append(each.slot)
                _close(each)
                durations.append(time.monotonic() - each.begin)
                reason = _failure(each, status)
                if reason:
                    failures[each.job.name] = reason
                outcome = f"failed: {reason}" if reason else "done"
                say(
                    f"{each.job.name}: {outcome} after {duration(durations[-1])}"
                    + _time_left(durations, len(waiting), running, at_once)
                )
    return failures


def _time_left(durations: Sequence[float], waiting: int, running: Sequence[_Running], at_once: int) -> str:
    """Estimate the rest by the runs that have ended."""
    if not waiting and not running:
        return ""
    usual, now = sum(durations) / len(durations), time.monotonic()
    rest = usual * waiting + sum(max(0.0, usual - (now - each.begin)) for each in running)
    return f"; about {duration(rest / at_once)} left"


def _start(
    program: Sequence[str], job: Job, slot: int, test_source: Path, plugins: Sequence[Path], gpus: int
) -> _Running:
    job.files.records.mkdir(parents=True, exist_ok=True)
    with job.files.log.open("ab") as log:
        # What stands there from an earlier session has been told.
        told = log.tell()
        process = subprocess.Popen(  # noqa: S603 - our own module
            [
                *program,
                *(str(job.files.model), str(job.files.records), str(test_source)),
                *(word for plugin in plugins for word in ("--plugin", str(plugin))),
            ],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=_environment(slot, gpus),
            # Ctrl-C at a terminal comes to us alone, and we pass it on once.
            start_new_session=True,
        )
    reader = job.files.log.open(encoding="utf-8", errors="replace")
    reader.seek(told)
    return _Running(job, process, reader, slot, time.monotonic())


def _environment(slot: int, gpus: int) -> dict[str, str]:
    """Return the environment of a run: one thread, or one GPU."""
    environment = without_thread_cache(
        {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", **without_launcher(os.environ)}
    )
    if gpus:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        names = visible.split(",") if visible else [str(number) for number in range(gpus)]
        environment["CUDA_VISIBLE_DEVICES"] = names[slot % len(names)]
    return environment


def _tell_validations(running: _Running, say: Callable[[str], None]) -> None:
    *lines, running.line = (running.line + running.log.read()).split("\n")
    for line in lines:
        if line.startswith(_VALIDATION):
            say(f"{running.job.name}: {line.strip()}")


def _failure(running: _Running, status: int) -> str:
    """Return why a process has failed; an empty text if it has not."""
    files = running.job.files
    try:
        if status == 0 and files.read_result() is not None:
            return ""
    except DataError as problem:
        return str(problem)
    last = [
        line for line in files.log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()
    ]
    told = [line.removeprefix(_ERROR) for line in last if line.startswith(_ERROR)]
    if status < 0:
        name = signal.Signals(-status).name
        kill = " (the system may have run out of memory)" if name == "SIGKILL" else ""
        return f"it was ended by {name}{kill}; see {files.log}"
    if told and last[-1].startswith(_ERROR):
        return told[-1]
    return f"it ended with status {status}; see {files.log}"


def _end(running: list[_Running], number: int, say: Callable[[str], None]) -> None:
    """Pass a signal on and wait until all have saved and ended."""
    say("\nInterrupted; waiting for the runs to save.")
    for each in running:
        if each.process.poll() is None:
            os.killpg(each.process.pid, number)
    for each in running:
        each.process.wait()
        _close(each)


def _close(running: _Running) -> None:
    running.log.close()
    if running.process.stdin is not None:
        running.process.stdin.close()
