"""What is done and what is passed over, what is said meanwhile, and ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from nmt_lstm.lab.experiment import execution
from nmt_lstm.lab.experiment.execution import do_missing
from nmt_lstm.lab.experiment.pool import Ended, Failed, Postponed, Told
from nmt_lstm.training.interruption import TrainingInterrupted


@pytest.fixture
def asked(monkeypatch) -> list:
    """Runs that were asked of the processes; those ordered to refuse fail."""
    asked = []

    def stand_in(jobs, *, at_once, gpus, plugins):
        asked.append((at_once, gpus, list(plugins)))
        for job in jobs:
            asked.append(job.key)
            yield None
            yield Told(job, "half way")
            if job.order == "large":
                yield Postponed(job, "too large")
            yield Failed(job, "it failed") if job.order == "refuse" else Ended(job, f"result of {job.key}")

    monkeypatch.setattr(execution, "run_in_processes", stand_in)
    return asked


def test_what_is_recorded_is_passed_over_and_the_rest_is_kept(make_jobs, asked) -> None:
    kept, said = [], []
    failures = do_missing(
        make_jobs({"a": "", "b": "refuse", "c": ""}),
        done={"a"}, keep=kept.append, at_once=5, gpus=1, plugins=["p"], say=said.append, where="somewhere", longest=90,
    )  # fmt: skip
    assert asked == [(2, 1, ["p"]), "b", "c"]
    assert kept == ["result of c"]
    assert failures == {"b": "it failed"}
    assert "1 of 3 runs are done" in said[0]
    assert "2 runs, 2 at a time somewhere; 2 min" in said[1]
    assert said[2].startswith("[2/3] b: failed: it failed")
    assert said[3] == "[3/3] c: done"


def test_nothing_is_started_where_nothing_is_missing(make_jobs, asked) -> None:
    assert do_missing(make_jobs({"a": ""}), done={"a"}, keep=print, at_once=1, say=print, where="") == {}
    assert asked == []


def test_runs_at_work_are_told_of_from_time_to_time(make_jobs, asked, monkeypatch) -> None:
    said = []
    do_missing(make_jobs({"a": ""}), done=(), keep=print, at_once=1, say=said.append, where="")
    assert not any("half way" in line for line in said)
    monkeypatch.setattr(execution, "_TELL_EVERY", 0.0)
    do_missing(make_jobs({"a": ""}), done=(), keep=print, at_once=1, say=said.append, where="")
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
        do_missing(
            make_jobs({"a": "wait", "b": ""}), done=(), keep=print, at_once=1, say=said.append, where=""
        )
    assert caught.value.code == status
    assert "signal15 a" in events.read_text()
    assert "begin b" not in events.read_text()
    assert "waiting for the runs to save" in said[-1]


def test_a_run_that_is_postponed_is_told_of_at_once(make_jobs, asked) -> None:
    said, kept = [], []
    do_missing(make_jobs({"a": "large"}), done=(), keep=kept.append, at_once=1, say=said.append, where="")
    assert "a: too large; it is tried again" in said[1]
    assert kept == ["result of a"]
