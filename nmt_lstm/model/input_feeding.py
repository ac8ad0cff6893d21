"""The input-feeding wiring: each step reads what the last one said."""

from __future__ import annotations

import torch
from torch import Tensor

from nmt_lstm.model.decoder import Decoder, DecoderState
from nmt_lstm.model.encoder import Encoded

__all__ = ["InputFeedingDecoder"]


class InputFeedingDecoder(Decoder):
    """The top layer asks attention; the output goes back into the next step's input (Luong et al. 2015)."""

    def initial_feed(self, encoded: Encoded) -> tuple[Tensor, ...]:
        """Return zeros (B, E)."""
        return (encoded.summary.new_zeros(encoded.summary.shape[0], self.output_size),)

    def step(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        """Read one piece in each row: (R, I)."""
        outputs = torch.cat([embedded, state.feed[0].to(embedded.dtype)], -1)
        states = []
        for number, (cell, cell_state) in enumerate(zip(self.layers, state.cells, strict=True)):
            inputs = self.dropped(outputs, state, number - 1) if number else outputs
            above, new = cell.step(inputs, cell_state)
            states.append(new)
            outputs = self.added(above, outputs) if number else above
        context, weights, attention_state = self.attend(outputs, state)
        output = self.output(self.dropped(outputs, state, len(self.layers) - 1), context.to(outputs.dtype))
        output = self.dropped(output, state, -1)
        after = state._replace(cells=tuple(states), attention=attention_state, feed=(output,))
        return output, weights, after
