"""A product of embeddings looked up instead of computed: a table with one row for each piece.

Shapes: V pieces of the vocabulary, E width of an embedding, N width of the product.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt_lstm.numerics.inference_linear import InferencePrecision
from nmt_lstm.numerics.int8 import quantized
from nmt_lstm.numerics.linear import linear

__all__ = ["DTYPES", "PieceTable", "piece_table"]

DTYPES: dict[InferencePrecision, torch.dtype] = {
    "float32": torch.float32,
    "bf16": torch.bfloat16,
    "int8": torch.int8,
}
"""Dtypes in which a table's values are stored."""


class PieceTable(nn.Module):
    """The product of each piece's embedding, computed once: a row for each piece.

    Args:
        weight: (V, N), float32, bf16, or int8 with a scale.
        scale: (V, 1), float32, for int8 rows; otherwise None.
    """

    weight: Tensor
    scale: Tensor | None

    def __init__(self, weight: Tensor, scale: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)

    def forward(self, pieces: Tensor) -> Tensor:
        """Return the rows (..., N), float32, of pieces (...)."""
        rows = functional.embedding(pieces, self.weight).float()
        return rows if self.scale is None else rows.mul_(functional.embedding(pieces, self.scale))


def piece_table(
    embeddings: Tensor, weight: Tensor, bias: Tensor | None, precision: InferencePrecision
) -> PieceTable:
    """Return the table of ``embeddings @ weight.T + bias``.

    Args:
        embeddings: (V, E), float32; on the "meta" device, so is the table: only its shapes matter until values are loaded.
        weight: (N, E), float32.
        bias: (N,), float32, or None.
        precision: of the rows.
    """
    if embeddings.is_meta:
        # Without `linear`: the first product on this device makes PyTorch import modules for more than a second.
        size = len(embeddings), len(weight)
        scale = embeddings.new_empty(len(embeddings), 1) if precision == "int8" else None
        return PieceTable(embeddings.new_empty(size, dtype=DTYPES[precision]), scale)
    rows = linear(embeddings, weight, bias)
    return PieceTable(*quantized(rows)) if precision == "int8" else PieceTable(rows.to(DTYPES[precision]))
