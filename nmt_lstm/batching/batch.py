"""A batch of sentences as tensors: padded on the right, with the masks and positions needed to ignore the padding.

Shapes: B batch, S source, T target, N real target pieces.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nmt_lstm.text.special_pieces import BEGIN, END, PAD

__all__ = ["Batch", "SourceBatch", "collate", "padded", "source_batch"]

Pieces = Sequence[int] | NDArray[np.integer[Any]]


@dataclasses.dataclass(frozen=True)
class SourceBatch:
    """Source sentences; each ends with END, so none is empty."""

    pieces: Tensor
    """(B, S), int64; the rows of series are (B, S, columns), float32."""
    is_token: Tensor
    """(B, S), bool: True on pieces, False on padding."""
    lengths: Tensor
    """(B,), int64: number of pieces, END included."""

    def without_end(self) -> SourceBatch:
        """Return the batch with END counted as padding, except in sentences that have nothing else."""
        lengths = (self.lengths - 1).clamp(min=1)
        positions = torch.arange(self.pieces.shape[1], device=lengths.device)
        return SourceBatch(self.pieces, positions[None] < lengths[:, None], lengths)

    def to(self, device: torch.device | str) -> SourceBatch:
        """Return the batch on `device`."""
        return self.map(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> SourceBatch:
        """Return the batch in pinned memory."""
        return self.map(Tensor.pin_memory)

    def map(self, function: Callable[[Tensor], Tensor]) -> SourceBatch:
        """Return the batch with `function` applied to each tensor."""
        return SourceBatch(function(self.pieces), function(self.is_token), function(self.lengths))


@dataclasses.dataclass(frozen=True)
class Batch:
    """Sentence pairs to train on."""

    source: SourceBatch
    target_inputs: Tensor
    """(B, T), int64: BEGIN, then the pieces."""
    target_outputs: Tensor
    """(B, T), int64: the pieces, then END; of series the changes to forecast, float32."""
    target_lengths: Tensor
    """(B,), int64: number of real labels of each sentence, END included."""
    target_positions: Tensor
    """(N,), int64: flat positions of the real labels in (B*T), so that a GPU need not search for them."""
    indices: Tensor
    """(B,), int64: indices of the pairs in the training text."""
    target_pieces: int
    """N: number of target pieces, END included, padding excluded."""
    source_pieces: int
    """Number of source pieces, END included, padding excluded."""
    loss_divisor: float
    """Divisor of the summed loss, with which the shares of a step add up to the mean over its pieces."""

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on `device`."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> Batch:
        """Return the batch in pinned memory."""
        return self._map(Tensor.pin_memory)

    @property
    def rows(self) -> int:
        """B: number of sentences."""
        return len(self.target_inputs)

    def some_rows(self, first: int, end: int) -> Batch:
        """Return the sentences from number `first` to before `end`; the divisor of their loss is that of the whole batch."""
        rows, length = slice(first, end), self.target_outputs.shape[1]
        positions = self.target_positions - first * length
        positions = positions[(positions >= 0) & (positions < (end - first) * length)]
        source = self.source.map(lambda tensor: tensor[rows])
        return dataclasses.replace(
            self,
            source=source,
            target_inputs=self.target_inputs[rows],
            target_outputs=self.target_outputs[rows],
            target_lengths=self.target_lengths[rows],
            target_positions=positions,
            indices=self.indices[rows],
            target_pieces=len(positions),
            source_pieces=int(source.lengths.sum()),
        )

    def _map(self, function: Callable[[Tensor], Tensor]) -> Batch:
        return dataclasses.replace(
            self,
            source=self.source.map(function),
            target_inputs=function(self.target_inputs),
            target_outputs=function(self.target_outputs),
            target_lengths=function(self.target_lengths),
            target_positions=function(self.target_positions),
            indices=function(self.indices),
        )


def padded(
    sentences: Sequence[Pieces], *, before: int | None = None, after: int | None = None, pad_to: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return sentences padded with PAD, (B, longest), and their lengths (B,).

    Args:
        sentences: pieces of each.
        before: a piece to put before each sentence; it counts in the length.
        after: a piece to put after each sentence; it counts in the length.
        pad_to: minimum width of the array.
    """
    front, back = before is not None, after is not None
    inner = np.fromiter((len(sentence) for sentence in sentences), np.int64, len(sentences))
    lengths = inner + front + back
    array = np.full((len(sentences), max(pad_to, int(lengths.max(initial=0)))), PAD, np.int64)
    columns = np.arange(array.shape[1])
    if inner.sum():
        array[(columns >= front) & (columns < inner[:, None] + front)] = np.concatenate(
            [np.asarray(sentence, np.int64) for sentence in sentences]
        )
    if before is not None:
        array[:, 0] = before
    if after is not None:
        array[np.arange(len(sentences)), lengths - 1] = after
    return array, lengths


def source_batch(sentences: Sequence[Pieces], pad_to: int | None = None) -> SourceBatch:
    """Return source sentences as a batch, END added to each.

    Args:
        sentences: pieces of each, at least one sentence; a sentence may be empty.
        pad_to: minimum padded length.

    Raises:
        ValueError: there are no sentences.
    """
    if not len(sentences):
        raise ValueError("a batch needs at least one sentence.")
    array, lengths = padded(sentences, after=END, pad_to=pad_to or 0)
    is_token = np.arange(array.shape[1]) < lengths[:, None]
    return SourceBatch(torch.from_numpy(array), torch.from_numpy(is_token), torch.from_numpy(lengths))


def collate(
    sources: Sequence[Pieces],
    targets: Sequence[Pieces],
    *,
    indices: Sequence[int] | NDArray[np.integer[Any]] | None = None,
    loss_divisor: float | None = None,
    masked: bool = False,
    source_unit: int = 1,
) -> Batch:
    """Return sentence pairs as a batch.

    Args:
        sources: source pieces of each pair, at least one.
        targets: target pieces of each pair.
        indices: indices of the pairs in the training text; by default those in the batch.
        loss_divisor: see `Batch`; by default the number of real labels, which makes the loss their mean.
        masked: leave every label out of the loss, for a share of a step that has no pair of its own.
        source_unit: the source side is padded to a multiple of this.

    Raises:
        ValueError: there are no pairs, or not as many targets as sources.
    """
    if len(sources) != len(targets):
        raise ValueError(f"a batch needs as many targets as sources; got {len(targets)} and {len(sources)}.")
    longest = 1 + max((len(sentence) for sentence in sources), default=0)
    source = source_batch(sources, pad_to=longest + -longest % source_unit)
    inputs, lengths = padded(targets, before=BEGIN)
    outputs, _ = padded(targets, after=END)
    if masked:
        lengths = np.zeros_like(lengths)
    positions = np.flatnonzero(np.arange(inputs.shape[1]) < lengths[:, None])
    pair_indices = np.arange(len(sources)) if indices is None else np.asarray(indices, np.int64)
    return Batch(
        source=source,
        target_inputs=torch.from_numpy(inputs),
        target_outputs=torch.from_numpy(outputs),
        target_lengths=torch.from_numpy(lengths),
        target_positions=torch.from_numpy(positions),
        indices=torch.from_numpy(pair_indices),
        target_pieces=len(positions),
        source_pieces=int(source.lengths.sum()),
        loss_divisor=float(max(1, len(positions))) if loss_divisor is None else loss_divisor,
    )
