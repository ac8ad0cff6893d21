"""``config``: a run file with all settings, and all problems of a bad one."""

from __future__ import annotations

import re


def test_the_output_is_a_run_file_that_loads(command, tmp_path):
    (tmp_path / "run.toml").write_bytes(command("config", "--set", "training.epochs=3").out)
    finished = command("config", "run.toml", "--explain", "--set", "model.encoder.cell=gru")
    text = finished.text
    assert "\nepochs = 3\n" in text
    assert 'cell = "gru"' in text
    assert f'train_source = "{tmp_path}/train.de"' in text
    assert re.search(r"\n# [^\n]+\nepochs = 3\n", text)


def test_all_problems_of_a_run_file_are_reported(command, tmp_path):
    (tmp_path / "run.toml").write_text("[model]\ndropout = 2.0\nlayers = 3\n")
    finished = command("config", "run.toml")
    assert finished.status == 2
    assert "run.toml: 2 problems:" in finished.err
    assert "unknown key 'model.layers'" in finished.err


def test_settings_that_do_not_fit_together_are_reported_when_each_is_valid(command, tmp_path):
    (tmp_path / "run.toml").write_text("[model]\ndropout = 0.2\n")
    assert "data.train_source" in command("config", "run.toml").error
