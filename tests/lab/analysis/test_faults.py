"""Repetitions and copies: what counts, and what is correctly repeated or unchanged."""

from __future__ import annotations

import pytest

from nmt_lstm.lab.analysis.faults import copied_words, repetitions


def words(*lines: str) -> list[list[str]]:
    return [line.split() for line in lines]


def test_repetitions_are_counted_by_order() -> None:
    output = words("a man a man a man", "the the cat", "one two three")
    reference = words("a man", "the cat", "one two three two three")
    result = {each.order: each for each in repetitions(output, reference)}
    assert list(result) == [1, 2, 3, 4]
    assert result[1].per_thousand == pytest.approx(1000 / 12)  # "the the"
    assert result[1].lines == (2,)
    assert result[2].per_thousand == pytest.approx(1000 * 3 / 9)  # "a man" twice more and "man a" once more
    assert result[2].reference_per_thousand == pytest.approx(1000 * 1 / 6)  # "two three"
    assert result[2].lines == (1,)
    assert result[4].per_thousand == pytest.approx(1000 * 1 / 3)  # "a man a man" once more


def test_a_text_without_words_has_no_repetitions() -> None:
    assert {each.per_thousand for each in repetitions([[]], [[]])} == {0.0}


def test_copies_are_source_words_that_no_reference_contains() -> None:
    result = copied_words(
        words("Der Dackel von Anna schläft in Berlin .", "Der Hund schläft ."),
        words("The Dackel Dackel of Anna sleeps in Berlin .", "The dog schläft ."),
        words("Anna's dachshund of Anna sleeps in Berlin .", "The dog sleeps ."),
        source_frequency={"Dackel": 1, "schläft": 2, "Der": 99, "von": 50},
    )
    assert result.words == 3
    assert result.per_thousand == pytest.approx(1000 * 3 / 13)
    assert result.most_frequent == (("Dackel", 2), ("schläft", 1))
    # Rare and to be translated: Dackel, schläft, and in the second line Hund and schläft (Hund was never counted).
    assert (result.rare_words, result.untranslated_rare_words) == (4, 2)
    assert result.rare_examples == ((1, "Dackel"), (2, "schläft"))
    assert result.untranslated_share == 50


def test_words_of_the_target_language_are_not_copies() -> None:
    text = words("so war es")
    arguments = {"source_frequency": {"so": 1, "war": 1, "es": 1}}
    assert copied_words(text, words("so war it"), words("it was thus"), **arguments).words == 2
    known = copied_words(
        text, words("so war it"), words("it was thus"), target_words={"so", "war"}, **arguments
    )
    assert (known.words, known.untranslated_share) == (0, 0)


def test_punctuation_and_numbers_are_not_words() -> None:
    result = copied_words(words("« 1984 »"), words("« 1984 »"), words("x"), source_frequency={})
    assert (result.words, result.rare_words, result.untranslated_share) == (0, 0, 0)
