"""Forced decoding: the log-probabilities of given translations, piece by piece."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.errors import DataError
from nmt_lstm.search.searchable import Searchable
from nmt_lstm.text.special_pieces import BEGIN, END

__all__ = ["forced_log_probabilities"]

Encoding = TypeVar("Encoding")
State = TypeVar("State")


@torch.no_grad()
def forced_log_probabilities(
    model: Searchable[Encoding, State], source: SourceBatch, targets: Sequence[Sequence[int]]
) -> list[list[float]]:
    """Return for each sentence the natural log-probability of each target piece and, last, of END.

    It uses the same steps as beam search, so hypotheses get the probabilities with which search found them.

    Args:
        model: it must score the whole target vocabulary.
        source: the source sentences.
        targets: the pieces of one translation per sentence, without BEGIN and END.

    Raises:
        DataError: the number of targets differs from that of sources.
    """
    sentences = len(source.lengths)
    if len(targets) != sentences:
        raise DataError(
            f"{sentences} source sentences but {len(targets)} targets; give one target per source."
        )
    device = source.pieces.device
    labels = [[*target, END] for target in targets]
    scores: list[list[float]] = [[] for _ in labels]
    unfinished = list(range(sentences))
    # One position at a time, as in search: a decoder's `forward` over whole targets may round differently.
    state = model.start(model.encode(source))
    previous = torch.full((sentences,), BEGIN, device=device)
    position = 0
    while unfinished:
        step = model.step(previous, state)
        pieces = torch.tensor([labels[sentence][position] for sentence in unfinished], device=device)
        log_probabilities = torch.log_softmax(step.logits, dim=1, dtype=torch.float32)
        for sentence, score in zip(
            unfinished, log_probabilities.gather(1, pieces[:, None]).tolist(), strict=True
        ):
            scores[sentence] += score
        position += 1
        staying = [row for row, sentence in enumerate(unfinished) if position < len(labels[sentence])]
        unfinished = [unfinished[row] for row in staying]
        if unfinished:
            rows = torch.tensor(staying, device=device, dtype=torch.long)
            state = step.state if len(rows) == len(pieces) else model.reorder(step.state, rows, rows)
            previous = pieces.index_select(0, rows)
    return scores
