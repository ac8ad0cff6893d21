"""Networks as in OpenNMT-py and Eole, which have the same parts: copied states, Luong's attention, input feeding.

Their attention reads [context; query], this program's readout [query; context].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nmt_lstm.importing.recurrent_weights import decoder_cells, encoder_cells
from nmt_lstm.importing.source_weights import SourceWeights
from nmt_lstm.importing.vocabularies import ImportedVocabulary

__all__ = ["ATTENTIONS", "CELLS", "GlobalAttentionNetwork"]

CELLS = {"LSTM": "lstm", "GRU": "gru"}
ATTENTIONS = {"general": "bilinear", "dot": "dot", "mlp": "additive"}


@dataclass(frozen=True)
class GlobalAttentionNetwork:
    """The sizes and choices of a network.

    Attributes:
        cell: name of the cell here.
        attention: name of the attention here.
        bidirectional: whether the encoder is.
        layers: of encoder and decoder, each.
        hidden_size: of the decoder, and of both directions of the encoder together.
        source_size: width of the source embeddings.
        target_size: width of the target embeddings.
        feeds: whether the output is fed into the next step.
        shared: whether both languages have the same embeddings.
        shared_output: whether the output layer is the target embedding.
        dropout: between layers and on the output.
    """

    cell: str
    attention: str
    bidirectional: bool
    layers: int
    hidden_size: int
    source_size: int
    target_size: int
    feeds: bool
    shared: bool
    shared_output: bool
    dropout: float

    def settings(self) -> dict[str, Any]:
        """Return the table `model` of a run file."""
        tied = self._tied
        return {
            "embedding_size": max(self.source_size, self.target_size),
            "tied_embeddings": tied,
            "dropout": self.dropout,
            "source_end": False,
            "encoder": {
                "cell": self.cell,
                "layers": self.layers,
                "hidden_size": self._direction_size,
                "directions": "bidirectional" if self.bidirectional else "unidirectional",
            },
            "decoder": {
                "cell": self.cell,
                "layers": self.layers,
                "hidden_size": self.hidden_size,
                "wiring": "input_feeding" if self.feeds else "top",
                "bridge": "copy",
                "output_size": 0 if tied != "none" else self.hidden_size,
                "output_activation": "none" if self.attention == "additive" else "tanh",
            },
            "attention": {"name": self.attention, "options": self._attention_options},
        }

    def state(
        self,
        weights: SourceWeights,
        embeddings: tuple[Tensor, Tensor],
        output: tuple[Tensor, Tensor],
        vocabularies: tuple[ImportedVocabulary, ImportedVocabulary],
    ) -> dict[str, Tensor]:
        """Return the weights by the names of `Seq2Seq`.

        Args:
            weights: of encoder and decoder.
            embeddings: of source and target, one row for each piece of the toolkit.
            output: weights and biases of the output layer.
            vocabularies: of source and target.
        """
        width = max(self.source_size, self.target_size)
        (source, target), (source_rows, target_rows) = vocabularies, embeddings
        return {
            "encoder.embedding.weight": _padded(source.embeddings(source_rows), width),
            "target_embedding.weight": _padded(target.embeddings(target_rows), width),
            "output_weight": target.embeddings(output[0]),
            "output_bias": target.output_biases(output[1]),
            **encoder_cells(
                weights,
                "encoder.rnn.",
                cell=self.cell,
                layers=self.layers,
                bidirectional=self.bidirectional,
                input_size=self.source_size,
                hidden_size=self._direction_size,
                embedding_size=width,
            ),
            **decoder_cells(
                weights,
                self._decoder_name,
                cell=self.cell,
                layers=self.layers,
                input_size=self.target_size,
                feed_size=self.hidden_size if self.feeds else 0,
                hidden_size=self.hidden_size,
                embedding_size=width,
            ),
            **self._attention(weights),
        }

    @property
    def _tied(self) -> str:
        if not self.shared_output or not self.source_size == self.target_size == self.hidden_size:
            return "none"
        return "all" if self.shared else "target"

    @property
    def _direction_size(self) -> int:
        return self.hidden_size // 2 if self.bidirectional else self.hidden_size

    @property
    def _attention_options(self) -> dict[str, Any]:
        return {"dot": {"scaled": False}, "additive": {"bias": True}}.get(self.attention, {})

    def _decoder_name(self, layer: int, part: str) -> str:
        # With input feeding the layers are cells of PyTorch, without it one module.
        return f"decoder.rnn.layers.{layer}.{part}" if self.feeds else f"decoder.rnn.{part}_l{layer}"

    def _attention(self, weights: SourceWeights) -> dict[str, Tensor]:
        size, prefix = self.hidden_size, "decoder.attn."
        additive = self.attention == "additive"
        context, query = weights.take(f"{prefix}linear_out.weight", size, 2 * size).split(size, 1)
        bias = weights.take(f"{prefix}linear_out.bias", size) if additive else torch.zeros(size)
        state = {"decoder.readout.weight": torch.cat([query, context], 1), "decoder.readout.bias": bias}
        if self.attention == "bilinear":
            # They project the query, this program the keys: (W q) . k = q . (W' k).
            state["decoder.attention.key.weight"] = weights.take(
                f"{prefix}linear_in.weight", size, size
            ).T.contiguous()
        if additive:
            state |= {
                "decoder.attention.key.weight": weights.take(f"{prefix}linear_context.weight", size, size),
                "decoder.attention.query.weight": weights.take(f"{prefix}linear_query.weight", size, size),
                "decoder.attention.bias": weights.take(f"{prefix}linear_query.bias", size),
                "decoder.attention.vector": weights.take(f"{prefix}v.weight", 1, size)[0],
            }
        return state


def _padded(rows: Tensor, width: int) -> Tensor:
    return functional.pad(rows, (0, width - rows.shape[1]))
