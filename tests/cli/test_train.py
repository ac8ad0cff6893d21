"""``train``: the settings that the training gets, and errors before any text is read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import torch

from nmt_lstm.training.output_folder import held_by_this_run

PLUGIN = """
from nmt_lstm.registry import CELLS
from nmt_lstm.cells.gated_cell import GatedCell

@CELLS.register("{name}")
class Mine(GatedCell):
    '''A cell of mine.'''
    gates = ("candidate",)
    def __init__(self, input_size: int, hidden_size: int, *, turns: int = 1) -> None:
        super().__init__(input_size, hidden_size)
    def update(self, x, h, state):
        return (x.candidate + h.candidate,)
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


def test_options_and_overrides_change_the_settings_of_a_run_file(command, fit_calls, run_file, monkeypatch):
    for name, value in (("NODE_RANK", "0"), ("MASTER_ADDR", "127.0.0.1"), ("MASTER_PORT", "5000")):
        monkeypatch.setenv(name, value)
    finished = command(
        "train", run_file, "-o", "out", "--set", "model.dropout=0.3", "--cell", "gru", "--seed", "7", "--devices", "2",
        "--strategy", "ddp", "--nodes", "2", "--precision", "float32", "--time-limit", "25m", "--resume",
    )  # fmt: skip
    assert finished.status == 0
    assert "nothing to resume in 'out'" in finished.err
    ((run, output, resume),) = fit_calls
    assert (run.training.epochs, run.model.dropout, run.seed) == (5, 0.3, 7)
    assert (run.model.encoder.cell, run.model.decoder.cell) == ("gru", "gru")
    assert (run.training.devices, run.training.nodes, run.training.strategy) == (2, 2, "ddp")
    assert (run.training.precision, run.training.time_limit) == ("float32", "25m")
    assert (output, resume) == (Path("out"), True)


def test_set_overrides_the_option_for_the_same_setting(command, fit_calls, run_file):
    command("train", run_file, "--cell", "gru", "--set", "model.decoder.cell=rnn")
    assert fit_calls[0][0].model.decoder.cell == "rnn"
    assert fit_calls[0][0].model.encoder.cell == "gru"


def test_the_output_is_named_after_the_run_file(command, fit_calls, run_file):
    command("train", run_file)
    assert fit_calls[0][1] == Path("runs/de-en")


def test_without_a_run_file_settings_are_chosen_and_shown(command, fit_calls, texts, tmp_path):
    finished = command("train", *texts, "--set", "training.epochs=3")
    assert finished.status == 0, finished.err
    ((run, output, resume),) = fit_calls
    assert (output, resume) == (Path("runs/de-en"), False)
    assert run.data.train_source == tmp_path / "train.de"
    assert run.data.prepared == tmp_path / "runs" / "prepared"
    assert (run.data.source_language, run.data.target_language) == ("de", "en")
    assert run.training.epochs == 3
    assert finished.err.startswith(f"300 sentence pairs: up to {run.subwords.vocabulary_size:,} subword")
    assert "3 epochs of batches of" in finished.err
    assert "--set training.epochs=5" in finished.err
    assert finished.out == b""


def test_processes_after_the_first_are_silent(command, fit_calls, texts, monkeypatch):
    environment = {
        "NMT_LSTM_STARTED_BY": str(os.getppid()),
        "LOCAL_RANK": "1",
        "NODE_RANK": "0",
        "MASTER_PORT": "5000",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert command("train", *texts, "--devices", "2").err == ""
    assert len(fit_calls) == 1


@pytest.mark.parametrize(
    "stray",
    [{"RANK": "1"}, {"SLURM_PROCID": "2", "SLURM_NTASKS": "4"}, {"SLURM_NTASKS": "4"}, {"RANK": "one"}],
)
def test_stray_variables_of_a_launcher_are_ignored_with_a_warning(
    command, fit_calls, run_file, monkeypatch, stray
):
    for name, value in stray.items():
        monkeypatch.setenv(name, value)
    finished = command("train", run_file)
    assert finished.status == 0
    (line,) = finished.err.splitlines()
    for name, value in stray.items():
        assert f"{name}={value}" in line
        assert name not in os.environ
    assert len(fit_calls) == 1


def test_stray_variables_do_not_let_a_run_overwrite_a_finished_one(
    command, fit_calls, run_file, tmp_path, random_model_folder, monkeypatch
):
    shutil.copytree(random_model_folder, tmp_path / "out")
    monkeypatch.setenv("RANK", "1")
    finished = command("train", run_file, "-o", "out")
    assert finished.status == 2
    assert "--resume" in finished.err
    assert not fit_calls


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to train on"),
        (["-s", "train.de", "-t", "train.en", "--valid-source", "val.de"], "--valid-target is missing"),
        (["none.toml"], "'none.toml' does not exist"),
        (["de-en.toml", "--set", "model.dropuot=1"], "Did you mean 'model.dropout'?"),
        (["de-en.toml", "--set", "training.epochs=0"], "training.epochs = 0 (from the command line)"),
        (["de-en.toml", "--time-limit", "soon"], "--time-limit 'soon' must be"),
        (["de-en.toml", "--strategy", "dpp"], "(from the command line)"),
    ],
)
def test_invalid_settings_exit_with_status_2(command, fit_calls, run_file, arguments, message):
    finished = command("train", *arguments)
    assert finished.status == 2
    assert message in finished.error
    assert not fit_calls


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("model.encoder.cell=lstn", "Did you mean 'lstm'?"),
        ("model.attention.name=bilinar", "Did you mean 'bilinear'?"),
        ("model.decoder.cell=my_cells:Mine", "no module named 'my_cells'"),
        ("model.encoder.cell_options.forget_bais=2", "Did you mean 'forget_bias'?"),
        ('model.decoder.cell_options.forget_bias="big"', "'forget_bias' is 'big'"),
    ],
)
def test_unknown_cells_and_options_are_errors_before_the_text_is_read(
    command, fit_calls, run_file, setting, message
):
    finished = command("train", run_file, "--set", setting)
    assert finished.status == 1
    assert message in finished.error
    assert not fit_calls


def test_a_plugin_file_registers_a_cell(command, fit_calls, run_file, tmp_path):
    (tmp_path / "mine.py").write_text(PLUGIN.format(name="mine_trained"))
    options = ("--cell", "mine_trained", "--set", "model.encoder.cell_options.turns=3")
    finished = command("train", run_file, "--plugin", "mine.py", *options)
    assert finished.status == 0, finished.err
    assert fit_calls[0][0].model.encoder.cell == "mine_trained"
    listing = command("plugins", "--plugin", "mine.py").text
    assert "mine_trained" in listing
    assert "mine.py" in listing
    assert "A cell of mine." in listing


@pytest.mark.parametrize("name", ["train.de", "train.en", "val.de", "val.en"])
def test_a_missing_text_is_reported_first(command, fit_calls, texts, tmp_path, name):
    (tmp_path / name).unlink()
    finished = command("train", *texts)
    assert finished.status == 1
    assert f"'{name}' does not exist." in finished.error
    assert not fit_calls


def test_unequal_and_empty_texts_are_reported_first(command, fit_calls, texts, tmp_path):
    (tmp_path / "val.en").write_text("a line\n")
    finished = command("train", *texts)
    assert finished.status == 1
    assert "'val.de' has 2 lines and 'val.en' has 1;" in finished.err
    for side in ("de", "en"):
        (tmp_path / f"train.{side}").write_text("")
    empty = command("train", *texts)
    assert "'train.de' is empty" in empty.error
    assert not fit_calls


def test_too_many_devices_are_reported_before_the_settings(command, fit_calls, texts):
    finished = command("train", *texts, "--devices", "4096")
    assert finished.status == 1
    assert "training.devices is 4096" in finished.error
    assert len(finished.err.splitlines()) == 1
    assert not fit_calls


def test_an_unknown_cell_is_reported_before_the_settings(command, fit_calls, texts):
    finished = command("train", *texts, "--cell", "lstn")
    assert finished.status == 1
    assert len(finished.err.splitlines()) == 1


def test_nothing_is_held_out_if_validation_text_is_named(command, fit_calls, texts, tmp_path):
    assert command("train", *texts, "-o", "out").status == 0
    assert not fit_calls[0][0].data.exclude_validation
    assert not (tmp_path / "out" / "held-out").exists()


@pytest.mark.parametrize("name", ["train.de", "train.en", "val.de", "val.en"])
def test_a_pipe_is_an_error_before_it_is_opened(command, fit_calls, texts, run_file, tmp_path, name):
    """Opening it would wait for a writer, or leave one without a reader."""
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    for arguments in (texts, (run_file, *texts)):
        finished = command("train", *arguments)
        assert finished.status == 1
        assert f"{name}' is a pipe" in finished.error
        assert not fit_calls


def test_training_has_no_int8_precision(command, fit_calls, texts):
    assert "int8" not in command("train", "--help").text
    finished = command("train", *texts, "--precision", "int8")
    assert finished.status == 2
    assert "bf16" in finished.err
    assert not fit_calls


def test_a_missing_text_of_a_run_file_is_reported_at_once(command, fit_calls, run_file, tmp_path):
    (tmp_path / "b.en").unlink()
    finished = command("train", run_file)
    assert finished.status == 1
    assert "b.en' does not exist" in finished.err
    assert not fit_calls


def test_a_folder_in_use_is_reported_before_the_run_in_it(command, fit_calls, texts, tmp_path):
    (tmp_path / "out" / "checkpoints").mkdir(parents=True)
    torch.save({}, tmp_path / "out" / "checkpoints" / "last.ckpt")
    with held_by_this_run(tmp_path / "out"):
        finished = command("train", *texts, "-o", "out")
    assert finished.status == 1
    assert f"process {os.getpid()}" in finished.err
    assert not fit_calls
