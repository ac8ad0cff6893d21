"""Which source pieces and earlier target pieces an output depends on: gradients of its log-probability.

Shapes: S source pieces, T target pieces, both with the end of the sentence; V vocabulary.
Memory in recurrent networks was first shown this way by Madsen 2019, "Visualizing memorization in RNNs" (Distill).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt_lstm.batching.batch import Batch, collate
from nmt_lstm.model.seq2seq import Seq2Seq
from nmt_lstm.numerics.linear import linear

__all__ = ["Connectivity", "connectivity"]

ALTERNATIVES = 5


@dataclass(frozen=True)
class Connectivity:
    """Gradients of what a model predicts at each position of a target."""

    source: Tensor
    """(T, S): norm of the gradient of each target piece's log-probability with respect to each source embedding."""
    target: Tensor
    """(T, T): the same with respect to the embedding of the target piece read at each position (BEGIN at the first); zero
    where a position comes later."""
    contrast_source: Tensor
    """(T, S): the same as `source` for the difference of log-probabilities between the piece and its strongest rival:
    why this one rather than that one."""
    contrast_target: Tensor
    """(T, T): the same as `target` for that difference."""
    log_probabilities: Tensor
    """(T,): natural logarithm of the probability of each target piece."""
    alternatives: Tensor
    """(T, A) int64: the most probable pieces at each position, best first."""
    alternative_log_probabilities: Tensor
    """(T, A)."""
    rivals: Tensor
    """(T,) int64: the most probable piece other than the target piece."""


def connectivity(model: Seq2Seq, batch: Batch) -> Connectivity:
    """Return the gradients for one sentence pair.

    Args:
        model: in evaluation mode, float32.
        batch: one source and one target.
    """
    labels = batch.target_outputs[0]
    # A copy of the pair for each target piece: rows do not act on one another, so that one pass back through the sum of
    # all rows' values yields the gradient of each. Reading the weights once for all of them is what makes it fast.
    rows = _repeated(batch, 2 * len(labels))
    with torch.enable_grad():
        # Both sides may share one embedding, so each is made a leaf in its own call.
        with _leaf_of(model.encoder.embedding) as noted:
            encoded = model.encode(rows.source)
        leaves = noted[0], model.target_embedding(rows.target_inputs).detach().requires_grad_()
        outputs = model.decoder(encoded, leaves[1]).outputs
        positions = torch.arange(len(labels)).repeat(2)
        log_probabilities = functional.log_softmax(
            linear(
                outputs[torch.arange(len(positions)), positions], model.output_weight, model.output_bias
            ).float(),
            dim=-1,
        )
        plain, contrast = log_probabilities.split(len(labels))
        best = plain.detach().topk(min(ALTERNATIVES + 1, plain.shape[1]), dim=-1)
        is_label = best.indices == labels[:, None]
        rivals = torch.where(is_label[:, 0], best.indices[:, 1], best.indices[:, 0])
        chosen = plain.gather(1, labels[:, None])[:, 0]
        difference = (contrast.gather(1, labels[:, None]) - contrast.gather(1, rivals[:, None]))[:, 0]
        source, target = _norms(chosen.sum() + difference.sum(), leaves)
    return Connectivity(
        source=source[: len(labels)],
        target=target[: len(labels)],
        contrast_source=source[len(labels) :],
        contrast_target=target[len(labels) :],
        log_probabilities=chosen.detach(),
        alternatives=best.indices[:, :ALTERNATIVES],
        alternative_log_probabilities=best.values[:, :ALTERNATIVES],
        rivals=rivals,
    )


def _repeated(batch: Batch, rows: int) -> Batch:
    """Return a batch of one pair as this many equal rows."""
    source, target = batch.source.pieces[0, :-1].tolist(), batch.target_outputs[0, :-1].tolist()
    return collate([source] * rows, [target] * rows)


def _norms(value: Tensor, leaves: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Return the norms (R, S) and (R, T) of the gradients with respect to each row and position of the leaves."""
    gradients: Sequence[Tensor | None] = torch.autograd.grad(value, leaves, allow_unused=True)
    source, target = (
        leaf.new_zeros(leaf.shape[:2]) if gradient is None else gradient.norm(dim=-1)
        for leaf, gradient in zip(leaves, gradients, strict=True)
    )
    return source, target


@contextlib.contextmanager
def _leaf_of(module: nn.Module) -> Iterator[list[Tensor]]:
    """Make what a module returns a leaf of the graph, and note it."""
    noted: list[Tensor] = []

    def hook(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        noted.append(output.detach().requires_grad_())
        return noted[-1]

    handle = module.register_forward_hook(hook)
    try:
        yield noted
    finally:
        handle.remove()
