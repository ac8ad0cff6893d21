"""What is held equal: words that are understood, settings that follow from them, and contradictions."""

from __future__ import annotations

import pytest

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.lab.comparison.factors import Factor
from nmt_lstm.lab.comparison.matching import Match, parse_match, planned_steps, within_time, within_updates


@pytest.mark.parametrize(
    ("text", "match", "words"),
    [
        ("parameters", Match(parameters=True, budget="updates"), "parameters and updates"),
        ("updates", Match(parameters=False, budget="updates"), "updates"),
        ("time", Match(parameters=False, budget="time"), "time"),
        ("time, parameters", Match(parameters=True, budget="time"), "parameters and time"),
    ],
)
def test_words(text, match, words) -> None:
    assert parse_match(text) == match
    assert parse_match(text).words() == words


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "parameter",
            "--match: unknown 'parameter'. Did you mean 'parameters'? Known: parameters, updates, time",
        ),
        ("", "--match: unknown ''"),
        ("time,updates", "--match: updates and time cannot both be equal"),
    ],
)
def test_words_that_are_refused(text, message) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_match(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("match", "key", "remedy"),
    [
        (
            "parameters",
            "model.encoder.hidden_size",
            "matching by parameters chooses it; use --match updates or --match time",
        ),
        ("updates", "training.epochs", "matching by updates chooses it; use --match parameters instead"),
        ("time", "training.time_limit", "matching by time chooses it"),
    ],
)
def test_what_is_matched_cannot_be_varied(match, key, remedy) -> None:
    with pytest.raises(ConfigurationError, match=remedy) as caught:
        parse_match(match).check_factors([Factor(key, (key,), ("1", "2"))])
    assert f"'{key}' is varied" in str(caught.value)


def test_other_keys_can_be_varied() -> None:
    for match in ("parameters", "updates", "time"):
        parse_match(match).check_factors(
            [Factor("x", ("model.dropout", "training.batch_pieces"), ("1", "2"))]
        )


def test_time_is_the_only_end(tiny_run) -> None:
    limited = tiny_run.model_copy(
        update={"training": tiny_run.training.model_copy(update={"time_limit": "5m", "max_steps": 7})}
    )
    found = within_time(limited).training
    assert (found.time_limit, found.max_steps) == ("5m", 0)
    assert found.epochs > 1_000


def test_time_has_to_be_given(tiny_run) -> None:
    with pytest.raises(
        ConfigurationError, match="--match time needs the time that each training gets: .*--time-limit"
    ):
        within_time(tiny_run)


def test_as_many_updates_with_other_batches(tiny_run) -> None:
    """Ten epochs of 30 steps are 300; with 70 steps an epoch that takes five epochs, the last one not whole."""
    assert planned_steps(tiny_run, 30) == 300
    assert within_updates(tiny_run, steps_per_epoch=30, steps=300) is tiny_run
    found = within_updates(tiny_run, steps_per_epoch=70, steps=300).training
    assert found.max_steps == 300
    assert found.epochs * 70 >= 300


def test_most_steps_count_where_they_come_first(tiny_run) -> None:
    limited = tiny_run.model_copy(
        update={"training": tiny_run.training.model_copy(update={"max_steps": 100})}
    )
    assert planned_steps(limited, 30) == 100
    assert planned_steps(limited, 3) == 30
