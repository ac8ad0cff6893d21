"""Rules for the next piece, in the search of models that are tables."""

from __future__ import annotations

import math

import pytest
import torch

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.search.rules import Candidates, NoRepeatedNgram, RepetitionPenalty, Written
from nmt_lstm.text.special_pieces import END

SENTENCE = (4, 5, 4, END)


def search(model, sentences=((4, 5, 4),), constraints=None, **settings):
    return beam_search(
        model,
        source_batch([list(each) for each in sentences]),
        SearchSettings(**settings),
        constraints=constraints,
    )


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_best_string_without_a_repeated_ngram_is_found(table_model, seed, size) -> None:
    model = table_model(seed=seed, end=3.0)
    ((best,),) = search(
        model, beam_size=150, max_length_ratio=1e-9, length_penalty="none", no_repeat_ngram=size
    )  # strings of up to 11 pieces
    allowed = {
        pieces: value
        for pieces, value in model.every_string(SENTENCE, 11).items()
        if not repeats(pieces, size)
    }
    assert best.pieces == max(allowed, key=allowed.__getitem__)


def repeats(pieces, size) -> bool:
    ngrams = [tuple(pieces[start : start + size]) for start in range(len(pieces) - size + 1)]
    return len(set(ngrams)) < len(ngrams)


def test_log_probability_under_a_restriction_is_that_of_the_model(table_model) -> None:
    model = table_model(3, seed=2, end=-3.0)
    for found in search(model, no_repeat_ngram=2, beam_size=4)[0]:
        assert found.log_probability == pytest.approx(
            sum(model.piece_log_probabilities(SENTENCE, found.pieces)), abs=1e-4
        )


@pytest.mark.parametrize("beam_size", [1, 4])
@pytest.mark.parametrize("settings", [{"no_repeat_ngram": 2}, {"repetition_penalty": 1.5}])
def test_a_sentence_is_translated_the_same_alone_and_in_company(table_model, beam_size, settings) -> None:
    model = table_model(3, seed=1, end=-1.0)
    sentences = [(4,), (5, 4), (4, 5, 6), (6, 6, 6, 6), (5,)]
    together = search(model, sentences, beam_size=beam_size, **settings)
    for sentence, found in zip(sentences, together, strict=True):
        assert search(model, [sentence], beam_size=beam_size, **settings) == [found]


def test_repetition_penalty_is_the_formula_of_the_paper(table_model) -> None:
    logits = torch.tensor([[0.0, 0.0, 0.0, 1.0, 2.0, -2.0, 3.0]])
    candidates = Candidates(logits, None)
    RepetitionPenalty(2.0).apply(candidates, Written(torch.tensor([[4, 5, 4]]), torch.tensor([0])))
    assert candidates.scores.tolist() == [[0.0, 0.0, 0.0, 1.0, 1.0, -4.0, 3.0]]
    assert logits[0, 4] == 2.0  # the model's own scores stay as they are


def test_a_penalised_distribution_is_normalised(table_model) -> None:
    model = table_model(2, seed=3, end=-2.0)
    ((best,),) = search(model, beam_size=4, repetition_penalty=1.3)
    total, string = 0.0, (2, *best.pieces, END)
    for position in range(1, len(string)):
        logits = model.logits(SENTENCE, string[:position]).clone()
        for piece in set(string[1:position]):
            logits[piece] = logits[piece] / 1.3 if logits[piece] > 0 else logits[piece] * 1.3
        total += float(logits.log_softmax(0)[string[position]])
    assert best.log_probability == pytest.approx(total, abs=1e-4)


def test_candidates_of_a_shortlist_are_found_by_their_pieces() -> None:
    candidates = Candidates(torch.zeros(2, 4), torch.tensor([0, 3, 7, 9]))
    candidates.forbid(torch.tensor([0, 0, 1]), torch.tensor([7, 8, 20]))
    assert candidates.scores.tolist() == [[0.0, 0.0, -math.inf, 0.0], [0.0] * 4]
    candidates.allow_only(torch.tensor([0, 1]), torch.tensor([7, 8]))
    assert candidates.scores.tolist() == [[-math.inf, -math.inf, 0.0, -math.inf], [0.0] * 4]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_what_is_forbidden_is_what_followed_the_same_context(size) -> None:
    draw = torch.Generator().manual_seed(size)
    pieces = torch.randint(4, 8, (20, 12), generator=draw)
    candidates = Candidates(torch.zeros(20, 8), None)
    NoRepeatedNgram(size).apply(candidates, Written(pieces, torch.arange(20)))
    for row, written in enumerate(pieces.tolist()):
        seen = {tuple(written[start : start + size]) for start in range(len(written) - size + 1)}
        context = tuple(written[len(written) - size + 1 :])
        expected = [-math.inf if (*context, piece) in seen else 0.0 for piece in range(8)]
        assert candidates.scores[row].tolist() == expected
