"""Processes of their own: results as in this process, and a cell that fails, hangs up or is killed takes no other with it."""

from __future__ import annotations

import multiprocessing
import signal
import threading

import pytest

from nmt_lstm.lab.probes import workers
from nmt_lstm.lab.probes.record import RunRecord
from nmt_lstm.lab.probes.training import Progress, train_probe
from nmt_lstm.lab.probes.workers import run_in_processes
from nmt_lstm.registry import load_plugin_file

PLUGIN = '''"""Cells that fail."""
import os, signal, torch
from nmt_lstm import CELLS
from nmt_lstm.cells.rnn import RNN


@CELLS.register("probed_raising")
class Raising(RNN):
    def step(self, inputs, state):
        raise RuntimeError("no such\\nluck")


@CELLS.register("probed_killed")
class Killed(RNN):
    def step(self, inputs, state):
        os.kill(os.getpid(), signal.SIGKILL)

'''


def test_runs_that_end_badly_are_told_and_the_others_end_well(tmp_path, make_run) -> None:
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    load_plugin_file(str(path))
    names = ("probed_killed", "gru", "probed_raising", "rnn")
    runs = [make_run(name) for name in names]
    events = list(run_in_processes(runs, jobs=2, plugins=[str(path)]))
    ends = {event.run.cell.name: event for event in events if not isinstance(event, Progress)}
    assert set(ends) == set(names)
    assert (
        ends["probed_killed"].reason
        == "its process was ended by SIGKILL (the system may have run out of memory)"
    )
    reason = ends["probed_raising"].reason
    assert all(
        word in reason for word in (str(path), "line 10", "RuntimeError: no such luck", "plugins check")
    )
    assert sum(isinstance(event, Progress) for event in events) == 8
    for name in ("gru", "rnn"):
        assert isinstance(ends[name], RunRecord)
        here = train_probe(make_run(name))
        assert ends[name].attempts == here.attempts
        assert ends[name].gradient_flow == here.gradient_flow


def test_a_plugin_that_a_process_cannot_load_is_told(tmp_path) -> None:
    assert workers._load([str(tmp_path / "gone.py")]).endswith("gone.py' does not exist or is not a file.")
    assert workers._load([]) == ""


def test_who_stops_asking_leaves_no_process(make_run) -> None:
    events = run_in_processes([make_run(steps=10**6)], jobs=3)
    assert isinstance(next(events), Progress)
    (process,) = multiprocessing.active_children()
    events.close()
    assert not process.is_alive()
    assert process.exitcode == -signal.SIGTERM


def test_ctrl_c_is_heard_again_after_a_process_has_started() -> None:
    before = signal.getsignal(signal.SIGINT)
    with workers._without_interrupts():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGINT) is before
    seen = []

    def elsewhere() -> None:
        with workers._without_interrupts():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [before]
    with pytest.raises(KeyError), workers._without_interrupts():
        raise KeyError
    assert signal.getsignal(signal.SIGINT) is before
