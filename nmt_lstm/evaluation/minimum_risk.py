"""Minimum Bayes risk: which of some translations agrees most with the others (Kumar and Byrne 2004)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.evaluation.formulas import BLEU_ORDER, scores_of_totals, sentence_bleu
from nmt_lstm.evaluation.words import word_splitter

__all__ = ["Utility", "expected_utilities"]

Utility = Literal["chrf", "bleu"]
CHRF_ORDER = 6


def expected_utilities(
    texts: Sequence[str],
    weights: NDArray[np.float64],
    *,
    utility: Utility,
    tokenize: str = "13a",
) -> NDArray[np.float64]:
    """Return for each of N texts its mean sentence score, (N,), with all N in turn as the reference.

    Args:
        texts: translations of one line.
        weights: (N,) how much each counts as a reference, such as its probability; normalised here.
        utility: "chrf" (sacreBLEU's chrF2) or "bleu" (with exponential smoothing).
        tokenize: sacreBLEU's tokenizer for BLEU.
    """
    if utility == "chrf":
        units: list[Sequence[str]] = ["".join(text.split()) for text in texts]
        orders = [_counts(units, order) for order in range(1, CHRF_ORDER + 1)]
        totals = np.stack(
            [
                value
                for counts in orders
                for value in (_of_hypothesis(counts), _of_reference(counts), _matches(counts))
            ],
            axis=-1,
        )
    else:
        split = word_splitter(tokenize)
        units = [split(text) for text in texts]
        orders = [_counts(units, order) for order in range(1, BLEU_ORDER + 1)]
        lengths = [_of_hypothesis(orders[0]), _of_reference(orders[0])]
        totals = np.stack([*lengths, *map(_matches, orders), *map(_of_hypothesis, orders)], axis=-1)
    pairs = totals.reshape(len(texts) ** 2, -1)
    scores = (sentence_bleu(pairs) if utility == "bleu" else scores_of_totals("chrf", pairs)).reshape(
        len(texts), -1
    )
    expected: NDArray[np.float64] = scores @ (weights / weights.sum())
    return expected


def _counts(units: Sequence[Sequence[str]], order: int) -> NDArray[np.float64]:
    """Return how often each n-gram of all texts occurs in each, (N, n-grams)."""
    counters = [
        Counter(tuple(text[start : start + order]) for start in range(len(text) - order + 1))
        for text in units
    ]
    columns = {
        ngram: column for column, ngram in enumerate(dict.fromkeys(key for each in counters for key in each))
    }
    counts = np.zeros((len(units), len(columns)))
    for row, counter in enumerate(counters):
        for ngram, count in counter.items():
            counts[row, columns[ngram]] = count
    return counts


def _of_hypothesis(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the n-grams of the first text of each pair, (N, N)."""
    return np.broadcast_to(counts.sum(1)[:, None], (len(counts), len(counts)))


def _of_reference(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the n-grams of the second text of each pair, (N, N)."""
    return _of_hypothesis(counts).T


def _matches(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the n-grams that both texts of each pair have, (N, N)."""
    return np.stack([np.minimum(counts, row).sum(1) for row in counts])
