"""Labels as pieces of a vocabulary."""

from __future__ import annotations

import pytest

from nmt_lstm.config.schema import SubwordSettings
from nmt_lstm.errors import DataError
from nmt_lstm.text.labels import FIRST_LABEL, check_labels, label_count, label_vocabulary, labels_of
from nmt_lstm.text.text_form import TextForm

# One begins another, and they have spaces, signs, capitals and letters of another script.
LABELS = ["good", "goodbye", "very good", "5-star", "Good", "a", "a b", "肯定"]


@pytest.mark.parametrize("settings", [{}, {"kind": "word"}, {"kind": "byte"}, {"casing": "markers"}])
def test_each_label_is_one_piece(settings: dict[str, str]) -> None:
    vocabulary = label_vocabulary([*LABELS, " good ", "", *LABELS], TextForm.of(SubwordSettings(**settings)))
    assert labels_of(vocabulary) == sorted(LABELS)
    assert label_count(vocabulary.size) == len(LABELS)
    for number, label in enumerate(sorted(LABELS)):
        assert vocabulary.encode(label) == [FIRST_LABEL + number]


def test_texts_in_place_of_labels_are_recognised() -> None:
    with pytest.raises(DataError, match="--columns"):
        label_vocabulary((f"text number {number}" for number in range(2_000)), TextForm())


def test_one_label_tells_nothing() -> None:
    with pytest.raises(DataError, match="two"):
        label_vocabulary(["good", "good"], TextForm())


@pytest.mark.parametrize(("label", "word"), [("god", "good"), ("", "no label")])
def test_an_unknown_label_is_reported_with_its_line(label: str, word: str) -> None:
    with pytest.raises(DataError, match=word) as refused:
        check_labels(["good", label], ["bad", "good"], "test.tsv")
    assert (refused.value.line, refused.value.known) == (2, ("bad", "good"))
