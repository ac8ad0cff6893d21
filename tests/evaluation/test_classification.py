"""Scores of labels, and the classifiers that a network must beat."""

from __future__ import annotations

import pytest

from nmt_lstm.evaluation.bag_of_words import BagOfWords
from nmt_lstm.evaluation.classification import classification_report, label_scores

REFERENCES = ["a", "a", "a", "b", "b", "c"]
PREDICTED = ["a", "a", "b", "b", "c", "d"]


def test_accuracy_and_f1_follow_their_formulas() -> None:
    report = classification_report(PREDICTED, REFERENCES)
    assert report.accuracy == pytest.approx(50.0)
    # Precision and recall: a 2/2 and 2/3, b 1/2 and 1/2, c 0; d has no reference and does not count.
    assert report.macro_f1 == pytest.approx(100 * (0.8 + 0.5 + 0.0) / 3)
    assert (report.majority_label, report.majority_accuracy) == ("a", pytest.approx(50.0))
    assert report.majority_f1 == pytest.approx(100 * (2 / 3) / 3)
    assert [each.label for each in report.labels] == ["a", "b", "c", "d"]


def test_scores_of_a_validation_name_the_majority() -> None:
    scores = label_scores(PREDICTED, REFERENCES)
    assert scores["accuracy"].value == pytest.approx(50.0)
    assert "majority:50.00" in scores["f1"].signature


def test_different_numbers_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="compared"):
        classification_report(["a"], REFERENCES)


def test_a_bag_of_words_knows_words_but_not_their_order() -> None:
    words = BagOfWords([("dull film", "bad"), ("dull dull plot", "bad"), ("clever film", "good")])
    assert words.classify(["dull", "clever clever", "unknown"]) == ["bad", "good", "bad"]
    assert words.classify(["not dull but clever"]) == words.classify(["not clever but dull"])
