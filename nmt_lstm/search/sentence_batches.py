"""Sentences of any length as batches for search: sorted by length, halved where memory does not suffice."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

from nmt_lstm.batching.batch import SourceBatch, source_batch
from nmt_lstm.errors import ResourceError
from nmt_lstm.numerics.out_of_memory import is_out_of_memory
from nmt_lstm.numerics.precision import Precision, autocast

__all__ = ["SentenceBatches"]

Result = TypeVar("Result")
LENGTH_STEP = 8
# Memory of a search grows with sentences x source x target positions: at most so many sentences x source ** 2.
LARGEST_AREA = 2**21

logger = logging.getLogger(__name__)


class SentenceBatches:
    """Batches of sentences whose lengths, with END, round up to the same multiple of 8.

    So a sentence's padded length depends on the sentence alone, and its results not on its neighbours.

    Args:
        sentences: source pieces, without END.
        batch_size: sentences in a batch, at most; long sentences come in smaller batches.
    """

    def __init__(self, sentences: Sequence[Sequence[int]], *, batch_size: int) -> None:
        self.sentences = sentences
        self.batch_size = batch_size

    def run(
        self,
        search: Callable[[SourceBatch, Sequence[int]], Sequence[Result]],
        *,
        device: torch.device,
        precision: Precision = "float32",
    ) -> list[Result]:
        """Apply `search` to all batches and return one result per sentence, in the order of the sentences.

        Args:
            search: is given a batch and the places of its sentences, and returns a result for each.
            device: where the batches are moved to.
            precision: ``"float32"``, ``"bf16"`` or ``"fp16"``.

        Raises:
            ResourceError: a single sentence does not fit into memory.
        """
        results: dict[int, Result] = {}
        for members in self.members():
            self._run(members, search, device, precision, results)
        return [results[place] for place in range(len(self.sentences))]

    def members(self) -> Iterator[list[int]]:
        """Yield the places of each batch's sentences, longest sentences first."""
        # Longest first: if memory does not suffice, that shows at once. Equal lengths keep the order of the input.
        order = sorted(range(len(self.sentences)), key=lambda place: (-len(self.sentences[place]), place))
        batch: list[int] = []
        for place in order:
            padded = _padded(self.sentences[place])
            limit = min(self.batch_size, max(1, LARGEST_AREA // padded**2))
            if batch and (len(batch) >= limit or padded != _padded(self.sentences[batch[0]])):
                yield batch
                batch = []
            batch.append(place)
        if batch:
            yield batch

    def _run(
        self,
        members: list[int],
        search: Callable[[SourceBatch, Sequence[int]], Sequence[Result]],
        device: torch.device,
        precision: Precision,
        results: dict[int, Result],
    ) -> None:
        try:
            batch = source_batch(
                [list(self.sentences[place]) for place in members], pad_to=_padded(self.sentences[members[0]])
            ).to(device)
            with autocast(device, precision):
                found = search(batch, members)
        except Exception as problem:
            if not is_out_of_memory(problem):
                raise
            if len(members) == 1:
                raise ResourceError(
                    f"a single sentence of {len(self.sentences[members[0]])} pieces does not fit into memory; "
                    f"lower --beam-size or search.max_source_pieces, or close other programs."
                ) from problem
        else:
            results.update(zip(members, found, strict=True))
            return
        # Outside of the handler, so that the failed attempt's tensors are no longer held by its traceback.
        if device.type == "cuda":
            torch.cuda.empty_cache()
        half = len(members) // 2
        logger.warning(
            "%d sentences together do not fit into memory; trying %d. A smaller --batch-size avoids this.",
            len(members), len(members) - half,
        )  # fmt: skip
        self._run(members[:half], search, device, precision, results)
        self._run(members[half:], search, device, precision, results)


def _padded(sentence: Sequence[int]) -> int:
    return -(-(len(sentence) + 1) // LENGTH_STEP) * LENGTH_STEP
