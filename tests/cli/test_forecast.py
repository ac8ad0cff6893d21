"""Forecasting from the command line: training, the next rows, errors, resuming, and what is refused."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from nmt_lstm import Forecaster
from nmt_lstm.checkpoint.manifest import Manifest
from nmt_lstm.cli.app import main
from nmt_lstm.errors import DataError, ModelFolderError
from nmt_lstm.series.table import read_table
from nmt_lstm.training.checkpointing import read_checkpoint

SMALL = [
    word
    for setting in (
        'series.columns=["temperature","load"]',
        'series.targets=["load"]',
        "series.window=26",
        "series.horizon=3",
        "series.season=24",
        "training.epochs=6",
        "training.batch_pieces=1500",
        "training.optimizer.learning_rate=0.01",
        "training.tensorboard=false",
        "model.encoder.hidden_size=16",
        "model.embedding_size=16",
    )
    for word in ("--set", setting)
]


@pytest.fixture(scope="module")
def folder(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a made-up series and a forecaster of it."""
    folder = tmp_path_factory.mktemp("series")
    script = repository / "data" / "seasons" / "generate.py"
    words = ["--output", str(folder), "--rows", "1000", "--test", "200"]
    subprocess.run([sys.executable, str(script), *words], check=True)
    words = [
        "train",
        "--task",
        "forecast",
        "-s",
        str(folder / "series.csv"),
        "-o",
        str(folder / "run"),
        *SMALL,
    ]
    assert main(words) == 0
    return folder


def test_the_network_beats_the_last_value_and_the_last_season(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "-m", str(folder / "run"), "-s", str(folder / "test.csv")]
    assert main([*words, "--format", "json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    (errors,) = scores["columns"].values()
    assert errors["model"]["mae"] < errors["season"]["mae"] < errors["last_value"]["mae"]
    assert scores["forecasts"] == 200 - 26 - 3 + 1
    assert main([*words, "--season", "168"]) == 0
    table = capsys.readouterr().out
    assert "season of 168" in table
    assert f"{200 - 168 - 3 + 1} forecasts" in table


def test_the_next_rows_are_those_of_the_interface(folder: Path, capsys, monkeypatch) -> None:
    assert main(["forecast", "-m", str(folder / "run"), "-i", str(folder / "series.csv")]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header == "load"
    rows = read_table(folder / "series.csv", ["temperature", "load"]).values
    forecaster = Forecaster.load(folder / "run")
    expected = forecaster.forecast(rows.tolist())
    assert [float(line) for line in lines] == pytest.approx([row["load"] for row in expected], rel=1e-5)
    assert expected == forecaster.forecast(
        [{"load": load, "temperature": temperature, "other": 0.0} for temperature, load in rows.tolist()]
    )
    text = (folder / "series.csv").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert main(["forecast", "-m", str(folder / "run"), "--format", "jsonl"]) == 0
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["step"] for each in objects] == [1, 2, 3]
    assert [each["load"] for each in objects] == [float(line) for line in lines]


def test_a_forecast_does_not_depend_on_the_others(folder: Path) -> None:
    values = read_table(folder / "test.csv", ["temperature", "load"]).values
    forecaster = Forecaster.load(folder / "run", device="cpu")
    windows = np.stack([values[start : start + 26] for start in range(100)])
    together = forecaster.forecast_windows(windows)
    for number in (0, 1, 50, 99):
        np.testing.assert_array_equal(
            forecaster.forecast_windows(windows[number : number + 1])[0], together[number]
        )


def test_the_model_folder_is_verified_and_holds_no_text_model(folder: Path, tmp_path: Path) -> None:
    manifest = Manifest.read(folder / "run")
    assert manifest.task == "forecast"
    assert {"series.json", "model.safetensors", "run.toml"} <= set(manifest.files)
    assert not [name for name in manifest.files if name.startswith("subwords")]
    copy = shutil.copytree(folder / "run", tmp_path / "copy")
    scale = copy / "series.json"
    scale.write_text(scale.read_text().replace('"horizon": 3', '"horizon": 4'))
    with pytest.raises(ModelFolderError, match=r"series\.json"):
        Forecaster.load(copy)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_run_resumes_exactly(folder: Path, tmp_path: Path, cell: str, capsys) -> None:
    words = ["train", "--task", "forecast", "-s", str(folder / "series.csv"), "--cell", cell, *SMALL]
    words += [
        "--set",
        "training.validate_every=2",
        "--set",
        "training.average=none",
        "--set",
        "training.ema=0.9",
    ]
    words += ["--set", "training.schedule.name=constant", "--set", "model.dropout=0.1"]
    for name, limits in (("whole", ["5"]), ("parts", ["3", "5"])):
        for limit in limits:
            resume = ["--resume"] if limit != limits[0] else []
            limited = ["-o", str(tmp_path / name), "--set", f"training.max_steps={limit}", *resume]
            assert main([*words, *limited]) == 0
    whole, parts = (
        read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt") for name in ("whole", "parts")
    )
    for name, weight in whole["state_dict"].items():
        assert torch.equal(weight, parts["state_dict"][name]), name
    averages = [state["nmt_lstm_module"]["average"] for state in (whole, parts)]
    assert repr(averages[0]) == repr(averages[1])
    changed = [word.replace("series.window=26", "series.window=25") for word in words]
    assert main([*changed, "-o", str(tmp_path / "parts"), "--resume"]) == 2
    assert "series.window was 26" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["train", "--task", "forecast", "-s", "TEST", "-t", "TEST", "-o", "out"], "-t"),
        (["train", "--task", "forecast", "-s", "TEST", "TEST", "-o", "out"], "one file"),
        (["train", "--task", "forecast", "-o", "out"], "-s"),
        (
            ["train", "--task", "forecast", "-s", "TEST", "-o", "out", "--set", "model.decoder.cell=gru"],
            "decoder",
        ),
        (["train", "--task", "forecast", "-s", "TEST", "-o", "out", "--init-from", "RUN"], "init_from"),
        (["train", "--task", "forecast", "-s", "TEST", "-o", "out", "--set", "series.window=500"], "rows"),
        (["train", "-s", "TEST", "-t", "TEST", "-o", "out", "--set", "series.window=5"], "series.window"),
        (["evaluate", "-m", "RUN", "-s", "TEST", "-r", "TEST"], "--reference"),
        (["evaluate", "-m", "RUN", "-s", "TEST", "--season", "198"], "rows"),
        (["evaluate", "--hypotheses", "TEST", "-r", "TEST", "--season", "24"], "--season"),
        (["translate", "-m", "RUN"], "nmt-lstm forecast"),
        (["export", "-m", "RUN", "-o", "out"], "nmt-lstm forecast"),
        (["score", "-m", "RUN", "-s", "TEST", "-t", "TEST"], "nmt-lstm forecast"),
        (["generate", "-m", "RUN"], "nmt-lstm forecast"),
        (["classify", "-m", "RUN"], "nmt-lstm forecast"),
        (["prepare", "RUN/run.toml"], "forecaster"),
        (["compare", "RUN/run.toml", "--vary", "model.encoder.cell=gru,lstm", "-o", "out"], "forecaster"),
        (["forecast", "-m", "builtin:en-ja", "-i", "TEST"], "nmt-lstm translate"),
    ],
)
def test_what_has_no_meaning_is_refused(folder, capsys, monkeypatch, tmp_path, words, word) -> None:
    monkeypatch.chdir(tmp_path)
    names = {"RUN": str(folder / "run"), "TEST": str(folder / "test.csv")}
    assert main([names.get(each, each.replace("RUN/", names["RUN"] + "/")) for each in words]) in (1, 2)
    assert word in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([[1.0, 2.0]] * 25, "rows"),
        ([[1.0, 2.0]] * 25 + [[1.0]], "values"),
        ([[1.0, 2.0]] * 25 + [[1.0, float("nan")]], "load"),
        ([[1.0, 2.0]] * 25 + [{"load": 1.0}], "temperature"),
        ([[1.0, 2.0]] * 25 + [[1.0, "2"]], "load"),
    ],
)
def test_rows_that_cannot_be_forecast_are_named(folder: Path, rows, word: str) -> None:
    with pytest.raises(DataError, match=word) as refused:
        Forecaster.load(folder / "run").forecast(rows)
    assert refused.value.line in (None, 26)


def test_the_generator_writes_the_same_files_each_time(
    repository: Path, folder: Path, tmp_path: Path
) -> None:
    script = repository / "data" / "seasons" / "generate.py"
    words = ["--output", str(tmp_path), "--rows", "1000", "--test", "200"]
    subprocess.run([sys.executable, str(script), *words], check=True)
    for name in ("series.csv", "test.csv"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
