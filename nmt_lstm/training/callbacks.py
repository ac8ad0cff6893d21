"""Callbacks of the user: by name in a run file, or as objects in Python."""

from __future__ import annotations

import io
import traceback
from collections.abc import Sequence

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint

from nmt_lstm.config.named_parts import named_parts
from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.errors import CallbackError, ConfigurationError
from nmt_lstm.training.named_class import checked_options, construct, import_named

__all__ = ["build_callbacks", "check_callbacks", "check_states", "failure_in"]

_KEY = "training.callbacks"


def build_callbacks(training: TrainingSettings) -> list[pl.Callback]:
    """Return the callbacks that the settings name.

    Raises:
        ConfigurationError: a class cannot be imported or built, is not a callback, or does not have an option.
    """
    callbacks = []
    for part in named_parts(training.callbacks):
        label = f"callback '{part.name}'"
        constructor = import_named(part.name, _KEY)
        options = checked_options(constructor, part.options, label=label, key=_KEY, reserved={})
        callback = construct(constructor, label=label, key=_KEY, **options)
        if not isinstance(callback, pl.Callback):
            raise ConfigurationError(
                f"{label} is not a callback; derive the class from pytorch_lightning.Callback.",
                key=_KEY,
                value=part.name,
            )
        callbacks.append(callback)
    return callbacks


def check_callbacks(callbacks: Sequence[pl.Callback]) -> None:
    """Check that a run may have these callbacks.

    Raises:
        ConfigurationError: a callback saves checkpoints, or the run could not be resumed with it.
    """
    for callback in callbacks:
        if isinstance(callback, Checkpoint):
            raise ConfigurationError(
                f"{_KEY}: {type(callback).__name__} cannot be used, because the run saves its own checkpoints; set "
                f"training.checkpoint_every and training.keep_best.",
                key=_KEY,
                value=type(callback).__name__,
            )
    check_states(callbacks)


def check_states(callbacks: Sequence[pl.Callback]) -> None:
    """Check that a run with these callbacks can be resumed: checkpoints are read without unpickling objects.

    Raises:
        ConfigurationError: the state of a callback contains other than tensors and plain values.
    """
    for callback in callbacks:
        file = io.BytesIO()
        try:
            torch.save(callback.state_dict(), file)
            file.seek(0)
            torch.load(file, weights_only=True)
        except Exception as problem:
            raise ConfigurationError(
                f"the state of the callback {type(callback).__name__} must consist of tensors and plain values, so that the "
                f"run can be resumed ({' '.join(str(problem).split())[:150]}).",
                key=_KEY,
                value=type(callback).__name__,
            ) from problem


def failure_in(callbacks: Sequence[pl.Callback], problem: BaseException) -> CallbackError | None:
    """Return an error that names the callback in whose code an exception was raised; None if it was raised elsewhere."""
    for frame, line in reversed([*traceback.walk_tb(problem.__traceback__)]):
        owner = frame.f_locals.get("self")
        if any(owner is callback for callback in callbacks):
            return CallbackError(type(owner).__name__, f"'{frame.f_code.co_filename}', line {line}", problem)
    return None
