"""The whole network: encoder, decoder and output layer, for training and for search.

Shapes: B batch (sentences), R rows (sentences x hypotheses), S source, T target, E output width, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm.batching.batch import Batch, SourceBatch
from nmt_lstm.model.decoder import Decoded, Decoder, DecoderState
from nmt_lstm.model.embedding import PieceEmbedding
from nmt_lstm.model.encoder import Encoded, SourceEncoder
from nmt_lstm.model.loss import Loss, batch_loss
from nmt_lstm.model.step import Step
from nmt_lstm.model.trainable import Trainable
from nmt_lstm.numerics.linear import linear

__all__ = ["Seq2Seq", "Step"]


class Seq2Seq(Trainable):
    """An encoder-decoder over pieces.

    Args:
        encoder: reads the source.
        target_embedding: of the target's pieces.
        decoder: reads the target.
        output_weight: (V, E); pass the target embedding's own weight to tie the two (Press and Wolf 2017).
    """

    def __init__(
        self,
        *,
        encoder: SourceEncoder,
        target_embedding: PieceEmbedding,
        decoder: Decoder,
        output_weight: nn.Parameter,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.target_embedding = target_embedding
        self.decoder = decoder
        self.output_weight = output_weight
        self.output_bias = nn.Parameter(torch.zeros(output_weight.shape[0]))

    def encode(self, source: SourceBatch) -> Encoded:
        """Read source sentences (B, S)."""
        encoded: Encoded = self.encoder(source)
        return encoded

    def start(self, encoded: Encoded) -> DecoderState:
        """Return the decoder's state before the first piece, one row per sentence."""
        return self.decoder.start(encoded)

    def step(self, previous: Tensor, state: DecoderState) -> Step[DecoderState]:
        """Read the previous pieces (R,) and score the next ones."""
        embedded = self.target_embedding(previous[:, None])[:, 0]
        output, attention, state = self.decoder.step(embedded, state)
        return Step(linear(output, self.output_weight, self.output_bias), attention, state)

    def reorder(self, state: DecoderState, rows: Tensor, sentences: Tensor | None = None) -> DecoderState:
        """Return the state of `rows` (R',), sentence by sentence; `sentences` (B',) are those that stay, or None if all do."""
        return self.decoder.reorder(state, rows, sentences)

    def forward(self, batch: Batch) -> Decoded:
        """Return the decoder's outputs (B, T, E) and attention (B, T, S) for the batch's targets."""
        decoded: Decoded = self.decoder(self.encode(batch.source), self.target_embedding(batch.target_inputs))
        return decoded

    def loss(self, batch: Batch, label_smoothing: float = 0.0) -> Loss:
        """Return the loss summed over the batch's real labels."""
        outputs = self(batch).outputs
        return batch_loss(outputs, self.output_weight, self.output_bias, batch, label_smoothing)

    def parameter_counts(self) -> dict[str, int]:
        """Return the number of parameters of embeddings, encoder, decoder and output; shared ones count once."""
        groups: dict[str, list[nn.Parameter]] = {
            "embeddings": [*self.encoder.embedding.parameters(), *self.target_embedding.parameters()],
            "encoder": [*self.encoder.layers.parameters()],
            "decoder": [*self.decoder.parameters()],
            "output": [self.output_weight, self.output_bias],
        }
        counts = dict.fromkeys(groups, 0)
        counted: set[nn.Parameter] = set()
        for name, parameters in groups.items():
            new = set(parameters) - counted
            counts[name] = sum(parameter.numel() for parameter in new)
            counted |= new
        return counts
