"""Vocabularies of other toolkits: rows of weights follow their pieces, and text is split as the toolkit splits it."""

from __future__ import annotations

import io

import pytest
import sentencepiece
import torch

from nmt_lstm.importing.errors import DamagedSourceError
from nmt_lstm.importing.vocabularies import SpecialRows, listed, read_model, splitting_notes, with_model
from nmt_lstm.text.special_pieces import BEGIN, END, PAD, UNKNOWN

TEXT = ["die katze sieht den hund", "der hund sieht die katze", "ein hund und eine katze"] * 20


@pytest.fixture(scope="module")
def model() -> bytes:
    """A SentencePiece model with the special pieces as Marian numbers them."""
    writer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT), model_writer=writer, vocab_size=60, model_type="bpe", minloglevel=2,
        eos_id=0, unk_id=1, bos_id=-1, pad_id=-1,
    )  # fmt: skip
    return writer.getvalue()


def test_rows_follow_the_words() -> None:
    tokens = ["<unk>", "<pad>", "hund", "<s>", "</s>", "katze"]
    imported = listed(tokens, SpecialRows(unknown=0, pad=1, begin=3, end=4))
    assert imported.rows == (1, 0, 3, 4, 2, 5)
    assert imported.vocabulary.encode("katze maus maus hund") == [5, UNKNOWN, UNKNOWN, 4]
    weights = torch.arange(6.0)[:, None]
    assert imported.embeddings(weights)[:, 0].tolist() == [1, 0, 3, 4, 2, 5]
    assert imported.output_biases(torch.arange(6.0)).tolist() == [1, 0, 3, 4, 2, 5]


def test_pieces_that_a_toolkit_lacks_are_zeros_and_never_written() -> None:
    imported = listed(["</s>", "<unk>", "hund"], SpecialRows(unknown=1, end=0))
    embeddings = imported.embeddings(torch.ones(3, 2))
    assert not embeddings[[PAD, BEGIN]].any()
    assert embeddings[[UNKNOWN, END, 4]].all()
    biases = imported.output_biases(torch.tensor([-3.0, 2.0, 1.0]))
    assert biases[[UNKNOWN, END, 4]].tolist() == [2.0, -3.0, 1.0]
    assert (biases[[PAD, BEGIN]] < -50).all()


def test_a_sentencepiece_model_keeps_its_segmentation(model) -> None:
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    tokens = [processor.id_to_piece(number) for number in range(processor.vocab_size())]
    imported = with_model(model, tokens, SpecialRows(unknown=1, end=0))
    for line in (*TEXT[:3], "hunde und katzen", "xylophon!"):
        ids = imported.vocabulary.encode(line)
        assert imported.vocabulary.pieces(ids) == [
            piece if piece in tokens else "<unk>" for piece in processor.encode(line, out_type=str)
        ]
        rows = [imported.rows[piece] for piece in ids]
        assert rows == processor.encode(line)
    assert imported.vocabulary.decode(imported.vocabulary.encode(TEXT[0])) == TEXT[0]


def test_pieces_outside_of_the_vocabulary_count_as_unknown(model) -> None:
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    tokens = [processor.id_to_piece(number) for number in range(processor.vocab_size())]
    kept = [token for token in tokens if token not in ("▁hund", "▁katze")] + ["▁never"]
    imported = with_model(model, kept, SpecialRows(unknown=1, end=0))
    (piece,) = imported.vocabulary.encode("hund")
    assert imported.vocabulary.pieces([piece]) == ["▁hund"]
    assert piece in imported.unlisted
    weights = torch.arange(float(len(kept)))[:, None]
    assert imported.embeddings(weights)[piece] == 1.0
    assert imported.output_biases(torch.zeros(len(kept)))[piece] < -10
    # Restricted, text is split into the pieces that are listed, as by SentencePiece itself.
    restricted = with_model(model, kept, SpecialRows(unknown=1, end=0), restricted=True).vocabulary
    pieces = restricted.pieces(restricted.encode("hund"))
    assert len(pieces) > 1
    assert "".join(pieces) == "▁hund"


def test_what_a_user_must_know_depends_on_the_tokens() -> None:
    special = SpecialRows(unknown=0, end=1)
    for tokens, key in ((["wor@@", "d"], "apply-bpe"), (["▁wor", "d"], "--vocabulary"), (["word"], "tokens")):
        names = ["<unk>", "</s>", *tokens]
        notes = splitting_notes("source", listed(names, special), names)
        assert key in notes[0]
        assert len(notes) == 1
    decomposed = ["<unk>", "</s>", "a\u0308"]
    assert "composed" in splitting_notes("source", listed(decomposed, special), decomposed)[1]


@pytest.mark.parametrize("content", [b"text", b"\x0a", b"\xff" * 20])
def test_other_files_are_no_models(tmp_path, content) -> None:
    path = tmp_path / "model.spm"
    path.write_bytes(content)
    with pytest.raises(DamagedSourceError) as caught:
        read_model(path)
    assert caught.value.path == path
    with pytest.raises(DamagedSourceError, match="No such"):
        read_model(tmp_path / "missing")
