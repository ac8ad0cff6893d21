"""Symbols of a translation are replaced by what the attention says that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from nmt_lstm import Hypothesis, Translation
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.inference.symbols import Symbol, without_symbols
from nmt_lstm.text.piece_lists import piece_list_model
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
    assert Symbol.of("⟨kept⟩") == ("⟨kept⟩", "⟨kept⟩")
    assert Symbol.of("Emi=エミ") == ("Emi", "エミ")
    assert Symbol.of("a==b") == ("a==b", "a==b")
    best = Hypothesis("エミは本", -1.0, -2.0, ("▁", "エ", "ミ", "は本"), ())
    line = Translation("Emi reads", best.text, -1.0, ("▁E", "mi", "▁reads"), (best,))
    result = without_symbols("{a} reads", ["{a}"], Symbol.of("Emi=エミ"), line)
    assert (result.source_pieces, result.text) == (("▁{a}", "", "▁reads"), "{a}は本")
    assert result.hypotheses[0].pieces == ("▁", "{a}", "", "は本")
    # A line with the word itself says too little about which of them is meant.
    both = Translation("Emi, Emi", best.text, -1.0, ("▁Emi", ",", "▁Emi"), (best,))
    assert without_symbols("{a}, Emi", ["{a}"], Symbol.of("Emi=エミ"), both).hypotheses == (best,)


def test_a_symbol_that_a_model_cannot_read_or_write_is_refused() -> None:
    source, target = (
        Vocabulary(piece_list_model(words)) for words in (["ein", "Hund"], ["a", "dog"])
    )  # words without bytes, as in imported models
    subwords = Subwords(source=source, target=target, joint=False)
    Symbol.of("Hund=dog").check(subwords)
    for text, part, word in (("Zebra=dog", "read", "Zebra"), ("Hund=zebra", "write", "zebra")):
        with pytest.raises(ConfigurationError, match=f"'{word}', which the model cannot {part}") as caught:
            Symbol.of(text).check(subwords)
        assert (caught.value.key, caught.value.value) == ("keep_as", word)
