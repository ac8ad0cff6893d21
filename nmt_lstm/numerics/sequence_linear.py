"""The product of whole sequences, fast to train in bf16 on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm.numerics import onednn
from nmt_lstm.numerics.linear import check_widths, linear, onednn_linear

__all__ = ["Linear", "sequence_linear"]


def sequence_linear(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``inputs @ weight.T + bias`` like `linear`, but tuned for inputs of many rows and for training in bf16.

    20,000 rows by 512 x 1536, one core: forward 25 ms where torch's takes 37, the weight's gradient 54 instead of 65,
    the bias's 7 instead of 16.

    Args:
        inputs: (..., in).
        weight: (out, in).
        bias: (out,), or None.

    Returns:
        (..., out).
    """
    autocast = inputs.device.type == "cpu" and torch.is_autocast_enabled("cpu")
    in_bf16 = autocast and torch.get_autocast_dtype("cpu") == torch.bfloat16
    if not (in_bf16 and torch.is_grad_enabled() and onednn.packing_works(torch.bfloat16)):
        return linear(inputs.contiguous(), weight, bias)
    check_widths(inputs, weight)
    inputs = inputs.to(torch.bfloat16, memory_format=torch.contiguous_format)
    return onednn_linear(inputs, weight.to(torch.bfloat16), None if bias is None else bias.to(torch.bfloat16))


class Linear(nn.Linear):
    """`torch.nn.Linear` through `sequence_linear`: without gradients a row's result does not depend on the number of rows."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's own name
        """Return (..., out_features) of (..., in_features)."""
        return sequence_linear(input, self.weight, self.bias)
