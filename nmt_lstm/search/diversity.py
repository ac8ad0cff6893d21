"""Diverse beam search: parts of the beam that avoid each other's pieces (Vijayakumar et al. 2018).

The groups of a sentence extend their hypotheses one after another. A piece costs a group `search.diversity` for each
hypothesis of an earlier group that has just been extended with it: the paper's Hamming diversity. Costs decide only which
extensions are chosen. They do not add up: a hypothesis keeps the log-probability that the model gives it.

Shapes: P sentences still searched, G groups of each, U = P x G groups, sentence by sentence, K hypotheses of each group,
V vocabulary (or candidates), C candidates returned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor

from nmt_lstm.search.best_pieces import Ranked
from nmt_lstm.search.hypotheses import Finished
from nmt_lstm.text.special_pieces import END

__all__ = ["GroupRanking", "best_of_groups", "diverse_continuations"]


class GroupRanking(Protocol):
    """How the candidates of one group of each sentence are ranked."""

    def __call__(self, group: int, penalised: Tensor, group_scores: Tensor, /) -> Ranked:
        """Return the candidates (P, C), best first, of penalised log-probabilities (P x K, V) and scores (P, K)."""
        ...


def diverse_continuations(
    log_probabilities: Tensor,
    scores: Tensor,
    missing: Tensor,
    rank: GroupRanking,
    *,
    groups: int,
    width: int,
    diversity: float,
) -> Ranked:
    """Return the candidates (U, C) of all groups, in the order in which they are preferred, with the model's scores.

    Args:
        log_probabilities: (U x K, V) of the next pieces.
        scores: (U, K): log-probabilities of the hypotheses so far.
        missing: (U,): how many hypotheses each group has still to finish; the pieces of groups that have all are not avoided.
        rank: how a group's candidates are ranked.
        groups: G.
        width: hypotheses of each group after this step.
        diversity: what a piece costs for each hypothesis of earlier groups.
    """
    beams = scores.shape[1]
    by_group = log_probabilities.view(-1, groups, beams, log_probabilities.shape[1])
    group_scores = scores.view(-1, groups, beams)
    missing = missing.view(-1, groups)
    avoided: list[Tensor] = []
    costs: list[Tensor] = []
    candidates: list[Ranked] = []
    for group in range(groups):
        unpenalised, so_far = by_group[:, group], group_scores[:, group].contiguous()
        penalised = unpenalised.clone(memory_format=torch.contiguous_format)
        for pieces, cost in zip(avoided, costs, strict=True):
            # END is never among them: a later end would not make the words differ.
            penalised.scatter_add_(
                2, pieces[:, None].expand(-1, beams, -1), cost[:, None].expand(-1, beams, -1)
            )
        ranked = rank(group, penalised.flatten(0, 1), so_far)
        chosen = ranked.without_end(width)
        ended = ((ranked.pieces == END) & (ranked.scores > -torch.inf))[:, :width].sum(1)
        counts = (chosen.scores > -torch.inf) & (missing[:, group] > ended)[:, None]
        avoided.append(chosen.pieces)
        costs.append(counts.to(penalised.dtype) * -diversity)
        sentence = torch.arange(len(so_far), device=scores.device)[:, None]
        totals = so_far.gather(1, ranked.beams) + unpenalised[sentence, ranked.beams, ranked.pieces]
        candidates.append(ranked._replace(scores=totals.masked_fill(ranked.scores == -torch.inf, -torch.inf)))
    return Ranked(*(torch.stack(parts, 1).flatten(0, 1) for parts in zip(*candidates, strict=True)))


def best_of_groups(groups: Mapping[int, Sequence[Finished]], n_best: int) -> list[tuple[int, Finished]]:
    """Return at most `n_best` finished hypotheses with their groups: the best of every group, their second ones, and so on.

    So a list with as many hypotheses as there are groups has one of each. Within a round the best score comes first.

    Args:
        groups: the finished hypotheses of each group of a sentence, by its number, best first.
        n_best: at least 1.
    """
    ranked = [
        (place, -hypothesis.score, group, hypothesis)
        for group, hypotheses in groups.items()
        for place, hypothesis in enumerate(hypotheses)
    ]
    ranked.sort(key=lambda each: each[:3])
    return [(group, hypothesis) for _, _, group, hypothesis in ranked[:n_best]]
