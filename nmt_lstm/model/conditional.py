"""The conditional wiring: attention between two transitions of one step."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from nmt_lstm.attention.attention import Attention
from nmt_lstm.cells.cell import Cell
from nmt_lstm.model.bridge import Bridge
from nmt_lstm.model.decoder import Decoder, DecoderState
from nmt_lstm.model.dropout import Dropout
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["ConditionalDecoder"]


class ConditionalDecoder(Decoder):
    """A first cell reads the piece, attention is asked, a second cell goes on from there with the context.

    The cGRU of Nematus (Sennrich et al. 2017), with any cell. Upper layers read the second cell's output and the
    context.

    Args:
        cells: one per layer, from the lowest on; the lowest is the first transition.
        second: the second transition, whose inputs are contexts and whose state is the first one's.
        attention: of the source states.
        bridge: makes the first states.
        readout: makes the output, width E.
        dropout: between layers and on the output.
        residual: add each layer's input to its output, from the second layer on.
    """

    def __init__(
        self,
        *,
        cells: Sequence[Cell],
        second: Cell,
        attention: Attention,
        bridge: Bridge,
        readout: Linear,
        dropout: Dropout,
        residual: bool = False,
    ) -> None:
        super().__init__(
            cells=cells,
            attention=attention,
            bridge=bridge,
            readout=readout,
            dropout=dropout,
            residual=residual,
        )
        self.second = second

    def step(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        """Read one piece in each row: (R, I)."""
        query, between = self.layers[0].step(embedded, state.cells[0])
        context, weights, attention_state = self.attend(query, state)
        outputs, first = self.second.step(context.to(query.dtype), between)
        outputs, upper = self.upper_layers(outputs, context, state)
        output = self.output(self.dropped(outputs, state, len(self.layers) - 1), context, embedded)
        after = state._replace(cells=(first, *upper), attention=attention_state)
        return self.dropped(output, state, -1), weights, after
