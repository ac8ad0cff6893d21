"""Results: which runs they settle."""

from __future__ import annotations

from nmt_lstm.lab.probes.result import results_of


def test_a_run_out_of_time_is_repeated_with_more_time(make_run, make_result) -> None:
    run, longer, shorter = make_run(time_limit=10), make_run(time_limit=20), make_run(time_limit=5)
    out_of_time = make_result(run, stopped="time limit")
    assert results_of([run], [out_of_time]) == {run.identity: out_of_time}
    assert results_of([shorter], [out_of_time]) == {run.identity: out_of_time}
    assert results_of([longer], [out_of_time]) == {}
    complete = make_result(run)
    assert results_of([longer], [out_of_time, complete]) == {run.identity: complete}


def test_results_of_other_runs_do_not_settle_a_run(make_run, make_result) -> None:
    assert results_of([make_run(seed=2)], [make_result(make_run(seed=1))]) == {}
    assert not make_result(make_run(seed=1)).settles(make_run(seed=2))
