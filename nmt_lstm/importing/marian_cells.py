"""The cells of Marian's recurrent networks under the names and in the layout that this program's cells have.

Marian multiplies from the left, so its matrices are transposed, and has its gates in a different order. Where the bias of
its GRU's candidate is depends on the place of the cell: inside the product with the reset gate in a later transition of a
step, outside of it in the first one.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nmt_lstm.importing.source_weights import SourceWeights

__all__ = ["marian_cell"]


def marian_cell(
    weights: SourceWeights, prefix: str, *, cell: str, input_size: int, hidden_size: int, later: bool = False
) -> dict[str, Tensor]:
    """Return the parameters of a cell.

    Args:
        weights: where to take them from.
        prefix: of their names.
        cell: "gru" or "lstm".
        input_size: width of the inputs.
        hidden_size: width of the state.
        later: whether the cell is a later transition of a step.
    """
    names = ("W", "U", "b")
    shapes = {"W": (input_size,), "U": (hidden_size,), "b": (1,)}
    if cell == "lstm":
        taken = {name: weights.take(prefix + name, *shapes[name], 4 * hidden_size) for name in names}
        # Marian's order is forget, input, candidate, output.
        parts = {name: tensor.split(hidden_size, 1) for name, tensor in taken.items()}
        order = [1, 0, 2, 3]
        inputs, recurrent, biases = (torch.cat([parts[name][gate] for gate in order], 1) for name in names)
        recurrent_biases = torch.zeros_like(biases)
    else:
        # Reset and update gate in one matrix, the candidate in another.
        inputs, recurrent, biases = (
            torch.cat(
                [
                    weights.take(prefix + name, *shapes[name], 2 * hidden_size),
                    weights.take(f"{prefix}{name}x", *shapes[name], hidden_size),
                ],
                1,
            )
            for name in names
        )
        recurrent_biases = torch.zeros_like(biases)
        if later:
            recurrent_biases[:, 2 * hidden_size :] = biases[:, 2 * hidden_size :]
            biases = biases.clone()
            biases[:, 2 * hidden_size :] = 0.0
    return {
        "weight_ih": inputs.T.contiguous(),
        "weight_hh": recurrent.T.contiguous(),
        "bias_ih": biases[0].clone(),
        "bias_hh": recurrent_biases[0].clone(),
    }
