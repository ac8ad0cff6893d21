"""BLEU, chrF and TER for many sums of sentence counts at once, with the formulas of sacreBLEU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["brevity_penalties", "scores_of_totals", "sentence_bleu"]

Array = NDArray[np.float64]

BLEU_ORDER = 4
CHRF_BETA = 2


def scores_of_totals(metric: str, totals: Array) -> Array:
    """Return scores in percent, of shape (rows,).

    Args:
        metric: "bleu", "chrf", "chrf++" or "ter".
        totals: of shape (rows, counts), sums of the rows of `SentenceStatistics.values`.
    """
    if metric == "bleu":
        return _bleu(totals)
    if metric == "ter":
        return _ter(totals)
    return _chrf(totals)


def brevity_penalties(totals: Array) -> Array:
    """Return BLEU's brevity penalty (Papineni et al. 2002), of shape (rows,); 1 means no penalty.

    Args:
        totals: of shape (rows, counts), as for `scores_of_totals`.
    """
    hypothesis, reference = totals[:, 0], totals[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        penalty = np.exp(1.0 - reference / hypothesis)
    penalty = np.where(hypothesis > 0, penalty, 0.0)
    return np.where(hypothesis < reference, penalty, 1.0)


def sentence_bleu(totals: Array) -> Array:
    """Return BLEU of sentences, for each row of counts as in `scores_of_totals`: orders without n-grams do not count."""
    return _bleu(totals, effective_order=True)


def _bleu(totals: Array, *, effective_order: bool = False) -> Array:
    """Return BLEU (Papineni et al. 2002) with exponential smoothing (Chen and Cherry 2014, method 3).

    The columns are: hypothesis length, reference length, matches of 1- to 4-grams, numbers of 1- to 4-grams.
    """
    matches, ngrams = totals[:, 2 : 2 + BLEU_ORDER], totals[:, 2 + BLEU_ORDER :]
    # The k-th order without matches counts as 1/2**k matches.
    missing = np.cumsum(matches == 0, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precisions = np.where(matches > 0, matches, 0.5**missing) / ngrams
        counted = ngrams > 0 if effective_order else np.ones_like(ngrams, dtype=bool)
        mean = np.where(counted, np.log(precisions), 0.0).sum(1) / counted.sum(1)
        scores = 100.0 * brevity_penalties(totals) * np.exp(mean)
    # sacreBLEU's score is 0 if nothing matches or there are no n-grams of some order.
    is_zero = (matches == 0).all(1) | ((ngrams == 0) & counted).any(1)
    return np.where(is_zero, 0.0, scores)


def _chrf(totals: Array) -> Array:
    """Return chrF and chrF++ (Popović 2015, 2017), averaged over the orders of n-grams that both sides have.

    The columns are, for each order: n-grams of the hypothesis, n-grams of the reference, matches.
    """
    orders = totals.reshape(len(totals), -1, 3)
    hypothesis, reference, matches = orders[..., 0], orders[..., 1], orders[..., 2]
    # Short sentences have no n-grams of higher orders, which are left out of the average.
    counted = (hypothesis > 0) & (reference > 0)
    number = np.maximum(counted.sum(1), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(counted, matches / hypothesis, 0.0).sum(1) / number
        recall = np.where(counted, matches / reference, 0.0).sum(1) / number
        factor = CHRF_BETA**2
        scores = 100.0 * (1 + factor) * precision * recall / (factor * precision + recall)
    return np.where(precision + recall > 0, scores, 0.0)


def _ter(totals: Array) -> Array:
    """Return the translation edit rate (Snover et al. 2006), edits per reference word.

    The columns are: edits, reference length.
    """
    edits, length = totals[:, 0], totals[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = edits / length
    # Against an empty reference any output is entirely wrong.
    return 100.0 * np.where(length > 0, rates, np.where(edits > 0, 1.0, 0.0))
