"""Log-probabilities of given translations, piece by piece."""

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

    It walks the same steps as beam search, so what search found is given the probabilities it was found with.

    Args:
        model: what to ask; it must score the whole vocabulary.
        source: the source sentences.
        targets: one list of pieces per sentence, without BEGIN and END.

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
    found: list[list[float]] = [[] for _ in labels]
    alive = list(range(sentences))
    # One position for all sentences at a time, as search does it: a decoder's `forward` may round differently.
    state = model.start(model.encode(source))
    previous = torch.full((sentences,), BEGIN, device=device)
    position = 0
    while alive:
        step = model.step(previous, state)
        wanted = torch.tensor([labels[sentence][position] for sentence in alive], device=device)
        log_probabilities = torch.log_softmax(step.logits, dim=1, dtype=torch.float32)
        chosen = log_probabilities.gather(1, wanted[:, None])[:, 0].tolist()
        for sentence, value in zip(alive, chosen, strict=True):
            found[sentence].append(value)
        position += 1
        stays = [row for row, sentence in enumerate(alive) if position < len(labels[sentence])]
        rows = torch.tensor(stays, device=device, dtype=torch.long)
        alive = [alive[row] for row in stays]
        if alive:
            leaves = len(stays) < len(wanted)
            state = model.reorder(step.state, rows, rows) if leaves else step.state
            previous = wanted.index_select(0, rows)
    return found
