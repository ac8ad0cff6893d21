"""train: what reaches the training, and what is refused before any text is read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import torch

from nmt_lstm.training.output_folder import held_by_this_run

PLUGIN = """
from nmt_lstm.registry import CELLS
from nmt_lstm.cells.cell import Cell

@CELLS.register("{name}")
class Mine(Cell):
    '''A cell of mine.'''
    def __init__(self, input_size: int, hidden_size: int, *, turns: int = 1) -> None: ...
"""


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "de-en.toml"
    path.write_text(
        '[data]\ntrain_source = "a.de"\ntrain_target = "a.en"\nvalid_source = "b.de"\nvalid_target = "b.en"\n'
        "[training]\nepochs = 5\n"
    )
    for name in ("a.de", "a.en", "b.de", "b.en"):
        (tmp_path / name).write_text("a line\n")
    return path


@pytest.fixture
def texts(tmp_path: Path) -> tuple:
    for name, count in (("train", 300), ("val", 2)):
        for side in ("de", "en"):
            (tmp_path / f"{name}.{side}").write_text("a line\n" * count)
    return ("-s", "train.de", "-t", "train.en", "--valid-source", "val.de", "--valid-target", "val.en")


def test_a_run_file_with_overrides_and_abbreviations(command, fitted, run_file, monkeypatch):
    for name, value in (("NODE_RANK", "0"), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", "5000")):
        monkeypatch.setenv(name, value)
    finished = command(
        "train", run_file, "-o", "out", "--set", "model.dropout=0.3", "--cell", "gru", "--seed", "7", "--devices", "2",
        "--strategy", "ddp", "--nodes", "2", "--precision", "float32", "--time-limit", "25m", "--resume",
    )  # fmt: skip
    assert finished.status == 0
    assert "warning: there is nothing to resume in 'out'" in finished.err
    ((run, output, resume),) = fitted
    assert (run.training.epochs, run.model.dropout, run.seed) == (5, 0.3, 7)
    assert (run.model.encoder.cell, run.model.decoder.cell) == ("gru", "gru")
    assert (run.training.devices, run.training.nodes, run.training.strategy) == (2, 2, "ddp")
    assert (run.training.precision, run.training.time_limit) == ("float32", "25m")
    assert (output, resume) == (Path("out"), True)


def test_what_is_spelled_out_wins_over_an_abbreviation(command, fitted, run_file):
    command("train", run_file, "--cell", "gru", "--set", "model.decoder.cell=rnn")
    assert fitted[0][0].model.decoder.cell == "rnn"
    assert fitted[0][0].model.encoder.cell == "gru"


def test_the_output_is_named_after_the_run_file(command, fitted, run_file):
    command("train", run_file)
    assert fitted[0][1] == Path("runs/de-en")


def test_without_a_run_file_settings_are_chosen_and_explained(command, fitted, texts, tmp_path):
    finished = command("train", *texts, "--set", "training.epochs=3")
    assert finished.status == 0, finished.err
    ((run, output, resume),) = fitted
    assert (output, resume) == (Path("runs/de-en"), False)
    assert run.data.train_source == tmp_path / "train.de"
    assert run.data.prepared == tmp_path / "runs" / "prepared"
    assert (run.data.source_language, run.data.target_language) == ("de", "en")
    assert run.training.epochs == 3
    assert finished.err.startswith(f"300 sentence pairs: {run.subwords.vocabulary_size:,} subword pieces")
    assert "3 epochs of batches of" in finished.err
    assert "Change any of this with --set" in finished.err
    assert finished.out == b""


def test_processes_after_the_first_are_silent(command, fitted, texts, monkeypatch):
    places = {
        "NMT_LSTM_STARTED_BY": str(os.getppid()),
        "LOCAL_RANK": "1",
        "NODE_RANK": "0",
        "MASTER_PORT": "5000",
    }
    for name, value in places.items():
        monkeypatch.setenv(name, value)
    assert command("train", *texts, "--devices", "2").err == ""
    assert len(fitted) == 1


@pytest.mark.parametrize(
    "left_over",
    [{"RANK": "1"}, {"SLURM_PROCID": "2", "SLURM_NTASKS": "4"}, {"SLURM_NTASKS": "4"}, {"RANK": "one"}],
)
def test_variables_of_a_launcher_are_ignored_with_a_line(command, fitted, run_file, monkeypatch, left_over):
    for name, value in left_over.items():
        monkeypatch.setenv(name, value)
    finished = command("train", run_file)
    assert finished.status == 0
    (line,) = finished.err.splitlines()
    for name, value in left_over.items():
        assert f"{name}={value}" in line
        assert name not in os.environ
    assert len(fitted) == 1


def test_a_finished_run_is_not_trained_over_whatever_the_environment_says(
    command, fitted, run_file, tmp_path, random_model_folder, monkeypatch
):
    shutil.copytree(random_model_folder, tmp_path / "out")
    monkeypatch.setenv("RANK", "1")
    finished = command("train", run_file, "-o", "out")
    assert finished.status == 2
    assert "--resume" in finished.err
    assert not fitted


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [],
            "nothing to train on: name a run file, or the text with -s and -t.",
        ),
        (
            ["-s", "train.de", "-t", "train.en", "--valid-source", "val.de"],
            "--valid-target is missing: without a run file,",
        ),
        (["none.toml"], "run file 'none.toml' does not exist."),
        (
            ["de-en.toml", "--set", "model.dropuot=1"],
            "unknown key 'model.dropuot'. Did you mean 'model.dropout'?",
        ),
        (
            ["de-en.toml", "--set", "training.epochs=0"],
            "de-en.toml: training.epochs = 0 (from the command line): must be a whole",
        ),
        (["de-en.toml", "--time-limit", "soon"], "--time-limit 'soon' must be a duration such as"),
        (["de-en.toml", "--strategy", "dpp"], "(from the command line)"),
    ],
)
def test_wrong_settings_are_refused_with_status_2(command, fitted, run_file, arguments, message):
    finished = command("train", *arguments)
    assert finished.status == 2
    assert finished.err.startswith("nmt-lstm: error: ")
    assert message in finished.err
    assert len(finished.err.splitlines()) == 1
    assert not fitted


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("model.encoder.cell=lstn", "unknown cell 'lstn'. Did you mean 'lstm'? Known: gru (nmt-lstm "),
        (
            "model.attention.name=bilinar",
            "unknown attention 'bilinar'. Did you mean 'bilinear'? Known: additive (nmt-",
        ),
        ("model.decoder.cell=my_cells:Mine", "no module named 'my_cells'"),
        (
            "model.encoder.cell_options.forget_bais=2",
            "unknown option 'forget_bais'. Did you mean 'forget_bias'?",
        ),
        ('model.decoder.cell_options.forget_bias="big"', "option 'forget_bias' is 'big', but must be float."),
    ],
)
def test_unknown_parts_and_options_are_refused_before_the_text_is_read(
    command, fitted, run_file, setting, message
):
    finished = command("train", run_file, "--set", setting)
    assert finished.status == 1
    assert finished.err.startswith("nmt-lstm: error: ")
    assert message in finished.err
    assert len(finished.err.splitlines()) == 1
    assert not fitted


def test_a_plugin_file_brings_a_cell(command, fitted, run_file, tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN.format(name="mine_trained"))
    options = ("--cell", "mine_trained", "--set", "model.encoder.cell_options.turns=3")
    finished = command("train", run_file, "--plugin", "mine.py", *options)
    assert finished.status == 0, finished.err
    assert fitted[0][0].model.encoder.cell == "mine_trained"
    listing = command("plugins", "--plugin", "mine.py").out.decode()
    assert "mine_trained" in listing
    assert "mine.py" in listing
    assert "A cell of mine." in listing


@pytest.mark.parametrize("name", ["train.de", "train.en", "val.de", "val.en"])
def test_a_missing_text_is_told_before_anything_else(command, fitted, texts, tmp_path, name):
    (tmp_path / name).unlink()
    finished = command("train", *texts)
    assert finished.status == 1
    assert f"'{name}' does not exist." in finished.err
    assert len(finished.err.splitlines()) == 1
    assert not fitted


def test_sides_of_different_length_and_empty_texts_are_told_before_anything_else(
    command, fitted, texts, tmp_path
):
    (tmp_path / "val.en").write_text("a line\n")
    finished = command("train", *texts)
    assert finished.status == 1
    assert "'val.de' has 2 lines and 'val.en' has 1;" in finished.err
    for side in ("de", "en"):
        (tmp_path / f"train.{side}").write_text("")
    empty = command("train", *texts)
    assert "'train.de' is empty; training and validation need at least one line." in empty.err
    assert [len(each.err.splitlines()) for each in (finished, empty)] == [1, 1]
    assert not fitted


def test_too_many_processes_are_told_before_the_chosen_settings(command, fitted, texts):
    finished = command("train", *texts, "--devices", "4096")
    assert finished.status == 1
    assert finished.err.startswith("nmt-lstm: error: training.devices is 4096, but this machine has ")
    assert len(finished.err.splitlines()) == 1
    assert not fitted


def test_an_unknown_cell_is_told_before_the_chosen_settings(command, fitted, texts):
    finished = command("train", *texts, "--cell", "lstn")
    assert finished.status == 1
    assert len(finished.err.splitlines()) == 1


def test_the_validation_text_that_is_named_is_taken(command, fitted, texts, tmp_path):
    assert command("train", *texts, "-o", "out").status == 0
    assert not fitted[0][0].data.exclude_validation
    assert not (tmp_path / "out" / "held-out").exists()


@pytest.mark.parametrize("name", ["train.de", "train.en", "val.de", "val.en"])
def test_a_pipe_is_refused_before_it_is_opened(command, fitted, texts, run_file, tmp_path, name):
    """Opening it would wait for a writer, or leave one without a reader."""
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    for arguments in (texts, (run_file, *texts)):
        finished = command("train", *arguments)
        assert finished.status == 1
        assert f"{name}' is a pipe" in finished.err
        assert len(finished.err.splitlines()) == 1
    assert not fitted


def test_training_has_no_int8(command, fitted, texts):
    assert "int8" not in command("train", "--help").out.decode()
    finished = command("train", *texts, "--precision", "int8")
    assert finished.status == 2
    assert "bf16" in finished.err
    assert not fitted


def test_missing_text_of_a_run_file_is_told_at_once(command, fitted, run_file, tmp_path):
    (tmp_path / "b.en").unlink()
    finished = command("train", run_file)
    assert finished.status == 1
    assert "b.en' does not exist" in finished.err
    assert not fitted


def test_a_folder_in_use_is_told_before_the_training_in_it(command, fitted, texts, tmp_path):
    (tmp_path / "out" / "checkpoints").mkdir(parents=True)
    torch.save({}, tmp_path / "out" / "checkpoints" / "last.ckpt")
    with held_by_this_run(tmp_path / "out"):
        finished = command("train", *texts, "-o", "out")
    assert finished.status == 1
    assert f"process {os.getpid()}" in finished.err
    assert not fitted
