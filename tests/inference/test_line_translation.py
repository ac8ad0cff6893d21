"""What is kept is in the translation exactly as often, in its place, and sentences are translated one by one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from nmt_lstm import SearchSettings, TextOptions, TranslationRequest, Translator
from nmt_lstm.corpora.builtin import model_path
from nmt_lstm.errors import ConfigurationError
from nmt_lstm.text.lines import LineWarnings

KEEP = TextOptions(keep=["placeholders", "urls", "numbers", "tags"])
LINES = [
    "The {name} is sleeping .",
    "",
    "What is this ?",
    "A man is running to https://example.org/a?b=1 .",
    "{name}: %s!",
    "She reads <b>a book</b> at 12 .",
    "He %(count)d and %(count)d .",
]


@pytest.fixture(scope="module")
def translator() -> Translator:
    return Translator.load(model_path("builtin:en-ja"), device="cpu")


def test_each_part_is_kept_exactly_as_often(translator, caplog) -> None:
    translations = translator.translate(LINES, text=KEEP)
    for line, parts in zip(LINES, [["{name}"], [], [], ["https://example.org/a?b=1"], ["{name}", "%s"], ["<b>", "</b>", "12"], ["%(count)d"]], strict=True):  # fmt: skip
        (translation,) = (each for each in translations if each.source == line)
        assert [translation.text.count(part) for part in parts] == [line.count(part) for part in parts]
        assert translation.unmet == ()
    assert translations[4].text == LINES[4]
    assert translations[2] == translator.translate(LINES[2:3])[0]
    assert not caplog.records


def test_marks_are_pieces_that_are_aligned_with_themselves(translator) -> None:
    translations = translator.translate(LINES, text=KEEP, attention=True, probabilities=True, n_best=2)
    for translation in translations:
        for hypothesis in translation.hypotheses:
            targets = len(hypothesis.pieces)
            assert hypothesis.attention.shape == (targets, len(translation.source_pieces) + 1)
            np.testing.assert_allclose(hypothesis.attention.sum(1), 1, atol=1e-3)
            assert len(hypothesis.piece_log_probabilities) == targets + 1
            assert len(hypothesis.ids) == targets
            written = "".join(hypothesis.pieces).replace("▁", "")
            assert written.replace("<0x", "") == written
            assert written == hypothesis.text.replace(" ", "")
            for mark in ("{name}", "<b>", "%s"):
                pairs = [
                    (source, target)
                    for target, piece in enumerate(hypothesis.pieces)
                    for source, other in enumerate(translation.source_pieces)
                    if piece.endswith(mark) and other.endswith(mark)
                ]
                assert set(pairs) <= set(hypothesis.alignment)


@pytest.mark.parametrize("method", ["beam", "sampling"])
def test_nothing_depends_on_the_batch(translator, method) -> None:
    pytest.importorskip("sentencex")
    options = dataclasses.replace(KEEP, split_sentences=True)
    lines = [
        *LINES,
        "The dog is sleeping. A man is running. She reads {a}.",
        TranslationRequest(LINES[0], "犬"),
    ]
    search = SearchSettings(method=method, beam_size=3)
    together = translator.translate(lines, search=search, n_best=2, text=options)
    assert translator.translate(lines, search=search, n_best=2, text=options, batch_size=1) == together
    alone = [
        next(translator.stream([line], search=search, n_best=2, text=options, first_line=number))
        for number, line in enumerate(lines, 1)
    ]
    assert alone == together


def test_sentences_are_translated_as_lines_of_their_own(translator) -> None:
    pytest.importorskip("sentencex")
    sentences = ["The dog is sleeping.", "A man is running."]
    apart = translator.translate(sentences, n_best=2)
    options = TextOptions(split_sentences=True)
    (line,) = translator.translate([" ".join(sentences)], n_best=2, text=options)
    assert line.text == apart[0].text + apart[1].text  # Japanese has no space between them
    assert line.source == " ".join(sentences)
    assert line.pieces == apart[0].pieces + apart[1].pieces
    assert translator.translate(sentences, text=options) == translator.translate(sentences)


def test_requests_of_lines_with_several_sentences(translator) -> None:
    pytest.importorskip("sentencex")
    text = "The dog is sleeping. A man is running."
    options = TextOptions(split_sentences=True)
    begun, required = translator.translate(
        [TranslationRequest(text, prefix="私"), TranslationRequest(text, require=["魚"])], text=options
    )
    assert begun.text.startswith("私")
    assert begun.unmet == ()
    assert "魚" in required.text
    assert required == translator.translate([TranslationRequest(text, require=["魚"])])[0]


def test_a_part_that_appears_too_often_is_named_with_its_line(translator, caplog) -> None:
    request = TranslationRequest("The {name} is sleeping .", prefix="{name}{name}")
    _, translation = translator.translate([LINES[2], request], text=KEEP)
    assert ("keep", "{name}") in translation.unmet
    assert "line 2" in caplog.text
    assert "{name}" in caplog.text


def test_each_line_is_warned_of_once(translator, caplog) -> None:
    lines = ["The {name} is\x07 sleeping ."]
    list(translator.stream(lines, text=KEEP, warnings=LineWarnings(translations=True)))
    assert [record.getMessage()[:6] for record in caplog.records] == ["line 1"]


def test_symbols_stand_for_what_is_kept(translator) -> None:
    (expected, translation) = translator.translate(
        ["Emi read two books .", "{name} read two books ."],
        text=TextOptions(keep=["placeholders"], keep_as="Emi=エミ"),
    )
    assert translation.text == expected.text.replace("エミ", "{name}")
    assert "{name}" in translation.text
    assert translation.hypotheses[0].score == expected.hypotheses[0].score


def test_options_are_checked_at_once() -> None:
    with pytest.raises(ConfigurationError) as refused:
        TextOptions(keep_as="@")
    assert refused.value.key == "keep_as"
    with pytest.raises(ConfigurationError):
        TextOptions(keep=["urls"], keep_as=" @")
    with pytest.raises(ConfigurationError):
        TextOptions(keep=["links"])


def test_a_symbol_that_the_model_does_not_write_is_reported_once(translator, caplog) -> None:
    lines = ["{name} read two books .", "{a} and {b} see {x} and {y} .", "{a} and {b} read {x} and {y} ."]
    text = TextOptions(keep=["placeholders"], keep_as="Emi=qqq")
    translations = translator.translate(lines, text=text)
    (record,) = caplog.records
    assert record.getMessage().startswith("line 1: the model did not write 'qqq'")
    assert all(part in translations[1].text for part in ("{a}", "{b}", "{x}", "{y}"))
