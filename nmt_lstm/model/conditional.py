"""The conditional wiring: attention between two transitions of one step.

Shapes: R rows, I width of embeddings.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from nmt_lstm.cells.cell import Cell
from nmt_lstm.model.decoder import Decoder, DecoderState

__all__ = ["ConditionalDecoder"]


class ConditionalDecoder(Decoder):
    """A first cell reads the piece and queries attention; a second cell continues from its state and reads the context.

    The cGRU of Nematus (Sennrich et al. 2017), with any cell. Upper layers read the second cell's output and the
    context.
    """

    second: Cell
    """The second transition; it reads contexts and shares the first one's state."""

    def further_cells(self, make_cell: Callable[[int], Cell]) -> dict[str, Cell]:
        """Return the second transition."""
        return {"second": make_cell(self.attention.context_size)}

    @property
    def labelled_cells(self) -> list[dict[str, Cell]]:
        """The cells of each layer: in the lowest one "first" and "second", the two transitions."""
        _, *upper = super().labelled_cells
        return [{"first": self.layers[0], "second": self.second}, *upper]

    @property
    def readout_input_size(self) -> int:
        """Width of top layer, context and embedding."""
        return super().readout_input_size + self.layers[0].input_size

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
