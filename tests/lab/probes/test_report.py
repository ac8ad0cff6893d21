"""The report: results, settings and charts."""

from __future__ import annotations

import pytest

from nmt_lstm.lab.probes.report import write_report
from nmt_lstm.lab.probes.summary import summarise


@pytest.fixture
def summary(make_run, make_result):
    """A solved and an unsolved run."""
    solved = make_result(make_run("gru"), loss=0.02, stopped="solved", steps=1200, largest_gradient=7.5)
    return summarise(
        [("gru", solved), ("a|b", make_result(make_run("rnn"), loss=0.5, stopped="time limit"))],
        cells=["gru", "a|b"],
        tasks=["adding"],
    )


def test_the_report_has_results_settings_and_charts(tmp_path, summary, make_run) -> None:
    names = write_report(tmp_path, summary, make_run().settings, command="nmt-lstm probe -o x", missing=0)
    assert sorted(names) == sorted(path.name for path in tmp_path.iterdir())
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    for chart in names[:-1]:
        assert f"]({chart})" in text
        assert (tmp_path / chart).read_text(encoding="utf-8").startswith("<svg")
    assert "| task | gru | a\\|b |\n| --- | --- | --- |\n| adding | 4 | – |\n" in text
    assert "| adding | 4 | gru | 1,234 | 0.02 | 1 | 0.020 | 1 of 1 | 1,200 | 0.01 | 7.5 | 2 |\n" in text
    assert (
        "| adding | 4 | a\\|b | 1,234 | 0.5 | 1 | 0.500 | 0 of 1 | – | 0.01 | – | 2 (time limit) |\n" in text
    )
    assert "```sh\nnmt-lstm probe -o x\n```" in text
    assert "Arjovsky et al. 2016" in text
    assert "Adam at 0.01 then 0.001" in text
    assert "nmt-lstm 0.1.0, torch 2" in text
    assert "without a result" not in text


def test_exploding_gradients_and_missing_clipping_are_mentioned(tmp_path, make_run, make_result) -> None:
    run = make_run(clip_norm=0.0)
    summary = summarise(
        [("rnn", make_result(run, loss=None, stopped="diverged"))], cells=["rnn"], tasks=["adding"]
    )
    write_report(tmp_path, summary, run.settings, command="x", missing=0)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "| not finite |" in text
    assert "gradients not clipped" in text


def test_missing_runs_are_mentioned(tmp_path, summary, make_run) -> None:
    write_report(tmp_path, summary, make_run().settings, command="x", missing=3)
    assert "**Runs without a result: 3.**" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_a_cell_from_a_plugin_is_named_with_its_version(tmp_path, make_run, make_result) -> None:
    result = make_result().model_copy(
        update={
            "distribution": {"name": "sru", "target": "", "distribution": "nmt-lstm-sru", "version": "2.1"}
        }
    )
    summary = summarise([("gru", result)], cells=["gru"], tasks=["adding"])
    write_report(tmp_path, summary, make_run().settings, command="x", missing=0)
    assert "gru from nmt-lstm-sru 2.1" in (tmp_path / "report.md").read_text(encoding="utf-8")
