"""The conditional wiring: attention between two transitions of one step.

Shapes: R rows, I width of embeddings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from nmt_lstm.attention.attention import Attention
from nmt_lstm.cells.cell import Cell
from nmt_lstm.model.bridge import Bridge
from nmt_lstm.model.decoder import Decoder, DecoderState
from nmt_lstm.model.dropout import Dropout
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["ConditionalDecoder"]


class ConditionalDecoder(Decoder):
    """A first cell reads the piece and queries attention; a second cell continues from its state and reads the context.

    The cGRU of Nematus (Sennrich et al. 2017), with any cell. Upper layers read the second cell's output and the
    context.

    Args:
        cells: one per layer, lowest first; the lowest is the first transition.
        second: the second transition; it reads contexts and shares the first one's state.
        attention: of the source states.
        bridge: computes the initial states.
        readout: computes the output, width E, from top layer, context and embedding.
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

    @classmethod
    def build(
        cls,
        *,
        cells: Sequence[Cell],
        attention: Attention,
        bridge: Bridge,
        output_size: int,
        make_cell: Callable[[int], Cell],
        dropout: Dropout,
        residual: bool,
    ) -> ConditionalDecoder:
        """Return a decoder with a newly drawn second cell and readout."""
        context_size = attention.context_size
        return cls(
            cells=cells,
            second=make_cell(context_size),
            attention=attention,
            bridge=bridge,
            readout=Linear(cells[-1].output_size + context_size + output_size, output_size),
            dropout=dropout,
            residual=residual,
        )

    def step(self, embedded: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        """Read one piece in each row: (R, I)."""
        query, first_state = self.layers[0].step(embedded, state.cells[0])
        context, weights, attention_state = self.attend(query, state)
        outputs, second_state = self.second.step(context.to(query.dtype), first_state)
        outputs, upper_states = self.upper_layers(outputs, context, state)
        # Unlike the other wirings, the readout also reads the embedding (Sennrich et al. 2017, equation 6).
        output = self.output(self.dropped(outputs, state, len(self.layers) - 1), context, embedded)
        new_state = state._replace(cells=(second_state, *upper_states), attention=attention_state)
        return self.dropped(output, state, -1), weights, new_state
