"""Contexts projected before attention sums them: once per source position, not once per hypothesis and step.

The readout computes W [h; c] of the decoder's output h and the context c = sum_s a_s v_s. As the product is linear,
W_c c = sum_s a_s (W_c v_s). Each step then computes only W_h h and a sum.

Shapes: B sentences, S source, Q query steps, M width of the source states, H of the decoder's outputs, E of the readout's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nmt_lstm.attention.attention import Attended, Attention, Memory
from nmt_lstm.numerics.inference_linear import InferenceLinear, InferencePrecision, inference_linear
from nmt_lstm.numerics.sequence_linear import Linear

__all__ = ["ProjectedContextAttention", "SplitReadout", "split_readout"]


class ProjectedContextAttention(Attention):
    """An attention whose contexts (B, Q, E) are already projected by the readout.

    Args:
        attention: with `sums_values`.
        projection: of the values, (..., M) to (..., E).
    """

    def __init__(self, attention: Attention, projection: InferenceLinear) -> None:
        super().__init__(query_size=attention.query_size, memory_size=attention.memory_size)
        self.attention = attention
        self.projection = projection

    @property
    def context_size(self) -> int:
        """Width of the contexts, E."""
        return self.projection.out_features

    def prepare(self, source_states: Tensor, source_is_token: Tensor) -> Memory:
        """Return the memory of source states (B, S, M) with values (B, S, E), projected once per sentence."""
        memory = self.attention.prepare(source_states, source_is_token)
        return memory._replace(values=self.projection(memory.values))

    def forward(self, query: Tensor, memory: Memory, state: tuple[Tensor, ...]) -> Attended:
        """Return contexts (B, Q, E) and weights (B, Q, S) for queries (B, Q, query_size)."""
        attended: Attended = self.attention(query, memory, state)
        return attended


class SplitReadout(nn.Module):
    """A readout for contexts that are already projected: (..., H + E) to (..., E).

    Args:
        projection: of the decoder's outputs, (..., H) to (..., E), with the bias.
    """

    def __init__(self, projection: InferenceLinear) -> None:
        super().__init__()
        self.projection = projection
        self.out_features = projection.out_features

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the sum (..., E) of the projected outputs and the context, both in inputs (..., H + E)."""
        outputs, context = inputs.split([self.projection.in_features, self.out_features], -1)
        return torch.add(self.projection(outputs), context)


def split_readout(
    attention: Attention, readout: Linear, precision: InferencePrecision
) -> tuple[ProjectedContextAttention, SplitReadout]:
    """Return an attention and a readout with the same result as these, at less cost per step.

    Args:
        attention: with `sums_values`; only the readout may read its contexts.
        readout: of the concatenated outputs and contexts, (..., H + M) to (..., E).
        precision: of both products.
    """
    outputs = readout.weight.shape[1] - attention.context_size
    of_outputs, of_context = (weight.contiguous() for weight in readout.weight.tensor_split([outputs], 1))
    projection = inference_linear(of_context, None, precision)
    return (
        ProjectedContextAttention(attention, projection),
        SplitReadout(inference_linear(of_outputs, readout.bias, precision)),
    )
