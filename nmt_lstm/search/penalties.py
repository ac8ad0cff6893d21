"""Length and coverage penalties, by which hypotheses of different length and coverage are compared."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

__all__ = ["coverage_penalty", "length_divisor"]

SMALLEST_COVERAGE = 1e-6  # a source position without any attention must not make a score infinite


def length_divisor(length: int, *, kind: Literal["average", "wu", "none"], alpha: float) -> float:
    """Return the number by which the log-probability of a hypothesis is divided.

    Args:
        length: number of pieces in the hypothesis, END included, so at least 1.
        kind: ``"average"`` is length ** alpha, with alpha = 1 the mean log-probability per piece (Bahdanau et al.
            2014, Koehn and Knowles 2017); ``"wu"`` is ((5 + length) / 6) ** alpha (Wu et al. 2016, equation 14);
            ``"none"`` is 1. None of them decreases with the length.
        alpha: strength; 0 means no penalty.
    """
    if kind == "none":
        return 1.0
    # None of these decreases as a hypothesis grows: beam search's bound on unfinished hypotheses depends on it.
    if kind == "wu":
        return float(((5 + length) / 6) ** alpha)
    return float(length**alpha)


def coverage_penalty(coverage: Tensor, is_token: Tensor, *, beta: float) -> Tensor:
    """Return the coverage penalty (...) of Wu et al. 2016, equation 14; never above zero.

    It is beta * sum_i log(min(sum_j p_ij, 1)), where p_ij is the attention of target piece j to source position i: it
    lowers the scores of hypotheses that leave source positions untranslated.

    Args:
        coverage: (..., S): attention summed over the target pieces so far, END included.
        is_token: (..., S), bool: True on source pieces and END, False on padding.
        beta: strength.
    """
    # At most 1: a position that is translated twice is not covered better than one translated once.
    log_coverage = coverage.clamp(min=SMALLEST_COVERAGE, max=1.0).log()
    return beta * torch.where(is_token, log_coverage, torch.zeros_like(log_coverage)).sum(-1)
