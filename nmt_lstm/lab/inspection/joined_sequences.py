"""Sequences of one exact length, joined from sentences, so that gradients have the same lags in every model.

Shapes: B sequences, n positions.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import torch

from nmt_lstm.batching.batch import Batch, collate

__all__ = ["joined_batch", "spread_starts"]


def spread_starts(sentences: int, most: int) -> list[int]:
    """Return the indices of the sentences at which sequences start, evenly spaced in the text.

    Args:
        sentences: number of sentences.
        most: maximum number of sequences; there are fewer if the text has fewer sentences.
    """
    count = min(most, sentences)
    return [number * sentences // count for number in range(count)]


def joined_batch(
    sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], starts: Sequence[int], length: int
) -> Batch:
    """Return a batch (B, n) of sentences joined on both sides; after the last sentence it continues with the first.

    Args:
        sources: pieces of each sentence, without END; not all empty.
        targets: the same for the translations.
        starts: (B,) indices of the first sentences of the sequences.
        length: positions, n: with END on the source side, with BEGIN on the target side.
    """
    joined = [_joined(targets, start, length) for start in starts]
    batch = collate([_joined(sources, start, length - 1) for start in starts], [row[:-1] for row in joined])
    # The text continues after the last position: an end of the sentence there would be an unusual error.
    labels = batch.target_outputs.clone()
    labels[:, -1] = torch.tensor([row[-1] for row in joined])
    return dataclasses.replace(batch, target_outputs=labels)


def _joined(sentences: Sequence[Sequence[int]], start: int, count: int) -> list[int]:
    """Return `count` pieces of the sentences from `start` on."""
    circle = itertools.islice(itertools.cycle(sentences), start, None)
    return list(itertools.islice(itertools.chain.from_iterable(circle), count))
