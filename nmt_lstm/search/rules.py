"""Rules for the next piece: forced beginnings, no repeated phrases, penalties, words to avoid.

A `RuledModel` applies them to the scores of any model, so that search itself does not know them, apart from required
phrases (`nmt_lstm.search.required`), which also decide what the beam holds.

Shapes: B sentences of the batch, P those still searched, R rows (P x hypotheses, sentence by sentence), T pieces written,
C candidates, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from nmt_lstm.batching.batch import SourceBatch
from nmt_lstm.model.step import Step
from nmt_lstm.search.best_pieces import log_probabilities
from nmt_lstm.search.searchable import Searchable
from nmt_lstm.text.special_pieces import END

__all__ = [
    "Candidates",
    "ForcedPrefix",
    "NoRepeatedNgram",
    "PieceRule",
    "RepetitionPenalty",
    "RuledModel",
    "RuledState",
    "Written",
]

Encoding = TypeVar("Encoding")
State = TypeVar("State")


class Written(NamedTuple):
    """The pieces of each hypothesis so far."""

    pieces: Tensor
    """(R, T), without BEGIN; after END, the pieces that are computed and not read."""
    sentences: Tensor
    """(R,): index in the batch of each row's sentence."""


class Candidates:
    """The scores of the next pieces of all hypotheses, to be changed by rules.

    Args:
        scores: (R, C).
        pieces: (C,), ascending: which pieces the columns are; None if they are the whole vocabulary.

    Attributes:
        scores: (R, C), changed by the rules.
    """

    def __init__(self, scores: Tensor, pieces: Tensor | None) -> None:
        self.scores = scores.clone()
        self._before = scores
        self._pieces = pieces

    def columns(self, pieces: Tensor) -> tuple[Tensor, Tensor]:
        """Return the columns of pieces (N,), and which of the pieces are candidates at all, (N,) bool."""
        if self._pieces is None:
            return pieces, torch.ones_like(pieces, dtype=torch.bool)
        columns = torch.searchsorted(self._pieces, pieces).clamp_(max=len(self._pieces) - 1)
        return columns, self._pieces[columns] == pieces

    def forbid(self, rows: Tensor, pieces: Tensor) -> None:
        """Forbid the N pieces (N,) as continuations of rows (N,)."""
        columns, known = self.columns(pieces)
        self.scores[rows[known], columns[known]] = -torch.inf

    def allow(self, rows: Tensor, pieces: Tensor) -> None:
        """Take back what forbids the N pieces (N,) as continuations of rows (N,)."""
        columns, known = self.columns(pieces)
        rows, columns = rows[known], columns[known]
        self.scores[rows, columns] = self._before[rows, columns]

    def allow_only(self, rows: Tensor, pieces: Tensor) -> None:
        """Forbid all but one piece each, (N,), as continuations of different rows (N,), even if that was forbidden."""
        self.scores[rows[self.columns(pieces)[1]]] = -torch.inf
        self.allow(rows, pieces)


class PieceRule(Protocol):
    """A rule for the next piece of a hypothesis."""

    changes_probabilities: bool
    """Whether the rule makes a different distribution, to be normalised; otherwise it only forbids."""

    def apply(self, candidates: Candidates, written: Written) -> None:
        """Change the candidates' scores, log-probabilities or logits, in place."""
        ...


class ForcedPrefix:
    """Every translation begins with given pieces.

    Args:
        prefixes: B lists of pieces; an empty one forces nothing.
    """

    changes_probabilities = False

    def __init__(self, prefixes: Sequence[Sequence[int]]) -> None:
        self._prefixes = prefixes

    def apply(self, candidates: Candidates, written: Written) -> None:
        """Allow only the next piece of the prefix where it is not yet written."""
        position = written.pieces.shape[1]
        forced = [
            (row, self._prefixes[sentence][position])
            for row, sentence in enumerate(written.sentences.tolist())
            if position < len(self._prefixes[sentence])
        ]
        if forced:
            rows, pieces = torch.tensor(forced, device=written.pieces.device).unbind(1)
            candidates.allow_only(rows, pieces)


class NoRepeatedNgram:
    """No sequence of `size` pieces occurs twice in a translation (Paulus et al. 2018, section 2.5).

    Args:
        size: pieces of the sequence, at least 1.
    """

    changes_probabilities = False

    def __init__(self, size: int) -> None:
        self._size = size

    def apply(self, candidates: Candidates, written: Written) -> None:
        """Forbid the pieces that followed an earlier occurrence of the last ``size - 1`` pieces."""
        pieces, context = written.pieces, self._size - 1
        if pieces.shape[1] < self._size:
            return
        followers = pieces[:, context:]  # (R, W): the last piece of each window of `size`
        if context:
            windows = pieces[:, :-1].unfold(1, context, 1)  # (R, W, context)
            repeated = (windows == pieces[:, None, -context:]).all(2)
        else:
            repeated = torch.ones_like(followers, dtype=torch.bool)
        rows, places = repeated.nonzero(as_tuple=True)
        candidates.forbid(rows, followers[rows, places])


class RepetitionPenalty:
    """Pieces that were written become less likely (Keskar et al. 2019, section 4.1).

    Their positive logits are divided by the penalty and their negative ones multiplied with it.

    Args:
        strength: 1 changes nothing; 1.2 is customary.
    """

    changes_probabilities = True

    def __init__(self, strength: float) -> None:
        self._strength = strength

    def apply(self, candidates: Candidates, written: Written) -> None:
        """Lower the scores of the pieces that were written."""
        rows = torch.arange(len(written.pieces), device=written.pieces.device)[:, None].expand_as(
            written.pieces
        )
        columns, known = candidates.columns(written.pieces.flatten())
        rows, columns = rows.flatten()[known], columns[known]
        scores = candidates.scores[rows, columns]
        # A piece written twice is lowered once: all of its occurrences read the score before any writes it.
        candidates.scores[rows, columns] = torch.where(
            scores > 0, scores / self._strength, scores * self._strength
        )


class RuledState(NamedTuple, Generic[State]):
    """The state of a `RuledModel`."""

    inner: State
    """That of the model itself."""
    pieces: Tensor | None
    """(R, T): the pieces of each hypothesis that the state has read, without BEGIN; None before the first step."""
    sentences: Tensor
    """(P,): index in the batch of each sentence."""

    @property
    def written(self) -> Written:
        """The pieces read so far, with the sentence of each row."""
        assert self.pieces is not None
        rows = self.sentences.repeat_interleave(len(self.pieces) // len(self.sentences))
        return Written(self.pieces, rows.to(self.pieces.device))


class RuledModel(Generic[Encoding, State]):
    """A model whose next pieces follow rules; it is `Searchable` itself.

    Args:
        model: any model.
        rules: at least one, applied in this order, but those that change probabilities first.
    """

    def __init__(self, model: Searchable[Encoding, State], rules: Sequence[PieceRule]) -> None:
        self._model = model
        self._penalties = [rule for rule in rules if rule.changes_probabilities]
        self._restrictions = [rule for rule in rules if not rule.changes_probabilities]

    def encode(self, source: SourceBatch) -> tuple[Encoding, int]:
        """Read the source sentences."""
        return self._model.encode(source), len(source.lengths)

    def start(self, encoded: tuple[Encoding, int]) -> RuledState[State]:
        """Return the state before the first piece, one row per sentence."""
        inner, sentences = encoded
        return RuledState(self._model.start(inner), None, torch.arange(sentences))

    def step(self, previous: Tensor, state: RuledState[State]) -> Step[RuledState[State]]:
        """Read the previous pieces (R,); return the log-probabilities (R, C) of the next ones that the rules allow."""
        if state.pieces is None:  # what is read now is BEGIN
            pieces = previous.new_empty(len(previous), 0)
        else:
            pieces = torch.cat([state.pieces, previous[:, None]], 1)
        step = self._model.step(previous, state.inner)
        after = RuledState(step.state, pieces, state.sentences)
        return Step(self._ruled(step, after.written), step.attention, after, step.pieces, normalised=True)

    def reorder(self, state: RuledState[State], rows: Tensor, sentences: Tensor | None) -> RuledState[State]:
        """Return the state of the given rows (R',) and sentences (P',)."""
        return RuledState(
            self._model.reorder(state.inner, rows, sentences),
            None if state.pieces is None else state.pieces.index_select(0, rows),
            state.sentences if sentences is None else state.sentences[sentences.cpu()],
        )

    def _ruled(self, step: Step[State], written: Written) -> Tensor:
        scores = step.logits.float()
        if self._penalties:
            penalised = Candidates(scores, step.pieces)
            for rule in self._penalties:
                rule.apply(penalised, written)
            scores = penalised.scores
        # Normalised before anything is forbidden: a log-probability stays that of the model.
        if self._penalties or not step.normalised:
            scores = log_probabilities(scores)
        restricted = Candidates(scores, step.pieces)
        for rule in self._restrictions:
            rule.apply(restricted, written)
        # Where nothing is left to write, the translation ends.
        stuck = (restricted.scores[:, END:].amax(1) == -torch.inf).nonzero()[:, 0]
        restricted.allow(stuck, torch.full_like(stuck, END))
        return restricted.scores
