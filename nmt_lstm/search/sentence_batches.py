"""Batching sentences of any length for search: sorted by length, and halved if they do not fit into memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch

from nmt_lstm.batching.batch import SourceBatch, source_batch
from nmt_lstm.errors import ResourceError
from nmt_lstm.numerics.out_of_memory import is_out_of_memory
from nmt_lstm.numerics.precision import Precision, autocast

__all__ = ["LENGTH_STEP", "SentenceBatches"]

Result = TypeVar("Result")
LENGTH_STEP = 8
# A search's memory grows with sentences x source x target positions: the most sentences x source ** 2 in a batch.
LARGEST_AREA = 2**21

logger = logging.getLogger(__name__)


class SentenceBatches:
    """Batches of sentences whose lengths, with END, round up to the same multiple of `length_step`.

    So a sentence's padded length depends only on the sentence, and its results do not depend on its batch.

    Args:
        sentences: source pieces of each, without END.
        batch_size: the most sentences in a batch; batches of long sentences are smaller.
        length_step: a larger one makes larger batches of few sentences, with more padding. The last bits of results
            depend on it.
    """

    def __init__(
        self, sentences: Sequence[Sequence[int]], *, batch_size: int, length_step: int = LENGTH_STEP
    ) -> None:
        self.sentences = sentences
        self.batch_size = batch_size
        self.length_step = length_step

    def run(
        self,
        search: Callable[[SourceBatch, Sequence[int]], Sequence[Result]],
        *,
        device: torch.device,
        precision: Precision = "float32",
    ) -> list[Result]:
        """Apply `search` to all batches and return one result per sentence, in the order of the sentences.

        Args:
            search: takes a batch and the indices of its sentences, and returns a result for each.
            device: to which batches are moved.
            precision: ``"float32"``, ``"bf16"`` or ``"fp16"``.

        Raises:
            ResourceError: a single sentence does not fit into memory.
        """
        results: dict[int, Result] = {}
        for indices in self.indices():
            self._run(indices, search, device, precision, results)
        return [results[index] for index in range(len(self.sentences))]

    def indices(self) -> Iterator[list[int]]:
        """Yield the indices of each batch's sentences, longest sentences first."""
        # Longest first, so that a lack of memory shows at once. Equal lengths keep the order of the input.
        order = sorted(range(len(self.sentences)), key=lambda index: (-len(self.sentences[index]), index))
        batch: list[int] = []
        for index in order:
            length = self._padded_length(index)
            limit = min(self.batch_size, max(1, LARGEST_AREA // length**2))
            if batch and (len(batch) >= limit or length != self._padded_length(batch[0])):
                yield batch
                batch = []
            batch.append(index)
        if batch:
            yield batch

    def _run(
        self,
        indices: list[int],
        search: Callable[[SourceBatch, Sequence[int]], Sequence[Result]],
        device: torch.device,
        precision: Precision,
        results: dict[int, Result],
    ) -> None:
        try:
            batch = source_batch(
                [list(self.sentences[index]) for index in indices],
                pad_to=self._padded_length(indices[0]),
            ).to(device)
            with autocast(device, precision):
                batch_results = search(batch, indices)
        except Exception as problem:
            if not is_out_of_memory(problem):
                raise
            if len(indices) == 1:
                raise ResourceError(
                    f"a single sentence of {len(self.sentences[indices[0]])} pieces does not fit into memory; "
                    f"lower --beam-size or search.max_source_pieces, or close other programs."
                ) from problem
        else:
            results.update(zip(indices, batch_results, strict=True))
            return
        # Outside the handler, where the exception's traceback no longer holds the tensors of the failed attempt.
        if device.type == "cuda":
            torch.cuda.empty_cache()
        half = len(indices) // 2
        logger.warning(
            "%d sentences together do not fit into memory; trying %d. A smaller --batch-size avoids this.",
            len(indices), len(indices) - half,
        )  # fmt: skip
        self._run(indices[:half], search, device, precision, results)
        self._run(indices[half:], search, device, precision, results)

    def _padded_length(self, index: int) -> int:
        return -(-(len(self.sentences[index]) + 1) // self.length_step) * self.length_step
