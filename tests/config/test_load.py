"""Run files are read with overrides and relative paths, and written back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nmt_lstm.config.load import dump_toml, load_run, make_run, parse_value
from nmt_lstm.errors import ConfigurationError

DATA = {"train_source": "a.de", "train_target": "a.en", "valid_source": "b.de", "valid_target": "b.en"}
TEXT = "[data]\n" + "".join(f'{key} = "{value}"\n' for key, value in DATA.items())


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(TEXT)
    return path


def test_paths_are_relative_to_the_run_file_and_those_of_overrides_to_the_working_directory(
    run_file, tmp_path, monkeypatch
):
    working_directory = tmp_path / "working_directory"
    working_directory.mkdir()
    monkeypatch.chdir(working_directory)
    run = load_run("../run.toml", ["data.valid_source=mine.de", "data.valid_target=/else/mine.en"])
    assert run.data.train_source.resolve() == tmp_path / "a.de"
    assert run.data.prepared.resolve() == tmp_path / "prepared"
    assert run.data.valid_source == working_directory / "mine.de"
    assert run.data.valid_target == Path("/else/mine.en")
    assert all(path.is_absolute() for path in (run.data.train_source, run.data.prepared))


def test_a_dumped_run_is_read_back_equal(run_file, tmp_path):
    run = load_run(run_file, ["model.encoder.cell_options.forget_bias=2.0", "training.time_limit=1h30m"])
    copy = tmp_path / "deeper" / "copy.toml"
    copy.parent.mkdir()
    copy.write_text(dump_toml(run))
    assert load_run(copy) == run


def test_a_missing_setting_is_explained():
    with pytest.raises(ConfigurationError, match=r"'data.train_source' is required: Source side"):
        make_run({})


@pytest.mark.parametrize(
    ("override", "path", "expected"),
    [
        ("model.decoder.cell=gru", "model.decoder.cell", "gru"),
        ('model.decoder.cell="gru"', "model.decoder.cell", "gru"),
        ("training.optimizer.learning_rate=1", "training.optimizer.learning_rate", 1.0),
        ("training.optimizer.learning_rate = 1e-4", "training.optimizer.learning_rate", 1e-4),
        ("training.optimizer.betas=[0, 0.98]", "training.optimizer.betas", (0.0, 0.98)),
        ("training.tensorboard=false", "training.tensorboard", False),
        ("data.source_language=12", "data.source_language", "12"),
        ("training.time_limit=", "training.time_limit", ""),
        ("model.encoder={layers = 3}", "model.encoder.layers", 3),
        (
            'model.attention.options={heads = 4, kind = "x"}',
            "model.attention.options",
            {"heads": 4, "kind": "x"},
        ),
        ("model.attention.options.deep.er=[1, 2]", "model.attention.options", {"deep": {"er": [1, 2]}}),
    ],
)
def test_overrides_are_toml_values_or_text(override, path, expected):
    value = make_run({"data": DATA}, [override])
    for key in path.split("."):
        value = getattr(value, key)
    assert value == expected
    assert type(value) is type(expected)


def test_a_line_break_in_an_override_is_part_of_the_value():
    assert make_run({"data": DATA}, ['data.source_language="a"\nb = 1']).data.source_language == '"a"\nb = 1'


def test_the_values_passed_in_are_not_changed():
    values = {"data": dict(DATA), "model": {}}
    make_run(values, ["model.dropout=0.5"])
    assert values == {"data": DATA, "model": {}}


def test_a_missing_run_file_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"none.toml' does not exist"):
        load_run(tmp_path / "none.toml")


def test_a_folder_instead_of_a_run_file_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="is a folder"):
        load_run(tmp_path)


def test_an_error_in_toml_gives_line_and_column(run_file):
    run_file.write_text("[data]\ntrain_source = a.de\n")
    with pytest.raises(ConfigurationError, match="is not TOML: .*line 2, column 16"):
        load_run(run_file)


def test_a_run_file_that_is_not_utf8_is_refused(run_file):
    run_file.write_bytes(b"[data]\xff")
    with pytest.raises(ConfigurationError, match=r"is not UTF-8 text \(byte 6\)"):
        load_run(run_file)


def test_pipes_and_devices_are_refused(run_file):
    run_file.unlink()
    os.mkfifo(run_file)
    with pytest.raises(ConfigurationError, match="not a regular file"):
        load_run(run_file)
    run_file.unlink()
    run_file.symlink_to("/dev/zero")
    with pytest.raises(ConfigurationError, match="not a regular file"):
        load_run(run_file)


@pytest.mark.parametrize("text", [".".join(["a"] * 100_000) + "=1", "x=" + "[" * 100_000])
def test_a_deeply_nested_run_file_is_refused(run_file, text):
    run_file.write_text(text)
    with pytest.raises(ConfigurationError, match="nested"):
        load_run(run_file)


def test_a_run_file_above_the_size_limit_is_refused(run_file):
    run_file.write_text("#" * (2 << 20))
    with pytest.raises(ConfigurationError, match="MiB"):
        load_run(run_file)


def test_a_deeply_nested_override_is_taken_as_text():
    assert parse_value("[" * 100_000) == "[" * 100_000


def test_validation_text_may_be_missing(tmp_path):
    path = tmp_path / "two.toml"
    path.write_text('[data]\ntrain_source = "a.de"\ntrain_target = "a.en"\n')
    run = load_run(path)
    assert (run.data.valid_source, run.data.valid_target) == (None, None)
    with pytest.raises(ConfigurationError, match="data.valid_source"):
        run.data.validation_sets()
    copy = tmp_path / "copy.toml"
    copy.write_text(dump_toml(run))
    assert load_run(copy) == run
