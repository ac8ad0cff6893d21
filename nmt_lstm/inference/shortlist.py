"""Vocabulary shortlists: of the target pieces, those that can translate the source pieces of a sentence.

Jean et al. 2015, section 3.2, and the lexical shortlists of Devlin 2017 and Kim et al. 2019.

Shapes: B sentences, S source, V target pieces, C candidates of the batch, F frequent pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nmt_lstm.batching.batch import SourceBatch, source_batch
from nmt_lstm.inference.lexicon import Lexicon
from nmt_lstm.numerics.inference_linear import InferenceLinear
from nmt_lstm.text.special_pieces import END

__all__ = ["Candidates", "Shortlist"]

# The number of a batch's pieces is rounded up to a multiple of this, so that few shapes of products come up.
UNIT = 256
# What a piece that is not on a sentence's list loses: its probability is nothing beside that of any piece that is.
# Not infinity, nor 100: exponentials of infinities and those below the smallest normal number are 10 to 300 times slower.
PENALTY = -64.0


class Candidates(NamedTuple):
    """The pieces that a batch's sentences are translated by."""

    pieces: Tensor
    """(C,), ascending; the special pieces come first, as in the vocabulary."""
    penalties: Tensor
    """(B, C): 0 where a piece is on the sentence's own list, -64 where it is not."""
    output: InferenceLinear
    """The output layer of these pieces."""


class Shortlist(nn.Module):
    """For each sentence the special pieces, the most frequent ones, and the best translations of its pieces.

    A sentence's list depends on the sentence alone, not on its batch.

    Args:
        translations: (source pieces, n), int32: best target pieces of each source piece; -1 where there are fewer.
        frequent: (F,), int32: target pieces on every list.
        target_size: pieces of the target vocabulary.
    """

    translations: Tensor
    frequent: Tensor

    def __init__(self, translations: Tensor, frequent: Tensor, target_size: int) -> None:
        super().__init__()
        self.register_buffer("translations", translations)
        self.register_buffer("frequent", frequent)
        self.target_size = target_size

    @staticmethod
    def of(lexicon: Lexicon, *, frequent: int, target_size: int) -> Shortlist:
        """Return the shortlist that a lexicon gives, with so many of the most frequent pieces."""
        return Shortlist(
            torch.from_numpy(lexicon.translations),
            torch.from_numpy(lexicon.frequent[:frequent].copy()),
            target_size,
        )

    def allowed(self, source: SourceBatch) -> Tensor:
        """Return (B, V), bool: whether a piece is on a sentence's list."""
        sentences = source.pieces.shape[0]
        # One place more than there are pieces, for those that stand for nothing.
        allowed = source.is_token.new_zeros(sentences, self.target_size + 1)
        found = self.translations[source.pieces].long()
        found = torch.where(source.is_token[..., None] & (found >= 0), found, self.target_size)
        allowed.scatter_(1, found.flatten(1), value=True)
        allowed[:, self.frequent.long()] = True
        allowed[:, : END + 1] = True
        return allowed[:, : self.target_size]

    def coverage(self, pairs: Iterable[tuple[Sequence[int], Sequence[int]]]) -> tuple[float, float]:
        """Return the share of target pieces that are on their sentence's list, and the mean length of the lists.

        Args:
            pairs: source and target pieces of each sentence pair.
        """
        covered = pieces = listed = sentences = 0
        for source, target in pairs:
            allowed = self.allowed(source_batch([source]))[0]
            covered += int(allowed[torch.tensor(target, dtype=torch.long)].sum())
            pieces, listed, sentences = pieces + len(target), listed + int(allowed.sum()), sentences + 1
        return covered / max(1, pieces), listed / max(1, sentences)

    def forward(self, source: SourceBatch, output: InferenceLinear) -> Candidates:
        """Return the candidates of a batch: every piece that is on the list of one of its sentences.

        Args:
            source: the sentences.
            output: the output layer of the whole vocabulary.
        """
        allowed = self.allowed(source)
        # One product for the whole batch; what is only on another sentence's list is penalised in the scores.
        together = allowed.any(0)
        # Filled up with the lowest pieces that are on no list, which are penalised for all.
        missing = min(-int(together.sum()) % UNIT, int((~together).sum()))
        together[(~together).nonzero()[:missing, 0]] = True
        pieces = together.nonzero()[:, 0]
        penalties = torch.where(allowed[:, pieces], 0.0, PENALTY).float()
        return Candidates(pieces, penalties, output.selected(pieces))
