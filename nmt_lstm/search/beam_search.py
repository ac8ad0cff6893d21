"""Batched beam search over encode, start, step and reorder; the same result at any batch size.

What is searched is a group of a sentence; without `search.beam_groups` a sentence has one.

Shapes: B groups of the batch, P present in a step, sentence by sentence, K hypotheses of each (1 at first, then the beam
size, divided by the groups), R = P x K rows, S source, C candidates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.model.step import Step
from nmt_lstm.search.best_pieces import Ranked
from nmt_lstm.search.constraints import BatchConstraints, piece_rules
from nmt_lstm.search.diversity import best_of_groups
from nmt_lstm.search.fusion import Fusion
from nmt_lstm.search.greedy import greedy_search
from nmt_lstm.search.hypotheses import Finished, History, Hypothesis
from nmt_lstm.search.limits import Limits
from nmt_lstm.search.penalties import coverage_penalty
from nmt_lstm.search.ranking import Ranking
from nmt_lstm.search.remaining import Booleans, Integers, remaining_sentences, rows_of_sentences
from nmt_lstm.search.required import RequiredPhrases
from nmt_lstm.search.rules import PieceRule, RuledModel
from nmt_lstm.search.sampling import sample
from nmt_lstm.search.searchable import Searchable, check_scores
from nmt_lstm.search.setting_checks import check_search
from nmt_lstm.text.special_pieces import BEGIN, END

__all__ = ["beam_search"]

Encoding = TypeVar("Encoding")
State = TypeVar("State")


@torch.no_grad()
def beam_search(
    model: Searchable[Encoding, State],
    source: SourceBatch,
    settings: SearchSettings,
    *,
    n_best: int = 1,
    keep_attention: bool = True,
    constraints: BatchConstraints | None = None,
    language_model: Searchable[Any, Any] | None = None,
    limits: Limits | None = None,
) -> list[list[Hypothesis]]:
    """Translate a batch and return at most `n_best` hypotheses per sentence, best first.

    In each step every hypothesis of a sentence is extended with every piece. The `beam_size` best extensions without END
    are kept; those with END among the `beam_size` best are finished. A sentence is done, and leaves the batch, when
    `beam_size` hypotheses are finished, or `n_best` that no unfinished one can overtake even if all its further pieces
    had probability 1. At the length limit only END is allowed, so every hypothesis is complete, and its log-probability
    is that of all its pieces and END.

    PAD, UNKNOWN and BEGIN are never produced. Candidates are ordered by score, then by the lower number of the
    hypothesis, then by the lower piece; finished hypotheses by score, then by the earlier end. A beam size of 1 is
    greedy search. With ``settings.method = "sampling"``, translations are drawn instead (`nmt_lstm.search.sampling`).

    With ``settings.beam_groups`` above 1, all this holds for each group, with its share of the beam
    (`nmt_lstm.search.diversity`). A sentence is done when all of its groups are, and the best hypotheses of all groups
    come first, then their second ones, and so on.

    Args:
        model: what to ask. With constraints of a prefix or of required phrases it must score the whole vocabulary.
        source: the sentences.
        settings: of the search.
        n_best: the largest number of hypotheses of each sentence.
        keep_attention: whether hypotheses hold their attention.
        constraints: what the sentences ask for beyond that.
        language_model: takes part with ``settings.language_model_weight`` (`nmt_lstm.search.fusion`). Log-probabilities
            of hypotheses are then weighted sums, too.
        limits: of the lengths; by default those of translations of the sources.

    Raises:
        ConfigurationError: the settings contradict each other or `n_best`.
        ModelFolderError: the model's scores are not numbers.
    """
    check_search(settings, n_best)
    required = None if constraints is None else constraints.required()
    rules = piece_rules(settings, constraints, required)
    if limits is None:
        limits = Limits(settings, source, None if constraints is None else constraints.forced_pieces())
    searched = _composed(model, rules, language_model, settings.language_model_weight)
    if settings.method == "sampling":
        numbers = (
            range(1, len(source.lengths) + 1)
            if constraints is None
            else [line.number for line in constraints.lines]
        )
        return sample(
            searched,
            source,
            settings,
            samples=n_best,
            numbers=numbers,
            limits=limits,
            keep_attention=keep_attention,
        )
    if settings.beam_size == 1 and settings.coverage_penalty == 0.0 and required is None:
        return greedy_search(searched, source, limits=limits, keep_attention=keep_attention)
    search = _BeamSearch(
        searched, source, settings, n_best, limits=limits, required=required, keep_attention=keep_attention
    )
    return search.run()


def _composed(
    model: Searchable[Any, Any],
    rules: Sequence[PieceRule],
    language_model: Searchable[Any, Any] | None,
    weight: float,
) -> Searchable[Any, Any]:
    """Return a model to search that follows the rules and, if there is one, asks the language model."""
    if language_model is None or weight == 0.0:
        return RuledModel(model, rules) if rules else model
    # Penalties normalise, so they come before the sum of both models, which must not be normalised.
    penalties = [rule for rule in rules if rule.changes_probabilities]
    restrictions = [rule for rule in rules if not rule.changes_probabilities]
    penalised = RuledModel(model, penalties) if penalties else model
    fused = Fusion(penalised, language_model, weight=weight)
    return RuledModel(fused, restrictions) if restrictions else fused


class _BeamSearch(Generic[Encoding, State]):
    """A search over one batch: its limits and the hypotheses finished so far."""

    def __init__(
        self,
        model: Searchable[Encoding, State],
        source: SourceBatch,
        settings: SearchSettings,
        n_best: int,
        *,
        limits: Limits,
        required: RequiredPhrases | None,
        keep_attention: bool,
    ) -> None:
        self.model = model
        self.source = source
        self.settings = settings
        self.n_best = n_best
        self.keep_attention = keep_attention
        self.limits = limits
        self.ranking = Ranking(settings, required)
        self.groups, self.width = self.ranking.groups, self.ranking.width
        self.needed = -(
            -n_best // self.groups
        )  # of each group, if all have so many, no more than this are returned
        self.longest, self.shortest = (
            limit.repeat(self.groups) for limit in (limits.longest, limits.shortest)
        )
        # The largest number by which a total of the group can be divided, for the bound in `_is_done`.
        self.largest_divisor = np.array([limits.divisor(int(limit) + 1) for limit in self.longest])
        self.finished: list[list[Finished]] = [[] for _ in self.longest]
        self.threshold = np.full(
            len(self.longest), -math.inf
        )  # (B,): score of the `needed`-th best finished one
        self.history = History()

    def run(self) -> list[list[Hypothesis]]:
        """Search until every sentence is done."""
        device = self.source.pieces.device
        state = self.model.start(self.model.encode(self.source))
        present = np.arange(len(self.finished))  # (P,): numbers of groups in the batch
        done = np.zeros(len(present), np.bool_)
        is_token = self.source.is_token.repeat_interleave(self.groups, 0)
        previous = torch.full((len(self.source.lengths),), BEGIN, device=device)
        # One hypothesis each at first: several equal ones would fill the beam with copies.
        scores = torch.zeros(len(present), 1, dtype=torch.float32, device=device)  # (P, K)
        coverage = scores.new_zeros(len(present), 1, is_token.shape[1])
        length = 0
        while len(present) > 0:
            step = self.model.step(previous, state)
            if length == 0 and self.groups > 1:
                step = self._for_groups(step)
            attention = step.attention.unflatten(0, scores.shape)
            penalty = None
            if self.settings.coverage_penalty > 0.0:
                coverage = coverage + attention.float()
                penalty = coverage_penalty(coverage, is_token[:, None], beta=self.settings.coverage_penalty)
            # Sentences that are done but stay to round the number of rows up take part, without any effect.
            must_end = (length >= self.longest[present]) & ~done
            missing = None
            if self.groups > 1:
                missing = np.where(done, 0, self.width - self._finished_counts(present))
            ranked = self.ranking.candidates(
                step,
                scores,
                must_end=must_end,
                must_not_end=length < self.shortest[present],
                missing=missing,
            )
            if step.pieces is not None:  # `ranked` holds indices of a shortlist's candidates
                ranked = ranked._replace(pieces=step.pieces[ranked.pieces])
            # END finishes a copy of the hypothesis; the same hypothesis may also be extended with other pieces.
            self._finish(present, ~done, ranked, must_end, penalty, length)
            extended = ranked.without_end(self.width)
            self.history.add(
                rows_of_sentences(present, len(self.finished)),
                extended.beams.cpu().numpy(),
                extended.pieces.cpu().numpy(),
                attention if self.keep_attention else None,
            )
            length += 1

            best_totals = extended.scores.amax(1).double().cpu().numpy()
            done |= self._is_done(present, best_totals, must_end, done)
            sentences_stay = remaining_sentences(done.reshape(-1, self.groups).min(axis=1))
            staying = sentences_stay.repeat(self.groups)
            present, done = present[staying], done[staying]
            # (P, K): for each new hypothesis, the row of this step that it extends.
            rows = torch.arange(len(staying), device=device)[:, None] * scores.shape[1] + extended.beams
            sentences = None
            if not staying.all():
                sentences = torch.from_numpy(sentences_stay.nonzero()[0]).to(device)
                groups = torch.from_numpy(staying.nonzero()[0]).to(device)
                extended = Ranked(*(tensor.index_select(0, groups) for tensor in extended))
                rows, is_token = rows.index_select(0, groups), is_token.index_select(0, groups)
            if self.settings.coverage_penalty > 0.0:
                coverage = coverage.flatten(0, 1).index_select(0, rows.flatten()).unflatten(0, rows.shape)
            if len(present) > 0:
                if length == 1:  # all groups of a sentence extend the same row
                    rows = rows // self.groups
                # If every row is extended once, in its order, nothing has to be copied.
                reordered = sentences is not None or not _is_identity(rows, len(previous))
                state = self.model.reorder(step.state, rows.flatten(), sentences) if reordered else step.state
            scores, previous = extended.scores, extended.pieces.flatten()
        return [self._best(sentence) for sentence in range(len(self.source.lengths))]

    def _for_groups(self, step: Step[State]) -> Step[State]:
        """Return the first step, whose rows are sentences, with a row for each group."""
        return step._replace(
            logits=step.logits.repeat_interleave(self.groups, 0),
            attention=step.attention.repeat_interleave(self.groups, 0),
        )

    def _finish(
        self,
        present: Integers,
        searching: Booleans,
        ranked: Ranked,
        must_end: Booleans,
        penalty: Tensor | None,
        length: int,
    ) -> None:
        """Record the hypotheses that ended among the best of their group, unless that is done."""
        width = self.width
        # Only among the `width` best: END at a lower rank belongs to a hypothesis that a beam of this size drops.
        totals = ranked.scores[:, :width].double().cpu().numpy()
        check_scores(totals)
        possible = ((totals > -math.inf) | must_end[:, None]) & searching[:, None]
        ended = (ranked.pieces[:, :width] == END).cpu().numpy() & possible
        if not ended.any():
            return
        beams = ranked.beams[:, :width].cpu().numpy()
        penalties = None if penalty is None else penalty.double().cpu().numpy()
        divisor = self.limits.divisor(length + 1)
        for row, rank in zip(*ended.nonzero(), strict=True):
            group, beam, total = present[row], int(beams[row, rank]), float(totals[row, rank])
            score = total / divisor + (0.0 if penalties is None else float(penalties[row, beam]))
            self.finished[group].append(Finished(score, total, length, beam))
            if len(self.finished[group]) >= self.needed:
                self.threshold[group] = self._ordered(group)[self.needed - 1].score

    def _is_done(
        self, present: Integers, best_totals: NDArray[np.float64], must_end: Booleans, done: Booleans
    ) -> Booleans:
        """Return which of the groups present are done, (P,), given the best totals of their unfinished hypotheses."""
        # `width` finished hypotheses always end the search; the bound ends it sooner if that cannot change the result.
        count = self._finished_counts(present)
        full = must_end | (count >= self.width)
        # Log-probabilities only decrease, divisors increase with the length, and penalties are never above zero. So no
        # unfinished hypothesis can exceed the best total divided by the largest divisor.
        bound = best_totals / self.largest_divisor[present]
        certain = (count >= self.needed) & (self.threshold[present] >= bound)
        # A group that is certain continues as long as others of its sentence search, since they avoid its pieces:
        # their results must not depend on how many hypotheses are asked for.
        over: Booleans = (done | full | certain).reshape(-1, self.groups).min(axis=1)
        return full | over.repeat(self.groups)

    def _finished_counts(self, present: Integers) -> Integers:
        return np.array([len(self.finished[group]) for group in present])

    def _ordered(self, group: int) -> list[Finished]:
        # The sort is stable, so of equal scores the one that ended earlier comes first, which is the shorter one.
        return sorted(self.finished[group], key=lambda hypothesis: -hypothesis.score)

    def _best(self, sentence: int) -> list[Hypothesis]:
        groups = range(sentence * self.groups, (sentence + 1) * self.groups)
        best = best_of_groups({group: self._ordered(group) for group in groups}, self.n_best)
        return [self.history.read(group, end) for group, end in best]


def _is_identity(rows: Tensor, count: int) -> bool:
    """Whether `rows` (P, K) are the numbers from 0 to `count` - 1 in their order."""
    return rows.numel() == count and bool((rows.flatten() == torch.arange(count, device=rows.device)).all())
