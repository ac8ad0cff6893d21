"""Prefixes, required and avoided phrases, in the search of models that are tables."""

from __future__ import annotations

import itertools
import math

import pytest

from nmt_lstm.batching.batch import source_batch
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.search.avoided import PieceTexts
from nmt_lstm.search.beam_search import beam_search
from nmt_lstm.search.constraints import BatchConstraints, PieceConstraints
from nmt_lstm.text.special_pieces import END

SENTENCE = (4, 5, 4, END)
# Pieces 4 to 8: two begin a word, two go on with one, one is punctuation.
TEXTS = ("", "", "", "", " a", " b", "a", "b", ".")
EVERYTHING = {"max_length_ratio": 1e-9, "length_penalty": "none"}


def search(model, constraints, sentences=((4, 5, 4),), **settings):
    vocabulary = PieceTexts([*TEXTS, *[" x"] * 20][: model.size])
    return beam_search(
        model,
        source_batch([list(each) for each in sentences]),
        SearchSettings(**settings),
        constraints=BatchConstraints(constraints, vocabulary),
    )


def contains(pieces, phrase) -> bool:
    return any(pieces[start : start + len(phrase)] == phrase for start in range(len(pieces)))


@pytest.mark.parametrize("beam_size", [1, 3])
@pytest.mark.parametrize("prefix", [(4,), (5, 5, 4), (4,) * 14])
def test_translations_begin_with_the_prefix(table_model, beam_size, prefix) -> None:
    model = table_model(seed=1, end=2.0)
    ((best,),) = search(model, [PieceConstraints(prefix=prefix)], beam_size=beam_size, **EVERYTHING)
    assert best.pieces[: len(prefix)] == prefix
    assert best.log_probability == pytest.approx(
        sum(model.piece_log_probabilities(SENTENCE, best.pieces)), abs=1e-4
    )


def test_the_best_string_with_a_prefix_is_found(table_model) -> None:
    model = table_model(seed=4, end=2.0)
    ((best,),) = search(model, [PieceConstraints(prefix=(5, 4))], beam_size=120, **EVERYTHING)
    strings = {
        pieces: value for pieces, value in model.every_string(SENTENCE, 8).items() if pieces[:2] == (5, 4)
    }
    assert best.pieces == max(strings, key=strings.__getitem__)


def test_a_prefix_wins_over_other_rules(table_model) -> None:
    request = PieceConstraints(prefix=(4, 4, 4), avoided=("a a",))
    ((best,),) = search(table_model(seed=1), [request], beam_size=3, no_repeat_ngram=1)
    assert best.pieces[:3] == (4, 4, 4)
    assert best.log_probability > -math.inf


REQUIRED = [((4,),), ((5, 5),), ((4, 5), (5, 4)), ((4, 4), (4, 5)), ((4,), (4,), (5, 4, 5))]


@pytest.mark.parametrize("beam_size", [1, 2, 5])
@pytest.mark.parametrize("phrases", REQUIRED)
@pytest.mark.parametrize("seed", range(2))
def test_translations_contain_what_is_required(table_model, beam_size, phrases, seed) -> None:
    model = table_model(seed=seed, end=3.0)
    ((best,),) = search(model, [PieceConstraints(required=phrases)], beam_size=beam_size)
    assert all(contains(best.pieces, phrase) for phrase in phrases)
    assert best.log_probability == pytest.approx(
        sum(model.piece_log_probabilities(SENTENCE, best.pieces)), abs=1e-4
    )


def test_at_the_length_limit_what_is_required_comes_first(table_model) -> None:
    for seed in range(6):
        model = table_model(4, seed=seed, end=-12.0)  # END is hardly ever likely: the limit ends the search
        ((best,),) = search(model, [PieceConstraints(required=((4, 5),))], beam_size=3, **EVERYTHING)
        assert contains(best.pieces, (4, 5))


def test_a_phrase_required_twice_is_there_twice(table_model) -> None:
    ((best,),) = search(table_model(seed=0, end=3.0), [PieceConstraints(required=((4,), (4,)))], beam_size=5)
    assert best.pieces.count(4) >= 2


def test_a_wide_beam_finds_the_best_string_with_the_phrases(table_model) -> None:
    model = table_model(seed=2, end=3.0)
    phrases = ((4, 4), (5,))
    ((best,),) = search(model, [PieceConstraints(required=phrases)], beam_size=120, **EVERYTHING)
    strings = {
        pieces: value
        for pieces, value in model.every_string(SENTENCE, 8).items()
        if all(contains(pieces, phrase) for phrase in phrases)
    }
    assert best.pieces == max(strings, key=strings.__getitem__)


def test_the_word_of_a_required_phrase_ends_with_it(table_model) -> None:
    for seed in range(8):
        model = table_model(5, seed=seed, end=2.0)
        ((best,),) = search(model, [PieceConstraints(required=((4,),))], beam_size=5)
        after = [following for piece, following in itertools.pairwise(best.pieces) if piece == 4]
        assert not after or after[0] not in {6, 7}  # "a" and "b" would make a different word of " a"


@pytest.mark.parametrize("beam_size", [1, 4])
@pytest.mark.parametrize("phrase", ["a", "b", "ab", "a b", "b.", "aa a"])
def test_translations_do_not_contain_what_is_avoided(table_model, beam_size, phrase) -> None:
    vocabulary = PieceTexts(TEXTS)
    violations = 0
    for seed in range(10):
        model = table_model(5, seed=seed, end=1.0)
        ((plain,),) = search(model, [PieceConstraints()], beam_size=beam_size)
        ((best,),) = search(model, [PieceConstraints(avoided=(phrase,))], beam_size=beam_size)
        text, unrestricted = (f" {vocabulary.text_of(each.pieces).strip()} " for each in (best, plain))
        ends = (" ", ".") if phrase[-1].isalnum() else ("",)
        violations += any(f" {phrase}{end}" in unrestricted for end in ends)
        assert not any(f" {phrase}{end}" in text for end in ends)
    assert violations or len(phrase) > 1  # without the rule it happens


def test_a_word_within_a_longer_word_is_not_avoided(table_model) -> None:
    vocabulary = PieceTexts(TEXTS)
    texts = []
    for seed in range(10):
        ((best,),) = search(
            table_model(5, seed=seed, end=1.0), [PieceConstraints(avoided=("a",))], beam_size=4
        )
        texts.append(vocabulary.text_of(best.pieces))
    assert any(" aa" in text or " ab" in text for text in texts)


@pytest.mark.parametrize("beam_size", [1, 2, 5])
def test_a_sentence_is_translated_the_same_alone_and_in_company(table_model, beam_size) -> None:
    model = table_model(5, seed=1, end=1.0)
    sentences = [(4,), (5, 4), (4, 5, 6), (6, 6, 6, 6), (5,), (6, 5)]
    constraints = [
        PieceConstraints(),
        PieceConstraints(prefix=(5, 6)),
        PieceConstraints(required=((4, 6), (5,))),
        PieceConstraints(avoided=("a", "b.")),
        PieceConstraints(prefix=(4,), required=((8,),), avoided=("b",)),
        PieceConstraints(),
    ]
    together = search(model, constraints, sentences, beam_size=beam_size)
    for sentence, request, hypotheses in zip(sentences, constraints, together, strict=True):
        assert search(model, [request], [sentence], beam_size=beam_size) == [hypotheses]
    plain = beam_search(
        model, source_batch([list(each) for each in sentences]), SearchSettings(beam_size=beam_size)
    )
    assert (together[0], together[5]) == (plain[0], plain[5])
