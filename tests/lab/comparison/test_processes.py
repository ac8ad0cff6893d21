"""Runs as processes: order, number at a time, failures of one, signals, and what each is started with."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from nmt_lstm.lab.comparison.folder import ComparisonFolder
from nmt_lstm.lab.comparison.processes import Job, run_jobs
from nmt_lstm.training.interruption import TrainingInterrupted

# Stands in for a training: notes its beginning and end, and does what the file beside its records says.
SCRIPT = """
import json, os, pathlib, signal, sys, time
model, records, test = sys.argv[1:4]
place = pathlib.Path(records)
events = place.parent / "events"
def note(what):
    with events.open("a") as file:
        file.write(f"{what} {place.name}\\n")
note("begin")
(place / "seen.json").write_text(json.dumps({"arguments": sys.argv[1:], "environment": dict(os.environ)}))
print("validation at step 7:  BLEU 3", flush=True)
print("something else", flush=True)
order = (place.parent / f"{place.name}.order").read_text() if (place.parent / f"{place.name}.order").exists() else ""
if order == "fail":
    print("nmt-lstm: error: it is broken.", file=sys.stderr)
    sys.exit(2)
if order == "crash":
    raise ValueError("a traceback")
if order == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if order == "nothing":
    sys.exit(0)
if order == "wait":
    def stop(number, frame):
        note(f"signal{number}")
        sys.exit(130)
    signal.signal(signal.SIGINT, stop)
    note("ready")
    time.sleep(30)
(place / "result.json").write_text((place.parent / "result").read_text())
note("end")
"""


@pytest.fixture
def run(tmp_path: Path, make_result: Any):
    """Return a function that runs jobs with the stand-in; it returns failures, events and what was said."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    folder = ComparisonFolder(tmp_path / "report")
    records = folder.folder / "records"
    records.mkdir(parents=True)
    (records / "result").write_text(make_result().model_dump_json())
    said: list[str] = []

    def go(orders: dict[str, str], *, at_once: int = 1, gpus: int = 0, plugins=(), say=None):
        for name, order in orders.items():
            (records / f"{name}.order").write_text(order)
        failures = run_jobs(
            [Job(name, folder.files(name)) for name in orders],
            test_source=tmp_path / "test.src",
            plugins=plugins,
            at_once=at_once,
            gpus=gpus,
            say=say or said.append,
            program=(sys.executable, str(script)),
        )
        return failures, (records / "events").read_text().splitlines(), said

    return go


def seen(tmp_path: Path, name: str) -> dict[str, Any]:
    return json.loads((tmp_path / "report" / "records" / name / "seen.json").read_text())


def test_one_after_another(run) -> None:
    failures, events, said = run({"a": "", "b": ""})
    assert failures == {}
    assert events == ["begin a", "end a", "begin b", "end b"]
    assert said[0] == "a: started, 1 more to come"
    assert any(re.fullmatch(r"a: done after \d+s; about \d+s left", line) for line in said)
    assert "a: validation at step 7:  BLEU 3" in said
    assert not any("something else" in line for line in said)
    assert said[-1].startswith("b: done after ")


def test_several_at_a_time(run) -> None:
    """Two of three begin before any ends; the third takes the place of the first that does."""
    _, events, _ = run({"a": "", "b": "", "c": ""}, at_once=2)
    assert sorted(events) == sorted(f"{what} {name}" for what in ("begin", "end") for name in "abc")
    assert events.index("begin c") > min(events.index("end a"), events.index("end b"))


def test_a_failure_does_not_stop_the_others(run) -> None:
    failures, events, said = run({"a": "fail", "b": "crash", "c": "killed", "d": "nothing", "e": ""})
    assert failures["a"] == "it is broken."
    assert failures["b"].startswith("it ended with status 1; see ")
    assert failures["c"].startswith("it was ended by SIGKILL (the system may have run out of memory); see ")
    assert failures["d"].startswith("it ended with status 0; see ")
    assert set(failures) == {"a", "b", "c", "d"}
    assert events[-1] == "end e"
    assert any(line.startswith("a: failed: it is broken. after ") for line in said)


def test_what_a_run_is_started_with(run, tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("RANK", "3")
    run({"a": ""}, plugins=[Path("x.py"), Path("y.py")])
    started = seen(tmp_path, "a")
    assert started["arguments"][3:] == ["--plugin", "x.py", "--plugin", "y.py"]
    assert started["arguments"][0].endswith("runs/a")
    assert started["environment"]["OMP_NUM_THREADS"] == "1"
    assert "glibc.malloc.tcache_count" in started["environment"]["GLIBC_TUNABLES"]
    assert "RANK" not in started["environment"]
    assert "CUDA_VISIBLE_DEVICES" not in started["environment"] or "CUDA_VISIBLE_DEVICES" in os.environ


def test_gpus_are_dealt_out(run, tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    run({"a": "", "b": "", "c": ""}, at_once=3, gpus=2)
    devices = [seen(tmp_path, name)["environment"]["CUDA_VISIBLE_DEVICES"] for name in "abc"]
    assert devices == ["0", "1", "0"]


def test_gpus_that_were_chosen_outside_are_dealt_out(run, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    run({"a": "", "b": ""}, at_once=2, gpus=2)
    assert [seen(tmp_path, name)["environment"]["CUDA_VISIBLE_DEVICES"] for name in "ab"] == ["4", "6"]


def test_a_signal_reaches_every_run_once_and_nothing_new_begins(run, tmp_path) -> None:
    events = tmp_path / "report" / "records" / "events"

    def interrupt() -> None:
        while not events.exists() or events.read_text().count("ready") < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(TrainingInterrupted) as caught:
        run({"a": "wait", "b": "wait", "c": ""}, at_once=2)
    assert caught.value.code == 130
    told = events.read_text().splitlines()
    assert sorted(line for line in told if line.startswith("signal")) == ["signal2 a", "signal2 b"]
    assert "begin c" not in told


def test_a_second_session_tells_only_what_is_new(run) -> None:
    run({"a": "fail"})
    _, _, said = run({"a": ""})
    assert said.count("a: validation at step 7:  BLEU 3") == 2  # one of each session
