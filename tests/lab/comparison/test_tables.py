"""The tables of a comparison."""

from __future__ import annotations

from nmt_lstm.lab.comparison.description import sections_of
from nmt_lstm.lab.comparison.tables import cost_table, pair_table, quality_table, run_table


def test_gpu_memory_is_shown_if_there_is_a_gpu(make_report) -> None:
    gpu = {"device_bytes": 3 * 2**30, "device": "NVIDIA X"}
    report = make_report({"lstm": (4, 4), "gru": (3, 3)}, lstm=gpu, gru=gpu)
    table = cost_table(report.findings)
    assert table.columns[-1].title == "GPU memory, MiB"
    assert table.rows[0][-1].content == "3,072"
    assert ("trained on", "NVIDIA X; 2 run(s) at a time") in sections_of(report)[-1].facts


def test_only_significant_differences_are_called_worse(make_report) -> None:
    report = make_report()
    verdicts = [row[-1].content for row in quality_table(report.findings).rows]
    equal = len(report.findings.as_good_as_best())
    assert verdicts == ["best", *["within noise"] * (equal - 1), *["worse"] * (len(verdicts) - equal)]


def test_pairs_with_one_seed_have_no_p_value_with_seeds(make_report) -> None:
    rows = pair_table(make_report({"lstm": (4,), "gru": (2,)}).findings).rows
    assert rows[0][4].content == "–"


def test_every_run_has_a_row(make_report) -> None:
    names = [row[0] for row in run_table(make_report({"lstm": (4, 4), "gru": (3, 3)}).findings).rows]
    assert sorted(names) == ["gru-1", "gru-2", "lstm-1", "lstm-2"]
