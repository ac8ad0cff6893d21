"""The input-feeding wiring: each step reads the output of the last one.

Shapes: R rows, I width of embeddings, E output width.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nmt_lstm.model.decoder import Decoder, DecoderState
from nmt_lstm.model.encoder import Encoded

__all__ = ["InputFeedingDecoder"]


class InputFeedingDecoder(Decoder):
    """The top layer queries attention; the output is fed into the next step's input (Luong et al. 2015)."""

    @classmethod
    def first_input_size(cls, embedding_size: int, output_size: int) -> int:
        """Return the width of the embedding and of the last output."""
        return embedding_size + output_size

    @classmethod
    def upper_input_size(cls, hidden_size: int, context_size: int) -> int:  # noqa: ARG003 - upper layers read no contexts
        """Return the hidden width."""
        return hidden_size

    def initial_feed(self, encoded: Encoded) -> tuple[Tensor, ...]:
        """Return zeros (R, E), one row per sentence."""
        return (encoded.summary.new_zeros(encoded.summary.shape[0], self.output_size),)

    def step(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        """Read one piece in each row: (R, I)."""
        inputs = torch.cat([embedded, state.feed[0].to(embedded.dtype)], -1)
        outputs, states = self.stacked_step(inputs, state)
        context, weights, attention_state = self.attend(outputs, state)
        output = self.output(self.dropped(outputs, state, len(self.layers) - 1), context.to(outputs.dtype))
        # The next step reads the output after dropout, as the output layer does.
        output = self.dropped(output, state, -1)
        return (
            output,
            weights,
            state._replace(cells=states, attention=attention_state, feed=(output,)),
        )
