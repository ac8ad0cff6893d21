"""Greedy search: a beam of size one, in which nothing has to be sorted, compared or reordered.

Shapes: B sentences of the batch, P present in a step.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.search.best_pieces import likeliest_pieces
from nmt_lstm.search.hypotheses import Finished, History, Hypothesis
from nmt_lstm.search.limits import Limits
from nmt_lstm.search.remaining import Booleans, remaining_sentences, rows_of_sentences
from nmt_lstm.search.searchable import Searchable, check_scores
from nmt_lstm.text.special_pieces import BEGIN, END

__all__ = ["greedy_search"]

Encoding = TypeVar("Encoding")
State = TypeVar("State")


def greedy_search(
    model: Searchable[Encoding, State],
    source: SourceBatch,
    *,
    limits: Limits,
    keep_attention: bool,
) -> list[list[Hypothesis]]:
    """Choose the likeliest piece at each step, and return one hypothesis for each sentence; see `beam_search`.

    Raises:
        ModelFolderError: the model's scores are not numbers.
    """
    device = source.pieces.device
    history = History()
    finished: list[Finished | None] = [None] * len(source.lengths)
    state = model.start(model.encode(source))
    present = np.arange(len(finished))
    done = np.zeros(len(present), np.bool_)
    previous = torch.full((len(present),), BEGIN, device=device)
    totals = torch.zeros(len(present), dtype=torch.float32, device=device)
    parents = np.zeros((len(present), 1), np.int64)  # the only hypothesis extends itself
    length = 0

    def on_device(flags: Booleans) -> torch.Tensor | None:
        return torch.from_numpy(flags).to(device) if flags.any() else None

    while len(present) > 0:
        step = model.step(previous, state)
        must_end = (length >= limits.longest[present]) & ~done
        chosen, gains = likeliest_pieces(
            step.logits,
            must_end=on_device(must_end),
            must_not_end=on_device(length < limits.shortest[present]),
            normalised=step.normalised,
        )
        pieces = chosen if step.pieces is None else step.pieces[chosen]
        totals = totals + gains
        # Two transfers from the device; all decisions are then made in numpy.
        scores, new_pieces = totals.double().cpu().numpy(), pieces.cpu().numpy()
        check_scores(scores)
        # Sentences that are done but still in the batch continue after their END; nobody reads it.
        ended = (new_pieces == END) & ~done
        for row in ended.nonzero()[0]:
            total = float(scores[row])
            finished[present[row]] = Finished(total / limits.divisor(length + 1), total, length, 0)
        history.add(
            rows_of_sentences(present, len(finished)),
            parents[: len(present)],
            new_pieces[:, None],
            step.attention[:, None] if keep_attention else None,
        )
        length += 1
        done |= ended
        staying = remaining_sentences(done)
        state, previous = step.state, pieces
        if not staying.all():
            present, done = present[staying], done[staying]
            if len(present) > 0:
                rows = torch.from_numpy(staying.nonzero()[0]).to(device)
                state = model.reorder(state, rows, rows)
                totals, previous = totals.index_select(0, rows), previous.index_select(0, rows)
    return [[history.read(sentence, end)] for sentence, end in enumerate(finished) if end is not None]
