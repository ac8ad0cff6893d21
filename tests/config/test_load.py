"""Run files: all problems at once, each with path, value and what is allowed; overrides; relative paths."""

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


def error_message(values: dict, *overrides: str) -> str:
    """The message that refuses these settings."""
    with pytest.raises(ConfigurationError) as caught:
        make_run({"data": DATA, **values}, overrides, origin="run.toml")
    return str(caught.value)


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


def test_all_problems_are_reported_at_once():
    text = error_message(
        {
            "model": {"dropuot": 0.3, "dropout": 1.5, "encoder": 3},
            "training": {"epochs": "ten", "learning_rate": 0.1, "optimizer": {"betas": [0.9, 2.0]}},
        },
        "traning.epochs=3",
        "nonsense",
    )
    headline, *problems = text.split("\n")
    assert headline == "run.toml: 8 problems:"
    assert [problem.strip() for problem in problems] == [
        "--set: unknown key 'traning.epochs'. Did you mean 'training.epochs'?",
        "--set 'nonsense' must look like key=value, such as training.epochs=5.",
        "model.dropout = 1.5: must be a number, at least 0 and below 1.",
        "model.encoder = 3: must be a table [model.encoder].",
        "unknown key 'model.dropuot'. Did you mean 'dropout'?",
        'training.epochs = "ten": must be a whole number, at least 1.',
        "training.optimizer.betas = 2.0: must be a list of 2, each a number, at least 0 and below 1.",
        "unknown key 'training.learning_rate'. Did you mean 'training.optimizer.learning_rate'?",
    ]


@pytest.mark.parametrize(
    ("table", "settings", "expected"),
    [
        ("training", {"epochs": True}, "training.epochs = true: must be a whole number, at least 1."),
        ("training", {"epochs": 2.0}, "training.epochs = 2.0: must be a whole number, at least 1."),
        ("training", {"clip_norm": float("nan")}, "training.clip_norm = nan: must be a number, at least 0."),
        ("training", {"tensorboard": "no"}, 'training.tensorboard = "no": must be true or false.'),
        ("training", {"optimizer": {"learning_rate": "1e-4"}}, '= "1e-4": must be a number, above 0.'),
        (
            "training",
            {"time_limit": "25 min"},
            '= "25 min": must be a duration such as "90s", "25m", "2h" or "1h30m".',
        ),
        ("data", {**DATA, "prepared": 3}, "data.prepared = 3: must be a path."),
        (
            "model",
            {"tied_embeddings": "al"},
            '= "al": must be "none", "target" or "all". Did you mean \'all\'?',
        ),
        ("model", {"attention": {"options": 1}}, "model.attention.options = 1: must be a table."),
        (
            "subwords",
            {"joint": False},
            'model.tied_embeddings = "all" needs subwords.joint = true; use "target"',
        ),
        ("sbwords", {}, "unknown key 'sbwords'. Did you mean 'subwords'?"),
    ],
)
def test_each_problem_gives_the_value_and_what_is_allowed(table, settings, expected):
    text = error_message({table: settings})
    assert text.startswith("run.toml: ")
    assert expected in text
    assert "\n" not in text


def test_a_missing_setting_is_explained():
    with pytest.raises(ConfigurationError, match=r"'data.train_source' is required: Source side"):
        make_run({})


def test_a_problem_of_an_override_names_the_command_line():
    assert error_message({}, "training.epochs=0") == (
        "run.toml: training.epochs = 0 (from the command line): must be a whole number, at least 1."
    )


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


@pytest.mark.parametrize(
    ("key", "suggestion"),
    [
        ("model.dropuot", "model.dropout"),
        ("learning_rate", "training.optimizer.learning_rate"),
        ("training.rate", "training.optimizer.learning_rate"),
        ("modle.encoder.cell", "model.encoder.cell"),
        ("encoder.layers", "model.encoder.layers"),
    ],
)
def test_an_unknown_override_suggests_the_nearest_path(key, suggestion):
    assert (
        error_message({}, f"{key}=1") == f"run.toml: --set: unknown key '{key}'. Did you mean '{suggestion}'?"
    )


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


def test_text_that_a_run_file_cannot_contain_is_refused_at_once():
    assert "'caf\\udce9'" in error_message({"model": {"encoder": {"cell": "caf\udce9"}}})


@pytest.mark.parametrize("key", ["training.colour", "model.encoder.frobnicate", "data.whatever", "xyz"])
def test_nothing_is_suggested_for_an_unknown_key_unlike_all_others(key):
    assert "Did you mean" not in error_message({}, f"{key}=1")


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


def test_an_override_with_too_many_parts_is_refused():
    text = error_message({}, ".".join(["a"] * 60_000) + "=1")
    assert "60,000" in text
    assert len(text) < 500


def test_long_keys_and_values_are_shortened_in_messages():
    text = error_message({"x" * 100_000: 1, "model": {"dropout": "y" * 100_000}})
    assert len(text) < 2_000
    assert "x" * 100 in text
    assert "y" * 100 in text


def test_validation_text_may_be_missing(tmp_path):
    path = tmp_path / "two.toml"
    path.write_text('[data]\ntrain_source = "a.de"\ntrain_target = "a.en"\n')
    run = load_run(path)
    assert (run.data.valid_source, run.data.valid_target) == (None, None)
    with pytest.raises(ConfigurationError, match="data.valid_source"):
        run.data.validation_text()
    copy = tmp_path / "copy.toml"
    copy.write_text(dump_toml(run))
    assert load_run(copy) == run


@pytest.mark.parametrize(
    ("key", "missing"), [("valid_source", "valid_target"), ("valid_target", "valid_source")]
)
def test_one_side_of_the_validation_text_is_refused(key, missing):
    with pytest.raises(ConfigurationError, match=f"'data.{missing}' is missing"):
        make_run({"data": {"train_source": "a", "train_target": "b", key: "c"}})


def test_an_invalid_path_of_validation_text_is_refused():
    assert (
        error_message({"data": {**DATA, "valid_source": 3}})
        == "run.toml: data.valid_source = 3: must be a path."
    )
