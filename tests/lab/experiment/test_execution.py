"""Execution: which runs are executed, the progress messages, and signals."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from nmt_lstm.lab.experiment import execution
from nmt_lstm.lab.experiment.execution import run_missing
from nmt_lstm.lab.experiment.pool import Failed, Finished, Postponed, Progress
from nmt_lstm.training.interruption import TrainingInterrupted


@pytest.fixture
def requests(monkeypatch) -> list:
    """The pool options and the runs that the pool was requests for; runs with the order "refuse" fail."""
    requests = []

    def stand_in(jobs, *, parallel, gpus, plugins):
        requests.append((parallel, gpus, list(plugins)))
        for job in jobs:
            requests.append(job.key)
            yield None
            yield Progress(job, "half way")
            if job.order == "large":
                yield Postponed(job, "too large")
            yield Failed(job, "it failed") if job.order == "refuse" else Finished(job, f"result of {job.key}")

    monkeypatch.setattr(execution, "run_in_processes", stand_in)
    return requests


def test_finished_runs_are_skipped_and_new_results_stored(make_jobs, requests) -> None:
    results, said = [], []
    failures = run_missing(
        make_jobs({"a": "", "b": "refuse", "c": ""}),
        finished={"a"}, store=results.append, parallel=5, gpus=1, plugins=["p"], say=said.append, resources="somewhere", time_limit=90,
    )  # fmt: skip
    assert requests == [(2, 1, ["p"]), "b", "c"]
    assert results == ["result of c"]
    assert failures == {"b": "it failed"}
    assert "1 of 3 runs" in said[0]
    assert "2 runs, 2 at a time somewhere; at most 2 min" in said[1]
    assert said[2].startswith("[2/3] b: failed: it failed")
    assert said[3] == "[3/3] c: done"


def test_nothing_starts_if_all_runs_are_finished(make_jobs, requests) -> None:
    assert (
        run_missing(make_jobs({"a": ""}), finished={"a"}, store=print, parallel=1, say=print, resources="")
        == {}
    )
    assert requests == []


def test_progress_is_reported_at_intervals(make_jobs, requests, monkeypatch) -> None:
    said = []
    run_missing(make_jobs({"a": ""}), finished=(), store=print, parallel=1, say=said.append, resources="")
    assert not any("half way" in line for line in said)
    monkeypatch.setattr(execution, "_PROGRESS_INTERVAL", 0.0)
    run_missing(make_jobs({"a": ""}), finished=(), store=print, parallel=1, say=said.append, resources="")
    assert "  a: half way" in said


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_all_runs_and_starts_none(make_jobs, tmp_path, number, status) -> None:
    events, said = tmp_path / "events", []

    def interrupt() -> None:
        while not events.exists() or "ready" not in events.read_text():
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    threading.Thread(target=interrupt).start()
    with pytest.raises(TrainingInterrupted) as caught:
        run_missing(
            make_jobs({"a": "wait", "b": ""}),
            finished=(),
            store=print,
            parallel=1,
            say=said.append,
            resources="",
        )
    assert caught.value.code == status
    assert "signal15 a" in events.read_text()
    assert "begin b" not in events.read_text()
    assert "waiting for the runs to save" in said[-1]


def test_a_postponed_run_is_reported_at_once(make_jobs, requests) -> None:
    said, results = [], []
    run_missing(
        make_jobs({"a": "large"}),
        finished=(),
        store=results.append,
        parallel=1,
        say=said.append,
        resources="",
    )
    assert "a: too large; it is tried again" in said[1]
    assert results == ["result of a"]
