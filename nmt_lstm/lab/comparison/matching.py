"""What is held equal between variants: parameters, updates or time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ConfigurationError, nearest
from nmt_lstm.lab.comparison.factors import Factor

__all__ = ["MATCHES", "Match", "parse_match", "planned_steps", "within_time", "within_updates"]

MATCHES = ("parameters", "updates", "time")
_HIDDEN = ("model.encoder.hidden_size", "model.decoder.hidden_size")
# What the tool itself sets under each match, so that nobody else can.
_CHOSEN = {
    "parameters": _HIDDEN,
    "updates": ("training.epochs", "training.max_steps"),
    "time": ("training.time_limit", "training.epochs", "training.max_steps"),
}
_ENDLESS_EPOCHS = 100_000


@dataclass(frozen=True)
class Match:
    """What is equal between variants."""

    parameters: bool
    """Whether hidden layers are sized so that all have as many parameters."""
    budget: str
    """"updates" or "time": what ends each training."""

    def words(self) -> str:
        """Return it as a person would say it."""
        return " and ".join([*(["parameters"] if self.parameters else []), self.budget])

    def check_factors(self, factors: Sequence[Factor]) -> None:
        """Refuse to vary what is held equal.

        Raises:
            ConfigurationError: the message names the key.
        """
        for name in [*(["parameters"] if self.parameters else []), self.budget]:
            for factor in factors:
                for key in factor.keys:
                    if key in _CHOSEN[name]:
                        others = " or ".join(
                            f"--match {other}" for other in MATCHES if key not in _CHOSEN[other]
                        )
                        raise ConfigurationError(
                            f"'{key}' is varied, but matching by {name} chooses it; use {others} instead."
                        )


def parse_match(text: str) -> Match:
    """Read ``parameters``, ``updates``, ``time``, or ``parameters`` with one of the others.

    Raises:
        ConfigurationError: a word is unknown, or two exclude each other.
    """
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in MATCHES:
            raise ConfigurationError(
                f"--match: unknown '{word}'.{nearest(word, MATCHES)} Known: {', '.join(MATCHES)}, and parameters with one "
                f"of the others, such as --match parameters,time."
            )
    if {"updates", "time"} <= set(words):
        raise ConfigurationError("--match: updates and time cannot both be equal; name one of them.")
    return Match("parameters" in words, "time" if "time" in words else "updates")


def within_time(run: RunSettings) -> RunSettings:
    """Return the run with its time limit as its only end.

    Raises:
        ConfigurationError: it has no time limit.
    """
    if not run.training.time_limit:
        raise ConfigurationError(
            "--match time needs the time that each training gets: give it by --time-limit, such as --time-limit 20m."
        )
    return _with_training(run, epochs=_ENDLESS_EPOCHS, max_steps=0)


def within_updates(run: RunSettings, *, steps_per_epoch: int, steps: int) -> RunSettings:
    """Return the run ending after `steps` optimizer steps.

    Args:
        run: the run; `steps_per_epoch` are its own.
        steps_per_epoch: optimizer steps of its first epoch.
        steps: of the whole training.
    """
    if planned_steps(run, steps_per_epoch) == steps:
        return run
    return _with_training(run, epochs=-(-steps // steps_per_epoch) + 1, max_steps=steps)


def planned_steps(run: RunSettings, steps_per_epoch: int) -> int:
    """Return the optimizer steps of the whole training, if nothing stops it sooner."""
    steps = run.training.epochs * steps_per_epoch
    return min(steps, run.training.max_steps) if run.training.max_steps else steps


def _with_training(run: RunSettings, *, epochs: int, max_steps: int) -> RunSettings:
    training = run.training.model_copy(update={"epochs": epochs, "max_steps": max_steps})
    return run.model_copy(update={"training": training})
