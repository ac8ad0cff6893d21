"""Lightning's Trainer: its strategy, and its silence."""

from __future__ import annotations

import logging
import warnings

import pytest
from pytorch_lightning.strategies import DDPStrategy

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.training.devices import Devices
from nmt_lstm.training.trainer import _strategy, silence_lightning


@pytest.mark.parametrize(
    ("name", "unused"), [("auto", False), ("ddp", False), ("ddp_find_unused_parameters_true", True)]
)
def test_several_processes_use_ddp_as_the_strategy_setting_says(name: str, unused: bool) -> None:
    strategy = _strategy(TrainingSettings(strategy=name), Devices("cpu", 2, 1))
    assert isinstance(strategy, DDPStrategy)
    assert strategy._ddp_kwargs["find_unused_parameters"] is unused


def test_one_process_does_not_use_ddp() -> None:
    assert _strategy(TrainingSettings(strategy="ddp"), Devices("cpu", 1, 1)) == "auto"


def test_lightning_is_silenced_only_within_the_context() -> None:
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    with silence_lightning():
        assert logger.level == logging.ERROR
        warnings.warn_explicit("does not have many workers", UserWarning, "file.py", 1)
    assert logger.level == level
