"""The protocol of all encoders: from the embeddings of source sentences to states and a summary.

Shapes: B batch, S source, I width of the embeddings, M width of the states, Z width of the summary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from nmt_lstm.cells.cell import Cell, State
from nmt_lstm.errors import MissingMethodError, PluginResultError

__all__ = ["Encoded", "Encoder", "check_encoded", "token_mean"]


class Encoded(NamedTuple):
    """The encoder's result for source sentences."""

    states: Tensor
    """(B, S, M): one state per piece, which attention reads; the framework replaces those on padding by zeros."""
    is_token: Tensor
    """(B, S), bool: True on pieces, False on padding."""
    summary: Tensor
    """(B, Z): the sentence as one vector, from which the decoder's initial state is computed."""
    last_states: tuple[State, ...] = ()
    """For each layer, lowest first, the states of its cells where each direction ends, both directions side by side, each
    (B, width); empty unless the encoder keeps them."""


class Encoder(nn.Module):
    """Base of all encoders.

    Embeddings, the dropout on them and on the states, and the zeros on padding belong to the framework. Padding stands at
    the end of a sentence; its embeddings may have any value, and must change no result. An encoder keeps nothing between
    calls.

    Inference replaces modules of the type `nmt_lstm.Linear`, and cells, by forms that compute the same in float32, bf16 or
    int8. They must be called as modules: their weights may have a different format then.

    Args:
        input_size: width of the embeddings.
        dropout: the network's dropout, for use inside the encoder; takes and returns (B, S, any width). None is none.
    """

    def __init__(self, input_size: int, dropout: nn.Module | None = None) -> None:
        super().__init__()
        if input_size < 1:
            raise ValueError(f"an encoder's input_size must be at least 1; got {input_size}.")
        self.input_size = input_size
        self.dropout = nn.Identity() if dropout is None else dropout

    @property
    def output_size(self) -> int:
        """Width of the states; that of the embeddings by default."""
        return self.input_size

    @property
    def summary_size(self) -> int:
        """Width of the summary; that of the states by default."""
        return self.output_size

    @property
    def last_state_sizes(self) -> tuple[Mapping[str, int], ...]:
        """For each layer, names and widths of `Encoded.last_states`; empty unless the encoder keeps them."""
        return ()

    @property
    def labelled_cells(self) -> list[dict[str, Cell]]:
        """The recurrent cells of each layer, lowest first, by labels such as "forward", for inspection; none by default."""
        return []

    def forward(self, embedded: Tensor, is_token: Tensor) -> Encoded:
        """Read source sentences.

        Args:
            embedded: (B, S, I), S at least 1.
            is_token: (B, S), bool: True on pieces, False on padding.
        """
        raise MissingMethodError(self, "does not define forward(embedded, is_token)")


def token_mean(states: Tensor, is_token: Tensor) -> Tensor:
    """Return the mean (B, M) of the states (B, S, M) over the pieces of each sentence, such as for a summary.

    Args:
        states: (B, S, M); any values on padding.
        is_token: (B, S), bool: True on pieces, False on padding.
    """
    states = states.to(torch.promote_types(states.dtype, torch.float32))
    total = states.masked_fill(~is_token[..., None], 0.0).sum(1)
    return total / is_token.sum(1, keepdim=True)


def check_encoded(encoder: Encoder, result: Any, is_token: Tensor) -> Encoded:
    """Return what an author's `forward` returned for `is_token` (B, S).

    Raises:
        PluginResultError: it is not an `Encoded` with tensors of the widths that the encoder declares.
    """
    if not isinstance(result, Encoded):
        problem = f"{_description(result)}; expected Encoded(states, is_token, summary)"
        raise PluginResultError(encoder, "forward", problem)
    batch, length = is_token.shape
    expected = {"states": (batch, length, encoder.output_size), "summary": (batch, encoder.summary_size)}
    tensors: tuple[object, ...] = (result.states, result.summary)
    for (name, shape), tensor in zip(expected.items(), tensors, strict=True):
        if not isinstance(tensor, Tensor) or tensor.shape != shape:
            problem = f"{_description(tensor)} as {name}; expected a tensor of shape {tuple(shape)}"
            raise PluginResultError(encoder, "forward", problem)
    return result


def _description(value: object) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
