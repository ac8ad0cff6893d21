"""Processes of their own: one that fails, is refused memory, hangs or is killed takes no other with it."""

from __future__ import annotations

import os
import pickle
import threading
import time
from pathlib import Path

import pytest

from nmt_lstm.lab.experiment import pool
from nmt_lstm.lab.experiment.pool import Ended, Failed, Postponed, Told, run_in_processes


def ends(jobs, **options) -> dict[str, Ended | Failed]:
    """How each run ended, by name."""
    events = [event for event in run_in_processes(jobs, **{"at_once": 1, **options}) if event]
    last = [event for event in events if not isinstance(event, Told | Postponed)]
    found = {event.job.key: event for event in last}
    assert len(found) == len(last)
    return found


def test_runs_that_end_badly_are_told_and_the_others_end_well(make_jobs, tmp_path) -> None:
    orders = {"a": "refuse", "b": "crash", "c": "large", "d": "killed", "e": "exit", "f": ""}
    found = ends(make_jobs(orders))
    assert found["a"].reason == "it is broken."
    assert found["b"].reason == "ValueError: a traceback"
    assert found["c"].reason == "not enough memory; lower the tide"
    assert "SIGKILL" in found["d"].reason
    assert "status 7" in found["e"].reason
    assert [found[name].short_of_memory for name in "abcde"] == [False, False, True, True, False]
    assert isinstance(found["f"], Ended)
    assert (tmp_path / "events").read_text().splitlines()[-1] == "end f"


def test_runs_share_a_process_unless_they_have_a_log(make_jobs, tmp_path) -> None:
    shared = ends(make_jobs({"a": "", "b": ""}))
    assert shared["a"].result == shared["b"].result
    alone = ends(make_jobs({"c": "", "d": "crash"}, logged=True))
    assert (tmp_path / "c" / "log.txt").read_text() == "something to read\n"
    log = tmp_path / "d" / "log.txt"
    assert "Traceback" in log.read_text()
    assert alone["c"].result not in {shared["a"].result, os.getpid()}


def test_a_run_that_is_short_of_memory_beside_others_is_tried_again_alone(make_jobs, tmp_path) -> None:
    found = ends(make_jobs({"large": "large at first", "wide": "until large fails"}), at_once=2)
    assert isinstance(found["large"], Ended)
    assert isinstance(found["wide"], Ended)
    told = (tmp_path / "events").read_text().splitlines()
    assert told.count("begin large") == 2
    assert told[-2:] == ["begin large", "end large"]
    assert told.index("end wide") < len(told) - 2


def test_what_a_process_is_started_with(monkeypatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("RANK", "3")
    found = pool._environment(0, 0)
    assert found["OMP_NUM_THREADS"] == "1"
    assert "glibc.malloc.tcache_count" in found["GLIBC_TUNABLES"]
    assert "RANK" not in found
    assert "CUDA_VISIBLE_DEVICES" not in found or "CUDA_VISIBLE_DEVICES" in os.environ


@pytest.mark.parametrize(("visible", "dealt"), [(None, ["0", "1", "0"]), ("4,6", ["4", "6", "4"])])
def test_gpus_are_dealt_out(monkeypatch, visible, dealt) -> None:
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [pool._environment(slot, 2)["CUDA_VISIBLE_DEVICES"] for slot in range(3)] == dealt


def test_who_stops_asking_leaves_no_process(make_jobs, tmp_path) -> None:
    """Each gets one SIGTERM, and may use it to save."""
    events = run_in_processes(make_jobs({"a": "wait", "b": "wait", "c": ""}), at_once=2)
    for _ in events:
        if (tmp_path / "events").exists() and (tmp_path / "events").read_text().count("ready") == 2:
            break
    events.close()
    told = (tmp_path / "events").read_text().splitlines()
    assert {"signal15 a", "signal15 b"} <= set(told)
    assert "begin c" not in told


def test_a_process_ends_with_whoever_started_it(make_jobs, tmp_path) -> None:
    """As when the first process is killed: its end of the connection closes, and no signal comes from it."""
    worker = pool._start(None, 0, 0, [])
    worker.connection.send_bytes(pickle.dumps(make_jobs({"a": "wait"})[0]))
    while not (tmp_path / "events").exists() or "ready" not in (tmp_path / "events").read_text():
        time.sleep(0.01)
    worker.connection.close()
    assert worker.process.wait(timeout=100) == 1
    assert "signal15 a" in (tmp_path / "events").read_text()


def test_plugins_are_loaded_first(make_jobs, tmp_path) -> None:
    missing: Path = tmp_path / "none.py"
    found = ends(make_jobs({"a": ""}), plugins=[missing])
    assert "none.py" in found["a"].reason
    assert not (tmp_path / "events").exists()


def test_nothing_to_do_starts_no_thread_and_no_process() -> None:
    before = threading.active_count()
    assert list(run_in_processes([], at_once=3)) == []
    assert threading.active_count() == before
