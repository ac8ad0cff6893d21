"""``quickstart``: its output, and the folders that it does not overwrite."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from nmt_lstm.cli.quickstart import training_shortfall


def test_quickstart_does_not_overwrite_an_earlier_model(command, fit_calls, tmp_path):
    folder = tmp_path / "runs" / "quickstart"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    finished = command("quickstart")
    assert finished.status == 2
    assert "'runs/quickstart' already exists" in finished.err
    commands = [line.strip() for line in finished.err.splitlines() if line.startswith("  ")]
    assert commands == [
        "nmt-lstm translate -m runs/quickstart",
        "nmt-lstm quickstart -o runs/quickstart --resume",
        "nmt-lstm quickstart -o runs/quickstart-2",
    ]
    assert not fit_calls


def test_quickstart_trains_translates_and_scores(command, fit_calls, translator):
    finished = command("quickstart", "--cell", "gru", "-o", "q", "--time-limit", "90s")
    assert finished.status == 0, finished.err
    ((run, output, _),) = fit_calls
    assert (run.model.decoder.cell, run.training.time_limit, output) == ("gru", "90s", Path("q"))
    assert finished.lines[0].startswith("BLEU")
    assert "tok:char" in finished.lines[0]
    for word in ("source", "translation", "reference", "nmt-lstm translate -m q"):
        assert word in finished.err


def test_quickstart_shows_the_built_in_model_before_it_trains(command, fit_calls, translator):
    finished = command("quickstart", "-o", "q")
    assert finished.status == 0, finished.err
    assert [folders for folders, *_ in translator.loaded] == ["builtin:en-ja", Path("q")]
    before, _, after = finished.err.partition("2. Training")
    assert before.count("translation  ") == after.count("translation  ") == 5
    resumed = command("quickstart", "-o", "r", "--resume")
    assert "builtin:en-ja" not in resumed.err


def test_an_empty_translation_is_shown_as_such(command, fit_calls, translator, monkeypatch):
    monkeypatch.setattr(
        translator, "translate", lambda self, lines: [types.SimpleNamespace(text="") for _ in lines]
    )
    assert command("quickstart", "-o", "q").err.count("(empty)") == 10


def test_a_file_cannot_be_the_folder(command, tmp_path):
    (tmp_path / "file").write_text("x")
    finished = command("quickstart", "-o", "file")
    assert finished.status == 2
    assert "'file' is a file" in finished.error


def test_accept_changed_plugins_reaches_the_training(command, fit_calls, translator, monkeypatch):
    values = []
    module = sys.modules["nmt_lstm.training.fit"]
    fit = module.fit

    def recording_fit(*arguments, **options):
        values.append(options["accept_changed_plugins"])
        return fit(*arguments, **options)

    monkeypatch.setattr(module, "fit", recording_fit)
    assert command("quickstart", "-o", "q", "--resume", "--accept-changed-plugins").status == 0
    assert command("quickstart", "-o", "q", "--resume").status == 0
    assert values == [True, False]


def test_a_slow_machine_is_named_as_the_reason_for_lower_scores(command, fit_calls, translator):
    assert "--time-limit" not in command("quickstart", "-o", "q").err
    slow = command("quickstart", "-o", "r", "--time-limit", "1s").err
    assert "in 1s this machine could train only 2 of 4 epochs of a narrower network" in slow
    assert "nmt-lstm quickstart -o r-2 --time-limit 10m" in slow


@pytest.mark.parametrize(
    ("out_of_time", "narrowed", "epochs", "shortfall"),
    [
        (False, False, 4, ""),
        (True, False, 4, ""),
        (True, False, 3, "3 of 4 epochs"),
        (False, True, 4, "a narrower network"),
        (True, True, 1, "1 of 4 epochs of a narrower network"),
    ],
)
def test_the_shortfall_is_named_if_it_is_clear(out_of_time, narrowed, epochs, shortfall):
    result = types.SimpleNamespace(
        out_of_time=out_of_time, narrowed=narrowed, epochs=epochs, planned_epochs=4
    )
    assert training_shortfall(result) == shortfall
