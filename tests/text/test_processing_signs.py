"""Preprocessed text is recognised by its marks, unless plain text has them as often."""

from __future__ import annotations

import pytest

from nmt_lstm.text.processing_signs import lines_text, processing_signs

PLAIN = ["A dog runs.", "Two men talk, and laugh.", "Ein Kind schläft nicht."] * 20


@pytest.mark.parametrize(
    ("line", "sign"),
    [
        ("A d@@ og runs.", "'@@'"),
        ("▁A ▁dog ▁runs.", "'▁'"),
        ("A d ##og runs.", "'##'"),
        ("A dog &quot;runs&quot;.", "'&apos;'"),
        ("A <unk> runs.", "unknown words"),
    ],
)
def test_a_mark_is_a_sign_if_it_occurs_in_more_than_one_per_cent_of_the_lines(line, sign) -> None:
    assert processing_signs(PLAIN) == []
    (sentence,) = processing_signs([line, *PLAIN])
    assert sign in sentence
    assert sentence.startswith("1 line has ")
    assert processing_signs([line, *PLAIN * 2]) == []


def test_spaces_before_punctuation_are_a_sign_only_if_they_are_frequent() -> None:
    tokenised = ["A dog runs ."] * 20
    assert processing_signs([*tokenised[:10], *PLAIN]) == []
    (sentence,) = processing_signs([*tokenised, *PLAIN])
    assert sentence.startswith("20 lines have a space before punctuation")


def test_tabs_are_a_sign_if_most_lines_have_them() -> None:
    assert processing_signs(["A\tB", *PLAIN]) == []
    (sentence,) = processing_signs(["A dog.\tEin Hund."] * 61 + PLAIN)
    assert "pairs.tsv:1" in sentence


def test_marks_that_the_reference_has_as_often_are_not_signs() -> None:
    french = ["Qui est là ?"] * 30
    assert processing_signs(french, ["Who is there?"] * 30) != []
    assert processing_signs(french, ["Où va-t-il ?"] * 30) == []


def test_lines_are_counted_in_words() -> None:
    assert (lines_text(1), lines_text(2_000)) == ("1 line is", "2,000 lines are")
    assert (lines_text(1, have=True), lines_text(2, have=True)) == ("1 line has", "2 lines have")
