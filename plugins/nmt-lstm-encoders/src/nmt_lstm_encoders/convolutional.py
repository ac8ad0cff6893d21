"""The encoder of convolutional sequence to sequence learning."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt_lstm import Encoded, Encoder, Linear, sigmoid, token_mean
from nmt_lstm_encoders.positions import with_positions

__all__ = ["ConvolutionalEncoder"]

# The sum of two values of variance 1 has this variance again.
HALF_VARIANCE = math.sqrt(0.5)


class ConvolutionalEncoder(Encoder):
    """Convolutions over neighbouring pieces with gated linear units and residual connections; all positions in parallel.

    Equations, for each layer, with k = (width - 1) / 2::

        [a; b] = W [x_{t-k}; ...; x_{t+k}] + b_w
        x'_t   = (x_t + a * sigmoid(b)) * sqrt(1/2)

    The first x is a projection of the embedding plus the sines and cosines of its position; the summary is the mean of the
    states. A state sees layers * k pieces to either side.

    Source: Gehring et al. 2017, "Convolutional Sequence to Sequence Learning", without weight normalization.

    Args:
        input_size: width of the embeddings.
        dropout: applied to the input of each convolution.
        layers: number of layers.
        hidden_size: width of the layers and of the states.
        width: pieces that a convolution sees; odd.
    """

    def __init__(
        self,
        input_size: int,
        dropout: nn.Module | None = None,
        *,
        layers: int = 6,
        hidden_size: int = 256,
        width: int = 3,
    ) -> None:
        super().__init__(input_size, dropout)
        if layers < 1 or hidden_size < 1:
            raise ValueError(f"layers and hidden_size must be at least 1; got {layers} and {hidden_size}.")
        if width < 1 or width % 2 == 0:
            raise ValueError(f"width must be odd, such as 3 or 5; got {width}.")
        self.hidden_size = hidden_size
        self.projection = Linear(input_size, hidden_size)
        nn.init.xavier_uniform_(self.projection.weight)
        nn.init.zeros_(self.projection.bias)
        self.convolutions = nn.ModuleList(_Convolution(hidden_size, width) for _ in range(layers))

    @property
    def output_size(self) -> int:
        """Width of the states."""
        return self.hidden_size

    def forward(self, embedded: Tensor, is_token: Tensor) -> Encoded:
        """Read source sentences: embeddings (B, S, I)."""
        is_padding = ~is_token[..., None]
        states = self.projection(with_positions(embedded))
        for convolution in self.convolutions:
            # Padding is the zeros that a convolution sees beyond the ends of a sentence.
            inputs = self.dropout(states).masked_fill(is_padding, 0.0)
            states = (states + convolution(inputs)) * HALF_VARIANCE
        return Encoded(states, is_token, token_mean(states, is_token))


class _Convolution(nn.Module):
    """A convolution as one product with the concatenation of neighbours, which int8 and bf16 support like any other."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.reach = width // 2
        self.product = Linear(width * size, 2 * size)
        # The gate halves the variance twice (Gehring et al. 2017, section 3.5).
        nn.init.normal_(self.product.weight, std=math.sqrt(4.0 / (width * size)))
        nn.init.zeros_(self.product.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        length = inputs.shape[1]
        padded = functional.pad(inputs, (0, 0, self.reach, self.reach))
        neighbours = [padded[:, start : start + length] for start in range(2 * self.reach + 1)]
        value, gate = self.product(torch.cat(neighbours, -1)).chunk(2, -1)
        gated: Tensor = value * sigmoid(gate)
        return gated
