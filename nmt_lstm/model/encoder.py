"""The source side of the network: embeddings, an encoder, dropout on its states, and zeros on padding.

Shapes: B batch, S source, M width of the encoder's states, Z width of the summary.
"""

from __future__ import annotations

from torch import Tensor, nn

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.cells.cell import Cell
from nmt_lstm.encoders.encoder import Encoded, Encoder, check_encoded
from nmt_lstm.model.dropout import Dropout

__all__ = ["Encoded", "SourceEncoder"]


class SourceEncoder(nn.Module):
    """Reads source sentences.

    Args:
        embedding: turns pieces (B, S) into vectors (B, S, any width).
        layers: the encoder that reads the vectors. It is named so because model folders store its weights under this name.
        dropout: on the states.
        reads_end: read END after the sentence, too; without it an empty sentence is END alone.
    """

    def __init__(
        self, *, embedding: nn.Module, layers: Encoder, dropout: Dropout, reads_end: bool = True
    ) -> None:
        super().__init__()
        self.reads_end = reads_end
        self.embedding = embedding
        self.layers = layers
        self.dropout = dropout
        self.output_size = layers.output_size
        self.summary_size = layers.summary_size
        self.last_state_sizes = layers.last_state_sizes

    @property
    def labelled_cells(self) -> list[dict[str, Cell]]:
        """The recurrent cells of each layer, lowest first, by their labels; none if the encoder has no cells."""
        return self.layers.labelled_cells

    def forward(self, source: SourceBatch) -> Encoded:
        """Read source sentences of S positions: states (B, S, M) and summary (B, Z).

        Raises:
            PluginResultError: the encoder returned something else than it declares.
        """
        source = source if self.reads_end else source.without_end()
        encoded = check_encoded(
            self.layers, self.layers(self.embedding(source.pieces), source.is_token), source.is_token
        )
        states: Tensor = self.dropout(encoded.states)
        # Not a product with zero: states on padding may be infinite.
        states = states.masked_fill(~source.is_token[..., None], 0.0)
        return encoded._replace(states=states)
