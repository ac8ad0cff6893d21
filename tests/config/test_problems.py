"""Problems of settings are reported all at once, each with path, value, what is allowed and the nearest name."""

from __future__ import annotations

import pytest

from nmt_lstm.config.load import make_run
from nmt_lstm.errors import ConfigurationError

DATA = {"train_source": "a.de", "train_target": "a.en", "valid_source": "b.de", "valid_target": "b.en"}


def error_message(values: dict, *overrides: str) -> str:
    """The message that refuses these settings."""
    with pytest.raises(ConfigurationError) as caught:
        make_run({"data": DATA, **values}, overrides, origin="run.toml")
    return str(caught.value)


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


@pytest.mark.parametrize(
    ("key", "suggestion"),
    [
        ("model.dropuot", "model.dropout"),
        ("learning_rate", "training.optimizer.learning_rate"),
        ("training.rate", "training.optimizer.learning_rate"),
        ("modle.encoder.cell", "model.encoder.cell"),
        ("encoder.layers", "model.encoder.layers"),
        ("model.hidden_size", "model.encoder.hidden_size' or 'model.decoder.hidden_size"),
    ],
)
def test_an_unknown_override_suggests_the_nearest_path(key, suggestion):
    assert (
        error_message({}, f"{key}=1") == f"run.toml: --set: unknown key '{key}'. Did you mean '{suggestion}'?"
    )


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("training.colour", "[training]: init_from"),
        ("model.encoder.frobnicate", "[model.encoder]: name"),
        ("training.whatever.sub", "[training]: init_from"),
        ("xyz", "a run file: seed"),
    ],
)
def test_the_keys_of_the_table_are_listed_for_a_key_unlike_all_others(key, keys):
    text = error_message({}, f"{key}=1")
    assert "Did you mean" not in text
    assert f"The keys of {keys}" in text


def test_the_keys_of_a_table_in_a_list_are_listed():
    text = error_message({"data": {"corpora": [{"tsv": "pairs.tsv", "frobnicate": 1}]}})
    assert "unknown key '[[data.corpora]] 1: frobnicate'. The keys of [[data.corpora]]: name" in text


def test_long_keys_and_values_are_shortened_in_messages():
    text = error_message({"x" * 100_000: 1, "model": {"dropout": "y" * 100_000}})
    assert len(text) < 2_000
    assert "x" * 100 in text
    assert "y" * 100 in text


def test_a_problem_of_an_override_names_the_command_line():
    assert error_message({}, "training.epochs=0") == (
        "run.toml: training.epochs = 0 (from the command line): must be a whole number, at least 1."
    )


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


def test_text_that_a_run_file_cannot_contain_is_refused_at_once():
    assert "'caf\\udce9'" in error_message({"model": {"encoder": {"cell": "caf\udce9"}}})


def test_an_override_with_too_many_parts_is_refused():
    text = error_message({}, ".".join(["a"] * 60_000) + "=1")
    assert "60,000" in text
    assert len(text) < 500


def test_an_invalid_path_of_validation_text_is_refused():
    assert (
        error_message({"data": {**DATA, "valid_source": 3}})
        == "run.toml: data.valid_source = 3: must be a path or a list of paths."
    )


@pytest.mark.parametrize(
    ("task", "part"),
    [("language-model", "decoder"), ("classification", "encoder"), ("forecast", "encoder")],
)
def test_only_settings_of_the_task_are_suggested(task, part) -> None:
    for values, overrides in (({"model": {"hidden_size": 3}}, []), ({}, ["model.hidden_size=3"])):
        with pytest.raises(ConfigurationError, match=r"'model\.hidden_size'") as refused:
            make_run({"task": task, "data": {"train_source": "a"}, **values}, overrides)
        assert f"Did you mean 'model.{part}.hidden_size'?" in str(refused.value)


def test_a_suggestion_for_an_optimizer_ends_with_a_question_mark() -> None:
    message = error_message({"training": {"optimizer": {"name": "adamm"}}})
    assert message.endswith("of an optimizer. Did you mean 'adam'?")
