"""Vocabularies of every kind and casing restore any text, keep symbols whole, and are refused without them."""

from __future__ import annotations

import pickle
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt_lstm.config.schema import SubwordSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.text.invisible_characters import without_invisible_characters
from nmt_lstm.text.special_pieces import SPECIAL_PIECES
from nmt_lstm.text.subwords import read_subwords, train_subwords
from nmt_lstm.text.vocabulary import Vocabulary

SIZE = 340
SYMBOLS = ["<b>", "</b>", "{name}", "<br>", "<2fr>"]
WORDS = ["kamitoru", "sendalo", "wibane", "toruka", "misenda", "lowika", "banetoru", "kasendami"]


def made_up_pairs(count: int) -> list[tuple[str, str]]:
    """Lines of the words above, in lower and upper case."""
    lines = [" ".join(WORDS[(row * 7 + step) % 8] for step in range(4)) for row in range(count)]
    return [(line, line.upper()) for line in lines]


def learnt(kind: str, **options: object) -> Vocabulary:
    """A vocabulary of a kind with user-defined symbols, of which the text has only some."""
    pairs = [(f"<b>{source}</b> {{name}}", target) for source, target in made_up_pairs(200)]
    size = {} if kind == "byte" else {"vocabulary_size": SIZE}
    settings = SubwordSettings(kind=kind, user_defined_symbols=SYMBOLS, **size, **options)
    return train_subwords(lambda: pairs, settings, len(pairs), seed=1).source


@pytest.fixture(scope="module", params=["as-is", "markers"])
def casing(request: pytest.FixtureRequest) -> str:
    """How letter case is written."""
    return str(request.param)


@pytest.fixture(scope="module", params=["unigram", "bpe", "character", "byte", "word"])
def vocabulary(request: pytest.FixtureRequest, casing: str) -> Vocabulary:
    """A vocabulary of each kind with user-defined symbols."""
    return learnt(request.param, casing=casing)


@pytest.mark.parametrize(
    "line", ["<b>kami</b>toru", "<2fr> Kami", "{name}{name}", "ka <b> mi", "x<br><b><", "<b", "<B> {Name}"]
)
def test_a_symbol_is_always_one_piece(vocabulary, line) -> None:
    assert set(vocabulary.symbols) == set(SYMBOLS)
    expected = [part for part in re.split(f"({'|'.join(SYMBOLS)})", line) if part in SYMBOLS]
    ids = vocabulary.encode(line)
    assert [
        symbol for piece in vocabulary.pieces(ids) if (symbol := piece.removeprefix("▁")) in SYMBOLS
    ] == expected
    assert vocabulary.decode(ids) == line
    assert "".join(vocabulary.texts[piece] for piece in ids).count("<b>") == line.count("<b>")


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_sampling_splits_no_symbol(kind, casing) -> None:
    vocabulary = learnt(kind, casing=casing)
    sample = vocabulary.sampler(kind, 0.5)
    line = "Kamitoru<b>SENDALO</b> {name}{name} Wibane"
    drawn = [sample(line, seed) for seed in range(10)]
    assert {vocabulary.decode(ids) for ids in drawn} == {line}
    for ids in drawn:
        pieces = vocabulary.pieces(ids)
        assert [piece for piece in pieces if piece in SYMBOLS] == ["<b>", "</b>", "{name}", "{name}"]
        assert pieces.count("▁⇧") == 2 * (casing == "markers")
    assert len({tuple(ids) for ids in drawn}) > 1


# U+2581 and U+FFED are written for a space and for no space; U+FFFD stands for bytes that form no character.
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\u2581\uffed\ufffd"), max_size=40)


@settings(max_examples=60, deadline=None)
@given(line=st.one_of(text, st.text("aAbBßİΣς⇧⇪ -.'私Ж<b>", max_size=20)))
def test_any_text_is_decoded_as_it_was_encoded(vocabulary, line) -> None:
    pieces = vocabulary.encode(line)
    visible = re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", without_invisible_characters(line))
    expected = " ".join(word for word in unicodedata.normalize("NFC", visible).split(" ") if word)
    assert vocabulary.decode(pieces) == expected
    assert not set(pieces) & set(SPECIAL_PIECES)


@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(st.integers(0, 260), max_size=30))
def test_any_sequence_of_ids_decodes_to_one_line(vocabulary, pieces) -> None:
    line = vocabulary.decode(pieces)
    assert line.splitlines() in ([line], [])
    line.encode("utf-8")


def test_forms_of_a_word_share_their_pieces() -> None:
    vocabulary = learnt("bpe", casing="markers")
    lower, title, upper = (
        vocabulary.pieces(vocabulary.encode(word)) for word in ("wibane", "Wibane", "WIBANE")
    )
    assert title == ["▁⇧", *lower]
    assert upper == ["▁⇪", *lower]


def test_words_are_pieces() -> None:
    vocabulary = learnt("word", casing="markers")
    pieces = vocabulary.pieces(vocabulary.encode("Wibane kamitoru</b>"))
    assert pieces == ["▁⇧", "▁wibane", "▁kamitoru", "▁￭", "▁</b>"]


def test_characters_and_bytes_are_pieces() -> None:
    characters, spelled = learnt("character"), learnt("byte")
    assert characters.pieces(characters.encode("ka ñ")) == ["▁", "k", "a", "▁", "<0xC3>", "<0xB1>"]
    assert spelled.pieces(spelled.encode("k ñ")) == ["▁", "<0x6B>", "▁", "<0xC3>", "<0xB1>"]
    assert spelled.size == 4 + len(SYMBOLS) + 256 + 1


@pytest.mark.parametrize("kind", ["character", "word"])
def test_a_size_that_is_too_small_is_raised_with_a_warning(kind, caplog) -> None:
    pairs = made_up_pairs(50)
    options = SubwordSettings(kind=kind, vocabulary_size=10)
    assert train_subwords(lambda: pairs, options, len(pairs), seed=1).source.size > 260
    assert "changed from 10 to" in caplog.text


def test_equal_pieces_of_different_forms_have_different_fingerprints() -> None:
    vocabulary = learnt("bpe", casing="markers")
    plain = Vocabulary(vocabulary._model)
    assert plain.fingerprint != vocabulary.fingerprint
    assert pickle.loads(pickle.dumps(vocabulary)).encode("Wibane") == vocabulary.encode("Wibane")


def test_a_vocabulary_without_a_symbol_is_refused(tmp_path) -> None:
    path = tmp_path / "own.model"
    vocabulary = learnt("unigram")
    vocabulary.save(path)
    assert read_subwords(path, SubwordSettings(user_defined_symbols=SYMBOLS[1:3]))
    with pytest.raises(ConfigurationError, match="<i>") as caught:
        read_subwords(path, SubwordSettings(user_defined_symbols=["<b>", "<i>"]))
    assert (caught.value.key, caught.value.value) == ("subwords.user_defined_symbols", "<i>")
    assert caught.value.known == tuple(SYMBOLS)
    with pytest.raises(ConfigurationError, match="⇧") as caught:
        read_subwords(path, SubwordSettings(casing="markers"))
    assert (caught.value.key, caught.value.value) == ("subwords.casing", "markers")
    with pytest.raises(ConfigurationError, match="￭") as caught:
        read_subwords(path, SubwordSettings(kind="word"))
    assert (caught.value.key, caught.value.value) == ("subwords.kind", "word")
