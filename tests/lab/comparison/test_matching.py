"""Matching: parsing, the settings that follow from it, and contradictions."""

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
def test_matches_are_parsed(text, match, words) -> None:
    assert parse_match(text) == match
    assert parse_match(text).words() == words


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "parameter",
            "Did you mean 'parameters'? Known: parameters",
        ),
        ("", "--match: unknown ''"),
        ("time,updates", "updates and time"),
    ],
)
def test_unknown_and_contradictory_matches_are_rejected(text, message) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_match(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("match", "key", "remedy"),
    [
        (
            "parameters",
            "model.encoder.hidden_size",
            "use --match updates or --match time",
        ),
        ("updates", "training.epochs", "use --match parameters instead"),
        ("time", "training.time_limit", "matching by time"),
    ],
)
def test_matched_keys_cannot_be_varied(match, key, remedy) -> None:
    with pytest.raises(ConfigurationError, match=remedy) as caught:
        parse_match(match).check_factors([Factor(key, (key,), ("1", "2"))])
    assert caught.value.key == key


def test_other_keys_can_be_varied() -> None:
    for match in ("parameters", "updates", "time"):
        parse_match(match).check_factors(
            [Factor("x", ("model.dropout", "training.batch_pieces"), ("1", "2"))]
        )


def test_only_time_ends_a_run_matched_by_time(tiny_run) -> None:
    limited = tiny_run.model_copy(
        update={"training": tiny_run.training.model_copy(update={"time_limit": "5m", "max_steps": 7})}
    )
    result = within_time(limited).training
    assert (result.time_limit, result.max_steps) == ("5m", 0)
    assert result.epochs > 1_000


def test_matching_by_time_needs_a_time_limit(tiny_run) -> None:
    with pytest.raises(ConfigurationError, match="needs --time-limit"):
        within_time(tiny_run)


def test_updates_stay_the_same_with_different_batches(tiny_run) -> None:
    """Ten epochs of 30 steps make 300; with 70 steps per epoch, the fifth epoch is cut short."""
    assert planned_steps(tiny_run, 30) == 300
    assert within_updates(tiny_run, steps_per_epoch=30, steps=300) is tiny_run
    result = within_updates(tiny_run, steps_per_epoch=70, steps=300).training
    assert result.max_steps == 300
    assert result.epochs * 70 >= 300


def test_max_steps_limit_the_planned_steps(tiny_run) -> None:
    limited = tiny_run.model_copy(
        update={"training": tiny_run.training.model_copy(update={"max_steps": 100})}
    )
    assert planned_steps(limited, 30) == 100
    assert planned_steps(limited, 3) == 30
