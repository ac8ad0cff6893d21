"""SentencePiece models are read from their bytes, and written."""

from __future__ import annotations

import io

import pytest
import sentencepiece

from nmt_lstm.errors import DataError
from nmt_lstm.text.piece_records import (
    ModelType,
    PieceKind,
    PieceRecord,
    byte_model,
    list_model,
    model_like,
    piece_records,
    trainer_fields,
    user_defined_symbols,
)

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


def test_records_of_a_model_are_its_pieces_in_order() -> None:
    model = byte_model(["<b>"])
    records = piece_records(model)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert [record.text for record in records] == [
        processor.id_to_piece(number) for number in range(processor.vocab_size())
    ]
    assert records[4] == ("<b>", PieceKind.USER_DEFINED, 0.0)
    assert trainer_fields(model) == (ModelType.CHAR, True)


def test_a_list_is_a_model_of_its_kind() -> None:
    model = list_model(["▁one", "▁two"], ModelType.WORD)
    assert trainer_fields(model) == (ModelType.WORD, False)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert processor.encode("two one") == [5, 4]


def test_a_model_like_another_has_its_type_and_other_ids() -> None:
    other = list_model(["▁one", "▁two"], ModelType.WORD)
    model = model_like(other, [PieceRecord("▁two"), PieceRecord("▁never", PieceKind.UNUSED)])
    assert trainer_fields(model) == (ModelType.WORD, False)
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert (processor.pad_id(), processor.unk_id(), processor.eos_id()) == (0, 1, 3)
    assert processor.encode("two") == [4]


@pytest.mark.parametrize("content", [b"\x0a\x01", b"\x0a\x02\x08\x01", b"\x0f\xff"])
def test_other_bytes_are_no_model(content) -> None:
    with pytest.raises((ValueError, DataError)):
        piece_records(content)
