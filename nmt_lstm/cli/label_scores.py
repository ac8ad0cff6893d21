"""What ``evaluate`` does with a classifier: accuracy and F1, next to those of the most frequent label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nmt_lstm.cli import early_checks
from nmt_lstm.cli.arguments import load_plugins
from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.plain_text import columns, json_text

if TYPE_CHECKING:
    from nmt_lstm.evaluation.classification import ClassificationReport

__all__ = ["LabelScoring", "label_json", "label_table"]


class LabelScoring(NamedTuple):
    """A classifier, texts, and their labels."""

    models: Sequence[Path]
    source: Path | None
    reference: Sequence[Path]
    device: str
    precision: str
    batch_size: int
    plugins: Sequence[Path] | None
    trust_plugins: bool
    train_source: Path | None = None
    train_target: Path | None = None

    def reports(self) -> tuple[ClassificationReport, ClassificationReport | None]:
        """Classify the texts and return the scores of the model, and those of a bag of words if there is training text.

        Raises:
            ConfigurationError: there are several models or references, or the texts or labels are missing.
            DataError: a file cannot be read, or a line has no label.
        """
        if len(self.models) > 1:
            raise ConfigurationError(
                f"-m is given {len(self.models)} times, but classifiers cannot form an ensemble; name one model.",
                key="--model",
            )
        if self.source is None or len(self.reference) != 1:
            raise ConfigurationError(
                "a classifier is evaluated with texts and one label for each: -s test.tsv:2 -r test.tsv:1.",
                key="--source" if self.source is None else "--reference",
            )
        (labels_file,) = self.reference
        early_checks.check_models(self.models, self.device, task="classification")
        if (self.train_source is None) != (self.train_target is None):
            raise ConfigurationError(
                "the bag of words learns from texts and labels: --train-source train.tsv:2 --train-target train.tsv:1.",
                key="--train-target" if self.train_target is None else "--train-source",
            )
        early_checks.check_files(self.source, labels_file, self.train_source, self.train_target)
        from nmt_lstm.text.corpus import read_parallel
        from nmt_lstm.text.labels import check_labels

        pairs = list(read_parallel(self.source, labels_file))
        texts, labels = [text for text, _ in pairs], [label.strip() for _, label in pairs]
        if texts and all("\t" in text for text in texts):  # the labels may be in them
            raise DataError(
                f"every line of '{self.source}' contains a tab; name the column of the texts, such as {self.source}:2.",
                path=self.source,
            )
        load_plugins(self.plugins, trusted=self.models if self.trust_plugins else [])
        from nmt_lstm.evaluation.classification import classification_report
        from nmt_lstm.inference.text_classifier import TextClassifier

        classifier = TextClassifier.load(self.models[0], device=self.device, precision=self.precision)
        check_labels(self.source, labels_file, classifier.labels)
        results = classifier.classify(texts, batch_size=self.batch_size)
        report = classification_report([result.label for result in results], labels)
        if self.train_source is None or self.train_target is None:
            return report, None
        from nmt_lstm.evaluation.bag_of_words import BagOfWords

        examples = read_parallel(self.train_source, self.train_target)
        words = BagOfWords((text, label.strip()) for text, label in examples if label.strip())
        return report, classification_report(words.classify(texts), labels)


def label_table(scoring: LabelScoring) -> str:
    """Return the scores as two tables: of all texts, and of each label."""
    report, words = scoring.reports()
    baseline = f"always '{report.majority_label}'"
    overall = [
        ("", "accuracy", "macro F1"),
        ("model", f"{report.accuracy:.2f}", f"{report.macro_f1:.2f}"),
        (baseline, f"{report.majority_accuracy:.2f}", f"{report.majority_f1:.2f}"),
    ]
    if words is not None:
        overall.append(("bag of words", f"{words.accuracy:.2f}", f"{words.macro_f1:.2f}"))
    labels = [
        ("label", "texts", "predicted", "correct", "F1"),
        *(
            (each.label, f"{each.texts:,}", f"{each.predicted:,}", f"{each.correct:,}", f"{each.f1:.2f}")
            for each in report.labels
        ),
    ]
    return f"{columns(overall, right=(1, 2))}\n\n{columns(labels, right=(1, 2, 3, 4))}"


def label_json(scoring: LabelScoring) -> str:
    """Return the scores as JSON."""
    report, words = scoring.reports()
    values: dict[str, Any] = {
        "accuracy": report.accuracy,
        "macro_f1": report.macro_f1,
        "majority": {
            "label": report.majority_label,
            "accuracy": report.majority_accuracy,
            "macro_f1": report.majority_f1,
        },
        "labels": [{**each._asdict(), "f1": each.f1} for each in report.labels],
    }
    if words is not None:
        values["bag_of_words"] = {"accuracy": words.accuracy, "macro_f1": words.macro_f1}
    return json_text(values, indent=2)
