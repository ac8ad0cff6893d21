"""``probe``: its table and files, continuing after an interruption, and invalid arguments."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nmt_lstm.lab.experiment import execution
from nmt_lstm.lab.experiment.pool import Failed, Finished, Progress
from nmt_lstm.training.interruption import TrainingInterrupted

TINY = ("--steps", "4", "--hidden-size", "4", "--batch-size", "4", "--learning-rates", "0.01")


@pytest.fixture
def runs(monkeypatch) -> list:
    """The runs, all done in this process; those of a cell with the option nonlinearity=relu fail."""
    runs = []

    def run_here(jobs, *, plugins, **_):
        for job in jobs:
            runs.append(job.run)
            if job.run.cell.options.get("nonlinearity") == "relu":
                yield Failed(job, "out of luck")
                continue
            messages: list[Progress] = []
            result = job.perform(lambda text, job=job: messages.append(Progress(job, text)))  # noqa: B023
            yield from messages
            yield Finished(job, result)

    monkeypatch.setattr(execution, "run_in_processes", run_here)
    return runs


def rows(text: str) -> list[list[str]]:
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]


def test_tables_plots_and_a_report_are_written(command, runs, tmp_path) -> None:
    options = ("--cells", "rnn,lstm:forget_bias=2", "--tasks", "adding,dyck", "--lengths", "4,6")
    finished = command("probe", *options, *TINY, "-o", "p")
    assert finished.status == 0, finished.err
    table = rows(finished.text)
    assert ["task", "length", "baseline", "rnn", "lstm:forget_bias=2"] in table
    assert ["longest length solved", "rnn", "lstm:forget_bias=2"] in table
    assert [row[:3] for row in table if row[0] in ("adding", "dyck") and len(row) == 5] == [
        ["adding", "4", "0.167"], ["adding", "6", "0.167"], ["dyck", "4", "0.693"], ["dyck", "6", "0.693"],
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == [
        "gradient-flow.svg", "learning-curves.svg", "probe.svg", "report.md", "results.jsonl",
    ]  # fmt: skip
    assert len((tmp_path / "p" / "results.jsonl").read_text().splitlines()) == 8
    assert "8 runs, " in finished.err
    assert re.search(
        r"\[8/8\] dyck, length 4, lstm:forget_bias=2, seed 1: not solved \(steps\), loss ", finished.err
    )
    report = (tmp_path / "p" / "report.md").read_text()
    assert (
        "nmt-lstm probe --cells rnn,lstm:forget_bias=2 --tasks adding,dyck --lengths 4,6 --seeds 1 --steps 4 "
        "--learning-rates 0.01 --hidden-size 4 --batch-size 4 -o p\n"
    ) in report


def test_a_repeated_command_does_only_the_missing_runs(command, runs) -> None:
    arguments = ("probe", "--cells", "rnn", "--tasks", "adding", *TINY, "-o", "p", "--lengths")
    first = command(*arguments, "4")
    again = command(*arguments, "4")
    assert len(runs) == 1
    assert "1 of 1 run is already finished." in again.err
    assert again.out == first.out
    extended = command(*arguments, "4,6")
    assert [run.length for run in runs] == [4, 6]
    assert "1 of 2 runs is already finished." in extended.err


def test_all_tasks_seeds_and_a_plugin(command, runs, plugin_code, tmp_path) -> None:
    (tmp_path / "my mine.py").write_text(plugin_code)
    options = ("--plugin", "my mine.py", "--cells", "mine", "--tasks", "all", "--seeds", "3,0")
    finished = command("probe", *options, "--lengths", "4", *TINY, "-o", "p")
    assert finished.status == 0, finished.err
    assert {run.task for run in runs} == {"adding", "copy", "parity", "dyck", "sort", "sine"}
    assert {run.seed for run in runs} == {0, 3}
    assert "--plugin 'my mine.py'" in (tmp_path / "p" / "report.md").read_text()


def test_a_failed_run_is_named_and_the_others_are_kept(command, runs) -> None:
    options = ("--cells", "rnn:nonlinearity=relu,rnn", "--tasks", "adding", "--lengths", "4")
    finished = command("probe", *options, *TINY, "-o", "p")
    assert finished.status == 1
    assert "[1/2] adding, length 4, rnn:nonlinearity=relu, seed 1: failed: out of luck" in finished.err
    error = finished.err.splitlines()[-1]
    assert "1 of 2 runs failed" in error
    assert "rnn:nonlinearity=relu, seed 1: out of luck" in error
    assert "adding" in finished.text
    assert "Runs without a result: 1." in Path("p/report.md").read_text()


def test_the_progress_of_running_runs_is_shown(command, runs, monkeypatch) -> None:
    monkeypatch.setattr("nmt_lstm.lab.experiment.execution._PROGRESS_INTERVAL", 0.0)
    finished = command("probe", "--cells", "rnn", "--tasks", "adding", "--lengths", "4", *TINY, "-o", "p")
    assert re.search(r"^  adding, length 4, rnn, seed 1: step 4 at 0.01, loss \d", finished.err, re.MULTILINE)


def test_ctrl_c_keeps_finished_runs(command, runs, monkeypatch, tmp_path, capsysbinary) -> None:
    run_here = execution.run_in_processes

    def interrupted(jobs, **options):
        yield from run_here(jobs[:1], **options)
        for event in run_here(jobs[1:2], **options):
            if isinstance(event, Finished):
                signal.raise_signal(signal.SIGINT)
            yield event
        raise AssertionError("asked for more")

    arguments = ("probe", "--cells", "rnn", "--tasks", "adding", "--lengths", "4,6,8", *TINY, "-o", "p")
    with monkeypatch.context() as patch:
        patch.setattr(execution, "run_in_processes", interrupted)
        with pytest.raises(TrainingInterrupted) as caught:
            command(*arguments)
    assert caught.value.code == 130
    notes = capsysbinary.readouterr().err.decode()
    assert "2 of 3 runs are finished" in notes
    assert "\n  nmt-lstm probe --cells rnn" in notes
    assert (tmp_path / "p" / "probe.svg").is_file()
    again = command(*arguments)
    assert "2 of 3 runs are already finished." in again.err
    assert [run.length for run in runs] == [8, 6, 4]


def test_ctrl_c_at_a_terminal_ends_all_processes(plugin_code, tmp_path) -> None:
    # The first run ends at once, the second one never.
    (tmp_path / "mine.py").write_text(
        plugin_code.replace("        return", "        while len(x.candidate) == 4: pass\n        return")
    )
    arguments = ["probe", "--cells", "rnn,mine", "--tasks", "adding", "--lengths", "4", "--jobs", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "nmt_lstm", *arguments, *TINY, "--plugin", "mine.py", "-o", "p"],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    notes = [process.stderr.readline() for _ in range(2)]
    assert notes[1].startswith("[1/2] adding, length 4, rnn, seed 1: not solved (steps)"), notes
    os.killpg(process.pid, signal.SIGINT)
    # The ends of its pipes are closed when the last process that holds them has ended.
    out, err = process.communicate(timeout=100)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "1 of 2 runs are finished" in err
    assert "adding" in out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--cells", "lstn"], 1, "Did you mean 'lstm'?"),
        (["--cells", "lstm:forget_bais=1"], 1, "Did you mean 'forget_bias'?"),
        (["--tasks", "adding,parety"], 2, "Did you mean 'parity'?"),
        (["--lengths", "50,x"], 2, "--lengths: 'x'"),
        (["--lengths", "0"], 2, "--lengths: '0'"),
        (["--lengths", "1"], 2, "'adding': length 1"),
        (["--lengths", ","], 2, "--lengths: ''"),
        (["--seeds", "-1"], 2, "--seeds: '-1'"),
        (["--learning-rates", "0.1,-1"], 2, "--learning-rates: '-1'"),
        (["--learning-rates", "fast"], 2, "--learning-rates: 'fast'"),
        (["--clip-norm", "inf"], 2, "--clip-norm is inf"),
        (["--time-limit", "soon"], 2, "--time-limit 'soon'"),
        (["--time-limit", ""], 2, "'--time-limit' is empty"),
        (["--jobs", "0"], 2, "'--jobs'"),
        (["--plugin", "gone.py"], 1, "plugin file 'gone.py' does not exist"),
        (["-o", "thesis"], 2, "does not contain probes"),
    ],
)  # fmt: skip
def test_invalid_arguments_are_one_line_and_write_nothing(
    command, runs, tmp_path, arguments, status, message
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("")
    output = () if "-o" in arguments else ("-o", "p")
    finished = command("probe", *output, *arguments)
    assert finished.status == status
    assert message in finished.error
    assert not runs
    assert not (tmp_path / "p").exists()


def test_results_in_a_newer_format_are_an_error(command, runs, tmp_path) -> None:
    (tmp_path / "p").mkdir()
    newer = json.dumps({"format": "nmt-lstm probe", "format_version": 7})
    (tmp_path / "p" / "results.jsonl").write_text(newer + "\n")
    finished = command("probe", "-o", "p")
    assert finished.status == 1
    assert "format 7" in finished.error
    assert (tmp_path / "p" / "results.jsonl").read_text() == newer + "\n"


def test_the_clipping_norm_may_be_a_fraction(command, runs) -> None:
    options = ("--cells", "rnn", "--tasks", "adding", "--lengths", "4", *TINY, "--clip-norm", "0.5")
    assert command("probe", *options, "-o", "p").status == 0
    assert [run.settings.clip_norm for run in runs] == [0.5]


def test_defaults_are_those_of_the_settings(command, monkeypatch) -> None:
    from nmt_lstm.lab.probes.run import ProbeSettings

    planned = []

    def run_none(jobs, **_):
        planned.extend(job.run for job in jobs)
        yield from ()

    monkeypatch.setattr(execution, "run_in_processes", run_none)
    assert command("probe", "-o", "p").status == 0
    assert len(planned) == 18
    assert {run.settings for run in planned} == {ProbeSettings()}
