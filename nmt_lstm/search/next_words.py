"""The likeliest next words of a text, although a word may consist of several pieces.

Shapes: R rows (beginnings of words), V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.search.avoided import PieceTexts
from nmt_lstm.search.best_pieces import log_probabilities
from nmt_lstm.search.searchable import Searchable
from nmt_lstm.text.special_pieces import BEGIN, END

__all__ = ["NextWord", "next_piece_probabilities", "next_words"]

Encoding = TypeVar("Encoding")
State = TypeVar("State")

# Fewest beginnings that are continued together, and how often: enough for all words of any probability worth showing.
ROWS = 64
ROUNDS = 30


class NextWord(NamedTuple):
    """A word that may follow."""

    pieces: tuple[int, ...]
    """Its pieces; END alone is the end of the text."""
    log_probability: float
    """Natural logarithm of the probability that exactly these pieces follow, and that the word ends there."""


class _Beginning(NamedTuple):
    pieces: tuple[int, ...]
    log_probability: float
    row: int
    """Its row in `state`, after its last piece."""


@torch.no_grad()
def next_piece_probabilities(
    model: Searchable[Encoding, State], prompt: Sequence[int], device: torch.device
) -> Tensor:
    """Return the natural logarithms (V,) of the probabilities of the pieces after a prompt."""
    return _after(model, prompt, device)[0][0].double().cpu()


@torch.no_grad()
def next_words(
    model: Searchable[Encoding, State],
    prompt: Sequence[int],
    vocabulary: PieceTexts,
    *,
    count: int,
    device: torch.device,
    source: Sequence[int] = (),
) -> list[NextWord]:
    """Return the likeliest words after a prompt, best first.

    The probability of a word is that of its pieces times that of a word boundary after them. It is at most that of any
    of its beginnings, so beginnings that are less likely than the last word of the list need no continuation: this is a
    best-first search, and exact unless more than `ROWS`, or `count`, beginnings are likelier than that. Pieces that continue
    the prompt's last word are not the beginning of a next word.

    Args:
        model: of the vocabulary of the prompt; it scores the whole vocabulary.
        prompt: pieces, without BEGIN.
        vocabulary: the texts of the pieces.
        count: number of words.
        device: where the model is.
        source: pieces of what is translated; none for a language model.
    """
    continues = torch.from_numpy(vocabulary.continues_word)
    scores, state = _after(model, prompt, device, source)
    first = scores[0].double().cpu()
    words = [NextWord((END,), float(first[END]))]
    opening = first.clone()
    # A text without a prompt begins with a word, whether it is written with a space or not.
    opening[(continues if prompt else torch.zeros_like(continues))] = -torch.inf
    opening[: END + 1] = -torch.inf
    width = max(ROWS, count)
    beginnings = _best((), 0.0, opening, row=0, count=width)
    for _ in range(ROUNDS):
        words = sorted(words, key=lambda word: -word.log_probability)[:count]
        worst = words[-1].log_probability if len(words) == count else -np.inf
        beginnings = sorted(
            (each for each in beginnings if each.log_probability > worst),
            key=lambda each: -each.log_probability,
        )[:width]
        if not beginnings:
            break
        rows = torch.tensor([each.row for each in beginnings], device=device)
        previous = torch.tensor([each.pieces[-1] for each in beginnings], device=device)
        step = model.step(previous, model.reorder(state, rows, rows))
        state = step.state
        following = log_probabilities(step.logits).double().cpu()
        ends = torch.logsumexp(following.masked_fill(continues, -torch.inf), 1)
        # A space of its own, as in a vocabulary of characters, only begins a word, and any piece may come next.
        is_blank = [not vocabulary.text_of(each.pieces).strip() for each in beginnings]
        words += [
            NextWord(each.pieces, each.log_probability + float(end))
            for each, end, blank in zip(beginnings, ends, is_blank, strict=True)
            if not blank
        ]
        longer = following.masked_fill(~continues & ~torch.tensor(is_blank)[:, None], -torch.inf)
        longer[:, : END + 1] = -torch.inf
        beginnings = [
            continued
            for row, each in enumerate(beginnings)
            for continued in _best(each.pieces, each.log_probability, longer[row], row=row, count=width)
            if continued.log_probability > worst
        ]
    return sorted(words, key=lambda word: -word.log_probability)[:count]


def _best(
    pieces: tuple[int, ...], before: float, scores: Tensor, *, row: int, count: int
) -> list[_Beginning]:
    """Return the `count` likeliest continuations by one piece, given log-probabilities (V,)."""
    values, indices = scores.topk(min(count, len(scores)))
    return [
        _Beginning((*pieces, piece), before + value, row)
        for value, piece in zip(values.tolist(), indices.tolist(), strict=True)
        if value > -np.inf
    ]


def _after(
    model: Searchable[Encoding, State],
    prompt: Sequence[int],
    device: torch.device,
    source: Sequence[int] = (),
) -> tuple[Tensor, State]:
    """Return the log-probabilities (1, V) of the pieces after a prompt, and the state there."""
    state = model.start(model.encode(source_batch([[*source]]).to(device)))
    step = model.step(torch.tensor([BEGIN], device=device), state)
    for piece in prompt:
        step = model.step(torch.tensor([piece], device=device), step.state)
    return log_probabilities(step.logits), step.state
