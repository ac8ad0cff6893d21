"""What translations hold on request: probabilities, words, and the candidate that agrees most with the others."""

from __future__ import annotations

import numpy as np
import pytest

from nmt_lstm import SearchSettings, Translator
from nmt_lstm.corpora.builtin import model_path
from nmt_lstm.evaluation.minimum_risk import expected_utilities
from nmt_lstm.inference.translation import Hypothesis
from nmt_lstm.text.lines import LineWarnings
from nmt_lstm.text.written_pieces import word_spans

LINES = ["The dog is sleeping .", "", "A man is running .", "What is this ?"]


@pytest.fixture(scope="module")
def translator() -> Translator:
    return Translator.load(model_path("builtin:en-ja"), device="cpu")


def test_probabilities_of_pieces_add_up_to_that_of_the_hypothesis(translator) -> None:
    translations = translator.translate(LINES, n_best=3, probabilities=True)
    for translation in translations:
        for hypothesis in translation.hypotheses:
            assert len(hypothesis.piece_log_probabilities) == len(hypothesis.pieces) + 1
            assert sum(hypothesis.piece_log_probabilities) == pytest.approx(
                hypothesis.log_probability, abs=1e-4
            )
            words = [word.log_probability for word in hypothesis.words]
            assert sum(words) == pytest.approx(sum(hypothesis.piece_log_probabilities[:-1]))
    plain = translator.translate(LINES, n_best=3)
    assert [each.text for each in plain] == [each.text for each in translations]
    assert plain[0].hypotheses[0].piece_log_probabilities is None


def test_words_are_pieces_up_to_the_next_space() -> None:
    pieces = ("▁A", "▁", "d", "o", "g", "▁runs", ".", "▁", "▁B")
    assert word_spans(pieces) == [(0, 1), (1, 5), (5, 7), (7, 9)]
    hypothesis = Hypothesis("A dog runs.", 0.0, 0.0, pieces[:7], ((0, 0), (1, 1), (2, 2), (1, 5), (3, 6)))
    assert [word.text for word in hypothesis.words] == ["A", "dog", "runs."]
    # The source is one piece, a word of two pieces, and another word.
    assert hypothesis.word_alignment(("▁Ein", "▁Hu", "nd", "▁läuft")) == ((0, 0), (1, 1), (1, 2), (2, 2))


@pytest.mark.parametrize("method", ["beam", "sampling"])
@pytest.mark.parametrize("utility", ["chrf", "bleu"])
def test_the_candidate_of_least_risk_comes_first(translator, method, utility) -> None:
    search = SearchSettings(method=method, decision=utility, beam_size=6, samples=12)
    (translation,) = translator.translate(LINES[:1], search=search, n_best=4)
    utilities = [each.expected_utility for each in translation.hypotheses]
    assert utilities == sorted(utilities, reverse=True)
    assert len({each.text for each in translation.hypotheses}) == len(translation.hypotheses)

    everything = SearchSettings(method=method, beam_size=6)
    (candidates,) = translator.translate(LINES[:1], search=everything, n_best=6 if method == "beam" else 12)
    texts = [each.text for each in candidates.hypotheses]
    logarithms = np.array(
        [each.log_probability if method == "beam" else 0.0 for each in candidates.hypotheses]
    )
    expected = expected_utilities(texts, np.exp(logarithms), utility=utility, tokenize=translator.tokenizer)
    if method == "sampling":  # of the beam, hypotheses of the same text count one by one
        assert translation.text == texts[int(expected.argmax())]
        assert utilities[0] == pytest.approx(expected.max())


def test_decisions_do_not_depend_on_the_batch(translator) -> None:
    search = SearchSettings(method="sampling", decision="chrf", samples=8)
    assert translator.translate(LINES, search=search, batch_size=1) == translator.translate(
        LINES, search=search
    )


def test_groups_of_the_beam_give_translations_that_differ(translator) -> None:
    plain = translator.translate(LINES, n_best=4, beam_size=8)
    search = SearchSettings(beam_size=8, beam_groups=4, diversity=20.0)
    diverse = translator.translate(LINES, n_best=4, search=search)
    assert translator.translate(LINES, n_best=4, search=search, batch_size=1) == diverse
    for translation in diverse:
        scores = [each.score for each in translation.hypotheses]
        assert scores == sorted(scores, reverse=True)
    first_pieces = [
        [len({each.pieces[:1] for each in one.hypotheses}) for one in translations]
        for translations in (plain, diverse)
    ]
    assert sum(first_pieces[1]) > sum(first_pieces[0])


def test_groups_that_find_too_few_texts_are_reported_once_and_empty_ones_are_dropped(
    translator, caplog
) -> None:
    search = SearchSettings(beam_size=8, beam_groups=8, diversity=20.0)
    warnings = LineWarnings(translations=True)
    translations = list(translator.stream(LINES, search=search, n_best=8, warnings=warnings))
    (message,) = (record.getMessage() for record in caplog.records if "different" in record.getMessage())
    count = len(translations[0].hypotheses)
    assert 1 <= count < 8
    assert message.startswith("line 1: ")
    assert f"{count} different translation" in message
    texts = [hypothesis.text for each in translations for hypothesis in each.hypotheses]
    assert texts
    assert all(texts)
    assert translations[1].hypotheses == ()  # of a blank line, nothing is said
