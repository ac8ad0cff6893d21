"""Why a trained model is not usable, read from its losses: too few steps, too little text, or no learning at all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Point", "diagnose"]

# Below this, hardly a sentence of a translation can be understood, whatever the language and the tokenizer.
USABLE_BLEU = 15.0
# With fewer, what is missing is text, or steps, whatever the losses say.
FEW_PAIRS = 1_000
FEW_STEPS = 500
# Relative changes of the loss: between two validations, over the whole run, and against the loss of the training text.
STILL_FALLING = 0.02
HARDLY_FELL = 0.05
FAR_BELOW = 0.6


class Point(NamedTuple):
    """A validation on the learning curve; what checkpoints of earlier versions do not say is NaN."""

    step: int
    """Optimizer steps before it."""
    train_loss: float
    """Nats per target piece of the training text since the validation before; NaN if unknown."""
    loss: float
    """Nats per target piece of the validation text."""
    bleu: float = math.nan
    chrf: float = math.nan
    seconds: float = math.nan
    """Since the training began, its validations included."""
    pieces_per_second: float = math.nan
    """Target pieces trained on since the validation before, padding and validations not counted."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: what is the same in every run of these settings, and its times apart.

        The loss on the training text depends on when the run was looked at.
        """
        clock = {"seconds": self.seconds, "pieces_per_second": self.pieces_per_second}
        return {"step": self.step, "loss": self.loss, "bleu": self.bleu, "chrf": self.chrf, "clock": clock}

    @classmethod
    def of_state(cls, state: Mapping[str, Any] | Sequence[float]) -> Point:
        """Return the point of a `state_dict`, or of a pair of step and loss as earlier versions wrote them."""
        if not isinstance(state, Mapping):
            return cls(int(state[0]), math.nan, state[1])
        scores = {name: float(state[name]) for name in ("loss", "bleu", "chrf")}
        return cls(int(state["step"]), math.nan, **scores, **state["clock"])


def diagnose(curve: Sequence[Point], *, bleu: float, pairs: int, out_of_time: bool) -> list[str]:
    """Return what is wrong with a model that does not translate and what to do about it; nothing for one that does.

    Args:
        curve: the validations of the run, in order.
        bleu: of the model on the validation text.
        pairs: sentence pairs of the training text.
        out_of_time: whether the time limit ended the run.
    """
    if bleu >= USABLE_BLEU or not curve:
        return []
    verdict = f"The model does not translate usably yet: BLEU {bleu:.1f} on the validation text."
    return [verdict, _reason(curve, pairs=pairs, out_of_time=out_of_time)]


def _reason(curve: Sequence[Point], *, pairs: int, out_of_time: bool) -> str:
    first, last = curve[0], curve[-1]
    before = curve[-2] if len(curve) > 1 else None
    lowest = min(point.loss for point in curve)
    if pairs < FEW_PAIRS:
        return f"{pairs:,} sentence pairs are too few to learn from; some thousands are needed."
    if last.loss > lowest * (1.0 + STILL_FALLING) and last.train_loss < FAR_BELOW * last.loss:
        return (
            f"The network learns the {pairs:,} training pairs by heart (loss {last.train_loss:.2f} on them, {last.loss:.2f} "
            f"on the validation text): it needs more text, or more dropout and fewer epochs."
        )
    if not out_of_time and last.step >= FEW_STEPS and last.loss > first.loss * (1.0 - HARDLY_FELL):
        return (
            f"The loss hardly fell, from {first.loss:.2f} to {last.loss:.2f} in {last.step:,} steps: try a different "
            f"training.optimizer.learning_rate, and check that both sides of the text belong together line by line."
        )
    steps = f"{last.step:,} optimizer step{'s' * (last.step != 1)}"
    falling = ""
    if before is not None and last.loss < before.loss * (1.0 - STILL_FALLING):
        falling = f", and the validation loss was still falling ({before.loss:.2f} to {last.loss:.2f})"
    if out_of_time:
        return f"The time limit ended training after {steps}{falling}: too few."
    return f"It took only {steps}{falling}. Resume with more training.epochs, or training.max_steps if that is set."
