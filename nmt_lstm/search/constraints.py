"""Constraints on the translations of a batch: a prefix, required phrases, avoided phrases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.search.avoided import AvoidedPhrases, PieceTexts
from nmt_lstm.search.required import RequiredPhrases
from nmt_lstm.search.rules import ForcedPrefix, NoRepeatedNgram, PieceRule, RepetitionPenalty

__all__ = ["BatchConstraints", "PieceConstraints", "piece_rules"]


@dataclass(frozen=True)
class PieceConstraints:
    """The constraints on the translation of one line."""

    number: int = 1
    """Number of the line in its text, from which its samples are drawn."""
    prefix: tuple[int, ...] = ()
    """Pieces with which the translation begins."""
    required: tuple[tuple[int, ...], ...] = ()
    """Phrases that it contains, each of at least one piece."""
    avoided: tuple[str, ...] = ()
    """Phrases that it does not contain, not empty and without spaces at their ends."""

    @property
    def is_plain(self) -> bool:
        """Whether there are no constraints."""
        return not (self.prefix or self.required or self.avoided)

    @property
    def forced_pieces(self) -> int:
        """Number of pieces that the constraints force."""
        return len(self.prefix) + sum(map(len, self.required))


@dataclass(frozen=True)
class BatchConstraints:
    """The constraints of the B lines of a batch.

    Args:
        lines: B constraints.
        vocabulary: the target pieces.
    """

    lines: Sequence[PieceConstraints]
    vocabulary: PieceTexts = field(repr=False)

    def forced_pieces(self) -> NDArray[np.int64]:
        """Return how many pieces the constraints force in each translation, (B,)."""
        return np.array([line.forced_pieces for line in self.lines], dtype=np.int64)

    def required(self) -> RequiredPhrases | None:
        """Return the required phrases; None if no line has any."""
        if not any(line.required for line in self.lines):
            return None
        return RequiredPhrases(
            [line.required for line in self.lines],
            torch.from_numpy(self.vocabulary.continues_word),
            frozenset(self.vocabulary.is_marker.nonzero()[0].tolist()),
        )


def piece_rules(
    settings: SearchSettings, constraints: BatchConstraints | None, required: RequiredPhrases | None
) -> list[PieceRule]:
    """Return the rules that the settings and the constraints of a batch make; the later ones win over the earlier ones."""
    rules: list[PieceRule] = []
    if settings.repetition_penalty != 1.0:
        rules.append(RepetitionPenalty(settings.repetition_penalty))
    if settings.no_repeat_ngram:
        rules.append(NoRepeatedNgram(settings.no_repeat_ngram))
    if constraints is not None and any(line.avoided for line in constraints.lines):
        rules.append(AvoidedPhrases([line.avoided for line in constraints.lines], constraints.vocabulary))
    if required is not None:
        rules.append(required)
    if constraints is not None and any(line.prefix for line in constraints.lines):
        rules.append(ForcedPrefix([line.prefix for line in constraints.lines]))
    return rules
