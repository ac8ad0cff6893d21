"""Symbols stay whole in every text, and a vocabulary without them is refused."""

from __future__ import annotations

import re

import pytest

from nmt_lstm.config.schema import SubwordSettings
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.text.subwords import read_subwords, train_subwords
from nmt_lstm.text.vocabulary import Vocabulary

SIZE = 340
SYMBOLS = ["<b>", "</b>", "{name}", "<br>", "<2fr>"]
WORDS = ["kamitoru", "sendalo", "wibane", "toruka", "misenda", "lowika", "banetoru", "kasendami"]


def made_up_pairs(count: int) -> list[tuple[str, str]]:
    """Lines of the words above, in lower and upper case."""
    lines = [" ".join(WORDS[(row * 7 + step) % 8] for step in range(4)) for row in range(count)]
    return [(line, line.upper()) for line in lines]


@pytest.fixture(scope="module", params=["unigram", "bpe"])
def with_symbols(request: pytest.FixtureRequest) -> Vocabulary:
    """A vocabulary of each kind with user-defined symbols, of which the text has only some."""
    pairs = [(f"<b>{source}</b> {{name}}", target) for source, target in made_up_pairs(200)]
    options = SubwordSettings(kind=request.param, vocabulary_size=SIZE, user_defined_symbols=SYMBOLS)
    return train_subwords(lambda: pairs, options, len(pairs), seed=1).source


@pytest.mark.parametrize(
    "line", ["<b>kami</b>toru", "<2fr> kami", "{name}{name}", "ka <b> mi", "x<br><b><", "<b", "<B> {Name}"]
)
def test_a_symbol_is_always_one_piece(with_symbols, line) -> None:
    assert list(with_symbols.symbols) == SYMBOLS
    expected = [part for part in re.split(f"({'|'.join(SYMBOLS)})", line) if part in SYMBOLS]
    sample = with_symbols.sampler("bpe", 0.5)
    for ids in (with_symbols.encode(line), *(sample(line, seed) for seed in range(5))):
        pieces = with_symbols.pieces(ids)
        assert [piece for piece in pieces if piece in SYMBOLS] == expected
        assert with_symbols.decode(ids) == line
        assert "".join(with_symbols.texts[piece] for piece in ids).count("<b>") == line.count("<b>")


def test_a_vocabulary_without_a_symbol_is_refused(with_symbols, tmp_path) -> None:
    path = tmp_path / "own.model"
    with_symbols.save(path)
    assert read_subwords(path, SubwordSettings(user_defined_symbols=SYMBOLS[1:3]))
    with pytest.raises(ConfigurationError, match="<i>") as caught:
        read_subwords(path, SubwordSettings(user_defined_symbols=["<b>", "<i>"]))
    assert (caught.value.key, caught.value.value) == ("subwords.user_defined_symbols", "<i>")
    assert caught.value.known == tuple(SYMBOLS)
