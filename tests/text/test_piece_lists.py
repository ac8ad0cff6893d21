"""Lists of words and characters as vocabularies: each part is looked up on its own."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt_lstm.text.piece_lists import piece_list_model
from nmt_lstm.text.special_pieces import UNKNOWN
from nmt_lstm.text.vocabulary import Vocabulary

WORDS = ["haus", "▁wor", "@@ld", "ä", "</s>x", "10"]


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return Vocabulary(piece_list_model(WORDS))


@pytest.fixture(scope="module")
def characters() -> Vocabulary:
    return Vocabulary(piece_list_model(list("abä "), by_character=True))


def test_words_are_split_at_spaces(words) -> None:
    assert words.size == 4 + len(WORDS)
    assert words.encode("haus  ▁wor @@ld\t10 ") == [4, 5, 6, 9]
    assert words.decode([4, 5, 6]) == "haus ▁wor @@ld"
    assert words.encode_lines(["haus", "", "ä"]) == [[4], [], [7]]


def test_each_unknown_word_is_one_piece(words) -> None:
    assert words.encode("x haus y z") == [UNKNOWN, 4, UNKNOWN, UNKNOWN]
    assert words.decode([4, UNKNOWN, 7]) == "haus ä"


def test_characters_are_split_one_by_one(characters) -> None:
    assert characters.encode("ab xxä") == [4, 5, 7, UNKNOWN, UNKNOWN, 6]
    assert characters.decode([4, 7, 6]) == "a ä"


def test_texts_of_pieces_have_their_spaces(words, characters) -> None:
    assert words.texts == ("", "", "", "", *(f" {word}" for word in WORDS))
    assert characters.texts == ("", "", "", "", "a", "b", "ä", " ")


def test_there_is_one_segmentation_to_sample(words) -> None:
    sample = words.sampler("bpe", 0.5)
    assert sample("haus 10", 3) == words.encode("haus 10")


def test_a_list_can_be_pickled_and_stored(words, tmp_path) -> None:
    words.save(tmp_path / "words.model")
    for copy in (pickle.loads(pickle.dumps(words)), Vocabulary.load(tmp_path / "words.model")):
        assert copy.encode("haus x x") == [4, UNKNOWN, UNKNOWN]
        assert copy.fingerprint == words.fingerprint


@given(st.lists(st.sampled_from(WORDS), max_size=8))
def test_known_words_are_decoded_unchanged(chosen) -> None:
    vocabulary = Vocabulary(piece_list_model(WORDS))
    text = " ".join(chosen)
    assert vocabulary.decode(vocabulary.encode(text)) == text
