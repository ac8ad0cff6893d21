"""The likeliest next words of a translation: what a reader may choose instead."""

from __future__ import annotations

import math

import pytest

from nmt_lstm.errors import ConfigurationError, NotTextError
from nmt_lstm.inference.requests import TranslationRequest
from nmt_lstm.inference.translator import Translator

LINE = "The dog is sleeping ."


@pytest.fixture(scope="module")
def translator() -> Translator:
    return Translator.load("builtin:en-ja", device="cpu")


def test_the_best_word_is_that_of_greedy_search(translator) -> None:
    (best,) = translator.translate([LINE], beam_size=1)
    words = translator.next_words(LINE)
    assert best.text.startswith(words[0].text)
    assert [word.probability for word in words] == sorted((word.probability for word in words), reverse=True)
    assert sum(word.probability for word in words) <= 1.0 + 1e-6


def test_after_a_whole_translation_comes_its_end(translator) -> None:
    (best,) = translator.translate([LINE], beam_size=1)
    first = translator.next_words(TranslationRequest(LINE, prefix=best.text), n=1)[0]
    (scored,) = translator.score([LINE], [best.text])
    assert first.text == "</s>"
    assert first.probability == pytest.approx(math.exp(scored.piece_log_probabilities[-1]), rel=1e-4)


def test_the_source_matters(translator) -> None:
    assert translator.next_words(LINE) != translator.next_words("A cat is running .")


def test_a_blank_line_has_no_words(translator) -> None:
    assert translator.next_words("  ") == []


def test_wrong_arguments(translator) -> None:
    with pytest.raises(ConfigurationError):
        translator.next_words(LINE, n=0)
    with pytest.raises(NotTextError):
        translator.next_words(b"x")
