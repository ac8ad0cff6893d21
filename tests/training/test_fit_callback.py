"""When a run validates, saves and stops after a step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.training.fit_callback import CALLBACK_KEY, FitCallback
from nmt_lstm.training.interruption import TrainingInterrupted
from nmt_lstm.training.time_budget import TimeBudget

MODULE = SimpleNamespace(parts=SimpleNamespace(take_splits=lambda: 0))


class RecordingValidator:
    """Records validations, which improve or not as planned."""

    def __init__(self, improvements: list[bool]) -> None:
        self.improvements = iter(improvements)
        self.step = -1
        self.steps: list[int] = []
        self.curve: list[Any] = []
        self.checkpoints = SimpleNamespace(checkpoints=[], delete_unlisted=lambda: None)
        self.report = SimpleNamespace(first_validation_after_limit=lambda limit: None)

    def validate(self, trainer: Any, module: Any) -> bool:
        self.step = trainer.global_step
        self.steps.append(self.step)
        return next(self.improvements)


class Run:
    """A run whose steps the tests take one by one."""

    def __init__(self, *improvements: bool, **settings: Any) -> None:
        self.validator = RecordingValidator(list(improvements))
        self.saved: list[tuple[int, bool]] = []
        self.saved_out_of_time: list[bool] = []
        self.trainer = SimpleNamespace(
            global_step=0, current_epoch=0, is_global_zero=True, should_stop=False, world_size=1, callbacks=[]
        )
        self.callback = FitCallback(
            settings=TrainingSettings(**settings),
            budget=TimeBudget(None),
            signals=cast("Any", SimpleNamespace(received=0)),
            validator=cast("Any", self.validator),
            checkpoint=cast("Any", SimpleNamespace(save=self._save)),
            identity={},
        )

    def _save(self, trainer: Any, module: Any, *, validated: bool) -> None:
        self.saved.append((trainer.global_step, validated))
        self.saved_out_of_time.append(self.callback.out_of_time)

    def take_steps(self, count: int, *, end_of_epoch: bool = False) -> None:
        for _ in range(count):
            self.trainer.global_step += 1
            self.callback.after_step(
                cast("Any", self.trainer), cast("Any", MODULE), end_of_epoch=end_of_epoch
            )


def test_a_run_validates_and_saves_at_its_intervals() -> None:
    run = Run(True, True, validate_every=4, checkpoint_every=3, epochs=9)
    run.take_steps(8)
    assert run.validator.steps == [4, 8]
    assert run.saved == [(3, False), (4, True), (6, False), (8, True)]
    assert not run.trainer.should_stop


def test_a_run_stops_after_its_steps_with_a_validation() -> None:
    run = Run(True, max_steps=2, epochs=9)
    run.take_steps(2)
    assert run.trainer.should_stop
    assert (run.validator.steps, run.saved) == ([2], [(2, True)])
    assert run.callback.limiting_setting == "training.max_steps"


def test_a_run_stops_after_its_last_epoch() -> None:
    run = Run(True, epochs=1)
    run.take_steps(1, end_of_epoch=True)
    assert run.trainer.should_stop
    assert run.callback.limiting_setting == "training.epochs"


def test_a_run_stops_after_validations_without_improvement() -> None:
    run = Run(True, False, True, False, False, patience=2, validate_every=1, epochs=9)
    run.take_steps(4)
    assert not run.trainer.should_stop
    run.take_steps(1)
    assert run.trainer.should_stop
    assert run.callback.limiting_setting == "training.patience"


def test_a_run_over_its_time_limit_validates_saves_and_stops() -> None:
    run = Run(True, time_limit="1m", epochs=9)
    run.take_steps(1)
    assert not run.callback.out_of_time
    module = SimpleNamespace(device=torch.device("cpu"), steps_done=lambda: 0.0, time_progress=0.0)
    run.callback.budget.limit = 0.0
    run.callback._synchronize(cast("Any", run.trainer), cast("Any", module))
    run.take_steps(1)
    assert run.trainer.should_stop
    assert (run.validator.steps, run.saved) == ([2], [(2, True)])
    assert run.callback.limiting_setting == "training.time_limit"
    assert run.saved_out_of_time == [True]


def test_a_signal_saves_before_it_interrupts() -> None:
    run = Run(epochs=9)
    run.callback.signals.received = 15
    module = SimpleNamespace(device=torch.device("cpu"), steps_done=lambda: 0.0, time_progress=0.0)
    run.callback._synchronize(cast("Any", run.trainer), cast("Any", module))
    with pytest.raises(TrainingInterrupted):
        run.take_steps(1)
    assert run.saved == [(1, False)]


def test_its_state_has_the_key_of_earlier_checkpoints() -> None:
    assert Run().callback.state_key == CALLBACK_KEY == "RunControl"
