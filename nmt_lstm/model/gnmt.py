"""The GNMT wiring: the first layer asks attention, the layers above read the answer."""

from __future__ import annotations

import torch
from torch import Tensor

from nmt_lstm.model.decoder import Decoded, Decoder, DecoderState
from nmt_lstm.model.encoder import Encoded

__all__ = ["GnmtDecoder"]


class GnmtDecoder(Decoder):
    """Attention queries from the first layer; its context feeds the upper layers and the output (Wu et al. 2016).

    Nothing of one position waits for another but inside the cells, so in training every layer is one call over the
    whole target and attention one batched product.
    """

    first_cell_alone_reads_embeddings = True

    @property
    def readout_alone_reads_contexts(self) -> bool:
        """Whether there are no upper layers, which read them too."""
        return len(self.layers) == 1

    def forward(self, encoded: Encoded, embedded: Tensor) -> Decoded:
        """Read a whole target, (B, T, I)."""
        if self.attention.recurrent:
            return super().forward(encoded, embedded)
        state = self.start(encoded)
        outputs, _ = self.layers[0](embedded, state.cells[0])
        attended = self.attention(outputs, state.memory, state.attention)
        context = attended.context.to(outputs.dtype)
        for cell, cell_state in zip(self.layers[1:], state.cells[1:], strict=True):
            above, _ = cell(torch.cat([self.dropout(outputs), context], -1), cell_state)
            outputs = self.added(above, outputs)
        return Decoded(self.dropout(self.output(self.dropout(outputs), context)), attended.weights)

    def step(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        """Read one piece in each row: (R, I)."""
        outputs, first = self.layers[0].step(embedded, state.cells[0])
        context, weights, attention_state = self.attend(outputs, state)
        outputs, upper = self.upper_layers(outputs, context, state)
        output = self.output(self.dropped(outputs, state, len(self.layers) - 1), context)
        after = state._replace(cells=(first, *upper), attention=attention_state)
        return self.dropped(output, state, -1), weights, after
