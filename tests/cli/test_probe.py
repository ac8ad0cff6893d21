"""probe: the table, the files it leaves, going on, ctrl-C, and what it refuses."""

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
PLUGIN = """
import torch
from nmt_lstm import CELLS, GatedCell

@CELLS.register("probed_mine")
class Mine(GatedCell):
    gates = ("candidate",)

    def update(self, x, h, state):
        return (torch.tanh(x.candidate + h.candidate),)
"""


@pytest.fixture
def done(monkeypatch) -> list:
    """Runs are done in this process, and noted; a cell with the option nonlinearity=relu fails."""
    done = []

    def here(jobs, *, plugins, **_):
        for job in jobs:
            done.append(job.run)
            if job.run.cell.options.get("nonlinearity") == "relu":
                yield Failed(job, "out of luck")
                continue
            told: list[Progress] = []
            result = job.perform(lambda text, job=job: told.append(Progress(job, text)))  # noqa: B023
            yield from told
            yield Finished(job, result)

    monkeypatch.setattr(execution, "run_in_processes", here)
    return done


def rows(text: str) -> list[list[str]]:
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]


def test_a_table_pictures_and_a_report(command, done, tmp_path) -> None:
    finished = command(
        "probe",
        "--cells",
        "rnn,lstm:forget_bias=2",
        "--tasks",
        "adding,dyck",
        "--lengths",
        "4,6",
        *TINY,
        "-o",
        "p",
    )
    assert finished.status == 0, finished.err
    table = rows(finished.out.decode())
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


def test_the_same_command_repeats_nothing_and_another_adds(command, done) -> None:
    arguments = ("probe", "--cells", "rnn", "--tasks", "adding", *TINY, "-o", "p", "--lengths")
    first = command(*arguments, "4")
    again = command(*arguments, "4")
    assert len(done) == 1
    assert "1 of 1 runs are already finished." in again.err
    assert again.out == first.out
    more = command(*arguments, "4,6")
    assert [run.length for run in done] == [4, 6]
    assert "1 of 2 runs are already finished." in more.err


def test_all_tasks_seeds_and_a_plugin(command, done, tmp_path) -> None:
    (tmp_path / "my mine.py").write_text(PLUGIN)
    options = ("--plugin", "my mine.py", "--cells", "probed_mine", "--tasks", "all", "--seeds", "3,0")
    finished = command("probe", *options, "--lengths", "4", *TINY, "-o", "p")
    assert finished.status == 0, finished.err
    assert {run.task for run in done} == {"adding", "copy", "parity", "dyck", "sort", "sine"}
    assert {run.seed for run in done} == {0, 3}
    assert "--plugin 'my mine.py'" in (tmp_path / "p" / "report.md").read_text()


def test_failed_runs_are_named_and_lose_no_others(command, done) -> None:
    finished = command(
        "probe",
        "--cells",
        "rnn:nonlinearity=relu,rnn",
        "--tasks",
        "adding",
        "--lengths",
        "4",
        *TINY,
        "-o",
        "p",
    )
    assert finished.status == 1
    assert "[1/2] adding, length 4, rnn:nonlinearity=relu, seed 1: failed: out of luck" in finished.err
    assert finished.err.splitlines()[-1] == (
        "nmt-lstm: error: 1 of 2 runs failed, the first one (adding, length 4, rnn:nonlinearity=relu, seed 1: out of luck); "
        "the others are kept, and the same command tries these again."
    )
    assert "adding" in finished.out.decode()
    assert "Runs without a result yet: 1." in Path("p/report.md").read_text()


def test_runs_at_work_are_shown_from_time_to_time(command, done, monkeypatch) -> None:
    monkeypatch.setattr("nmt_lstm.lab.experiment.execution._PROGRESS_INTERVAL", 0.0)
    finished = command("probe", "--cells", "rnn", "--tasks", "adding", "--lengths", "4", *TINY, "-o", "p")
    assert re.search(r"^  adding, length 4, rnn, seed 1: step 4 at 0.01, loss \d", finished.err, re.MULTILINE)


def test_ctrl_c_keeps_what_is_finished(command, done, monkeypatch, tmp_path, capsysbinary) -> None:
    here = execution.run_in_processes

    def interrupted(jobs, **options):
        yield from here(jobs[:1], **options)
        for event in here(jobs[1:2], **options):
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
    told = capsysbinary.readouterr().err.decode()
    assert "2 of 3 runs are finished and kept. To continue:\n  nmt-lstm probe --cells rnn" in told
    assert (tmp_path / "p" / "probe.svg").is_file()
    again = command(*arguments)
    assert "2 of 3 runs are already finished." in again.err
    assert [run.length for run in done] == [8, 6, 4]


def test_ctrl_c_at_a_terminal_ends_all_processes(tmp_path) -> None:
    # The first run ends at once, the second one never.
    (tmp_path / "mine.py").write_text(
        PLUGIN.replace("        return", "        while len(x.candidate) == 4: pass\n        return")
    )
    arguments = ["probe", "--cells", "rnn,probed_mine", "--tasks", "adding", "--lengths", "4", "--jobs", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "nmt_lstm", *arguments, *TINY, "--plugin", "mine.py", "-o", "p"],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    told = [process.stderr.readline() for _ in range(2)]
    assert told[1].startswith("[1/2] adding, length 4, rnn, seed 1: not solved (steps)"), told
    os.killpg(process.pid, signal.SIGINT)
    # The ends of its pipes are closed when the last process that holds them has ended.
    out, err = process.communicate(timeout=100)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "1 of 2 runs are finished and kept." in err
    assert "adding" in out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--cells", "lstn"], 1, "unknown cell 'lstn'. Did you mean 'lstm'? Known: gru (nmt-lstm "),
        (["--cells", "lstm:forget_bais=1"], 1, "unknown option 'forget_bais'. Did you mean 'forget_bias'?"),
        (["--tasks", "adding,parety"], 2, "unknown task 'parety'. Did you mean 'parity'? Known: adding, copy, parity, "),
        (["--lengths", "50,x"], 2, "--lengths: 'x' is no whole number from 1 to 100,000; write numbers with commas "),
        (["--lengths", "0"], 2, "--lengths: '0' is no whole number from 1 to 100,000"),
        (["--lengths", "1"], 2, "the task 'adding' has no length 1: it must be at least 2."),
        (["--lengths", ","], 2, "--lengths names nothing; write names with commas between them."),
        (["--seeds", "-1"], 2, "--seeds: '-1' is no whole number from 0 to 100,000"),
        (["--learning-rates", "0.1,-1"], 2, "--learning-rates: '-1' is no number above 0, up to 10; write numbers"),
        (["--learning-rates", "fast"], 2, "--learning-rates: 'fast' is no number above 0"),
        (["--time-limit", "soon"], 2, "--time-limit 'soon' must be a duration such as"),
        (["--time-limit", ""], 2, "--time-limit is empty; give a duration such as 2m."),
        (["--jobs", "0"], 2, "'--jobs'"),
        (["--plugin", "gone.py"], 1, "plugin file 'gone.py' does not exist"),
        (["-o", "thesis"], 2, "not hold probes (chapter.tex)"),
    ],
)  # fmt: skip
def test_refusals_are_one_line_and_leave_nothing(command, done, tmp_path, arguments, status, message) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("")
    output = () if "-o" in arguments else ("-o", "p")
    finished = command("probe", *output, *arguments)
    assert finished.status == status
    assert finished.err.startswith("nmt-lstm: error: ")
    assert message in finished.err
    assert len(finished.err.splitlines()) == 1
    assert not done
    assert not (tmp_path / "p").exists()


def test_results_of_a_newer_version_are_refused(command, done, tmp_path) -> None:
    (tmp_path / "p").mkdir()
    newer = json.dumps({"format": "nmt-lstm probe", "format_version": 7})
    (tmp_path / "p" / "results.jsonl").write_text(newer + "\n")
    finished = command("probe", "-o", "p")
    assert finished.status == 1
    assert (
        "was written by a newer nmt-lstm (format 7, this one reads up to 1); upgrade nmt-lstm" in finished.err
    )
    assert len(finished.err.splitlines()) == 1
    assert (tmp_path / "p" / "results.jsonl").read_text() == newer + "\n"


def test_help_loads_no_torch() -> None:
    script = "import sys\nfrom nmt_lstm.cli.app import main\nmain(['probe', '--help'])\nsys.exit('torch' in sys.modules)"
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert finished.returncode == 0
    assert "nmt-lstm probe --cells rnn,gru,lstm --tasks adding,copy -o probes" in finished.stdout


def test_defaults_are_those_of_the_settings(command, monkeypatch) -> None:
    from nmt_lstm.lab.probes.run import ProbeSettings

    wanted = []

    def none_of(jobs, **_):
        wanted.extend(job.run for job in jobs)
        yield from ()

    monkeypatch.setattr(execution, "run_in_processes", none_of)
    assert command("probe", "-o", "p").status == 0
    assert len(wanted) == 18
    assert {run.settings for run in wanted} == {ProbeSettings()}
