"""Lines are split into words as for BLEU, and tokenizers are guessed from text."""

from __future__ import annotations

import pytest

from nmt_lstm.errors import ConfigurationError
from nmt_lstm.evaluation.words import (
    count_words,
    guess_tokenizer,
    is_word,
    tokenizer_of_text,
    unit_of,
    word_splitter,
)


def test_lines_are_split_as_for_bleu() -> None:
    assert word_splitter("13a")("Hello, world.  ") == ["Hello", ",", "world", "."]
    assert word_splitter("char")("犬が") == ["犬", "が"]
    with pytest.raises(ConfigurationError, match="unknown tokenizer 'words'"):
        word_splitter("words")


def test_words_are_counted() -> None:
    assert count_words(["a b a", "a."], str.split) == {"a": 2, "b": 1, "a.": 1}


def test_a_word_contains_a_letter() -> None:
    assert [is_word(token) for token in ("dog", "x1", "犬", "12", "...", "")] == [True] * 3 + [False] * 3


def test_text_in_an_unknown_language_is_split_at_spaces_if_it_has_any() -> None:
    assert guess_tokenizer(["A dog runs."] * 3) == "13a"
    assert guess_tokenizer(["犬が走っている。", "猫。"]) == "char"
    assert guess_tokenizer([]) == "13a"
    assert (unit_of("char"), unit_of("13a")) == ("characters", "words")


def test_a_known_language_determines_the_tokenizer() -> None:
    assert tokenizer_of_text("zh", ["A dog runs."]) == "zh"
    assert tokenizer_of_text("", ["A dog runs."]) == "13a"
    assert tokenizer_of_text("", ["犬が走っている。"]) == "char"
