"""What is done and what is passed over."""

from __future__ import annotations

import pytest

from nmt_lstm.lab.probes import execution
from nmt_lstm.lab.probes.execution import results_of, run_missing
from nmt_lstm.lab.probes.results_file import ResultsFile
from nmt_lstm.lab.probes.workers import Failure


@pytest.fixture
def asked(monkeypatch, make_record) -> list:
    """Runs that were asked of the processes; those of seed 9 fail."""
    asked = []

    def stand_in(runs, *, jobs, plugins):
        asked.extend(runs)
        for run in runs:
            yield Failure(run, "it failed") if run.seed == 9 else make_record(run)

    monkeypatch.setattr(execution, "run_in_processes", stand_in)
    return asked


def test_finished_runs_are_not_repeated_and_failed_ones_are(tmp_path, asked, make_run) -> None:
    results = ResultsFile(tmp_path)
    runs = [make_run(seed=seed) for seed in (1, 9, 2)]
    events = list(run_missing(runs, results, jobs=1))
    assert [type(event).__name__ for event in events] == ["RunRecord", "Failure", "RunRecord"]
    assert [record.run.seed for record in results.read()] == [1, 2]
    asked.clear()
    list(run_missing([*runs, make_run(seed=3)], results, jobs=1))
    assert [run.seed for run in asked] == [9, 3]
    assert [record.run.seed for record in results.read()] == [1, 2, 3]


def test_long_runs_come_first(tmp_path, asked, make_run) -> None:
    list(run_missing([make_run(length=length) for length in (4, 20, 10)], ResultsFile(tmp_path), jobs=1))
    assert [run.length for run in asked] == [20, 10, 4]


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
