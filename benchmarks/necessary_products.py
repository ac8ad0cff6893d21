"""The minimum operations in the matrix products of a training step: each weight once for each piece without padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from nmt_lstm.batching.batch import Batch
    from nmt_lstm.model.seq2seq import Seq2Seq

# Forward, gradient of the inputs, gradient of the weights; a multiply-add counts as two operations.
PASSES = 3
OPERATIONS = 2.0


def training_operations(model: Seq2Seq, batch: Batch) -> float:
    """Return the operations in the products of a step, without padding, attention softmax and pointwise functions."""
    source = int(batch.source.lengths.sum())
    target = batch.target_pieces
    sentences = len(batch.source.lengths)
    encoder = _weights(model.encoder.layers) * source
    attention = model.decoder.attention
    keys = sum(_weights(module) for name, module in attention.named_children() if name in ("key", "value"))
    bridge = _weights(model.decoder.bridge)
    decoder = (_weights(model.decoder) - keys - bridge) * target + keys * source + bridge * sentences
    output = model.output_weight.numel() * target
    # Attention scores and contexts: every target piece with every source piece of its sentence.
    width = 2 * model.encoder.output_size
    pairs = target / max(1, sentences) * source * width
    return PASSES * OPERATIONS * (encoder + decoder + output + pairs)


def _weights(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters() if parameter.dim() == 2)
