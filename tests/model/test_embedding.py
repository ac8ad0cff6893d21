"""Embeddings of pieces: their scale, word dropout, and dropout."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nmt_lstm.model.dropout import Dropout
from nmt_lstm.model.embedding import PieceEmbedding
from nmt_lstm.text.special_pieces import END, SPECIAL_PIECES, UNKNOWN


def numbered_embedding(size: int, *, word_dropout: float = 0.0, dropout: float = 0.0) -> PieceEmbedding:
    """Return an embedding whose vectors encode the numbers of their pieces."""
    embedding = PieceEmbedding(size, 3, dropout=Dropout(dropout), word_dropout=word_dropout)
    with torch.no_grad():
        embedding.weight.copy_(torch.arange(1, size + 1)[:, None].expand(size, 3))
    return embedding


def encoded_pieces(embedding: PieceEmbedding, pieces: Tensor) -> Tensor:
    return embedding(pieces)[..., 0].long() - 1


def test_each_piece_has_its_vector() -> None:
    pieces = torch.tensor([[4, 9, 3], [0, 1, 2]])
    assert torch.equal(encoded_pieces(numbered_embedding(10).eval(), pieces), pieces)


@pytest.mark.parametrize("width", [16, 256])
def test_vectors_start_with_a_length_of_about_one(width: int) -> None:
    torch.manual_seed(0)
    weight = PieceEmbedding(2_000, width, dropout=Dropout(0.0)).weight.detach()
    assert float(weight.norm(dim=1).square().mean()) == pytest.approx(1.0, rel=0.02)
    assert float(weight.mean()) == pytest.approx(0.0, abs=0.01)


def test_word_dropout_replaces_its_share_with_the_unknown_piece() -> None:
    torch.manual_seed(0)
    pieces = torch.randint(END + 1, 50, (100, 100))
    dropped = encoded_pieces(numbered_embedding(50, word_dropout=0.3).train(), pieces)
    changed = dropped != pieces
    assert set(dropped[changed].tolist()) == {UNKNOWN}
    assert float(changed.double().mean()) == pytest.approx(0.3, abs=0.02)


def test_word_dropout_never_touches_special_pieces() -> None:
    torch.manual_seed(0)
    pieces = torch.tensor(SPECIAL_PIECES).repeat(500, 10)
    assert torch.equal(encoded_pieces(numbered_embedding(50, word_dropout=0.9).train(), pieces), pieces)


def test_no_word_dropout_in_evaluation() -> None:
    pieces = torch.randint(END + 1, 50, (20, 20))
    assert torch.equal(encoded_pieces(numbered_embedding(50, word_dropout=0.9).eval(), pieces), pieces)


def test_vectors_are_dropped_element_by_element() -> None:
    torch.manual_seed(0)
    vectors = numbered_embedding(50, dropout=0.5).train()(torch.full((50, 40), 9))
    assert set(vectors.flatten().tolist()) == {0.0, 20.0}
    assert len({tuple(vector) for vector in vectors.flatten(0, 1).tolist()}) == 2**3
