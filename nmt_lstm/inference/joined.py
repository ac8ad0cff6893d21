"""The translation of a line of several sentences from the translations of the sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.inference.translation import Hypothesis, Translation
from nmt_lstm.text.sentences import joined_sentences

__all__ = ["joined"]


def joined(source: str, translations: Sequence[Translation], separator: str) -> Translation:
    """Return one translation for several sentences of a line.

    The hypothesis number k joins the hypotheses number k of all sentences, or their last ones. Pieces, alignments and
    attention follow each other; the score is the mean over the pieces.

    Args:
        source: the line.
        translations: of its sentences, in order; what they do not meet is not looked at.
        separator: what stands between two sentences of the target language.
    """
    parts = [translation for translation in translations if translation.hypotheses]
    source_pieces = tuple(piece for part in parts for piece in part.source_pieces)
    best: list[Hypothesis] = []
    for rank in range(max((len(part.hypotheses) for part in parts), default=0)):
        chosen = [part.hypotheses[min(rank, len(part.hypotheses) - 1)] for part in parts]
        best.append(_hypothesis(chosen, [len(part.source_pieces) for part in parts], separator))
    return Translation(
        source, best[0].text if best else "", best[0].score if best else 0.0, source_pieces, tuple(best)
    )


def _hypothesis(parts: Sequence[Hypothesis], source_lengths: Sequence[int], separator: str) -> Hypothesis:
    alignment: list[tuple[int, int]] = []
    source_start = target_start = 0
    for part, length in zip(parts, source_lengths, strict=True):
        alignment += [(source_start + source, target_start + target) for source, target in part.alignment]
        source_start, target_start = source_start + length, target_start + len(part.pieces)
    lengths = np.array([len(part.pieces) + 1 for part in parts])
    scores = np.array([part.score for part in parts])
    utilities = [part.expected_utility for part in parts if part.expected_utility is not None]
    return Hypothesis(
        text=joined_sentences((part.text for part in parts), separator),
        score=float(scores @ lengths / lengths.sum()),
        log_probability=sum(part.log_probability for part in parts),
        pieces=tuple(piece for part in parts for piece in part.pieces),
        alignment=tuple(alignment),
        attention=_attention(parts, source_lengths),
        piece_log_probabilities=_log_probabilities(parts),
        expected_utility=float(np.mean(utilities)) if utilities else None,
        ids=tuple(number for part in parts for number in part.ids),
    )


def _attention(parts: Sequence[Hypothesis], source_lengths: Sequence[int]) -> NDArray[np.float32] | None:
    """Return the attention of all pieces: each sees its own sentence; the last column is that of all ends."""
    matrices = [part.attention for part in parts if part.attention is not None]
    if len(matrices) < len(parts):
        return None
    weights = np.zeros((sum(map(len, matrices)), sum(source_lengths) + 1), dtype=np.float32)
    row = column = 0
    for matrix, length in zip(matrices, source_lengths, strict=True):
        weights[row : row + len(matrix), column : column + length] = matrix[:, :length]
        weights[row : row + len(matrix), -1] = matrix[:, length]
        row, column = row + len(matrix), column + length
    return weights


def _log_probabilities(parts: Sequence[Hypothesis]) -> tuple[float, ...] | None:
    """Return those of all pieces, and the sum of those of the ends."""
    values = [part.piece_log_probabilities for part in parts]
    if None in values:
        return None
    known = [value for value in values if value is not None]
    return (*(each for value in known for each in value[:-1]), sum(value[-1] for value in known))
