"""Worker processes: a run that fails, runs out of memory or is killed affects no other."""

from __future__ import annotations

import os
import pickle
import threading
import time
from pathlib import Path

import pytest

from nmt_lstm.lab.experiment.pool import (
    Failed,
    Finished,
    Postponed,
    Progress,
    run_in_processes,
    start_worker,
    worker_environment,
)


def last_events(jobs, **options) -> dict[str, Finished | Failed]:
    """Return the last event of each run, by name."""
    events = [event for event in run_in_processes(jobs, **{"parallel": 1, **options}) if event]
    last = [event for event in events if not isinstance(event, Progress | Postponed)]
    result = {event.job.key: event for event in last}
    assert len(result) == len(last)
    return result


def test_failures_are_reported_and_other_runs_finish(make_jobs, tmp_path) -> None:
    orders = {"a": "refuse", "b": "crash", "c": "large", "d": "killed", "e": "exit", "f": ""}
    result = last_events(make_jobs(orders))
    assert result["a"].reason == "it is broken."
    assert result["b"].reason == "ValueError: a traceback"
    assert result["c"].reason == "not enough memory; lower the tide"
    assert "SIGKILL" in result["d"].reason
    assert "status 7" in result["e"].reason
    assert [result[name].short_of_memory for name in "abcde"] == [False, False, True, True, False]
    assert isinstance(result["f"], Finished)
    assert (tmp_path / "events").read_text().splitlines()[-1] == "end f"


def test_runs_share_a_process_unless_they_have_a_log(make_jobs, tmp_path) -> None:
    shared = last_events(make_jobs({"a": "", "b": ""}))
    assert shared["a"].result == shared["b"].result
    alone = last_events(make_jobs({"c": "", "d": "crash"}, logged=True))
    assert (tmp_path / "c" / "log.txt").read_text() == "something to read\n"
    log = tmp_path / "d" / "log.txt"
    assert "Traceback" in log.read_text()
    assert alone["c"].result not in {shared["a"].result, os.getpid()}


def test_a_run_that_runs_out_of_memory_is_repeated_alone(make_jobs, tmp_path) -> None:
    result = last_events(make_jobs({"large": "large at first", "wide": "until large fails"}), parallel=2)
    assert isinstance(result["large"], Finished)
    assert isinstance(result["wide"], Finished)
    told = (tmp_path / "events").read_text().splitlines()
    assert told.count("begin large") == 2
    assert told[-2:] == ["begin large", "end large"]
    assert told.index("end wide") < len(told) - 2


def test_a_worker_gets_one_thread_and_no_launcher_variables(monkeypatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("RANK", "3")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    result = worker_environment(0, 0)
    assert result["OMP_NUM_THREADS"] == "1"
    assert "glibc.malloc.tcache_count" in result["GLIBC_TUNABLES"]
    assert "RANK" not in result
    assert "CUDA_VISIBLE_DEVICES" not in result


@pytest.mark.parametrize(("visible", "devices"), [(None, ["0", "1", "0"]), ("4,6", ["4", "6", "4"])])
def test_gpus_are_distributed(monkeypatch, visible, devices) -> None:
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [worker_environment(slot, 2)["CUDA_VISIBLE_DEVICES"] for slot in range(3)] == devices


def test_closing_the_iterator_ends_all_processes(make_jobs, tmp_path) -> None:
    """Each process receives one SIGTERM, so that it can save."""
    events = run_in_processes(make_jobs({"a": "wait", "b": "wait", "c": ""}), parallel=2)
    for _ in events:
        if (tmp_path / "events").exists() and (tmp_path / "events").read_text().count("ready") == 2:
            break
    events.close()
    told = (tmp_path / "events").read_text().splitlines()
    assert {"signal15 a", "signal15 b"} <= set(told)
    assert "begin c" not in told


def test_a_worker_ends_with_its_parent(make_jobs, tmp_path) -> None:
    """A killed parent closes its end of the connection without sending a signal."""
    worker = start_worker(None, 0, 0, [])
    worker.connection.send_bytes(pickle.dumps(make_jobs({"a": "wait"})[0]))
    while not (tmp_path / "events").exists() or "ready" not in (tmp_path / "events").read_text():
        time.sleep(0.01)
    worker.connection.close()
    assert worker.process.wait(timeout=100) == 1
    assert "signal15 a" in (tmp_path / "events").read_text()


def test_plugins_are_loaded_first(make_jobs, tmp_path) -> None:
    missing: Path = tmp_path / "none.py"
    result = last_events(make_jobs({"a": ""}), plugins=[missing])
    assert "none.py" in result["a"].reason
    assert not (tmp_path / "events").exists()


def test_no_runs_start_no_threads_and_no_processes() -> None:
    before = threading.active_count()
    assert list(run_in_processes([], parallel=3)) == []
    assert threading.active_count() == before
