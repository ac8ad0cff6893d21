"""Input in the wrong language or script causes one warning, other input none."""

from __future__ import annotations

import logging

import pytest
import torch

from nmt_lstm.config.schema import SubwordSettings
from nmt_lstm.inference import input_check
from nmt_lstm.inference.input_check import InputCheck
from nmt_lstm.inference.translator import Translator
from nmt_lstm.text.subwords import train_subwords

GERMAN = ["eins zwei drei vier .", "sieben acht neun null .", "fünf sechs eins ."] * 60
ENGLISH = ["one two three four .", "seven eight nine zero .", "five six one ."] * 60
JAPANESE = ["これは日本語の文です。", "犬が走っている。"] * 30


@pytest.fixture
def bias(subwords):
    pieces = [piece for line in subwords.target.encode_lines(ENGLISH) for piece in line]
    counts = torch.bincount(torch.tensor(pieces), minlength=subwords.target.size)
    return (counts + 1.0).log() + 3.0  # a constant makes no difference


def warnings_for(check, subwords, lines, caplog):
    with caplog.at_level(logging.WARNING, "nmt_lstm"):
        for line in lines:
            check.add([line], subwords.source.encode_lines([line]))
    return [record.getMessage() for record in caplog.records]


def test_text_in_the_target_language_causes_one_warning(subwords, bias, caplog) -> None:
    (message,) = warnings_for(InputCheck(subwords, ("de", "en"), bias), subwords, ENGLISH * 2, caplog)
    assert "looks like 'en'" in message
    assert "swapped" in message


def test_text_in_the_source_language_causes_no_warning(subwords, bias, caplog) -> None:
    assert warnings_for(InputCheck(subwords, ("de", "en"), bias), subwords, GERMAN, caplog) == []


@pytest.mark.parametrize("languages", [("", ""), ("de", ""), ("en", "en")])
def test_sides_that_may_look_alike_are_not_compared(subwords, bias, caplog, languages) -> None:
    assert warnings_for(InputCheck(subwords, languages, bias), subwords, ENGLISH, caplog) == []
    assert warnings_for(InputCheck(subwords, ("de", "en"), None), subwords, ENGLISH, caplog) == []


def test_a_few_lines_are_not_enough_to_decide(subwords, bias, caplog) -> None:
    lines = ENGLISH[:20]
    assert sum(map(len, subwords.source.encode_lines(lines))) < input_check.PIECES
    assert warnings_for(InputCheck(subwords, ("de", "en"), bias), subwords, lines, caplog) == []


@pytest.mark.parametrize(
    ("languages", "lines", "expected"),
    [
        (("en", "ja"), ["これは日本語です。"], 1),
        (("en", "ja"), ["Emi is えみ ."], 0),
        (("zh", "ja"), ["これは日本語です。"], 0),
        (("en", "sr"), ["Пас спава."], 0),
        (("ja", "en"), ["eins zwei drei vier ."], 0),
        (("ja", "en"), ["one two three four .", "seven eight nine zero .", "five six one ."], 1),
    ],
)
def test_a_different_script_is_noticed_in_the_first_lines(
    subwords, languages, lines, expected, caplog
) -> None:
    assert len(warnings_for(InputCheck(subwords, languages, None), subwords, lines, caplog)) == expected


def test_a_quotation_among_other_lines_is_not_the_language_of_the_input(subwords, caplog) -> None:
    check = InputCheck(subwords, ("en", "ja"), None)
    lines = ["これは日本語です。", *GERMAN[:9]]
    with caplog.at_level(logging.WARNING, "nmt_lstm"):
        check.add(lines, subwords.source.encode_lines(lines))
    assert caplog.records == []


def test_lines_without_letters_are_ignored(subwords, bias, caplog) -> None:
    check = InputCheck(subwords, ("de", "en"), bias)
    assert warnings_for(check, subwords, ["1 2 3 .", "45 , 6"] * 200, caplog) == []
    assert len(warnings_for(check, subwords, ENGLISH, caplog)) == 1


@pytest.mark.parametrize("languages", [("", ""), ("de", "en")])
def test_text_in_an_unknown_script_causes_one_warning(subwords, bias, caplog, languages) -> None:
    (message,) = warnings_for(InputCheck(subwords, languages, bias), subwords, JAPANESE, caplog)
    assert "bytes" in message


def test_a_model_warns_once_about_its_target_language(repository, caplog) -> None:
    folder = repository / "data" / "builtin_enja"
    english, japanese = (
        (folder / f"test.{language}").read_text(encoding="utf-8").splitlines()[:40]
        for language in ("en", "ja")
    )
    with caplog.at_level(logging.WARNING, "nmt_lstm"):
        Translator.load("builtin:en-ja").translate(english, beam_size=1)
        assert caplog.records == []
        translator = Translator.load("builtin:en-ja")
        # Not for a later part of a text, and once for all calls.
        list(translator.stream(japanese, beam_size=1, first_line=2))
        assert caplog.records == []
        for _ in range(2):
            translator.translate(japanese, beam_size=1)
    (record,) = caplog.records
    assert "looks like 'ja'" in record.getMessage()


@pytest.mark.parametrize("kind", ["character", "byte"])
@pytest.mark.parametrize("lines", [ENGLISH, JAPANESE * 2])
def test_letters_and_bytes_say_little_about_languages(kind, lines, caplog) -> None:
    pairs = list(zip(GERMAN, ENGLISH, strict=True))
    own = train_subwords(lambda: pairs, SubwordSettings(kind=kind), len(pairs), seed=1)
    counts = torch.ones(own.target.size)
    messages = warnings_for(InputCheck(own, ("de", "en"), counts.log()), own, lines, caplog)
    # A script without pieces is noticed, unless all pieces are bytes.
    assert ["script" in message for message in messages] == [True] * (
        kind == "character" and lines != ENGLISH
    )
