"""Why a trained model is not usable, judged by its losses: divergence, too few steps, too little text, or no learning at all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nmt_lstm.evaluation.columns import of_any_size
from nmt_lstm.plain_text import count_of

__all__ = ["ValidationPoint", "diagnose"]

# Below this, hardly any sentence can be understood, whatever the language and the tokenizer.
USABLE_BLEU = 15.0
# Answers of a word or two have no 4-grams, and so no BLEU; their characters tell whether they are right.
USABLE_CHRF = 50.0
# With fewer, text or steps are missing, whatever the losses.
FEW_PAIRS = 1_000
FEW_STEPS = 500
# Relative differences of the loss: between two validations, over the whole run, and from the loss of the training text.
STILL_FALLING = 0.02
HARDLY_FELL = 0.05
FAR_BELOW = 0.6
# Nats per piece. Guessing costs ln V, which is 13 with the largest vocabulary allowed.
DIVERGED = 20.0


class ValidationPoint(NamedTuple):
    """A validation on the learning curve; values that checkpoints of earlier versions lack are NaN."""

    step: int
    """Number of optimizer steps before it."""
    train_loss: float
    """Nats per target piece of the training text since the previous validation; NaN if unknown."""
    loss: float
    """Nats per target piece of the validation text."""
    bleu: float = math.nan
    chrf: float = math.nan
    seconds: float = math.nan
    """Since the run started, validations included."""
    pieces_per_second: float = math.nan
    """Target pieces trained on since the previous validation, without padding and without the time of validations."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint: the values that every run of these settings shares, and its times in "clock"."""
        state = self._asdict()
        clock = {name: state.pop(name) for name in ("seconds", "pieces_per_second")}
        return {**state, "clock": clock}

    @classmethod
    def from_state(cls, state: Mapping[str, Any] | Sequence[float]) -> ValidationPoint:
        """Return the point from a `state_dict`, or from a pair of step and loss as written by earlier versions."""
        if not isinstance(state, Mapping):
            return cls(int(state[0]), math.nan, state[1])
        scores = {name: float(state[name]) for name in ("loss", "bleu", "chrf")}
        return cls(int(state["step"]), float(state.get("train_loss", math.nan)), **scores, **state["clock"])


def diagnose(
    curve: Sequence[ValidationPoint], *, bleu: float, chrf: float, pairs: int | None, out_of_time: bool
) -> list[str]:
    """Return what is wrong with a model that does not translate and what to do about it; an empty list for one that does.

    Args:
        curve: the validations of the run, in order.
        bleu: of the model on the validation text.
        chrf: likewise.
        pairs: number of sentence pairs of the training text; None for a stream.
        out_of_time: whether the time limit stopped the run.
    """
    if bleu >= USABLE_BLEU or chrf >= USABLE_CHRF or not curve:
        return []
    summary = f"The model is not usable yet: BLEU {bleu:.1f} on the validation text."
    return [summary, _reason(curve, pairs=pairs, out_of_time=out_of_time)]


def _reason(curve: Sequence[ValidationPoint], *, pairs: int | None, out_of_time: bool) -> str:
    first, last = curve[0], curve[-1]
    previous = curve[-2] if len(curve) > 1 else None
    lowest = min(point.loss for point in curve)
    if last.loss > DIVERGED:
        return (
            f"Training diverged: a loss of {last.loss:.3g} nats per piece is far above that of guessing. Try a much lower "
            f'training.optimizer.learning_rate, or training.on_divergence = "return".'
        )
    if pairs is not None and pairs < FEW_PAIRS:
        return f"A text of {count_of(pairs, 'sentence pair')} is too small to learn from; a few thousand pairs are needed."
    if last.loss > lowest * (1.0 + STILL_FALLING) and last.train_loss < FAR_BELOW * last.loss:
        return (
            f"The network memorizes the {f'{pairs:,} ' if pairs else ''}training pairs (loss {of_any_size(last.train_loss, 2)} on "
            f"them, {of_any_size(last.loss, 2)} on the validation text): it needs more text, or more dropout and fewer epochs."
        )
    if not out_of_time and last.step >= FEW_STEPS and last.loss > first.loss * (1.0 - HARDLY_FELL):
        return (
            f"The loss hardly fell, from {of_any_size(first.loss, 2)} to {of_any_size(last.loss, 2)} in {count_of(last.step, 'step')}: try a different "
            f"training.optimizer.learning_rate, and check that each source line matches its target line."
        )
    steps = count_of(last.step, "optimizer step")
    falling = ""
    if previous is not None and last.loss < previous.loss * (1.0 - STILL_FALLING):
        falling = f", and the validation loss was still falling ({of_any_size(previous.loss, 2)} to {of_any_size(last.loss, 2)})"
    if out_of_time:
        return f"The time limit stopped training after {steps}{falling}: too few."
    longer = "training.epochs, or training.max_steps if that is set" if pairs is not None else "of the stream"
    return f"Training took only {steps}{falling}. Resume with more {longer}."
