"""Doing what an experiment is missing: runs with a record are passed over, the others are done and told of."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Container, Sequence
from pathlib import Path

from nmt_lstm.lab.experiment.job import Job, Result
from nmt_lstm.lab.experiment.pool import Failed, Postponed, Told, run_in_processes
from nmt_lstm.training.interruption import SignalWatch, TrainingInterrupted
from nmt_lstm.training.progress import duration

__all__ = ["do_missing"]

_TELL_EVERY = 15.0  # seconds


def do_missing(
    jobs: Sequence[Job[Result]],
    *,
    done: Container[str],
    keep: Callable[[Result], None],
    at_once: int,
    say: Callable[[str], None],
    where: str,
    gpus: int = 0,
    plugins: Sequence[Path] = (),
    longest: float = 0.0,
) -> dict[str, str]:
    """Do the runs that have no record and return why the failed ones failed, by name.

    Args:
        jobs: all runs of the experiment, in the order in which they start.
        done: keys of those that have a record.
        keep: records a result.
        at_once: how many run at a time.
        say: told in words what happens.
        where: what a process runs on, for the person who waits.
        gpus: see `run_in_processes`.
        plugins: files that each process loads first.
        longest: seconds that a run takes at most; 0 is not known.

    Raises:
        TrainingInterrupted: ctrl-C or SIGTERM came; all processes have ended, and what was finished is recorded.
    """
    missing = [job for job in jobs if job.key not in done]
    if len(missing) < len(jobs):
        say(f"{len(jobs) - len(missing)} of {len(jobs)} runs are done already.")
    if not missing:
        return {}
    at_once = max(1, min(at_once, len(missing)))
    bound = f"; {math.ceil(-(-len(missing) // at_once) * longest / 60)} min or less" if longest else ""
    say(f"{len(missing)} runs, {at_once} at a time {where}{bound}.")
    failures: dict[str, str] = {}
    begin = time.monotonic()
    told: dict[str, float] = {}
    ended = 0
    with (
        SignalWatch() as signals,
        contextlib.closing(run_in_processes(missing, at_once=at_once, gpus=gpus, plugins=plugins)) as events,
    ):
        for event in events:
            if isinstance(event, Told):
                now = time.monotonic()
                if now - told.get(event.job.key, begin) >= _TELL_EVERY:
                    told[event.job.key] = now
                    say(f"  {event.job.name}: {event.text}")
            elif isinstance(event, Postponed):
                say(f"  {event.job.name}: {event.reason}; it is tried again when the others have ended")
            elif event is not None:
                if isinstance(event, Failed):
                    failures[event.job.name] = event.reason
                    outcome = f"failed: {event.reason}"
                else:
                    keep(event.result)
                    outcome = event.job.outcome(event.result)
                ended += 1
                place = len(jobs) - len(missing) + ended
                say(
                    f"[{place}/{len(jobs)}] {event.job.name}: {outcome}{_time_left(begin, ended, len(missing))}"
                )
            if signals.received:
                say("\nInterrupted; waiting for the runs to save.")
                raise TrainingInterrupted(signals.received)
    return failures


def _time_left(begin: float, ended: int, runs: int) -> str:
    """Estimate the rest by the runs that have ended."""
    left = (time.monotonic() - begin) / ended * (runs - ended)
    return f"; about {duration(left)} left" if left else ""
