"""What is held equal between variants: parameters, updates or time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nmt_lstm.config.schema import RunSettings
from nmt_lstm.errors import ConfigurationError, nearest
from nmt_lstm.lab.comparison.factors import Factor

__all__ = ["MATCHES", "Match", "parse_match", "planned_steps", "within_time", "within_updates"]

# Each kind of matching with the keys that it sets, which therefore cannot be varied.
MATCHES = {
    "parameters": ("model.encoder.hidden_size", "model.decoder.hidden_size"),
    "updates": ("training.epochs", "training.max_steps"),
    "time": ("training.time_limit", "training.epochs", "training.max_steps"),
}
_UNLIMITED_EPOCHS = 100_000


@dataclass(frozen=True)
class Match:
    """What is equal between variants."""

    parameters: bool
    """Whether hidden layers are sized so that all variants have the same number of parameters."""
    budget: str
    """"updates" or "time": what ends each training run."""

    def words(self) -> str:
        """Return the match as text, such as "parameters and updates"."""
        return " and ".join(self._kinds)

    def check_factors(self, factors: Sequence[Factor]) -> None:
        """Raise ConfigurationError if a key is varied that is held equal."""
        for kind in self._kinds:
            for key in (key for factor in factors for key in factor.keys if key in MATCHES[kind]):
                options = " or ".join(
                    f"--match {other}" for other, keys in MATCHES.items() if key not in keys
                )
                raise ConfigurationError(
                    f"'{key}' is varied, but matching by {kind} sets it; use {options} instead.", key=key
                )

    @property
    def _kinds(self) -> list[str]:
        return [*(["parameters"] if self.parameters else []), self.budget]


def parse_match(text: str) -> Match:
    """Parse ``parameters``, ``updates``, ``time``, or ``parameters`` and one of the others, separated by a comma.

    Raises:
        ConfigurationError: a word is unknown, or two exclude each other.
    """
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in MATCHES:
            raise ConfigurationError(
                f"--match: unknown '{word}'.{nearest(word, MATCHES)} Known: {', '.join(MATCHES)}, and parameters with one "
                f"of the others, such as --match parameters,time.",
                value=word,
                known=MATCHES,
            )
    if {"updates", "time"} <= set(words):
        raise ConfigurationError("--match: updates and time cannot both be equal; choose one of them.")
    return Match("parameters" in words, "time" if "time" in words else "updates")


def within_time(run: RunSettings) -> RunSettings:
    """Return the run limited by its time limit alone.

    Raises:
        ConfigurationError: it has no time limit.
    """
    if not run.training.time_limit:
        raise ConfigurationError("--match time needs --time-limit, such as --time-limit 20m.")
    return _with_training(run, epochs=_UNLIMITED_EPOCHS, max_steps=0)


def within_updates(run: RunSettings, *, steps_per_epoch: int, steps: int) -> RunSettings:
    """Return the run limited to a number of optimizer steps.

    Args:
        run: the run.
        steps_per_epoch: optimizer steps of its first epoch.
        steps: optimizer steps of the whole training run.
    """
    if planned_steps(run, steps_per_epoch) == steps:
        return run
    # Later epochs may have fewer steps than the first, so one more is allowed for.
    return _with_training(run, epochs=-(-steps // steps_per_epoch) + 1, max_steps=steps)


def planned_steps(run: RunSettings, steps_per_epoch: int) -> int:
    """Return the optimizer steps of the whole training run, unless something stops it earlier."""
    steps = run.training.epochs * steps_per_epoch
    return min(steps, run.training.max_steps) if run.training.max_steps else steps


def _with_training(run: RunSettings, *, epochs: int, max_steps: int) -> RunSettings:
    training = run.training.model_copy(update={"epochs": epochs, "max_steps": max_steps})
    return run.model_copy(update={"training": training})
