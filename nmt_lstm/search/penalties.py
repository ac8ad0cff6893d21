"""Length and coverage penalties: how hypotheses of different length and coverage are compared."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

__all__ = ["coverage_penalty", "length_divisor"]

SMALLEST_COVERAGE = 1e-6  # a source position that got no attention at all must not make a score infinite


def length_divisor(length: int, *, kind: Literal["average", "wu", "none"], alpha: float) -> float:
    """Return what the log-probability of a hypothesis is divided by.

    Args:
        length: pieces of the hypothesis, END included, so at least 1.
        kind: ``"average"`` is length ** alpha, with alpha = 1 the mean log-probability per piece (Bahdanau et al.
            2014, Koehn and Knowles 2017); ``"wu"`` is ((5 + length) / 6) ** alpha (Wu et al. 2016, equation 14);
            ``"none"`` is 1. None of them falls with the length.
        alpha: strength; 0 is no penalty.
    """
    if kind == "none":
        return 1.0
    # None of these falls as hypotheses grow; beam search's bound on those that still live depends on it.
    if kind == "wu":
        return float(((5 + length) / 6) ** alpha)
    return float(length**alpha)


def coverage_penalty(coverage: Tensor, is_token: Tensor, *, beta: float) -> Tensor:
    """Return the coverage penalty (...) of Wu et al. 2016, equation 14; never above zero.

    It is beta * sum_i log(min(sum_j p_ij, 1)), where p_ij is the attention that target piece j pays to source
    position i: a hypothesis that leaves source positions untranslated loses.

    Args:
        coverage: attention (..., S) summed over the target pieces so far, END included.
        is_token: (..., S), True where a source position holds a piece (or the source's END), not padding.
        beta: strength.
    """
    # min(.., 1): a position that is translated twice is not covered better than one translated once.
    share = coverage.clamp(min=SMALLEST_COVERAGE, max=1.0).log()
    return beta * torch.where(is_token, share, torch.zeros_like(share)).sum(-1)
