"""Symbols of a translation are replaced by what the attention says that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from nmt_lstm import Hypothesis, Translation
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.inference.symbols import Symbol, without_symbols
from nmt_lstm.text.piece_lists import piece_list_model
from nmt_lstm.text.piece_records import byte_model
from nmt_lstm.text.subwords import Subwords, Vocabulary

AT = Symbol("@", "@")
SOURCE = ("▁@", "▁und", "▁", "@")


def translation(text: str, pieces: tuple[str, ...], attention) -> Translation:
    weights = None if attention is None else np.array(attention, dtype=np.float32)
    return Translation("@ und @", text, -1.0, SOURCE, (Hypothesis(text, -1.0, -2.0, pieces, (), weights),))


def test_symbols_follow_the_attention() -> None:
    rows = [[0.1, 0, 0, 0.9, 0], [0, 1, 0, 0, 0], [0.5, 0, 0.1, 0.4, 0]]
    result = without_symbols(
        "{a} und {b}", ["{a}", "{b}"], AT, translation("@ and @", ("▁@", "▁and", "▁@"), rows)
    )
    assert (result.source, result.text) == ("{a} und {b}", "{b} and {a}")
    assert result.source_pieces == ("▁{a}", "▁und", "▁", "{b}")
    assert result.hypotheses[0].pieces == ("▁{b}", "▁and", "▁{a}")


@pytest.mark.parametrize("attention", [None, [[0.0] * 5] * 3])
def test_without_attention_the_order_stays(attention) -> None:
    result = without_symbols("", ["{a}", "{b}"], AT, translation("@ and @", ("▁@", "▁and", "▁@"), attention))
    assert result.text == "{a} and {b}"


def test_a_translation_that_lost_a_symbol_stays_as_it_is() -> None:
    lost = translation("@ and", ("▁@", "▁and"), None)
    assert without_symbols("", ["{a}", "{b}"], AT, lost).hypotheses == lost.hypotheses


def test_a_symbol_may_be_a_word_with_its_translation() -> None:
    emi = Symbol("Emi", "エミ")
    best = Hypothesis("エミは本", -1.0, -2.0, ("▁", "エ", "ミ", "は本"), ())
    line = Translation("Emi reads", best.text, -1.0, ("▁E", "mi", "▁reads"), (best,))
    result = without_symbols("{a} reads", ["{a}"], emi, line)
    assert (result.source_pieces, result.text) == (("▁{a}", "", "▁reads"), "{a}は本")
    assert result.hypotheses[0].pieces == ("▁", "{a}", "", "は本")
    # A line with the word itself says too little about which of them is meant.
    both = Translation("Emi, Emi", best.text, -1.0, ("▁Emi", ",", "▁Emi"), (best,))
    assert without_symbols("{a}, Emi", ["{a}"], emi, both).hypotheses == (best,)


def subwords() -> Subwords:
    """Vocabularies of words without bytes, as in imported models."""
    source, target = (Vocabulary(piece_list_model(words)) for words in (["ein", "Hund"], ["a", "dog"]))
    return Subwords(source=source, target=target, joint=False)


def test_a_pair_of_words_is_read() -> None:
    assert Symbol.of("Hund=dog", subwords()) == Symbol.of("Hund = dog", subwords()) == ("Hund", "dog")


def test_a_symbol_that_a_model_cannot_read_or_write_is_refused() -> None:
    for text, part, word in (("Zebra=dog", "read", "Zebra"), ("Hund=zebra", "write", "zebra")):
        with pytest.raises(ConfigurationError, match=f"'{word}', which the model cannot {part}") as caught:
            Symbol.of(text, subwords())
        assert (caught.value.key, caught.value.value) == ("keep_as", word)


@pytest.mark.parametrize("text", ["=dog", "Hund=", "=", "Hund=dog=x", "Hund==dog", "Hund= "])
def test_what_is_no_pair_is_refused(text) -> None:
    with pytest.raises(ConfigurationError, match="one word, = and its translation") as caught:
        Symbol.of(text, subwords())
    assert (caught.value.key, caught.value.value) == ("keep_as", text)


def test_a_word_alone_must_be_a_symbol_of_the_model() -> None:
    with pytest.raises(ConfigurationError, match="it has none") as caught:
        Symbol.of("Hund", subwords())
    assert (caught.value.key, caught.value.value) == ("keep_as", "Hund")
    vocabulary = Vocabulary(byte_model(["⟨kept⟩", "<a=b>"]))
    of_bytes = Subwords(source=vocabulary, target=vocabulary, joint=True)
    for text in ("⟨kept⟩", "<a=b>"):  # of a symbol, = is a part
        assert Symbol.of(text, of_bytes) == (text, text)
    with pytest.raises(ConfigurationError, match="mean '⟨kept⟩'") as caught:
        Symbol.of("⟨kep⟩", of_bytes)
    assert caught.value.known == ("⟨kept⟩", "<a=b>")
