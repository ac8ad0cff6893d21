"""Tasks: data keys, defaults and unused settings of each, and parts that exist."""

from __future__ import annotations

import pytest

from nmt_lstm.config.load import dump_toml, load_run, make_run
from nmt_lstm.config.schema import DataSettings, RunSettings, TrainingSettings
from nmt_lstm.config.tasks import TASKS, part_of, unused_settings, with_defaults_of_task
from nmt_lstm.errors import ConfigurationError

PAIRED = {"train_source": "a", "train_target": "b"}
STREAMED = {"stream": "-", "valid_source": "a", "valid_target": "b"}


def language_model(**tables):
    return {"task": "language-model", "data": {"train_source": "a"}, **tables}


@pytest.mark.parametrize("name", TASKS)
def test_the_table_names_parts_keys_and_settings_that_exist(name):
    task = TASKS[name]
    assert callable(part_of(task.network))
    assert callable(part_of(task.validation))
    assert set(task.refused) <= set(DataSettings.model_fields)
    assert set(task.metrics) <= {"bleu", "chrf", "loss", "accuracy", "f1"}
    values = with_defaults_of_task({"task": name, "data": PAIRED if task.paired else {"train_source": "a"}})
    run = RunSettings.model_validate(values)
    assert run.training.metric == task.metrics[0]
    assert list(unused_settings(run)) == []


def test_a_run_without_a_task_is_a_translation():
    run = make_run({"data": PAIRED})
    assert (run.task, run.training) == ("translation", TrainingSettings())


def test_defaults_of_a_task_do_not_replace_settings():
    assert make_run(language_model()).training.label_smoothing == 0.0
    run = make_run(language_model(training={"label_smoothing": 0.2}), ["search.method=beam"])
    assert (run.training.label_smoothing, run.search.method, run.training.metric) == (0.2, "beam", "loss")


def test_a_language_model_is_read_back_from_its_run_file(tmp_path):
    run = make_run(language_model(), folder=tmp_path)
    (tmp_path / "run.toml").write_text(dump_toml(run))
    assert load_run(tmp_path / "run.toml") == run


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"data": {"train_source": "a"}}, "data.train_target"),
        (language_model(data=PAIRED), "data.train_target"),
        (language_model(data={"train_source": "a", "valid_target": "b"}), "data.valid_target"),
        (language_model(training={"metric": "bleu"}), "training.metric"),
        (language_model(task="poetry"), "task"),
    ],
)
def test_settings_that_do_not_suit_the_task_are_refused(values, key):
    with pytest.raises(ConfigurationError, match=key):
        make_run(values)


@pytest.mark.parametrize(
    "setting",
    [
        "model.encoder.layers=2",
        "model.attention.name=dot",
        "model.decoder.bridge=zero",
        "insight.gradients=true",
    ],
)
def test_settings_without_effect_are_found(setting):
    run = make_run(language_model(), [setting])
    assert [path for path, *_ in unused_settings(run)] == [setting.partition("=")[0]]


@pytest.mark.parametrize(
    ("data", "setting", "key"),
    [
        ({"corpora": [{"source": "a", "target": "b", "columns": [2, 1]}]}, "", "[[data.corpora]] 1: columns"),
        ({"corpora": [{"tsv": "a", "columns": [2, 1]}]}, "", ""),
        (
            {**PAIRED, "validation": [{"source": "a", "target": "b", "columns": [1, 3]}]},
            "",
            "[[data.validation]] 1: columns",
        ),
        (STREAMED, "training.epochs=3", "training.epochs"),
        (PAIRED, "training.epochs=3", ""),
    ],
)
def test_settings_without_effect_in_the_text_are_found(data, setting, key):
    values = {"data": data, "subwords": {"model": "a"}, "training": {"validate_every": 5, "max_steps": 9}}
    found = list(unused_settings(make_run(values, [setting] if setting else [])))
    assert [path for path, *_ in found] == ([key] if key else [])
