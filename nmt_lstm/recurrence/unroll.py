"""The loop over time: any pointwise update unrolled along a sequence, under autograd or without gradients.

The product with the inputs is outside the loop, and the gradient of the recurrent weight is one product over all steps
(see `nmt_lstm.recurrence.recurrent_linear`); autograd differentiates the update. So a cell costs what its products and
its passes over (B, H) tensors cost, whatever the update is.

T positions, B rows, H hidden width, G gates.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nmt_lstm.recurrence.recurrence import Recurrence, State, Tensors, split_gates, update_dtype
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

    Products have the dtype of `from_input`; the update and the states are in float32 at least.

    Args:
        recurrence: the update, its noise and its mask.
        from_input: the gates' pre-activations from the input, bias included: tensors (T, B, n*H), time first.
        state: initial state, each (B, H).
        weight: (G*H, H) recurrent weight; without it the update receives no pre-activations from the state.
        bias: (G*H,) recurrent bias.

    Returns:
        The outputs (T, B, H) in the dtype of `from_input`, and the last state, each (B, H).
    """
    length, rows, _ = from_input[0].shape
    dtype, hidden_size = from_input[0].dtype, state[0].shape[1]
    # Rounded to bf16 at every step, a long sum such as an LSTM's cell state would lose what each step adds to it.
    state = tuple(tensor.to(update_dtype(dtype)) for tensor in state)
    outputs: list[Tensor] = []
    h: Tensors = ()
    with torch.autocast(state[0].device.type, enabled=False):
        if weight is not None:
            bias = None if bias is None else bias.to(dtype)
            product = RecurrentLinear(weight.to(dtype), bias, rows=rows, times=length)
        # The gradient of `unbind` is one tensor; T selections would have T gradients, each as large as the sequence.
        for t, x in enumerate(zip(*(tensor.unbind() for tensor in from_input), strict=True)):
            if weight is not None:
                h = split_gates([product(recurrence.recurrent_input(state, dtype))], hidden_size)
            output, state = recurrence.step(split_gates(x, hidden_size), h, state, recurrence.noise_at(t))
            outputs.append(output.to(dtype))
    return torch.stack(outputs), state
