"""The candidates of a step of beam search: the best extensions, shared out among groups and required phrases.

Shapes: P groups of sentences present, sentence by sentence, K hypotheses of each, R = P x K rows, C candidates.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.model.step import Step
from nmt_lstm.search.best_pieces import Ranked, best_continuations, log_probabilities
from nmt_lstm.search.diversity import diverse_continuations
from nmt_lstm.search.remaining import Booleans, Integers
from nmt_lstm.search.required import RequiredPhrases, allocate
from nmt_lstm.search.rules import RuledState, Written

__all__ = ["Ranking"]


class Ranking:
    """Ranks the extensions of hypotheses.

    Args:
        settings: of the search.
        required: phrases that share out the beam; None if there are none.
    """

    def __init__(self, settings: SearchSettings, required: RequiredPhrases | None) -> None:
        self.groups = settings.beam_groups
        """Groups of each sentence."""
        self.width = settings.beam_size // self.groups
        """Hypotheses of each group after a step."""
        self._diversity = settings.diversity
        self._required = required

    def candidates(
        self,
        step: Step[Any],
        scores: Tensor,
        *,
        must_end: Booleans,
        must_not_end: Booleans,
        missing: Integers | None,
    ) -> Ranked:
        """Return the candidates (P, C) that may be chosen, best first: END for each row, and the `width` best others.

        Args:
            step: with R rows.
            scores: (P, K): log-probabilities of the hypotheses so far.
            must_end: (P,): groups in which only END is allowed.
            must_not_end: (P,): groups in which END is not allowed.
            missing: (P,): how many hypotheses each group has still to finish; None if there is one group.
        """
        written = None
        if self._required is not None:
            assert isinstance(step.state, RuledState)
            written = step.state.written
        if missing is None:
            return self._of_rows(step.logits, scores, must_end, must_not_end, step.normalised, written)

        def rank(group: int, penalised: Tensor, group_scores: Tensor) -> Ranked:
            these = slice(group, None, self.groups)
            rows = None if written is None else self._of_group(written, group, len(scores))
            return self._of_rows(penalised, group_scores, must_end[these], must_not_end[these], True, rows)

        return diverse_continuations(
            step.logits.float() if step.normalised else log_probabilities(step.logits),
            scores,
            torch.from_numpy(missing).to(scores.device),
            rank,
            groups=self.groups,
            width=self.width,
            diversity=self._diversity,
        )

    def _of_rows(
        self,
        logits: Tensor,
        scores: Tensor,
        must_end: Booleans,
        must_not_end: Booleans,
        normalised: bool,
        written: Written | None,
    ) -> Ranked:
        """Return the candidates of one group of each sentence."""
        device = scores.device
        ranked = best_continuations(
            logits,
            scores,
            self.width,
            must_end=torch.from_numpy(must_end).to(device) if must_end.any() else None,
            must_not_end=torch.from_numpy(must_not_end).to(device) if must_not_end.any() else None,
            normalised=normalised,
        )
        if self._required is None or written is None:
            return ranked
        return allocate(
            self._required, ranked, logits, scores, written, must_end=must_end, must_not_end=must_not_end
        )

    def _of_group(self, written: Written, group: int, present: int) -> Written:
        """Return what the hypotheses of one group have written; before the first piece, all groups share a row."""
        pieces, sentences = written
        if len(sentences) * self.groups == present:
            return written
        pieces = pieces.unflatten(0, (-1, self.groups, len(pieces) // present))[:, group]
        sentences = sentences.view(pieces.shape[0], self.groups, -1)[:, group]
        return Written(pieces.flatten(0, 1), sentences.flatten())
