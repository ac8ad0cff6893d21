"""The wiring in which the top layer queries attention: contexts go to the output alone.

Shapes: B batch, R rows, T target, I width of embeddings.
"""

from __future__ import annotations

from torch import Tensor

from nmt_lstm.encoders.encoder import Encoded
from nmt_lstm.model.decoder import Decoded, Decoder, DecoderState

__all__ = ["TopDecoder"]


class TopDecoder(Decoder):
    """The top layer queries attention, and nothing but the output reads its context (Luong et al. 2015, section 3).

    As in the GNMT wiring, only the cells' recurrences link one position to the next.
    """

    first_cell_alone_reads_embeddings = True

    @classmethod
    def upper_input_size(cls, hidden_size: int, context_size: int) -> int:  # noqa: ARG003 - upper layers read no contexts
        """Return the hidden width."""
        return hidden_size

    @property
    def readout_alone_reads_contexts(self) -> bool:
        """Always true."""
        return True

    def forward(self, encoded: Encoded, embedded: Tensor) -> Decoded:
        """Read whole targets (B, T, I)."""
        if self.attention.recurrent:
            return super().forward(encoded, embedded)
        state = self.start(encoded)
        outputs, _ = self.layers[0](embedded, state.cells[0])
        for cell, cell_state in zip(self.layers[1:], state.cells[1:], strict=True):
            above, _ = cell(self.dropout(outputs), cell_state)
            outputs = self.with_residual(above, outputs)
        attended = self.attention(outputs, state.memory, state.attention)
        context = attended.context.to(outputs.dtype)
        return Decoded(self.dropout(self.output(self.dropout(outputs), context)), attended.weights)

    def step(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        """Read one piece in each row: (R, I)."""
        outputs, states = self.stacked_step(embedded, state)
        context, weights, attention_state = self.attend(outputs, state)
        output = self.output(self.dropped(outputs, state, len(self.layers) - 1), context.to(outputs.dtype))
        return (
            self.dropped(output, state, -1),
            weights,
            state._replace(cells=states, attention=attention_state),
        )
