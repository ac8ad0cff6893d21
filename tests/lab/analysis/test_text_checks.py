"""Warnings about outputs: each sign is found, and plain text gives none."""

from __future__ import annotations

import pytest

from nmt_lstm.lab.analysis.text_checks import text_warnings

REFERENCES = ["A dog runs through the snow.", "Two men talk, and laugh.", "It isn't a cat's paw."] * 10
SOURCES = ["Ein Hund rennt durch den Schnee.", "Zwei Männer reden und lachen.", "Es ist keine Pfote."] * 10


def test_plain_text_has_no_signs() -> None:
    output = [
        "A dog is running in snow.",
        "Two men are talking, laughing.",
        "This isn't a paw @home #1.",
    ] * 10
    assert text_warnings(output, REFERENCES, SOURCES) == []


@pytest.mark.parametrize(
    ("line", "sign"),
    [
        ("A d@@ og runs through the snow.", r"30 lines have subwords joined by '@@'; undo them with: sed -E"),
        ("▁A ▁dog ▁runs", "SentencePiece's '▁'; undo it with: spm_decode"),
        ("A dog run ##s", "word pieces that begin with '##'"),
        ("It &apos;s a dog", "escaped characters such as '&apos;'"),
        ("A dog runs , and stops .", "a space before punctuation"),
        ("The <unk> runs.", "marks of unknown words"),
        ("a dog runs.", "no line has capital letters"),
    ],
)
def test_signs_are_named_with_their_fix(line, sign) -> None:
    (result,) = text_warnings([line] * 30, REFERENCES)
    assert sign in result


def test_a_single_line_is_singular() -> None:
    output = ["A d@@ og.", *(line.replace("the", "a") for line in REFERENCES[1:])]
    assert text_warnings(output, REFERENCES)[0].startswith("1 line has subwords")


def test_signs_in_the_references_do_not_count() -> None:
    tokenised = [line.replace(".", " .").replace(",", " ,") for line in REFERENCES]
    assert text_warnings([line.replace("dog", "cat") for line in tokenised], tokenised) == []


def test_empty_lines_with_a_reference_are_counted() -> None:
    output = ["Something.", "", " ", "Else."]
    (result,) = text_warnings(output, ["A.", "", "B.", "C."])
    assert result.startswith("1 line is empty, first line 3;")


def test_identical_texts_suggest_the_wrong_file() -> None:
    assert "30 lines are identical to the source" in text_warnings(SOURCES, REFERENCES, SOURCES)[0]
    assert "every line is identical to the reference" in text_warnings(REFERENCES, REFERENCES)[0]


def test_spaces_in_text_without_spaces_are_a_sign() -> None:
    assert "sed 's/ //g'" in text_warnings(["犬 が 走る 。"] * 10, ["犬が走っている。"] * 10)[0]
    assert text_warnings(["犬が走る。"] * 10, ["犬が走っている。"] * 10) == []
