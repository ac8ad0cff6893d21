"""Scores of predicted labels, next to those of the simplest classifier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from nmt_lstm.evaluation.scores import Score

__all__ = ["ClassificationReport", "LabelCounts", "classification_report", "label_scores"]


class LabelCounts(NamedTuple):
    """How often a label was predicted, and how often rightly."""

    label: str
    texts: int
    """Texts that have the label."""
    predicted: int
    """Texts for which it was predicted."""
    correct: int
    """Texts for which it was predicted rightly."""

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in percent; 0 if the label is never right."""
        return 200.0 * self.correct / (self.texts + self.predicted) if self.texts + self.predicted else 0.0


class ClassificationReport(NamedTuple):
    """Scores of a classifier."""

    accuracy: float
    """Texts whose label is right, in percent."""
    macro_f1: float
    """Mean of the F1 of the labels that occur as references, in percent."""
    majority_label: str
    """The most frequent label."""
    majority_accuracy: float
    """Accuracy of predicting the most frequent label for every text."""
    majority_f1: float
    """Its macro F1."""
    labels: tuple[LabelCounts, ...]
    """In alphabetical order."""


def classification_report(predicted: Sequence[str], references: Sequence[str]) -> ClassificationReport:
    """Compare labels with references.

    Raises:
        ValueError: there are none, or their numbers differ.
    """
    if not references or len(predicted) != len(references):
        raise ValueError(f"{len(predicted)} labels cannot be compared with {len(references)} references.")
    accuracy, macro_f1, labels = _compare(predicted, references)
    counts = Counter(references)
    majority = min(counts, key=lambda label: (-counts[label], label))
    majority_accuracy, majority_f1, _ = _compare([majority] * len(references), references)
    return ClassificationReport(accuracy, macro_f1, majority, majority_accuracy, majority_f1, labels)


def _compare(
    predicted: Sequence[str], references: Sequence[str]
) -> tuple[float, float, tuple[LabelCounts, ...]]:
    texts, guesses = Counter(references), Counter(predicted)
    correct = Counter(label for label, other in zip(predicted, references, strict=True) if label == other)
    labels = tuple(
        LabelCounts(label, texts[label], guesses[label], correct[label])
        for label in sorted({*texts, *guesses})
    )
    f1 = [counts.f1 for counts in labels if counts.texts]
    return 100.0 * correct.total() / len(references), sum(f1) / len(f1), labels


def label_scores(predicted: Sequence[str], references: Sequence[str]) -> dict[str, Score]:
    """Return accuracy and macro F1 as scores of a validation."""
    report = classification_report(predicted, references)
    signature = (
        f"labels:{sum(1 for label in report.labels if label.texts)}|majority:{report.majority_accuracy:.2f}"
    )
    return {
        "accuracy": Score("accuracy", report.accuracy, signature),
        "f1": Score("macro F1", report.macro_f1, signature),
    }
