"""Prepared text: what training needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.config.piece_kinds import PieceKindName
from nmt_lstm.config.schema import DataSettings
from nmt_lstm.plain_text import count_of
from nmt_lstm.text.cleaning import CleaningReport
from nmt_lstm.text.epoch_parts import EpochPart
from nmt_lstm.text.labels import label_count, labels_of
from nmt_lstm.text.special_pieces import END
from nmt_lstm.text.subwords import Subwords
from nmt_lstm.text.token_store import TokenStore
from nmt_lstm.text.validation_text import ValidationText

__all__ = ["Prepared"]


@dataclass(frozen=True)
class Prepared:
    """Prepared text: vocabularies, training pairs as piece ids, and validation text."""

    folder: Path
    fingerprint: str
    texts: tuple[tuple[str, str], ...]
    """The files of each side, and the digest of their content."""
    subwords: Subwords
    store: TokenStore | None
    """The training pairs; None if they come from a stream."""
    validation: tuple[ValidationText, ...]
    """The validation sets."""
    reports: tuple[CleaningReport, ...]
    """What was left out of each corpus."""
    data: DataSettings
    """The text that was prepared, and how it was cleaned."""
    kind: PieceKindName
    """The kind of pieces."""
    reused: bool
    """Whether it had been prepared before."""

    @property
    def train(self) -> TokenStore:
        """The pairs of all corpora, one corpus after the other.

        Raises:
            ValueError: they come from a stream.
        """
        if self.store is None:
            raise ValueError("the pairs of a stream are not stored.")
        return self.store

    @property
    def report(self) -> CleaningReport:
        """What was left out of the training text."""
        return CleaningReport.total(self.reports)

    @property
    def valid_source(self) -> list[str]:
        """The source side of the validation text: the lines of all sets."""
        return [line for each in self.validation for line in each.source]

    @property
    def valid_target(self) -> list[str]:
        """The target side of the validation text: the lines of all sets."""
        return [line for each in self.validation for line in each.target]

    @property
    def parts(self) -> tuple[EpochPart, ...]:
        """How many pairs each corpus has, and its weight."""
        corpora = zip(self.data.training_corpora(), self.reports, strict=True)
        return tuple(EpochPart(report.kept, corpus.weight) for corpus, report in corpora)

    @property
    def valid_size(self) -> int:
        """Number of validation lines."""
        return len(self.valid_target)

    def describe(self) -> list[str]:
        """Return lines that say how much text there is, and what was left out of it."""
        lines = [] if self.report.is_complete else [self.report.describe()]
        lines += self.describe_corpora()
        vocabulary = self.subwords
        unit = "pair" if self.data.is_paired else "line"
        if self.data.targets == "labels":
            labels = ", ".join(labels_of(vocabulary.target))
            lines.append(
                f"{label_count(vocabulary.target.size):,} labels: {labels[:200]}{'...' * (len(labels) > 200)}"
            )
            unit = "text"
        training = f"training {unit}"
        text = f"a stream of {training}s" if self.store is None else count_of(len(self.store), training)
        is_one = vocabulary.joint or self.data.targets == "labels"
        sizes = f"{vocabulary.source.size:,}" + ("" if is_one else f" and {vocabulary.target.size:,}")
        return [
            *lines,
            f"{text}, {count_of(len(self.valid_target), f'validation {unit}')}, {sizes} pieces",
        ]

    def describe_corpora(self) -> list[str]:
        """Return a line about each corpus, if there are several or it is not read as it is."""
        corpora = self.data.training_corpora()
        if len(corpora) == 1 and not corpora[0].tag and corpora[0].weight == 1.0:
            return []
        lines = []
        for corpus, report, part in zip(corpora, self.reports, self.parts, strict=True):
            tag = f", tag {corpus.tag}" if corpus.tag else ""
            weight = f", {part.per_epoch:,} in each epoch" if corpus.weight != 1.0 else ""
            lines.append(f"  {corpus.name}: {report.describe('pair')}{weight}{tag}")
        return lines

    def target_counts(self) -> NDArray[np.int64] | None:
        """Return how often each piece of the target vocabulary is a label in training, of shape (V,), END included.

        None if the pairs come from a stream.
        """
        if self.store is None:
            return None
        counts = self.train.target.counts(self.subwords.target.size)
        counts[END] += len(self.train)
        return counts
