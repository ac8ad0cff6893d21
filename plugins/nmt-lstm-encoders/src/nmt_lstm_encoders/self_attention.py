"""The encoder of the Transformer, with layer normalization before each part."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nmt_lstm import Encoded, Encoder, Linear, batched_product, masked_softmax, token_mean
from nmt_lstm_encoders.positions import with_positions

__all__ = ["SelfAttentionEncoder"]


class SelfAttentionEncoder(Encoder):
    """Self-attention and a feed-forward network in turn, each with normalization before and an addition after it.

    Equations, for each layer, with LN for layer normalization, and for each head i of width d::

        a  = LN(x)
        c_i = softmax(Q_i a (K_i a)^T / sqrt(d)) V_i a
        y  = x + O [c_1; ...; c_n]
        x' = y + W_2 relu(W_1 LN(y))

    The first x is the embedding plus the sines and cosines of its position; the states are LN of the last x', and the
    summary is their mean.

    Source: Vaswani et al. 2017; with the normalization before each part, which trains without a long warm-up, Xiong et al.
    2020, "On Layer Normalization in the Transformer Architecture".

    Args:
        input_size: width of the embeddings, and of all layers; a multiple of `heads`.
        dropout: applied to what each part adds, and inside the feed-forward network.
        layers: number of layers.
        heads: number of heads in each.
        feed_forward_size: width inside the feed-forward networks; 0 is four times the width of the layers.
    """

    def __init__(
        self,
        input_size: int,
        dropout: nn.Module | None = None,
        *,
        layers: int = 4,
        heads: int = 8,
        feed_forward_size: int = 0,
    ) -> None:
        super().__init__(input_size, dropout)
        if layers < 1 or feed_forward_size < 0:
            raise ValueError(
                f"layers must be at least 1, and feed_forward_size 0 or more; got {layers} and {feed_forward_size}."
            )
        if heads < 1 or input_size % heads:
            raise ValueError(
                f"heads={heads} must be at least 1 and divide the width of the embeddings, {input_size}."
            )
        self.parts = nn.ModuleList()
        for _ in range(layers):
            self.parts.append(_SelfAttention(input_size, heads))
            self.parts.append(_FeedForward(input_size, feed_forward_size or 4 * input_size, self.dropout))
        self.norms = nn.ModuleList(nn.LayerNorm(input_size) for _ in self.parts)
        self.last_norm = nn.LayerNorm(input_size)

    def forward(self, embedded: Tensor, is_token: Tensor) -> Encoded:
        """Read source sentences: embeddings (B, S, I)."""
        states = with_positions(embedded)
        for part, norm in zip(self.parts, self.norms, strict=True):
            states = states + self.dropout(part(norm(states), is_token))
        states = self.last_norm(states)
        return Encoded(states, is_token, token_mean(states, is_token))


class _SelfAttention(nn.Module):
    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.projection = Linear(size, 3 * size)
        self.output = Linear(size, size)
        bound = math.sqrt(6.0 / (2 * size))  # Xavier uniform of queries, keys and values on their own
        nn.init.uniform_(self.projection.weight, -bound, bound)
        nn.init.zeros_(self.projection.bias)
        _initialize(self.output)

    def forward(self, states: Tensor, is_token: Tensor) -> Tensor:
        batch, length, size = states.shape
        projected = self.projection(states).view(batch, length, 3 * self.heads, size // self.heads)
        # Those of a single sentence would be views, with strides for which libraries may round products differently.
        queries, keys, values = (
            part.reshape(batch * self.heads, length, size // self.heads).contiguous()
            for part in projected.transpose(1, 2).chunk(3, 1)
        )
        scores = batched_product(queries / math.sqrt(size // self.heads), keys.transpose(1, 2))
        weights = masked_softmax(scores, is_token.repeat_interleave(self.heads, 0))
        contexts = batched_product(weights, values).view(batch, self.heads, length, size // self.heads)
        added: Tensor = self.output(contexts.transpose(1, 2).reshape(batch, length, size))
        return added


class _FeedForward(nn.Module):
    def __init__(self, size: int, inner_size: int, dropout: nn.Module) -> None:
        super().__init__()
        self.inner = Linear(size, inner_size)
        self.outer = Linear(inner_size, size)
        self.dropout = dropout
        _initialize(self.inner)
        _initialize(self.outer)

    def forward(self, states: Tensor, is_token: Tensor) -> Tensor:
        added: Tensor = self.outer(self.dropout(torch.relu(self.inner(states))))
        return added


def _initialize(layer: nn.Linear) -> None:
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
