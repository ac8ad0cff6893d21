"""``compare``: the request that it makes, errors before any text is read, and complete comparisons."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from nmt_lstm.config.load import load_run, make_run
from nmt_lstm.lab.comparison.matching import Match


@pytest.fixture
def requests(monkeypatch) -> list:
    """The request and the folder of each comparison, which is replaced and trains nothing."""
    calls = []

    def compare(request, output, *, say):
        calls.append((request, output))
        return SimpleNamespace(
            findings=None,
            verdict=SimpleNamespace(headline="Take it.", cautions={"topic": "but"}),
            failures={"gru-2": "boom"} if "fails" in str(output) else {},
            html=output / "report.html",
            markdown=output / "report.md",
        )

    monkeypatch.setattr("nmt_lstm.lab.comparison.compare.compare", compare)
    table = SimpleNamespace(text=lambda: "table")
    for name in ("cost_table", "quality_table"):
        monkeypatch.setattr(f"nmt_lstm.lab.comparison.tables.{name}", lambda _: table)
    return calls


@pytest.fixture
def run_file(tmp_path: Path, parallel_files) -> Path:
    """A run file for the test corpus with a tiny network."""
    path = tmp_path / "run.toml"
    path.write_text(
        f"""
[data]
train_source = "{parallel_files.train_source}"
train_target = "{parallel_files.train_target}"
valid_source = "{parallel_files.valid_source}"
valid_target = "{parallel_files.valid_target}"
[subwords]
vocabulary_size = 300
[model]
embedding_size = 16
encoder = {{ hidden_size = 16 }}
decoder = {{ hidden_size = 16 }}
[training]
epochs = 2
batch_pieces = 1500
accelerator = "cpu"
precision = "float32"
tensorboard = false
[search]
beam_size = 1
"""
    )
    return path


def test_the_default_text_is_the_builtin_corpus(command, requests) -> None:
    finished = command("compare", "--cells", "rnn,gru,lstm", "-o", "report")
    assert finished.status == 0, finished.err
    ((request, output),) = requests
    assert output == Path("report")
    (factor,) = request.factors
    assert factor.keys == ("model.encoder.cell", "model.decoder.cell")
    assert factor.values == ("rnn", "gru", "lstm")
    assert request.seeds == (1, 2)
    assert request.match == Match(parameters=True, budget="updates")
    assert request.synthetic
    assert request.test_source.name == "test.en"
    assert request.test_target.name == "test.ja"
    assert request.values["data"]["prepared"].endswith("report/prepared")
    run = make_run(request.values)
    assert (run.training.max_steps, run.training.time_limit, run.training.average) == (1_500, "160s", "none")
    assert run.training.max_steps % run.training.validate_every == 0
    assert finished.lines[-1] == "Take it."
    assert "- but" in finished.err
    assert "report/report.html" in finished.err


def test_the_builtin_corpus_has_a_time_limit_for_matching(command, requests) -> None:
    command("compare", "--cells", "gru,lstm", "--match", "time", "-o", "report")
    assert make_run(requests[0][0].values).training.time_limit == "100s"


def test_all_options_reach_the_comparison(command, requests, run_file, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("nmt_lstm.lab.comparison.factors._MAX_VARIANTS", 32)
    for name in ("a", "b"):
        (tmp_path / name).write_text("a line\n")
    finished = command(
        "compare", run_file, "--cells", "gru,lstm", "--attentions", "dot,none", "--wirings", "gnmt,conditional",
        "--vary", "model.dropout=0.1,0.2", "--vary", "model.encoder.layers,model.decoder.layers=1,2",
        "--seeds", "3,4", "--match", "time", "--time-limit", "5m", "--jobs", "3", "-o", "out",
        "--test-source", "a", "--test-target", "b", "--set", "training.label_smoothing=0.2",
    )  # fmt: skip
    assert finished.status == 0, finished.err
    ((request, _),) = requests
    assert [factor.name for factor in request.factors] == [
        "cell", "attention", "decoder wiring", "model.dropout", "model.encoder.layers, model.decoder.layers"
    ]  # fmt: skip
    assert request.seeds == (3, 4)
    assert request.match == Match(parameters=False, budget="time")
    assert list(request.overrides) == ["training.time_limit=5m", "training.label_smoothing=0.2"]
    assert request.jobs == 3
    assert (request.test_source, request.test_target) == (Path("a"), Path("b"))
    assert request.folder == run_file.parent
    assert not request.synthetic


def test_failed_runs_are_reported_with_status_1(command, requests, run_file) -> None:
    finished = command("compare", run_file, "--cells", "gru,lstm", "-o", "fails")
    assert finished.status == 1
    assert "failed: gru-2: boom" in finished.err
    assert "Take it." in finished.lines


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--cells", "gru,lstn"], 1, "Did you mean 'lstm'?"),
        (["--attentions", "dot,bilinaer"], 1, "Did you mean 'bilinear'?"),
        (["--wirings", "gnmt,condicional"], 2, "Did you mean 'conditional'?"),
        (["--cells", "gru"], 2, "only 'gru'"),
        ([], 2, "nothing is varied"),
        (["--vary", "model.dropuot=0.1,0.2"], 2, "Did you mean 'model.dropout'?"),
        (["--vary", "model.dropout"], 2, "KEY=VALUE,VALUE"),
        (["--vary", "model.dropout=0.1,2"], 2, "model.dropout = 2 (from the command line)"),
        (["--cells", "gru,lstm", "--seeds", "1,x"], 2, "--seeds: 'x'"),
        (["--cells", "gru,lstm", "--seeds", "1,1"], 2, "--seeds: '1'"),
        (["--cells", "gru,lstm", "--match", "tiem"], 2, "Did you mean 'time'?"),
        (["--cells", "gru,lstm", "--match", "time"], 2, "--match time needs"),
        (["--cells", "gru,lstm", "--time-limit", "soon"], 2, "--time-limit 'soon'"),
        (["--vary", "model.decoder.hidden_size=8,16"], 2, "'model.decoder.hidden_size' is varied"),
        (["--vary", "model.embedding_size=16,2048"], 2, "'2048'"),
        (["--cells", "gru,lstm", "--set", 'training.callbacks=["fractions:Fractoin"]'], 2, "'Fraction'"),
        (["--vary", 'training.optimizer.name="sgd","no.module:X"'], 2, "'no.module:X'"),
        (["--cells", "gru,lstm", "--test-source", "a"], 2, "both --test-source and --test-target"),
        (["--cells", "gru,lstm", "--test-source", "a", "--test-target", "b"], 1, "'a' does not exist."),
    ],
)  # fmt: skip
def test_invalid_arguments_are_one_line(command, run_file, tmp_path, arguments, status, message) -> None:
    finished = command("compare", run_file, *arguments, "-o", "out")
    errors = [line for line in finished.err.splitlines() if line.startswith("nmt-lstm: error: ")]
    assert finished.status == status
    assert len(errors) == 1
    assert message in errors[0]
    assert finished.err.splitlines()[-1] == errors[0]
    assert not (tmp_path / "out" / "runs").exists()


def test_a_folder_with_unrelated_files_is_an_error(command, run_file, tmp_path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    finished = command("compare", run_file, "--cells", "gru,lstm", "-o", "mine")
    assert finished.status == 2
    assert "thesis.tex" in finished.error


def start(folder: Path, *arguments: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "nmt_lstm", "compare", *map(str, arguments)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


@pytest.mark.slow
def test_a_comparison_is_interrupted_resumed_and_extended(run_file, plugin_code, tmp_path) -> None:
    (tmp_path / "mine.py").write_text(plugin_code)
    options = [run_file, "--cells", "gru,mine", "--plugin", "mine.py", "-o", "report", "--jobs", "1"]
    first = start(tmp_path, *options, "--seeds", "1", "--set", "training.epochs=8")
    # gru comes first; when the second run has validated, the first is done and the second is not.
    slug = tmp_path / "report" / "records" / "mine-1" / "log.txt"
    for _ in range(3_000):
        if slug.exists() and "validation at step" in slug.read_text():
            break
        time.sleep(0.1)
        assert first.poll() is None, first.stderr.read().decode()
    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=120)
    assert first.returncode == 130, err.decode()
    assert "waiting for the runs to save" in err.decode()
    assert not (tmp_path / "report" / "report.html").exists()
    done = tmp_path / "report" / "records" / "gru-1" / "result.json"
    before = done.read_bytes()

    second = start(tmp_path, *options, "--seeds", "1", "--set", "training.epochs=8")
    out, err = second.communicate(timeout=300)
    assert second.returncode == 0, err.decode()
    assert "1 of 2 runs is already finished." in err.decode()
    assert "Resumed from" in slug.read_text()
    assert done.read_bytes() == before
    found = json.loads((tmp_path / "report" / "report.json").read_text())
    assert {each["name"] for each in found["variants"]} == {"gru", "mine"}
    assert [len(each["curve"]) for each in found["variants"]] == [8, 8]
    assert found["failures"] == {}
    assert found["headline"].encode() in out
    for name in ("report.md", "report.html"):
        assert found["headline"].split(":")[0] in (tmp_path / "report" / name).read_text()
    assert (tmp_path / "report" / "runs" / "mine-1" / "model.safetensors").exists()


@pytest.mark.slow
def test_a_failed_run_is_repeated_by_the_next_command(run_file, plugin_code, tmp_path) -> None:
    (tmp_path / "mine.py").write_text(
        plugin_code.replace(
            "        return", "        import pathlib; pathlib.Path('allowed').stat()\n        return"
        )
    )
    options = [run_file, *shlex.split("--cells rnn,mine --plugin mine.py -o report --seeds 1")]
    first = start(tmp_path, *options)
    out, err = first.communicate(timeout=300)
    assert first.returncode == 1, err.decode()
    assert re.search("failed: mine-1: .*FileNotFoundError", err.decode())
    assert b"Only rnn finished" in out
    (tmp_path / "allowed").touch()
    second = start(tmp_path, *options)
    out, err = second.communicate(timeout=300)
    assert second.returncode == 0, err.decode()
    assert "1 of 2 runs is already finished." in err.decode()


def test_all_variants_have_the_same_held_out_text(command, run_file, tmp_path, monkeypatch) -> None:
    lines = run_file.read_text().splitlines(keepends=True)
    run_file.write_text("".join(line for line in lines if not line.startswith("valid_")))
    monkeypatch.setattr(
        "nmt_lstm.lab.comparison.compare.run_missing", lambda jobs, **_: {job.name: "boom" for job in jobs}
    )
    for turn in range(2):  # the same command continues
        finished = command("compare", run_file, "--cells", "gru,lstm", "--seeds", "1", "-o", "out")
        assert "all 2 runs failed" in finished.err, turn
        assert "20 of 400 pairs are held out" in finished.err
    runs = [load_run(tmp_path / "out" / "records" / name / "run.toml") for name in ("gru-1", "lstm-1")]
    valid = tmp_path / "out" / "held-out" / "valid.src"
    assert [run.data.valid_source for run in runs] == [valid, valid]
    assert all(run.data.exclude_validation for run in runs)
    assert len(valid.read_text().splitlines()) == 20
