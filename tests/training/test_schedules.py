"""Each schedule's shape, warm-up and minimum, and the state of plateau."""

from __future__ import annotations

import pytest

from nmt_lstm.config.schema import ScheduleSettings
from nmt_lstm.training.schedules import LearningRateSchedule


def schedule(**settings: object) -> LearningRateSchedule:
    return LearningRateSchedule(ScheduleSettings(**settings), peak=0.1)


@pytest.mark.parametrize("name", ["constant", "inverse_square_root", "cosine", "plateau", "step"])
def test_warm_up_is_linear_and_ends_at_the_peak(name: str) -> None:
    warming = schedule(name=name, warmup_steps=10)
    rates = [warming.rate(step, 0.0) for step in range(10)]
    assert rates == pytest.approx([0.01 * (step + 1) for step in range(10)])


def test_without_warm_up_the_first_step_has_the_peak() -> None:
    assert schedule(name="constant", warmup_steps=0).rate(0, 0.0) == 0.1


def test_cosine_decreases_with_progress_to_the_minimum() -> None:
    cosine = schedule(name="cosine", warmup_steps=0, minimum_ratio=0.1)
    assert cosine.rate(5, 0.5) == pytest.approx(0.055)
    assert cosine.rate(5, 1.0) == pytest.approx(0.01)
    assert cosine.rate(5, 2.0) == pytest.approx(0.01)


def test_inverse_square_root_halves_the_rate_after_four_times_the_warm_up() -> None:
    decreasing = schedule(name="inverse_square_root", warmup_steps=100)
    assert decreasing.rate(399, 0.9) == pytest.approx(0.05)


def test_step_decreases_at_each_interval_down_to_the_minimum() -> None:
    decreasing = schedule(name="step", warmup_steps=0, factor=0.5, interval_steps=10, minimum_ratio=0.2)
    assert [decreasing.rate(step, 0.0) for step in (9, 10, 20, 30)] == pytest.approx([0.1, 0.05, 0.025, 0.02])


def test_plateau_decreases_after_its_patience_also_when_resumed() -> None:
    decreasing = schedule(name="plateau", warmup_steps=0, factor=0.5, patience=1)
    decreasing.record_validation(improved=True)
    decreasing.record_validation(improved=False)
    assert decreasing.rate(1, 0.0) == 0.1
    state = decreasing.state_dict()
    resumed = schedule(name="plateau", warmup_steps=0, factor=0.5, patience=1)
    resumed.load_state_dict(state)
    for one in (decreasing, resumed):
        one.record_validation(improved=False)
        assert one.rate(1, 0.0) == pytest.approx(0.05)


def test_other_schedules_ignore_validations() -> None:
    constant = schedule(name="constant", warmup_steps=0, patience=0)
    constant.record_validation(improved=False)
    assert constant.state_dict() == {"falls": 0, "waited": 0}
