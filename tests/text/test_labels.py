"""Labels as pieces of a vocabulary."""

from __future__ import annotations

from pathlib import Path

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


def test_many_labels_for_few_texts_are_pointed_out(caplog: pytest.LogCaptureFixture) -> None:
    label_vocabulary((f"text number {number % 60}" for number in range(200)), TextForm())
    assert not caplog.records
    label_vocabulary((f"text number {number % 60}" for number in range(100)), TextForm())
    assert "60 different labels" in caplog.text


@pytest.mark.parametrize(("label", "word"), [("god", "good"), ("", "no label")])
def test_an_unknown_label_is_reported_with_its_file_and_line(tmp_path: Path, label: str, word: str) -> None:
    file = tmp_path / "test.tsv"
    file.write_text("".join(f"{each}\ta text\n" for each in ["good"] * 9 + ["good\tx", "bad", label]))
    with pytest.raises(DataError, match=word) as refused:
        check_labels(tmp_path / "test.tsv:2", tmp_path / "test.tsv:1", ["bad", "good"])
    assert (refused.value.line, refused.value.known) == (12, ("bad", "good"))
    assert "test.tsv:1" in str(refused.value)


def test_long_labels_are_shortened_in_messages(tmp_path: Path) -> None:
    (tmp_path / "labels").write_text("x" * 500)
    with pytest.raises(DataError) as refused:
        check_labels(
            tmp_path / "labels", tmp_path / "labels", [f"{letter * 500}" for letter in "abcdefghijklm"]
        )
    assert len(str(refused.value)) < 800 + len(str(tmp_path))
