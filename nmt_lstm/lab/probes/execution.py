"""Doing what is not done yet: runs whose results are kept are passed over, new results are kept as they come."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence

from nmt_lstm.lab.probes.record import RunRecord
from nmt_lstm.lab.probes.results_file import ResultsFile
from nmt_lstm.lab.probes.run import ProbeRun
from nmt_lstm.lab.probes.workers import Event, run_in_processes

__all__ = ["results_of", "run_missing"]


def results_of(runs: Sequence[ProbeRun], records: Sequence[RunRecord]) -> dict[str, RunRecord]:
    """Return the newest record that settles each run, by the run's identity, for those that have one."""
    newest = {record.run.identity: record for record in records}
    found = {run.identity: newest[run.identity] for run in runs if run.identity in newest}
    return {
        run.identity: found[run.identity]
        for run in runs
        if run.identity in found and found[run.identity].settles(run)
    }


def run_missing(
    runs: Sequence[ProbeRun], results: ResultsFile, *, jobs: int, plugins: Sequence[str] = ()
) -> Generator[Event, None, None]:
    """Do the runs that have no result yet, keep their records, and yield what happens; closing it ends what is at work.

    Args:
        runs: all runs that are wanted.
        results: where records are read and kept.
        jobs: processes at a time.
        plugins: files that each process loads first.
    """
    done = results_of(runs, results.read())
    missing = [run for run in runs if run.identity not in done]
    # The long ones first: a long one left for the end would run alone.
    missing.sort(key=lambda run: -run.length)
    with contextlib.closing(run_in_processes(missing, jobs=jobs, plugins=plugins)) as events:
        for event in events:
            if isinstance(event, RunRecord):
                results.append(event)
            yield event
