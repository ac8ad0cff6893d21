"""A classifier of texts: the encoder, and a readout that scores the labels.

Shapes: B batch (texts), S source, E output width, V pieces of the target vocabulary, L labels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm.batching.batch import Batch, SourceBatch
from nmt_lstm.encoders.encoder import token_mean
from nmt_lstm.model.encoder import SourceEncoder
from nmt_lstm.model.loss import Loss
from nmt_lstm.model.trainable import Trainable
from nmt_lstm.numerics.linear import linear
from nmt_lstm.numerics.pointwise import tanh
from nmt_lstm.numerics.sequence_linear import Linear
from nmt_lstm.text.labels import FIRST_LABEL, label_count

__all__ = ["Classifier"]


class Classifier(Trainable):
    """Scores the labels of a text from the encoder's summary and the mean of its states.

    Args:
        encoder: reads the text.
        output_size: width of the readout, E.
        target_size: number of pieces in the target vocabulary, V, of which the labels are some.
    """

    def __init__(self, *, encoder: SourceEncoder, output_size: int, target_size: int) -> None:
        super().__init__()
        # The names of the weights are those of an encoder-decoder: with other labels, `start_from` carries over their rows.
        self.encoder = encoder
        self.readout = Linear(encoder.summary_size + encoder.output_size, output_size)
        self.output_weight = nn.Parameter(torch.randn(target_size, output_size) / output_size**0.5)
        self.output_bias = nn.Parameter(torch.zeros(target_size))

    def forward(self, source: SourceBatch) -> Tensor:
        """Return the scores (B, L) of the labels of texts (B, S), before softmax."""
        encoded = self.encoder(source)
        mean = token_mean(encoded.states, encoded.is_token)
        output = tanh(self.readout(self.encoder.dropout(torch.cat([encoded.summary, mean], dim=-1))))
        labels = slice(FIRST_LABEL, FIRST_LABEL + label_count(self.output_weight.shape[0]))
        return linear(self.encoder.dropout(output), self.output_weight[labels], self.output_bias[labels])

    def loss(self, batch: Batch, label_smoothing: float = 0.0) -> Loss:
        """Return the loss of the batch's labels: the first piece of each target.

        A label counts as all pieces of its target, END included, so that the loss per piece is the loss per text.
        """
        scores = self(batch.source).float()
        labels = batch.target_outputs[:, 0] - FIRST_LABEL
        pieces_per_text = batch.target_pieces / len(labels)
        total, likelihood = (
            nn.functional.cross_entropy(scores, labels, reduction="sum", label_smoothing=smoothing)
            for smoothing in (label_smoothing, 0.0)
        )
        return Loss(total * pieces_per_text, likelihood.detach() * pieces_per_text, batch.target_pieces)
