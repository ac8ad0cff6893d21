"""The result of a decoding step, whatever the model is: scores, attention and the new state.

Shapes: R rows (sentences x hypotheses, sentence by sentence), C candidates, S source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple

from torch import Tensor

from nmt_lstm.model.decoder import DecoderState

if TYPE_CHECKING:
    # `Step` without an argument is a network's; Python has defaults of type variables from 3.13 on.
    from typing_extensions import TypeVar

    State = TypeVar("State", default=DecoderState)
else:
    from typing import TypeVar

    State = TypeVar("State")

__all__ = ["Step"]


class Step(NamedTuple, Generic[State]):
    """The result of one decoding step."""

    logits: Tensor
    """(R, C): unnormalised scores of the candidates for the next piece; search never changes them."""
    attention: Tensor
    """(R, S): attention weights."""
    state: State
    """The state after the step."""
    pieces: Tensor | None = None
    """(C,): the candidates, ascending, beginning with the special pieces; None if they are the whole vocabulary."""
    normalised: bool = False
    """Whether the logits are natural logarithms of probabilities."""
