"""Why a run stops, and which setting would have to be larger for a longer run."""

from __future__ import annotations

from typing import NamedTuple

from nmt_lstm.config.schema import TrainingSettings

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
        return Stop(f"all {settings.max_steps:,} steps are done", "training.max_steps")
    if epochs >= settings.epochs:
        return Stop(f"all {settings.epochs} epochs are done", "training.epochs")
    if time_is_over:
        return Stop(f"the time limit of {settings.time_limit} is reached", TIME_LIMIT)
    return None


def out_of_patience(settings: TrainingSettings, stale_validations: int) -> Stop | None:
    """Return the reason to stop after this many consecutive validations without improvement, if it is too many."""
    if settings.patience and stale_validations >= settings.patience:
        reason = f"{settings.metric} did not improve in the last {stale_validations} validations"
        return Stop(reason, "training.patience")
    return None


BY_CALLBACK = Stop("a callback stopped it", "training.callbacks")
"""The reason if a callback of the user sets the Trainer's `should_stop`."""
