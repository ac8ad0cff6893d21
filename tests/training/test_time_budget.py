"""The time limit: what counts towards it, and what is reserved for the end."""

from __future__ import annotations

import pytest

from nmt_lstm.training.time_budget import TimeBudget


def test_without_a_limit_time_is_never_over_and_makes_no_progress() -> None:
    budget = TimeBudget(None)
    assert not budget.is_over(1e9)
    assert budget.progress(1e9) == 0.0


def test_time_for_the_final_validations_is_reserved() -> None:
    budget = TimeBudget(200.0)
    budget.forecast(validation_steps=0, final_validations=2, beam_factor=3.0)
    budget.validation_seconds = 5.0
    assert budget.reserve() == pytest.approx(1.0 + 1.3 * 5.0 * (1 + 2 * 3.0))
    assert not budget.is_over(153.0)
    assert budget.is_over(154.0)


def test_at_most_a_third_of_a_short_limit_is_reserved() -> None:
    budget = TimeBudget(10.0)
    budget.forecast(validation_steps=100_000, final_validations=2, beam_factor=3.0)
    budget.validation_seconds = 1000.0
    assert budget.reserve() == pytest.approx(3.5)
    assert not budget.is_over(6.0)


def test_a_final_validation_must_fit_into_the_limit() -> None:
    budget = TimeBudget(1000.0)
    budget.forecast(validation_steps=0, final_validations=1, beam_factor=3.0)
    budget.validation_seconds = 100.0
    assert budget.has_time_to_validate()
    budget.load_state_dict({"elapsed": 690.0, "training_start": 1.0, "validation_seconds": 100.0})
    assert budget.has_time_to_validate()
    budget.load_state_dict({"elapsed": 699.0, "training_start": 1.0, "validation_seconds": 100.0})
    assert not budget.has_time_to_validate()
    assert TimeBudget(None).has_time_to_validate()


def test_progress_counts_from_the_first_step_and_never_decreases() -> None:
    budget = TimeBudget(101.0)
    budget.forecast(validation_steps=0, final_validations=0, beam_factor=1.0)
    budget.load_state_dict({"elapsed": 0.0, "training_start": 20.0, "validation_seconds": 0.0})
    assert budget.progress(20.0) == 0.0
    assert budget.progress(27.0) == 0.0
    assert budget.progress(29.0) == pytest.approx(9 / 80)
    assert budget.progress(60.0) == pytest.approx(0.5)
    assert budget.progress(50.0) == pytest.approx(0.5)
    assert budget.progress(200.0) == 1.0


def test_the_time_of_the_first_validation_is_estimated_from_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 50.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    budget = TimeBudget(100.0)
    budget.forecast(validation_steps=10, final_validations=1, beam_factor=2.0)
    now = 60.0
    budget.start_training()
    assert budget.expected_validation() == 0.0
    now = 61.0
    budget.count_step()
    now = 61.4
    budget.count_step()
    assert budget.expected_validation() == pytest.approx(7.0)
    assert budget.reserve() == pytest.approx(1.0 + 1.3 * 7.0 * 3)
    budget.validation_seconds = 2.0
    now = 90.0
    budget.count_step()
    assert budget.expected_validation() == 2.0
    assert budget.remaining() == pytest.approx(60.0)
    assert TimeBudget(None).remaining() is None


def test_the_time_before_a_resume_counts() -> None:
    budget = TimeBudget(1000.0)
    budget.load_state_dict({"elapsed": 900.0, "training_start": 1.0, "validation_seconds": 7.0})
    assert budget.elapsed() >= 900.0
    assert budget.state_dict()["validation_seconds"] == 7.0


def test_validations_leave_most_of_a_limited_time_to_training() -> None:
    budget = TimeBudget(1000.0)
    budget.count_validation(10.0)
    assert budget.validation_seconds == 10.0
    assert not budget.affords_validation(100.0)
    assert budget.affords_validation(150.0)
    budget.count_validation(20.0)
    assert not budget.affords_validation(300.0)
    resumed = TimeBudget(1000.0)
    resumed.load_state_dict(budget.state_dict())
    assert resumed.validated_seconds == 30.0
    unlimited = TimeBudget(None)
    unlimited.count_validation(100.0)
    assert unlimited.affords_validation(1.0)


def test_the_last_weights_are_validated_only_within_the_limit() -> None:
    budget = TimeBudget(100.0)
    budget.count_validation(60.0)
    assert budget.affords_last_validation(39.0)
    assert not budget.affords_last_validation(39.5)
    assert TimeBudget(None).affords_last_validation(1e9)
