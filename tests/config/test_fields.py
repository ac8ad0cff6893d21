"""Settings by dotted path: what each accepts, and where two runs differ."""

from __future__ import annotations

from typing import Any

import pytest

from nmt_lstm.config.fields import child_keys, differences, options_of, table_of
from nmt_lstm.config.schema import EncoderSettings


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": {"b": 1, "c": [1]}}, {"a": {"b": 1, "c": [1]}}, []),
        ({"a": {"b": 1, "c": [1]}}, {"a": {"b": 2, "c": [2]}}, [("a.b", 1, 2), ("a.c", [1], [2])]),
        ({"a": 1, "b": 2}, {"b": 2, "c": 3}, [("a", 1, None), ("c", None, 3)]),
        ({"a": {"b": 1}}, {"a": 1}, [("a", {"b": 1}, 1)]),
    ],
)
def test_every_differing_value_is_yielded_with_its_path(before: Any, after: Any, expected: list[Any]) -> None:
    assert list(differences(before, after)) == expected


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("seed", "a whole number, at least 0 and at most 4294967295"),
        ("data.train_source", "a path or a list, each a path"),
        ("data.prepared", "a path"),
        ("data.corpora", "a list of tables"),
        ("subwords.character_coverage", "a number, at least 0.98 and at most 1"),
        ("subwords.joint", "true or false"),
        ("model.dropout", "a number, at least 0 and below 1"),
        ("model.encoder.cell_options", "a table"),
        ("training.metric", '"bleu", "chrf", "loss", "accuracy" or "f1"'),
        ("training.optimizer.betas", "a list of 2, each a number, at least 0 and below 1"),
        ("training.time_limit", "text"),
    ],
)
def test_the_allowed_values_of_an_option_are_described(path: str, allowed: str) -> None:
    (option,) = (option for option in options_of() if option.path == path)
    assert option.allowed == allowed


def test_tables_are_found_by_their_paths() -> None:
    assert table_of(("model", "encoder")) is EncoderSettings
    assert table_of(("model", "encoder", "cell")) is None
    assert table_of(("nonsense",)) is None
    assert child_keys(("model", "attention")) == ["name", "options"]
