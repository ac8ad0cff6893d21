"""The weights of PyTorch's recurrent layers under the names that this program's cells have.

Shapes: G gates, H hidden width, I width of inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from nmt_lstm.importing.source_weights import SourceWeights

__all__ = ["GATES", "decoder_cells", "encoder_cells", "widened"]

GATES: Mapping[str, int] = {"lstm": 4, "gru": 3, "rnn": 1}
"""Number of gates of each stock cell."""
PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def encoder_cells(
    weights: SourceWeights,
    prefix: str,
    *,
    cell: str,
    layers: int,
    bidirectional: bool,
    input_size: int,
    hidden_size: int,
    embedding_size: int,
) -> dict[str, Tensor]:
    """Return the weights of the encoder's cells.

    Args:
        weights: where to take them from.
        prefix: of their names in a module of PyTorch, such as "encoder.rnn.".
        cell: name of the cell.
        layers: number of layers.
        bidirectional: whether each has both directions.
        input_size: width of the embeddings.
        hidden_size: of each direction.
        embedding_size: width of the embeddings here, at least `input_size`; the others are zeros.
    """
    state: dict[str, Tensor] = {}
    for layer in range(layers):
        directions = (
            {"forward_cell": "", "backward_cell": "_reverse"} if bidirectional else {"forward_cell": ""}
        )
        for name, suffix in directions.items():
            names = {part: f"{prefix}{part}_l{layer}{suffix}" for part in PARTS}
            tensors = _layer(weights, names, cell, input_size, hidden_size)
            if not layer:
                tensors["weight_ih"] = widened(tensors["weight_ih"], input_size, embedding_size)
            state |= {f"encoder.layers.{layer}.{name}.{part}": tensor for part, tensor in tensors.items()}
        input_size = hidden_size * len(directions)
    return state


def decoder_cells(
    weights: SourceWeights,
    name: Callable[[int, str], str],
    *,
    cell: str,
    layers: int,
    input_size: int,
    feed_size: int,
    hidden_size: int,
    embedding_size: int,
) -> dict[str, Tensor]:
    """Return the weights of the decoder's cells.

    Args:
        weights: where to take them from.
        name: the name of a layer's tensor, such as weight_ih.
        cell: name of the cell.
        layers: number of layers.
        input_size: width of the embeddings.
        feed_size: width of the output that the first layer reads after the embedding; 0 without input feeding.
        hidden_size: of each layer.
        embedding_size: width of the embeddings here, at least `input_size`; the others are zeros.
    """
    state: dict[str, Tensor] = {}
    for layer in range(layers):
        width = hidden_size if layer else input_size + feed_size
        tensors = _layer(weights, {part: name(layer, part) for part in PARTS}, cell, width, hidden_size)
        if not layer:
            tensors["weight_ih"] = widened(tensors["weight_ih"], input_size, embedding_size)
        state |= {f"decoder.cells.{layer}.{part}": tensor for part, tensor in tensors.items()}
    return state


def widened(weight: Tensor, width: int, new_width: int) -> Tensor:
    """Return a weight (..., `width` + any others) with columns of zeros after the first ones: (..., `new_width` + others)."""
    first, others = weight[:, :width], weight[:, width:]
    return torch.cat([functional.pad(first, (0, new_width - width)), others], 1)


def _layer(
    weights: SourceWeights, names: Mapping[str, str], cell: str, input_size: int, hidden_size: int
) -> dict[str, Tensor]:
    rows = GATES[cell] * hidden_size
    shapes = {
        "weight_ih": (rows, input_size),
        "weight_hh": (rows, hidden_size),
        "bias_ih": (rows,),
        "bias_hh": (rows,),
    }
    return {part: weights.take(names[part], *shapes[part]) for part in PARTS}
