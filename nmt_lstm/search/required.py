"""Phrases that a translation must contain: which of them a hypothesis has, and how the beam is shared out among them.

This is dynamic beam allocation (Post and Vilar 2018, https://aclanthology.org/N18-1119): hypotheses that have as many
pieces of the phrases compete with each other only, so that those that have more survive although they are less likely.

Shapes: P sentences still searched, K hypotheses of each, C candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from nmt_lstm.search.best_pieces import Ranked, likeliest_pieces
from nmt_lstm.search.remaining import Booleans
from nmt_lstm.search.rules import Candidates, Written
from nmt_lstm.text.special_pieces import END

__all__ = ["Progress", "RequiredPhrases", "allocate"]

Pieces = tuple[int, ...]


class Progress(NamedTuple):
    """What a hypothesis has of its sentence's phrases."""

    met: frozenset[int] = frozenset()
    """Indices of the phrases that it contains."""
    begun: Pieces = ()
    """Its last pieces, as far as they are the beginning of a phrase that is not met."""
    is_marked: bool = False
    """Whether its last piece changes the case of the next word, so that a phrase cannot begin with that."""


class RequiredPhrases:
    """The phrases of a batch's sentences, and the rule that a phrase ends at a word boundary.

    Args:
        phrases: B lists of phrases, each of at least one piece.
        continues_word: (V,), bool: whether a piece continues the word before it.
        markers: pieces that change the case of the next word.
    """

    changes_probabilities = False

    def __init__(
        self,
        phrases: Sequence[Sequence[Pieces]],
        continues_word: Tensor,
        markers: frozenset[int] = frozenset(),
    ) -> None:
        self._phrases = phrases
        self._word_pieces = continues_word.nonzero()[:, 0]
        self._markers = markers
        self._known: list[dict[Pieces, Progress]] = [{(): Progress()} for _ in phrases]

    def total(self, sentence: int) -> int:
        """Return the number of pieces in the phrases of a sentence."""
        return sum(len(phrase) for phrase in self._phrases[sentence])

    def is_complete(self, sentence: int, progress: Progress) -> bool:
        """Whether a hypothesis contains every phrase of its sentence."""
        return len(progress.met) == len(self._phrases[sentence])

    def count(self, sentence: int, progress: Progress) -> int:
        """Return how many pieces of the phrases a hypothesis has."""
        return sum(len(self._phrases[sentence][index]) for index in progress.met) + len(progress.begun)

    def progress(self, sentence: int, written: Pieces) -> Progress:
        """Return what a hypothesis has after the pieces `written`."""
        known = self._known[sentence]
        if written not in known:
            known[written] = self.after(sentence, self.progress(sentence, written[:-1]), written[-1])
        return known[written]

    def after(self, sentence: int, progress: Progress, piece: int) -> Progress:
        """Return the progress after one more piece. An abandoned phrase starts over."""
        recent = (*progress.begun, piece)
        open_phrases = [
            (index, phrase)
            for index, phrase in enumerate(self._phrases[sentence])
            if index not in progress.met
        ]
        # The longest suffix that begins a phrase, as in Knuth-Morris-Pratt: a phrase may begin within another.
        is_marked = piece in self._markers
        follows_marker = [
            progress.is_marked and not progress.begun,
            *(each in self._markers for each in recent),
        ]
        for start in range(len(recent)):
            if follows_marker[start]:
                continue
            end = recent[start:]
            for index, phrase in open_phrases:
                if phrase == end:
                    return Progress(progress.met | {index}, (), is_marked)
            if any(phrase[: len(end)] == end for _, phrase in open_phrases):
                return Progress(progress.met, end, is_marked)
        return Progress(progress.met, (), is_marked)

    def next_pieces(self, sentence: int, progress: Progress) -> Iterator[int]:
        """Yield the pieces that advance a phrase."""
        begun = len(progress.begun)
        for index, phrase in enumerate(self._phrases[sentence]):
            if index not in progress.met:
                if begun and phrase[:begun] == progress.begun:
                    yield phrase[begun]
                if not progress.is_marked:
                    yield phrase[0]

    def apply(self, candidates: Candidates, written: Written) -> None:
        """Allow the next pieces of phrases, whatever else forbids them; after a phrase, forbid pieces that continue its word."""
        device = written.pieces.device
        forward: list[tuple[int, int]] = []
        completed: list[int] = []
        rows = zip(written.sentences.tolist(), map(tuple, written.pieces.tolist()), strict=True)
        for row, (sentence, pieces) in enumerate(rows):
            if self._phrases[sentence]:
                progress = self.progress(sentence, pieces)
                forward += [(row, piece) for piece in self.next_pieces(sentence, progress)]
                if pieces and len(progress.met) > len(self.progress(sentence, pieces[:-1]).met):
                    completed.append(row)
        if forward:
            candidates.allow(*torch.tensor(forward, device=device).unbind(1))
        if completed:
            candidates.forbid(
                torch.tensor(completed, device=device).repeat_interleave(len(self._word_pieces)),
                self._word_pieces.to(device).repeat(len(completed)),
            )


class _Candidate(NamedTuple):
    score: float
    beam: int
    piece: int
    bank: int  # pieces of phrases that the hypothesis has with it


def allocate(
    required: RequiredPhrases,
    unconstrained: Ranked,
    log_probabilities: Tensor,
    scores: Tensor,
    written: Written,
    *,
    must_end: Booleans,
    must_not_end: Booleans,
) -> Ranked:
    """Return the candidates of a step, where those of sentences with phrases are chosen by dynamic beam allocation.

    Args:
        required: the phrases.
        unconstrained: (P, K + beam size) what beam search would choose.
        log_probabilities: (P x K, V) of the next pieces.
        scores: (P, K) of the hypotheses so far.
        written: the pieces of the P x K hypotheses.
        must_end: (P,) sentences where only END is allowed.
        must_not_end: (P,) sentences where END is not allowed.
    """
    beams = scores.shape[1]
    width = unconstrained.pieces.shape[1] - beams
    ranked = Ranked(*(part.clone() for part in unconstrained))
    # The likeliest piece other than END.
    likeliest = likeliest_pieces(
        log_probabilities,
        must_not_end=torch.ones(len(log_probabilities), dtype=torch.bool, device=scores.device),
        normalised=True,
    )[0].tolist()
    for row, sentence in enumerate(written.sentences[::beams].tolist()):
        if not required.total(sentence):
            continue
        rows = slice(row * beams, (row + 1) * beams)
        progress = [required.progress(sentence, tuple(pieces)) for pieces in written.pieces[rows].tolist()]
        if must_end[row]:
            # Hypotheses that lack more than others do not end, however likely they are.
            counts = [required.count(sentence, each) for each in progress]
            extensions = {(beam, END) for beam, count in enumerate(counts) if count == max(counts)}
        else:
            best = zip(unconstrained.beams[row].tolist(), unconstrained.pieces[row].tolist(), strict=True)
            extensions = {(beam, piece) for beam, piece in best if piece != END}
            extensions |= set(enumerate(likeliest[rows]))
            for beam, each in enumerate(progress):
                extensions.update((beam, piece) for piece in required.next_pieces(sentence, each))
                if required.is_complete(sentence, each) and not must_not_end[row]:
                    extensions.add((beam, END))
        order = sorted(extensions)
        index = torch.tensor(order, device=scores.device)
        totals = scores[row, index[:, 0]] + log_probabilities[rows][index[:, 0], index[:, 1]]
        candidates = []
        for (beam, piece), score in zip(order, totals.tolist(), strict=True):
            after = progress[beam] if piece == END else required.after(sentence, progress[beam], piece)
            if score > -torch.inf:
                candidates.append(_Candidate(score, beam, piece, required.count(sentence, after)))
        candidates.sort(key=_best_first)
        if must_end[row]:
            ends, continuing = candidates, list[_Candidate]()
        else:
            ends, continuing = _share_beam(candidates, required.total(sentence), width)
        _write(ranked, row, ends, continuing, width)
    return ranked


def _best_first(candidate: _Candidate) -> tuple[float, int, int]:
    return -candidate.score, candidate.beam, candidate.piece


def _share_beam(
    candidates: list[_Candidate], total: int, width: int
) -> tuple[list[_Candidate], list[_Candidate]]:
    """Return the candidates that end, and `width` others (or all), both best first.

    Banks of candidates that have equally many pieces of the phrases get equal shares of the beam. What a bank does not
    fill goes to those that have more pieces first.

    Args:
        candidates: best first.
        total: pieces of all phrases.
        width: the beam size.
    """
    banks = [[each for each in candidates if each.bank == bank] for bank in range(total + 1)]
    shares = [width // len(banks)] * len(banks)
    shares[-1] += width % len(banks)
    # Only complete hypotheses end; END competes for the share of their bank.
    ends = [each for each in banks[-1][: max(1, shares[-1])] if each.piece == END]
    continuing = [[each for each in bank if each.piece != END] for bank in banks]
    chosen = [each for bank, share in zip(continuing, shares, strict=True) for each in bank[:share]]
    rest = [
        each
        for bank, share in zip(reversed(continuing), reversed(shares), strict=True)
        for each in bank[share:]
    ]
    chosen += rest[: width - len(chosen)]
    return ends, sorted(chosen, key=_best_first)


def _write(
    ranked: Ranked, row: int, ends: list[_Candidate], continuing: list[_Candidate], width: int
) -> None:
    """Put the candidates of a sentence into its row: those that end, the others, and candidates without a chance."""
    # Every sentence has `width` candidates that continue; the piece of those that fill up is never read.
    continuing = [*continuing, *[_Candidate(-torch.inf, 0, END + 1, 0)] * (width - len(continuing))]
    filling = ranked.scores.shape[1] - len(ends) - len(continuing)
    values = [*ends, *continuing, *[_Candidate(-torch.inf, 0, END, 0)] * filling]
    ranked.scores[row] = torch.tensor([each.score for each in values], device=ranked.scores.device)
    ranked.beams[row] = torch.tensor([each.beam for each in values], device=ranked.beams.device)
    ranked.pieces[row] = torch.tensor([each.piece for each in values], device=ranked.pieces.device)
