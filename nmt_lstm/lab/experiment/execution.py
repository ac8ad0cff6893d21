"""Execution of the runs of an experiment that have no result yet, with progress messages."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Container, Sequence
from pathlib import Path

from nmt_lstm.lab.experiment.job import Job, Result
from nmt_lstm.lab.experiment.pool import Failed, Postponed, Progress, run_in_processes
from nmt_lstm.plain_text import count_of
from nmt_lstm.training.interruption import SignalWatch, TrainingInterrupted
from nmt_lstm.training.progress import duration

__all__ = ["run_missing"]

_PROGRESS_INTERVAL = 15.0  # seconds between messages about the same run


def run_missing(
    jobs: Sequence[Job[Result]],
    *,
    finished: Container[str],
    store: Callable[[Result], None],
    parallel: int,
    say: Callable[[str], None],
    resources: str,
    gpus: int = 0,
    plugins: Sequence[Path] = (),
    time_limit: float = 0.0,
) -> dict[str, str]:
    """Execute the runs that have no result, and return why the failed ones failed, by name.

    Args:
        jobs: all runs of the experiment, in starting order.
        finished: keys of the runs that have a result.
        store: stores a result.
        parallel: number of parallel runs.
        say: receives progress messages.
        resources: what each process runs on, for messages.
        gpus: number of GPUs, see `run_in_processes`.
        plugins: files that each process loads first.
        time_limit: the most seconds that a run takes; 0 if unknown.

    Raises:
        TrainingInterrupted: SIGINT or SIGTERM was received; all processes have ended, and finished runs are stored.
    """
    missing = [job for job in jobs if job.key not in finished]
    count = len(jobs) - len(missing)
    if count:
        say(f"{count} of {count_of(len(jobs), 'run')} {'is' if count == 1 else 'are'} already finished.")
    if not missing:
        return {}
    parallel = max(1, min(parallel, len(missing)))
    rounds = math.ceil(len(missing) / parallel)
    bound = f"; at most {math.ceil(rounds * time_limit / 60)} min" if time_limit else ""
    say(f"{count_of(len(missing), 'run')}, {parallel} at a time {resources}{bound}.")
    failures: dict[str, str] = {}
    begin = time.monotonic()
    last_message: dict[str, float] = {}
    with (
        SignalWatch() as signals,
        contextlib.closing(
            run_in_processes(missing, parallel=parallel, gpus=gpus, plugins=plugins)
        ) as events,
    ):
        for event in events:
            if isinstance(event, Progress):
                now = time.monotonic()
                if now - last_message.get(event.job.key, begin) >= _PROGRESS_INTERVAL:
                    last_message[event.job.key] = now
                    say(f"  {event.job.name}: {event.text}")
            elif isinstance(event, Postponed):
                say(f"  {event.job.name}: {event.reason}; it is tried again after the other runs")
            elif event is not None:
                if isinstance(event, Failed):
                    failures[event.job.name] = event.reason
                    outcome = f"failed: {event.reason}"
                else:
                    store(event.result)
                    outcome = event.job.outcome(event.result)
                count += 1
                remaining = _time_remaining(begin, len(missing) - (len(jobs) - count), len(jobs) - count)
                say(f"[{count}/{len(jobs)}] {event.job.name}: {outcome}{remaining}")
            if signals.received:
                say("\nInterrupted; waiting for the runs to save.")
                raise TrainingInterrupted(signals.received)
    return failures


def _time_remaining(begin: float, ended: int, remaining: int) -> str:
    """Extrapolate from the runs that have ended."""
    seconds = (time.monotonic() - begin) / ended * remaining
    return f"; about {duration(seconds)} left" if seconds else ""
