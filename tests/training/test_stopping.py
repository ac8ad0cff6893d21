"""Reasons to stop a run."""

from __future__ import annotations

import pytest

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.training.stopping import TIME_LIMIT, limit_reached, out_of_patience


@pytest.mark.parametrize(
    ("steps", "epochs", "time_is_over", "setting"),
    [
        (9, 0, False, None),
        (9, 2, False, None),
        (10, 0, False, "training.max_steps"),
        (9, 3, False, "training.epochs"),
        (9, 0, True, TIME_LIMIT),
        (10, 3, True, "training.max_steps"),
        (9, 3, True, "training.epochs"),
    ],
)
def test_a_run_stops_at_its_first_limit(steps, epochs, time_is_over, setting) -> None:
    settings = TrainingSettings(max_steps=10, epochs=3, time_limit="2h")
    stop = limit_reached(settings, steps, epochs, time_is_over=time_is_over)
    assert (stop and stop.setting) == setting


def test_without_a_limit_of_steps_a_run_goes_on() -> None:
    assert limit_reached(TrainingSettings(epochs=3), 1_000_000, 2, time_is_over=False) is None


@pytest.mark.parametrize(("patience", "stale", "stops"), [(2, 1, False), (2, 2, True), (0, 9, False)])
def test_patience_ends_after_as_many_validations_without_improvement(patience, stale, stops) -> None:
    stop = out_of_patience(TrainingSettings(patience=patience), stale)
    assert (stop is not None) is stops
    assert not stops or stop.setting == "training.patience"


@pytest.mark.parametrize(("limit", "reason"), [(1, "the only epoch is done"), (3, "all 3 epochs are done")])
def test_the_reason_suits_the_number(limit: int, reason: str) -> None:
    stop = limit_reached(TrainingSettings(epochs=limit), 9, limit, time_is_over=False)
    assert stop is not None
    assert stop.reason == reason
