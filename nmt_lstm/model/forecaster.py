"""A forecaster of numbers: the encoder over rows of a series, and a readout of all values of the horizon.

Shapes: B batch (windows), S rows of a window, I columns, E width, N values to forecast.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm.batching.batch import Batch, SourceBatch
from nmt_lstm.encoders.encoder import token_mean
from nmt_lstm.model.dropout import Dropout
from nmt_lstm.model.encoder import SourceEncoder
from nmt_lstm.model.loss import Loss
from nmt_lstm.model.trainable import Trainable
from nmt_lstm.numerics.pointwise import tanh
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["ForecastNetwork", "RowEmbedding"]


class RowEmbedding(nn.Module):
    """A linear layer in place of the embeddings of pieces, with dropout on its outputs.

    Args:
        columns: numbers in a row, I.
        width: width of a vector, E.
        dropout: applied to the vectors.
    """

    def __init__(self, columns: int, width: int, *, dropout: Dropout) -> None:
        super().__init__()
        self.projection = Linear(columns, width)
        self.dropout = dropout

    def forward(self, rows: Tensor) -> Tensor:
        """Return the vectors (B, S, E) of rows (B, S, I)."""
        vectors: Tensor = self.dropout(self.projection(rows))
        return vectors


class ForecastNetwork(Trainable):
    """Forecasts the rows after a window, all at once, from the encoder's summary and the mean of its states.

    Args:
        encoder: reads the window.
        output_size: width of the readout, E.
        target_size: values to forecast, N: those of the first row of the horizon, then of the second, and so on.
    """

    def __init__(self, *, encoder: SourceEncoder, output_size: int, target_size: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.readout = Linear(encoder.summary_size + encoder.output_size, output_size)
        self.output = Linear(output_size, target_size)

    def forward(self, source: SourceBatch) -> Tensor:
        """Return changes (B, N) from the last row of standardised windows (B, S, I)."""
        encoded = self.encoder(source)
        mean = token_mean(encoded.states, encoded.is_token)
        output = tanh(self.readout(self.encoder.dropout(torch.cat([encoded.summary, mean], dim=-1))))
        forecasts: Tensor = self.output(self.encoder.dropout(output))
        return forecasts

    def loss(self, batch: Batch, label_smoothing: float = 0.0) -> Loss:
        """Return the squared error, summed over the windows that count."""
        errors = (self(batch.source).float() - batch.target_outputs).square().flatten()
        total = errors.index_select(0, batch.target_positions).sum()
        return Loss(total, total.detach(), batch.target_pieces)
