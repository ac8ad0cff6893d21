"""Splitting lines into sentences."""

from __future__ import annotations

import sys

import pytest

from nmt_lstm.errors import ResourceError
from nmt_lstm.text.sentences import SentenceSplitter, joined_sentences, sentence_separator


@pytest.mark.parametrize(
    ("language", "line", "sentences"),
    [
        ("de", "Am 24. Dezember kam Dr. Meier. Er blieb!", ["Am 24. Dezember kam Dr. Meier.", "Er blieb!"]),
        ("ja", "犬が寝ている。何ですか？", ["犬が寝ている。", "何ですか？"]),
        ("en_US", "  One.  Two. ", ["One.", "Two."]),
        ("tlh", "One. Two.", ["One.", "Two."]),
        ("", "One. Two.", ["One.", "Two."]),
        ("en", " \t", []),
    ],
)
def test_lines_are_split(language, line, sentences) -> None:
    pytest.importorskip("sentencex")
    assert SentenceSplitter(language).split(line) == sentences


def test_sentences_are_joined_as_the_language_writes_them() -> None:
    assert [sentence_separator(code) for code in ("ja", "zh-Hant", "ZH_cn", "de", "")] == [
        "",
        "",
        "",
        " ",
        " ",
    ]
    assert joined_sentences(["a.", "", "b."], " ") == "a. b."


def test_without_the_package_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "sentencex", None)
    with pytest.raises(ResourceError, match="sentences"):
        SentenceSplitter("de")
