"""The loop over time: any pointwise update unrolled along a sequence, under autograd or without gradients.

The product with the inputs is outside of the loop, and the gradient of the recurrent weight is one product over all
steps (see `nmt_lstm.recurrence.recurrent_linear`); the update's own gradients are autograd's. So a cell costs what its
products and its passes over (B, H) tensors cost, whatever the update is.

T positions, B rows, H hidden width, G gates.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nmt_lstm.recurrence.recurrence import Recurrence, State, Tensors, cut_gates, update_type
from nmt_lstm.recurrence.recurrent_linear import RecurrentLinear

__all__ = ["unroll"]


def unroll(
    recurrence: Recurrence,
    from_input: Sequence[Tensor],
    state: State,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
) -> tuple[Tensor, State]:
    """Repeat an update over a sequence.

    Products are in the format of `from_input`, the update and the states it carries on in float32 at least.

    Args:
        recurrence: the update and what belongs to it.
        from_input: tensors (T, B, n*H), time first, of the gates' pre-activations from the input, bias included.
        state: initial state, each (B, H).
        weight: (G*H, H) recurrent weight; without it the update gets no recurrent gates.
        bias: (G*H,) recurrent bias.

    Returns:
        The outputs (T, B, H) in the inputs' format, and the last state, each (B, H).
    """
    length, rows, _ = from_input[0].shape
    dtype, hidden = from_input[0].dtype, state[0].shape[1]
    # Rounded to bf16 at every step, a long sum such as an LSTM's cell state would lose what each step adds to it.
    state = tuple(part.to(update_type(dtype)) for part in state)
    outputs: list[Tensor] = []
    h: Tensors = ()
    with torch.autocast(state[0].device.type, enabled=False):
        if weight is not None:
            bias = None if bias is None else bias.to(dtype)
            product = RecurrentLinear(weight.to(dtype), bias, rows=rows, times=length)
        # One `unbind` has one gradient; T selections would have T, each as large as the sequence.
        for t, x in enumerate(zip(*(part.unbind() for part in from_input), strict=True)):
            if weight is not None:
                h = cut_gates([product(recurrence.recurrent_input(state, dtype))], hidden)
            output, state = recurrence.rows(cut_gates(x, hidden), h, state, recurrence.noise_at(t))
            outputs.append(output.to(dtype))
    return torch.stack(outputs), state
