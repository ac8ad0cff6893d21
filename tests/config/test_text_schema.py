"""The table [data]: corpora and validation sets with their names, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmt_lstm.config.load import dump_toml, load_run, make_run
from nmt_lstm.errors import ConfigurationError

PAIR = {"source": "a.de", "target": "a.en"}


def make(*overrides, **data):
    return make_run({"data": data}, overrides, folder=Path("/text"))


def test_one_text_is_one_corpus_and_each_validation_file_a_set() -> None:
    data = make(
        train_source=["a.de", "b.de"],
        train_target=["a.en", "b.en"],
        valid_source=["news.de", "talks.de"],
        valid_target=["news.en", "talks.en"],
    ).data
    (corpus,) = data.training_corpora()
    assert corpus.sides() == (
        (Path("/text/a.de"), Path("/text/b.de")),
        (Path("/text/a.en"), Path("/text/b.en")),
    )
    assert [each.name for each in data.validation_sets()] == ["news", "talks"]


def test_tables_get_distinct_names_and_absolute_columns() -> None:
    data = make(corpora=[PAIR, PAIR, {"tsv": "a.tsv", "columns": [2, 4]}, {**PAIR, "name": "a-2"}]).data
    assert [each.name for each in data.training_corpora()] == ["a", "a-3", "a-4", "a-2"]
    assert data.corpora[2].sides() == ((Path("/text/a.tsv:2"),), (Path("/text/a.tsv:4"),))


def test_rules_of_a_corpus_replace_only_those_that_are_set(tmp_path) -> None:
    run = make("data.cleaning.max_pieces=90", corpora=[{**PAIR, "cleaning": {"max_ratio": 2.0}}, PAIR])
    rules = [corpus.rules(run.data.cleaning) for corpus in run.data.corpora]
    assert [(each.max_pieces, each.max_ratio) for each in rules] == [(90, 2.0), (90, 5.0)]
    (tmp_path / "run.toml").write_text(dump_toml(run))
    again = load_run(tmp_path / "run.toml")
    assert again == run
    assert again.data.corpora[0].rules(again.data.cleaning) == rules[0]


def test_overrides_may_hold_lists_and_tables() -> None:
    base = make(train_source="x", train_target="y")
    assert base.data.train_source == Path("/text/x")
    run = make_run({}, ['data.train_source=["a", "b"]', 'data.train_target=["c", "d"]'])
    assert run.data.train_source == (Path.cwd() / "a", Path.cwd() / "b")
    run = make_run({}, ['data.corpora=[{source="a", target="b", weight=2.5}]'])
    assert (run.data.corpora[0].source, run.data.corpora[0].weight) == (Path.cwd() / "a", 2.5)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "'data.train_source' is required"),
        ({"train_source": ["a", "b"], "train_target": "c"}, "2 files, but 'data.train_target' has 1"),
        ({"corpora": [PAIR], "train_source": "a", "train_target": "b"}, "set either"),
        ({"corpora": [{"source": "a"}]}, r"\[\[data.corpora\]\] 1: 'target' is missing"),
        ({"corpora": [{"tsv": "a", "source": "b"}]}, "either tsv"),
        ({"corpora": [{"tsv": "a", "columns": [2, 2]}]}, "both sides are column 2"),
        ({"corpora": [{**PAIR, "name": "x"}, {**PAIR, "name": "x"}]}, "'x' is used twice"),
        ({"corpora": [{**PAIR, "weight": 0}]}, r"\[\[data.corpora\]\] 1: weight = 0: .*above 0"),
        ({"corpora": [{**PAIR, "tag": "a b"}]}, r"tag = \"a b\""),
        ({"corpora": [{**PAIR, "wieght": 2.0}]}, "Did you mean 'weight'"),
        ({"corpora": [PAIR], "validation": [{**PAIR, "name": "average"}]}, "'average' has a meaning"),
        ({"corpora": [PAIR], "validation": [PAIR], "valid_source": "a"}, "set either"),
    ],
)
def test_contradictions_are_explained(data, words) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make(**data)


def test_the_deciding_validation_set_must_exist() -> None:
    tables = {"corpora": [{**PAIR, "name": "news"}], "validation": [{**PAIR, "name": "talks"}]}
    for name in ("", "average", "talks"):
        assert make(f"training.validation_set={name}", **tables).training.validation_set == name
    with pytest.raises(ConfigurationError, match="not one of the validation sets.*talks"):
        make("training.validation_set=news", **tables)
    del tables["validation"]  # sets are then held out of the corpora
    assert make("training.validation_set=news", **tables).training.validation_set == "news"
