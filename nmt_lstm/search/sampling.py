"""Sampling: translations drawn from the model's probabilities; the same for a line in any batch.

Shapes: B sentences of the batch, P those present in a step, N samples of each, R = P x N rows, C candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.search.best_pieces import log_probabilities as normalised_scores
from nmt_lstm.search.hypotheses import Finished, History, Hypothesis
from nmt_lstm.search.limits import Limits
from nmt_lstm.search.remaining import Booleans, remaining_sentences, rows_of_sentences
from nmt_lstm.search.searchable import Searchable, check_scores
from nmt_lstm.text.special_pieces import BEGIN, END

__all__ = ["sample"]

Encoding = TypeVar("Encoding")
State = TypeVar("State")


@torch.no_grad()
def sample(
    model: Searchable[Encoding, State],
    source: SourceBatch,
    settings: SearchSettings,
    *,
    samples: int,
    numbers: Sequence[int],
    limits: Limits,
    keep_attention: bool,
) -> list[list[Hypothesis]]:
    """Draw translations piece by piece and return `samples` of them for each sentence, the likeliest first.

    Each step draws from the probabilities of the pieces after `search.temperature`, of the `search.top_k` likeliest
    (Fan et al. 2018) and of the fewest whose probabilities reach `search.top_p` (Holtzman et al. 2020).
    The random numbers depend on `search.seed`, the line's number and the sample alone.

    Args:
        model: what to ask.
        source: B sentences.
        settings: of the search.
        samples: N translations of each sentence.
        numbers: B line numbers.
        limits: of the translations' lengths.
        keep_attention: whether hypotheses hold their attention.

    Raises:
        ModelFolderError: the model's scores are not numbers.
    """
    device = source.pieces.device
    sentences, history = len(source.lengths), History()
    draws = [
        [np.random.default_rng((settings.seed, number, index)) for index in range(samples)]
        for number in numbers
    ]
    finished: list[list[Finished | None]] = [[None] * samples for _ in range(sentences)]
    state = model.start(model.encode(source))
    present = np.arange(sentences)
    over = np.zeros((sentences, samples), np.bool_)  # samples that have ended
    previous = torch.full((sentences,), BEGIN, device=device)
    totals = np.zeros((sentences, samples))
    length = 0
    while len(present) > 0:
        step = model.step(previous, state)
        log_probabilities = step.logits.float() if step.normalised else normalised_scores(step.logits)
        if length == 0:  # one row for each sentence so far; all its samples continue it
            log_probabilities = log_probabilities.repeat_interleave(samples, 0)
        must_end = np.repeat(length >= limits.longest[present], samples)
        must_not_end = np.repeat(length < limits.shortest[present], samples)
        numbers_drawn = np.array(
            [[generator.random() for generator in draws[sentence]] for sentence in present]
        ).reshape(-1)
        columns = _drawn(log_probabilities, numbers_drawn, settings, must_end, must_not_end)
        gains = log_probabilities.gather(1, columns[:, None])[:, 0].double().cpu().numpy()
        check_scores(gains)
        pieces = columns if step.pieces is None else step.pieces[columns]
        drawn = pieces.cpu().numpy().reshape(-1, samples)
        totals = totals + gains.reshape(drawn.shape)
        ended = (drawn == END) & ~over
        for row, index in zip(*ended.nonzero(), strict=True):
            total = float(totals[row, index])
            finished[present[row]][index] = Finished(total / limits.divisor(length + 1), total, length, index)
        parents = np.broadcast_to(np.arange(samples) if length else 0, drawn.shape)
        attention = step.attention.unflatten(0, (len(present), -1)) if keep_attention else None
        history.add(rows_of_sentences(present, sentences), parents, drawn, attention)
        over |= ended
        done: Booleans = over.min(axis=1)
        stays = remaining_sentences(done)
        rows = torch.from_numpy(_rows(stays, samples, first=length == 0)).to(device)
        moved = length == 0 or not stays.all()
        length += 1
        present, over, totals = present[stays], over[stays], totals[stays]
        previous = torch.from_numpy(np.ascontiguousarray(drawn[stays]).reshape(-1)).to(device)
        if len(present) > 0:
            leaving = None if stays.all() else torch.from_numpy(stays.nonzero()[0]).to(device)
            state = model.reorder(step.state, rows, leaving) if moved else step.state
        else:
            break
    return [
        sorted((history.read(sentence, end) for end in ends if end is not None), key=lambda each: -each.score)
        for sentence, ends in enumerate(finished)
    ]


def _rows(stays: Booleans, samples: int, *, first: bool) -> NDArray[np.int64]:
    """Return the rows of this step that those of the next continue."""
    sentences = stays.nonzero()[0]
    if first:
        return np.repeat(sentences, samples)
    rows: NDArray[np.int64] = (sentences[:, None] * samples + np.arange(samples)).reshape(-1)
    return rows


def _drawn(
    log_probabilities: Tensor,
    numbers: NDArray[np.float64],
    settings: SearchSettings,
    must_end: Booleans,
    must_not_end: Booleans,
) -> Tensor:
    """Return the columns (R,) that uniform numbers (R,) choose, by the inverse of the distribution function."""
    scores = log_probabilities.double() / settings.temperature
    scores[:, :END] = -torch.inf
    scores[torch.from_numpy(must_not_end), END] = -torch.inf
    # Likeliest first, the lower of equal ones first: what top-k and top-p keep is then a beginning of the row.
    scores, order = scores.sort(dim=1, descending=True, stable=True)
    probabilities = torch.softmax(scores, 1)
    if settings.top_k:
        probabilities[:, settings.top_k :] = 0.0
    sums = probabilities.cumsum(1)
    if settings.top_p < 1.0:
        # Those before which top_p was not yet reached, so at least the first.
        probabilities = probabilities.masked_fill(sums - probabilities >= settings.top_p * sums[:, -1:], 0.0)
        sums = probabilities.cumsum(1)
    whole = sums[:, -1:]
    aims = torch.from_numpy(numbers).to(sums.device)[:, None] * whole
    aims = torch.minimum(
        aims, torch.nextafter(whole, torch.zeros_like(whole))
    )  # rounding must not pass the last one
    ranks = torch.searchsorted(sums, aims, right=True)
    columns = order.gather(1, ranks)[:, 0]
    return torch.where(torch.from_numpy(must_end).to(columns.device), torch.full_like(columns, END), columns)
