"""The user-defined symbols of a SentencePiece model are read from its bytes."""

from __future__ import annotations

import io

import pytest
import sentencepiece

from nmt_lstm.text.piece_records import user_defined_symbols

SYMBOLS = ["<b>", "{name}", "日本", "x" * 90]


@pytest.mark.parametrize("kind", ["unigram", "bpe", "char"])
@pytest.mark.parametrize("symbols", [SYMBOLS, []])
def test_symbols_are_read(kind, symbols) -> None:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["ab cd", "日本"] * 5),
        model_writer=model,
        model_type=kind,
        hard_vocab_limit=False,
        vocab_size=20,
        user_defined_symbols=symbols,
        control_symbols=["<control>"],
        minloglevel=2,
    )
    assert list(user_defined_symbols(model.getvalue())) == symbols
