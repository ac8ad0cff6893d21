"""``train`` without validation text: what is held out, and what an error leaves in the folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from nmt_lstm.errors import ResourceError


@pytest.fixture
def two_texts(tmp_path: Path) -> tuple:
    for side in ("de", "en"):
        lines = [f"line {number} in {side}\n" for number in range(300)]
        (tmp_path / f"train.{side}").write_text("".join(lines))
    return ("-s", "train.de", "-t", "train.en")


def test_two_files_are_enough(command, fit_calls, two_texts, tmp_path):
    finished = command("train", *two_texts, "-o", "out")
    assert finished.status == 0, finished.err
    ((run, _, _),) = fit_calls
    folder = tmp_path / "out" / "held-out"
    assert (run.data.valid_source, run.data.valid_target) == (folder / "valid.de", folder / "valid.en")
    assert run.data.exclude_validation
    assert len(run.data.valid_source.read_text().splitlines()) == 15
    notes = finished.err.splitlines()
    assert "15 of 300 pairs are held out" in notes[0]
    assert "'out/held-out'" in notes[0]
    assert notes[1].startswith("285 sentence pairs: ")


def test_a_resumed_run_has_the_validation_text_and_the_settings_of_its_start(
    command, fit_calls, two_texts, tmp_path
):
    assert command("train", *two_texts, "-o", "out").status == 0
    valid = tmp_path / "out" / "held-out" / "valid.de"
    before = valid.read_bytes()
    (tmp_path / "out" / "checkpoints").mkdir()
    torch.save({}, tmp_path / "out" / "checkpoints" / "last.ckpt")
    assert command("train", *two_texts, "-o", "out").status == 2
    assert command("train", *two_texts, "-o", "out", "--resume").status == 0
    assert valid.read_bytes() == before
    assert fit_calls[0][0] == fit_calls[1][0]


@pytest.mark.parametrize(
    "options", [("--set", "training.epohcs=1"), ("--cell", "lstn"), ("--devices", "4096")]
)
def test_an_invalid_option_leaves_no_folder_behind(command, fit_calls, two_texts, tmp_path, options):
    finished = command("train", *two_texts, "-o", "out", *options)
    assert finished.status in (1, 2)
    assert not (tmp_path / "out").exists()
    assert not fit_calls


def test_a_resumed_run_keeps_its_validation_text(command, fit_calls, two_texts, tmp_path):
    (tmp_path / "out" / "checkpoints").mkdir(parents=True)
    torch.save({}, tmp_path / "out" / "checkpoints" / "last.ckpt")
    finished = command("train", *two_texts, "-o", "out", "--resume")
    assert "sentence pairs" not in finished.err
    assert not (tmp_path / "out" / "held-out").exists()


def test_a_training_run_that_fails_at_once_leaves_no_folder_behind(
    command, fit_calls, two_texts, tmp_path, monkeypatch
):
    def fail(*_, **__):
        assert (tmp_path / "out" / "held-out" / "valid.de").is_file()
        raise ResourceError("no memory")

    monkeypatch.setattr(sys.modules["nmt_lstm.training.fit"], "fit", fail)
    finished = command("train", *two_texts, "-o", "out")
    assert finished.status == 1
    assert "no memory" in finished.err
    assert not (tmp_path / "out").exists()


def test_a_run_file_without_validation_text_is_accepted(command, fit_calls, tmp_path):
    run_file = tmp_path / "run.toml"
    (tmp_path / "a.de").write_text("a line\n")
    (tmp_path / "a.en").write_text("a line\n")
    run_file.write_text('[data]\ntrain_source = "a.de"\ntrain_target = "a.en"\n')
    finished = command("train", run_file)
    assert finished.status == 0, finished.err
    assert fit_calls[0][0].data.valid_source is None
    assert "valid_source" not in command("config", run_file).text
    assert command("config", run_file, "--explain").status == 0
    refused = command("train", run_file, "--valid-source", "b.de")
    assert refused.status == 2
    assert "data.valid_target" in refused.err


def test_settings_are_chosen_from_the_number_of_usable_pairs(command, fit_calls, two_texts, tmp_path):
    lines = (tmp_path / "train.en").read_text().splitlines()
    lines[::3] = [""] * 100
    (tmp_path / "train.en").write_text("\n".join(lines) + "\n")
    finished = command("train", *two_texts, "-o", "out")
    assert "15 of 300 pairs are held out" in finished.err
    assert finished.err.splitlines()[1].startswith("185 sentence pairs: ")


@pytest.mark.parametrize("side", ["de", "en"])
def test_a_blank_side_is_an_error(command, fit_calls, two_texts, tmp_path, side):
    (tmp_path / f"train.{side}").write_text("\n" * 300)
    finished = command("train", *two_texts, "-o", "out")
    assert finished.status == 1
    assert f"'train.{side}' holds only blank lines" in finished.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-s", "train.de"], "-t is missing"),
        (["-t", "train.en"], "-s is missing"),
        (["-s", "train.de", "--valid-target", "val.en"], "-t and --valid-source are missing"),
        (["--valid-source", "val.de", "--valid-target", "val.en"], "-s and -t are missing"),
    ],
)
def test_only_required_options_are_reported_as_missing(command, fit_calls, two_texts, arguments, message):
    finished = command("train", *arguments)
    assert finished.status == 2
    assert finished.error.startswith(f"{message}: ")
    assert not fit_calls
