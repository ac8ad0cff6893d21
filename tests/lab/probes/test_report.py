"""The report: what was found, what it was found with, and pictures beside it."""

from __future__ import annotations

import pytest

from nmt_lstm.lab.probes.report import write_report
from nmt_lstm.lab.probes.summary import summarise


@pytest.fixture
def summary(make_run, make_record):
    solved = make_record(make_run("gru"), loss=0.02, stopped="solved", steps=1200, largest_gradient=7.5)
    return summarise(
        [("gru", solved), ("a|b", make_record(make_run("rnn"), loss=0.5, stopped="time limit"))],
        cells=["gru", "a|b"],
        tasks=["adding"],
    )


def test_the_report_says_what_was_found_and_how(tmp_path, summary, make_run) -> None:
    names = write_report(tmp_path, summary, make_run().settings, command="nmt-lstm probe -o x", missing=0)
    assert sorted(names) == sorted(path.name for path in tmp_path.iterdir())
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    for picture in names[:-1]:
        assert f"]({picture})" in text
        assert (tmp_path / picture).read_text(encoding="utf-8").startswith("<svg")
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


def test_it_says_where_gradients_exploded_and_whether_they_were_clipped(
    tmp_path, make_run, make_record
) -> None:
    run = make_run(clip_norm=0.0)
    summary = summarise(
        [("rnn", make_record(run, loss=None, stopped="diverged"))], cells=["rnn"], tasks=["adding"]
    )
    write_report(tmp_path, summary, run.settings, command="x", missing=0)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "| not finite |" in text
    assert "gradients not clipped" in text


def test_it_says_what_is_missing(tmp_path, summary, make_run) -> None:
    write_report(tmp_path, summary, make_run().settings, command="x", missing=3)
    assert "**Runs without a result yet: 3.**" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_a_cell_of_another_distribution_is_named_with_its_version(tmp_path, make_run, make_record) -> None:
    record = make_record().model_copy(
        update={
            "distribution": {"name": "sru", "target": "", "distribution": "nmt-lstm-sru", "version": "2.1"}
        }
    )
    summary = summarise([("gru", record)], cells=["gru"], tasks=["adding"])
    write_report(tmp_path, summary, make_run().settings, command="x", missing=0)
    assert "gru of nmt-lstm-sru 2.1" in (tmp_path / "report.md").read_text(encoding="utf-8")
