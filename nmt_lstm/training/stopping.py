"""Why a run stops, and which setting would have to be larger for a longer run."""

from __future__ import annotations

from typing import NamedTuple

from nmt_lstm.config.schema import TrainingSettings
from nmt_lstm.plain_text import count_of

__all__ = ["BY_CALLBACK", "TIME_LIMIT", "Stop", "limit_reached", "out_of_patience"]

TIME_LIMIT = "training.time_limit"
"""The setting of a `Stop` at the time limit."""


class Stop(NamedTuple):
    """Why a run stops."""

    reason: str
    """In words."""
    setting: str
    """The setting that would have to be larger for a longer run, such as "training.epochs"."""


def limit_reached(settings: TrainingSettings, steps: int, epochs: int, *, time_is_over: bool) -> Stop | None:
    """Return the limit that a run has reached, if any; steps and epochs come before time.

    Args:
        settings: the limits.
        steps: optimizer steps done.
        epochs: epochs done; 0 within an epoch, where their limit is not checked.
        time_is_over: whether the time limit is reached.
    """
    if settings.max_steps and steps >= settings.max_steps:
        return Stop(_all_done(settings.max_steps, "step"), "training.max_steps")
    if epochs >= settings.epochs:
        return Stop(_all_done(settings.epochs, "epoch"), "training.epochs")
    if time_is_over:
        return Stop(f"the time limit of {settings.time_limit} is reached", TIME_LIMIT)
    return None


def out_of_patience(settings: TrainingSettings, stale_validations: int) -> Stop | None:
    """Return the reason to stop after this many consecutive validations without improvement, if it is too many."""
    if settings.patience and stale_validations >= settings.patience:
        reason = f"{settings.metric} did not improve in the last {count_of(stale_validations, 'validation')}"
        return Stop(reason, "training.patience")
    return None


def _all_done(number: int, noun: str) -> str:
    return f"the only {noun} is done" if number == 1 else f"all {count_of(number, noun)} are done"


BY_CALLBACK = Stop("a callback stopped it", "training.callbacks")
"""The reason if a callback of the user sets the Trainer's `should_stop`."""
