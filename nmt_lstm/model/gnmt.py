"""The GNMT wiring: the first layer queries attention, the layers above read the context.

Shapes: B batch, R rows, T target, I width of embeddings.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nmt_lstm.model.decoder import Decoded, Decoder, DecoderState
from nmt_lstm.model.encoder import Encoded

__all__ = ["GnmtDecoder"]


class GnmtDecoder(Decoder):
    """Attention is queried by the first layer; its context feeds the upper layers and the output (Wu et al. 2016).

    Only the cells' recurrences link one position to the next. So in training every layer is one call over the whole
    target, and attention is one batched product.
    """

    first_cell_alone_reads_embeddings = True

    @property
    def readout_alone_reads_contexts(self) -> bool:
        """Whether there are no upper layers, which read contexts too."""
        return len(self.layers) == 1

    def forward(self, encoded: Encoded, embedded: Tensor) -> Decoded:
        """Read whole targets (B, T, I)."""
        if self.attention.recurrent:
            return super().forward(encoded, embedded)
        state = self.start(encoded)
        outputs, _ = self.layers[0](embedded, state.cells[0])
        attended = self.attention(outputs, state.memory, state.attention)
        context = attended.context.to(outputs.dtype)
        for cell, cell_state in zip(self.layers[1:], state.cells[1:], strict=True):
            above, _ = cell(torch.cat([self.dropout(outputs), context], -1), cell_state)
            outputs = self.with_residual(above, outputs)
        return Decoded(self.dropout(self.output(self.dropout(outputs), context)), attended.weights)

    def step(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        """Read one piece in each row: (R, I)."""
        outputs, first_state = self.layers[0].step(embedded, state.cells[0])
        context, weights, attention_state = self.attend(outputs, state)
        outputs, upper_states = self.upper_layers(outputs, context, state)
        output = self.output(self.dropped(outputs, state, len(self.layers) - 1), context)
        new_state = state._replace(cells=(first_state, *upper_states), attention=attention_state)
        return self.dropped(output, state, -1), weights, new_state
