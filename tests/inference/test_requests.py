"""What lines ask for: phrases as pieces, requests that are met, and those that are not."""

from __future__ import annotations

import pytest

from nmt_lstm import TranslationRequest, Translator
from nmt_lstm.config.schema import SearchSettings
from nmt_lstm.corpora.builtin import model_path
from nmt_lstm.errors import ConfigurationError, NotTextError
from nmt_lstm.inference.requests import phrase_pieces
from nmt_lstm.text.lines import LineWarnings

LINES = ["The dog is sleeping .", "A man is running .", "What is this ?", "She reads a book .", ""]


@pytest.fixture(scope="module")
def translator() -> Translator:
    return Translator.load(model_path("builtin:en-ja"), device="cpu")


def texts(translator, requests, **options) -> list[str]:
    return [translation.text for translation in translator.translate(requests, **options)]


def test_a_request_for_nothing_is_the_line(translator) -> None:
    assert translator.translate([TranslationRequest(line) for line in LINES]) == translator.translate(LINES)


@pytest.mark.parametrize("beam_size", [1, 5])
def test_prefix_required_and_avoided_phrases_are_met(translator, beam_size) -> None:
    plain = texts(translator, LINES[:3], beam_size=beam_size)
    avoided = plain[2][:2]
    requests = [
        TranslationRequest(LINES[0], require=["馬", "魚"]),
        TranslationRequest(LINES[1], prefix="私"),
        TranslationRequest(LINES[2], avoid=[avoided]),
    ]
    translations = translator.translate(requests, beam_size=beam_size)
    assert "馬" in translations[0].text
    assert "魚" in translations[0].text
    assert translations[1].text.startswith("私")
    assert avoided not in translations[2].text
    assert all(translation.unmet == () for translation in translations)


@pytest.mark.parametrize("method", ["beam", "sampling"])
def test_requests_do_not_depend_on_the_batch(translator, method) -> None:
    requests = [
        TranslationRequest(LINES[0], require=["馬"]),
        LINES[1],
        TranslationRequest(LINES[2], prefix="私", avoid=["何"]),
        LINES[3],
        LINES[4],
    ]
    search = SearchSettings(method=method, beam_size=3)
    together = translator.translate(requests, search=search, n_best=2)
    assert translator.translate(requests, search=search, n_best=2, batch_size=1) == together
    alone = [
        next(translator.stream([line], search=search, n_best=2, first_line=number))
        for number, line in enumerate(requests, 1)
    ]
    assert alone == together


def test_samples_are_as_many_as_asked_for_and_repeat(translator) -> None:
    search = SearchSettings(method="sampling", temperature=0.05)
    (translation,) = translator.translate([LINES[0]], search=search, n_best=8)
    assert len(translation.hypotheses) == 8
    assert len({each.text for each in translation.hypotheses}) < 8


def test_what_cannot_be_met_is_named_with_its_line(translator, caplog) -> None:
    request = TranslationRequest(LINES[0], require=["\U0001f40b"], avoid=["猫"])
    before, translation = translator.translate([LINES[1], request])
    assert before.unmet == ()
    assert translation.unmet in {(("require", "\U0001f40b"),), ()}  # a vocabulary of bytes can write it
    assert bool(translation.unmet) == ("line 2" in caplog.text)


def test_an_avoided_phrase_that_is_required_is_required(translator, caplog) -> None:
    (translation,) = translator.translate([TranslationRequest(LINES[0], require=["馬"], avoid=["馬"])])
    assert "馬" in translation.text
    assert translation.unmet == (("avoid", "馬"),)
    assert "line 1" in caplog.text


def test_a_line_that_is_not_text_is_named(translator) -> None:
    with pytest.raises(NotTextError, match="line 2"):
        translator.translate([LINES[0], TranslationRequest(None)])  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="require"):
        TranslationRequest("a", require="b")


def test_a_phrase_in_a_script_without_spaces_follows_its_neighbour_directly(translator) -> None:
    vocabulary = translator.subwords.target
    assert vocabulary.pieces(phrase_pieces(vocabulary, "寝て"))[0][0] == "寝"
    source = translator.subwords.source
    assert source.pieces(phrase_pieces(source, "The"))[0][0] == "▁"


@pytest.mark.parametrize(
    ("request_", "translation", "unmet"),
    [
        (TranslationRequest("x", prefix=" A dog"), "A dog runs", ()),
        (TranslationRequest("x", prefix="A dog"), "The dog runs", (("prefix", "A dog"),)),
        (TranslationRequest("x", require=["a", "a"]), "a b", (("require", "a"),)),
        (TranslationRequest("x", require=["a", "a"]), "a b a", ()),
        (TranslationRequest("x", require=["é"]), "e\u0301 b", (("require", "é"),)),
        (TranslationRequest("x", require=["e\u0301"]), "é b", ()),
        (TranslationRequest("x", avoid=["cat", "cat", " "]), "a cat", (("avoid", "cat"),)),
    ],
)
def test_what_a_translation_does_not_meet_is_named(request_, translation, unmet) -> None:
    assert request_.unmet(translation) == unmet


def test_translations_that_repeat_or_are_ended_by_the_limit_are_named_to_readers(
    translator, caplog, monkeypatch
) -> None:
    lines = [LINES[1], TranslationRequest(LINES[0], prefix="猫猫猫猫猫")]
    translator.translate(lines)
    assert not caplog.records
    list(translator.stream(lines, warnings=LineWarnings(translations=True)))
    (record,) = caplog.records
    assert "line 2" in record.getMessage()
    assert "no_repeat_ngram" in record.getMessage()
    caplog.clear()
    for module in ("search.limits", "inference.line_search"):
        monkeypatch.setattr(f"nmt_lstm.{module}.longest_translation", lambda settings, pieces: 0)
    list(
        translator.stream(
            [TranslationRequest(LINES[0], prefix="あなたは私に何を")],
            warnings=LineWarnings(translations=True),
        )
    )
    (record,) = caplog.records
    assert "max_length_ratio" in record.getMessage()
