"""Vocabulary shortlists: the target pieces that may translate the source pieces of a sentence.

References: Jean et al. 2015, section 3.2, and the lexical shortlists of Devlin 2017 and Kim et al. 2019.

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

# The number of candidates is rounded up to a multiple of this, so that few shapes of matrix products occur.
UNIT = 256
# Added to the logits of pieces that are not on a sentence's list, whose probability it makes negligible. Not infinity, nor
# -100: exponentials of infinity, and those below the smallest normal number, are 10 to 300 times slower.
PENALTY = -64.0


class Candidates(NamedTuple):
    """The pieces that the translations of a batch may consist of."""

    pieces: Tensor
    """(C,), ascending; the special pieces come first, as in the vocabulary."""
    penalties: Tensor
    """(B, C): 0 where a piece is on the sentence's list, -64 elsewhere."""
    output: InferenceLinear
    """The output layer, reduced to these pieces."""


class Shortlist(nn.Module):
    """Lists for each sentence the special pieces, the most frequent ones, and the best translations of its pieces.

    The list depends on the sentence alone, not on its batch.

    Args:
        translations: (source pieces, n), int32: the best target pieces of each source piece, padded with -1.
        frequent: (F,), int32: the target pieces on every list.
        target_size: size of the target vocabulary.
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
        """Return the shortlist from a lexicon, with this number of the most frequent pieces."""
        return Shortlist(
            torch.from_numpy(lexicon.translations),
            torch.from_numpy(lexicon.frequent[:frequent].copy()),
            target_size,
        )

    def allowed(self, source: SourceBatch) -> Tensor:
        """Return (B, V), bool: whether a piece is on a sentence's list."""
        sentences = source.pieces.shape[0]
        # One column more than there are pieces, for padding.
        allowed = source.is_token.new_zeros(sentences, self.target_size + 1)
        translations = self.translations[source.pieces].long()
        valid = source.is_token[..., None] & (translations >= 0)
        translations = torch.where(valid, translations, self.target_size)
        allowed.scatter_(1, translations.flatten(1), value=True)
        allowed[:, self.frequent.long()] = True
        allowed[:, : END + 1] = True
        return allowed[:, : self.target_size]

    def coverage(self, pairs: Iterable[tuple[Sequence[int], Sequence[int]]]) -> tuple[float, float]:
        """Return the fraction of target pieces that are on their sentence's list, and the mean length of the lists.

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
        """Return the candidates of a batch: all pieces on the list of any of its sentences.

        Args:
            source: the sentences.
            output: the output layer of the complete vocabulary.
        """
        allowed = self.allowed(source)
        # One product for the whole batch; penalties exclude the pieces that are only on other sentences' lists.
        candidate = allowed.any(0)
        # Rounded up to a multiple of `UNIT` with the lowest other pieces, which are penalized for all sentences.
        missing = min(-int(candidate.sum()) % UNIT, int((~candidate).sum()))
        candidate[(~candidate).nonzero()[:missing, 0]] = True
        pieces = candidate.nonzero()[:, 0]
        penalties = torch.where(allowed[:, pieces], 0.0, PENALTY).float()
        return Candidates(pieces, penalties, output.selected(pieces))
