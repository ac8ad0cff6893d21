"""What a step of decoding gives, whatever the model is: scores, attention and the state after it.

Shapes: R rows (sentences x hypotheses, sentence by sentence), C candidates, S source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple

from torch import Tensor

from nmt_lstm.model.decoder import DecoderState

if TYPE_CHECKING:
    # `Step` alone is that of a network; Python knows defaults of type variables from 3.13 on.
    from typing_extensions import TypeVar

    State = TypeVar("State", default=DecoderState)
else:
    from typing import TypeVar

    State = TypeVar("State")

__all__ = ["Step"]


class Step(NamedTuple, Generic[State]):
    """The outcome of one decoding step."""

    logits: Tensor
    """(R, C): unnormalised scores of each candidate as the next piece; search never changes them."""
    attention: Tensor
    """(R, S): weights paid for it."""
    state: State
    """The state after the step."""
    pieces: Tensor | None = None
    """(C,): the candidates, ascending, the special pieces in their own places; None where they are the vocabulary."""
    normalised: bool = False
    """Whether the logits are natural logarithms of probabilities."""
