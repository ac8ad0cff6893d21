"""The time limit: what is counted, what is left for the end."""

from __future__ import annotations

import pytest

from nmt_lstm.training.clock import Clock


def test_without_a_limit_time_never_ends_and_never_lowers_a_rate() -> None:
    clock = Clock(None)
    assert not clock.is_over(1e9)
    assert clock.progress(1e9) == 0.0


def test_the_end_keeps_time_for_validations() -> None:
    clock = Clock(200.0)
    clock.expect(validation_steps=0, final_validations=2, beam_factor=3.0)
    clock.validation_seconds = 5.0
    assert clock.reserve() == pytest.approx(1.0 + 1.3 * 5.0 * (1 + 2 * 3.0))
    assert not clock.is_over(153.0)
    assert clock.is_over(154.0)


def test_the_end_keeps_no_more_than_a_third_of_a_short_limit() -> None:
    clock = Clock(10.0)
    clock.expect(validation_steps=100_000, final_validations=2, beam_factor=3.0)
    clock.validation_seconds = 1000.0
    assert clock.reserve() == pytest.approx(3.5)
    assert not clock.is_over(6.0)


def test_a_comparison_at_the_end_needs_time_within_the_limit() -> None:
    clock = Clock(1000.0)
    clock.expect(validation_steps=0, final_validations=1, beam_factor=3.0)
    clock.validation_seconds = 100.0
    assert clock.has_time_to_validate()
    clock.load_state_dict({"elapsed": 690.0, "training_start": 1.0, "validation_seconds": 100.0})
    assert clock.has_time_to_validate()
    clock.load_state_dict({"elapsed": 699.0, "training_start": 1.0, "validation_seconds": 100.0})
    assert not clock.has_time_to_validate()
    assert Clock(None).has_time_to_validate()


def test_progress_counts_from_the_first_step_and_never_falls() -> None:
    clock = Clock(101.0)
    clock.expect(validation_steps=0, final_validations=0, beam_factor=1.0)
    clock.load_state_dict({"elapsed": 0.0, "training_start": 20.0, "validation_seconds": 0.0})
    assert clock.progress(20.0) == 0.0
    assert clock.progress(27.0) == 0.0
    assert clock.progress(29.0) == pytest.approx(9 / 80)
    assert clock.progress(60.0) == pytest.approx(0.5)
    assert clock.progress(50.0) == pytest.approx(0.5)
    assert clock.progress(200.0) == 1.0


def test_before_the_first_validation_steps_tell_how_long_it_will_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 50.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    clock = Clock(100.0)
    clock.expect(validation_steps=10, final_validations=1, beam_factor=2.0)
    now = 60.0
    clock.start_training()
    assert clock.expected_validation() == 0.0
    now = 61.0
    clock.count_step()
    now = 61.4
    clock.count_step()
    assert clock.expected_validation() == pytest.approx(7.0)
    assert clock.reserve() == pytest.approx(1.0 + 1.3 * 7.0 * 3)
    clock.validation_seconds = 2.0
    now = 90.0
    clock.count_step()
    assert clock.expected_validation() == 2.0
    assert clock.left() == pytest.approx(60.0)
    assert Clock(None).left() is None


def test_earlier_sessions_count() -> None:
    clock = Clock(1000.0)
    clock.load_state_dict({"elapsed": 900.0, "training_start": 1.0, "validation_seconds": 7.0})
    assert clock.elapsed() >= 900.0
    assert clock.state_dict()["validation_seconds"] == 7.0


def test_validations_leave_most_of_a_limited_time_to_training() -> None:
    clock = Clock(1000.0)
    clock.count_validation(10.0)
    assert clock.validation_seconds == 10.0
    assert not clock.affords_validation(100.0)
    assert clock.affords_validation(150.0)
    clock.count_validation(20.0)
    assert not clock.affords_validation(300.0)
    resumed = Clock(1000.0)
    resumed.load_state_dict(clock.state_dict())
    assert resumed.validated_seconds == 30.0
    unlimited = Clock(None)
    unlimited.count_validation(100.0)
    assert unlimited.affords_validation(1.0)


def test_the_last_weights_are_validated_only_within_the_limit() -> None:
    clock = Clock(100.0)
    clock.count_validation(60.0)
    assert clock.affords_last_validation(39.0)
    assert not clock.affords_last_validation(39.5)
    assert Clock(None).affords_last_validation(1e9)
