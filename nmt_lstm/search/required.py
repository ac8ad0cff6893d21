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


class RequiredPhrases:
    """The phrases of a batch's sentences, and the rule that no word goes on after the end of a phrase.

    Args:
        phrases: B lists of phrases, each of at least one piece.
        continues_word: (V,), bool: whether a piece goes on with the word before it.
    """

    changes_probabilities = False

    def __init__(self, phrases: Sequence[Sequence[Pieces]], continues_word: Tensor) -> None:
        self._phrases = phrases
        self._word_pieces = continues_word.nonzero()[:, 0]
        self._known: list[dict[Pieces, Progress]] = [{(): Progress()} for _ in phrases]

    def total(self, sentence: int) -> int:
        """Return the number of pieces in the phrases of a sentence."""
        return sum(len(phrase) for phrase in self._phrases[sentence])

    def have_all(self, sentence: int, progress: Progress) -> bool:
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
        """Return the progress after one more piece. A phrase that is broken off has to begin again."""
        recent = (*progress.begun, piece)
        open_phrases = [
            (index, phrase)
            for index, phrase in enumerate(self._phrases[sentence])
            if index not in progress.met
        ]
        # The longest end of what was written that begins a phrase, as in string search: a phrase may begin in another.
        for start in range(len(recent)):
            end = recent[start:]
            for index, phrase in open_phrases:
                if phrase == end:
                    return Progress(progress.met | {index})
            if any(phrase[: len(end)] == end for _, phrase in open_phrases):
                return Progress(progress.met, end)
        return Progress(progress.met)

    def next_pieces(self, sentence: int, progress: Progress) -> Iterator[int]:
        """Yield the pieces that would bring a hypothesis forward."""
        begun = len(progress.begun)
        for index, phrase in enumerate(self._phrases[sentence]):
            if index not in progress.met:
                if begun and phrase[:begun] == progress.begun:
                    yield phrase[begun]
                yield phrase[0]

    def apply(self, candidates: Candidates, written: Written) -> None:
        """Allow the next pieces of phrases, whatever forbids them, and forbid what would make their last word a different one."""
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
    bank: int  # pieces of phrases that a hypothesis has after it


def allocate(
    required: RequiredPhrases,
    plain: Ranked,
    log_probabilities: Tensor,
    scores: Tensor,
    written: Written,
    *,
    must_not_end: Booleans,
    must_end: Booleans,
) -> Ranked:
    """Return the candidates of a step, where those of sentences with phrases are chosen by dynamic beam allocation.

    Args:
        required: the phrases.
        plain: (P, K + beam size) what beam search would choose.
        log_probabilities: (P x K, V) of the next pieces.
        scores: (P, K) of the hypotheses so far.
        written: the pieces of the P x K hypotheses.
        must_not_end: for each sentence whether END is not allowed.
        must_end: for each sentence whether it alone is.
    """
    beams = scores.shape[1]
    width = plain.pieces.shape[1] - beams
    ranked = Ranked(*(part.clone() for part in plain))
    likeliest = likeliest_pieces(
        log_probabilities,
        must_not_end=torch.ones(len(log_probabilities), dtype=torch.bool, device=scores.device),
        normalised=True,
    )[0].tolist()
    for row, sentence in enumerate(written.sentences[::beams].tolist()):
        if not required.total(sentence):
            continue
        of_sentence = slice(row * beams, (row + 1) * beams)
        progress = [
            required.progress(sentence, tuple(pieces)) for pieces in written.pieces[of_sentence].tolist()
        ]
        counts = [required.count(sentence, each) for each in progress]
        if must_end[row]:
            # Those that lack more than others are not taken, however likely they are.
            pairs = {(beam, END) for beam, count in enumerate(counts) if count == max(counts)}
        else:
            best = zip(plain.beams[row].tolist(), plain.pieces[row].tolist(), strict=True)
            pairs = {(beam, piece) for beam, piece in best if piece != END}
            for beam, each in enumerate(progress):
                pairs.add((beam, likeliest[row * beams + beam]))
                pairs.update((beam, piece) for piece in required.next_pieces(sentence, each))
                if required.have_all(sentence, each) and not must_not_end[row]:
                    pairs.add((beam, END))
        order = sorted(pairs)
        index = torch.tensor(order, device=scores.device)
        totals = scores[row, index[:, 0]] + log_probabilities[of_sentence][index[:, 0], index[:, 1]]
        candidates = []
        for (beam, piece), score in zip(order, totals.tolist(), strict=True):
            after = progress[beam] if piece == END else required.after(sentence, progress[beam], piece)
            if score > -torch.inf:
                candidates.append(_Candidate(score, beam, piece, required.count(sentence, after)))
        candidates.sort(key=lambda each: (-each.score, each.beam, each.piece))
        chosen = candidates if must_end[row] else _chosen(candidates, required.total(sentence), width)
        _put(ranked, row, chosen, beams, width)
    return ranked


def _chosen(candidates: list[_Candidate], total: int, width: int) -> list[_Candidate]:
    """Return candidates that end, and then `width` others (or all), best first.

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
    # Of the complete ones, END competes for the share of their bank.
    ends = [each for each in banks[-1][: max(1, shares[-1])] if each.piece == END]
    going = [[each for each in bank if each.piece != END] for bank in banks]
    chosen = [each for bank, share in zip(going, shares, strict=True) for each in bank[:share]]
    rest = [
        each for bank, share in zip(reversed(going), reversed(shares), strict=True) for each in bank[share:]
    ]
    chosen += rest[: width - len(chosen)]
    return ends + sorted(chosen, key=lambda each: (-each.score, each.beam, each.piece))


def _put(ranked: Ranked, row: int, chosen: list[_Candidate], beams: int, width: int) -> None:
    """Write the chosen candidates of a sentence: those that end, the others, and END without a chance as filling."""
    ends = [each for each in chosen if each.piece == END]
    going = [each for each in chosen if each.piece != END]
    # Every sentence has as many that go on; a piece that is never read fills up.
    going += [_Candidate(-torch.inf, 0, END + 1, 0)] * (width - len(going))
    filling = [_Candidate(-torch.inf, 0, END, 0)] * (beams - len(ends))
    values = [*ends, *going, *filling]
    ranked.scores[row] = torch.tensor([each.score for each in values], device=ranked.scores.device)
    ranked.beams[row] = torch.tensor([each.beam for each in values], device=ranked.beams.device)
    ranked.pieces[row] = torch.tensor([each.piece for each in values], device=ranked.pieces.device)
