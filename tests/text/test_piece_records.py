"""The user-defined symbols of a SentencePiece model are read from its bytes."""

from __future__ import annotations

import io

import pytest
import sentencepiece

from nmt_lstm.errors import DataError
from nmt_lstm.text.piece_records import byte_model, user_defined_symbols

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


def test_a_model_of_bytes_has_a_piece_for_each_byte_a_space_and_the_symbols() -> None:
    model = byte_model(["<b>"])
    assert user_defined_symbols(model) == ("<b>",)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert [processor.id_to_piece(piece) for piece in range(5)] == ["<pad>", "<unk>", "<s>", "</s>", "<b>"]
    assert processor.vocab_size() == 4 + 1 + 256 + 1
    ids = processor.encode("ä <b>x  日")
    assert [processor.id_to_piece(piece) for piece in ids[:5]] == ["▁", "<0xC3>", "<0xA4>", "▁", "<b>"]
    assert processor.decode(ids) == "ä <b>x 日"


@pytest.mark.parametrize("damage", [b"\x0b", b"\x0a" + b"\xff" * 1_000_000, b"\x0a"])
def test_a_damaged_model_is_refused(damage) -> None:
    with pytest.raises(DataError, match="damaged"):
        user_defined_symbols(byte_model([]) + damage)
