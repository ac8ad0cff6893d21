"""Probes as jobs: results as in this process, failures with the line of the cell, and what needs not be done again."""

from __future__ import annotations

from nmt_lstm.lab.experiment.pool import Ended, Failed, Told, run_in_processes
from nmt_lstm.lab.probes.job import ProbeJob, results_of
from nmt_lstm.lab.probes.training import train_probe
from nmt_lstm.registry import load_plugin_file

PLUGIN = '''"""A cell that fails."""
import torch
from nmt_lstm import CELLS
from nmt_lstm.cells.rnn import RNN


@CELLS.register("probed_raising")
class Raising(RNN):
    def step(self, inputs, state):
        raise RuntimeError("no such\\nluck")
'''


def job_of(run) -> ProbeJob:
    return ProbeJob(run.identity, str(run), run)


def test_a_process_finds_what_is_found_here(make_run) -> None:
    jobs = [job_of(make_run(name)) for name in ("gru", "rnn")]
    events = [event for event in run_in_processes(jobs, at_once=1) if event]
    assert sum(isinstance(event, Told) for event in events) == 8
    records = {event.job.key: event.result for event in events if isinstance(event, Ended)}
    for job in jobs:
        here = train_probe(job.run)
        assert records[job.key].attempts == here.attempts
        assert records[job.key].gradient_flow == here.gradient_flow
        assert f"loss {here.loss:.3g} " in job.outcome(here)


def test_a_cell_that_fails_is_told_with_its_line(tmp_path, make_run) -> None:
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    load_plugin_file(str(path))
    events = run_in_processes([job_of(make_run("probed_raising"))], at_once=1, plugins=[path])
    (failure,) = [event for event in events if isinstance(event, Failed)]
    assert all(word in failure.reason for word in (str(path), "line 10", "RuntimeError: no such luck"))


def test_a_run_cut_short_is_repeated_when_it_gets_more_time(make_run, make_record) -> None:
    run, longer, shorter = make_run(time_limit=10), make_run(time_limit=20), make_run(time_limit=5)
    cut = make_record(run, stopped="time limit")
    assert results_of([run], [cut]) == {run.identity: cut}
    assert results_of([shorter], [cut]) == {run.identity: cut}
    assert results_of([longer], [cut]) == {}
    whole = make_record(run)
    assert results_of([longer], [cut, whole]) == {run.identity: whole}


def test_another_run_is_not_taken_for_this_one(make_run, make_record) -> None:
    assert results_of([make_run(seed=2)], [make_record(make_run(seed=1))]) == {}
    assert not make_record(make_run(seed=1)).settles(make_run(seed=2))
