"""Test sets: files that agree line by line, sacreBLEU's own sets, fingerprints of their texts."""

from __future__ import annotations

import hashlib
import urllib.error

import pytest
import sacrebleu

from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.lab.leaderboard import settings, test_sets
from nmt_lstm.lab.leaderboard.test_sets import digest_of, fingerprint_of, load_test_set

from .conftest import lines_of, write


def local(texts, **more) -> settings.TestSetSettings:
    given = {"source": texts.source, "references": [texts.reference], **more}
    return settings.TestSetSettings.model_validate(given)


def of_sacrebleu(name: str, **more) -> settings.TestSetSettings:
    return settings.TestSetSettings.model_validate({"sacrebleu": name, **more})


def test_files_are_read_with_the_tokenizer_of_the_language(texts) -> None:
    found = load_test_set("x", local(texts, source_language="de", target_language="zh"), texts.folder)
    assert found.sources == lines_of(texts.source)
    assert found.references == [lines_of(texts.reference)]
    assert (found.direction, found.tokenize) == ("de-zh", "zh")
    assert load_test_set("x", local(texts, tokenize="char"), texts.folder).tokenize == "char"
    assert load_test_set("x", local(texts), texts.folder).direction == ""


def test_the_fingerprint_is_of_source_and_references_in_order() -> None:
    assert digest_of(["a", "ü"]) == hashlib.sha256("a\nü\n".encode()).hexdigest()
    found = {fingerprint_of("1", ["2", "3"]), fingerprint_of("1", ["3", "2"]), fingerprint_of("1", ["2"])}
    assert len(found) == 3


def test_files_that_do_not_fit_are_refused(texts) -> None:
    write(texts.reference, lines_of(texts.reference)[:-1])
    with pytest.raises(
        DataError, match=r"test set 'x': .*test.de' has 40 lines, .*test.en' has 39; they must agree"
    ):
        load_test_set("x", local(texts), texts.folder)
    write(texts.reference, [])
    with pytest.raises(DataError, match=r"test set 'x': .*test.en' is empty"):
        load_test_set("x", local(texts), texts.folder)
    texts.reference.unlink()
    with pytest.raises(DataError, match=r"test set 'x': .*test.en' does not exist"):
        load_test_set("x", local(texts), texts.folder)


def test_an_unknown_tokenizer_is_refused(texts) -> None:
    with pytest.raises(ConfigurationError, match="unknown tokenizer '13'"):
        load_test_set("x", local(texts, tokenize="13"), texts.folder)


def test_names_lead_to_test_sets_read_once(texts) -> None:
    found = test_sets.TestSets({"one": local(texts)}, texts.folder)
    assert found.get("one") is found.get("one")
    with pytest.raises(ConfigurationError, match=r"has no test set 'on'. Did you mean 'one'\? Known: one"):
        found.get("on")


@pytest.fixture
def fetched(texts, monkeypatch):
    """sacreBLEU as if it had fetched every test set."""
    monkeypatch.setattr(sacrebleu, "get_source_file", lambda *_: str(texts.source))
    monkeypatch.setattr(sacrebleu, "get_reference_files", lambda *_: [str(texts.reference)])


def test_sets_of_sacrebleu_bring_their_languages(texts, fetched) -> None:
    found = load_test_set("wmt", of_sacrebleu("wmt17/en-zh"), texts.folder)
    assert (found.source_language, found.target_language, found.tokenize) == ("en", "zh", "zh")
    assert found.references == [lines_of(texts.reference)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wmt71/en-de", r"sacreBLEU has no test set 'wmt71'. Did you mean 'wmt\d+'?"),
        ("wmt17", "sacreBLEU has no test set 'wmt17'.*Write its name and the direction"),
        ("wmt17/en-dee", "sacreBLEU's 'wmt17' has no direction 'en-dee'. Did you mean 'en-de'?"),
    ],
)
def test_unknown_sets_of_sacrebleu_are_answered_with_the_nearest(texts, name, message) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_test_set("x", of_sacrebleu(name), texts.folder)


def test_other_languages_than_the_set_has_are_refused(texts, fetched) -> None:
    with pytest.raises(
        ConfigurationError, match=r"language is given as 'fr', but 'wmt17/en-de' is en-de; leave"
    ):
        load_test_set("x", of_sacrebleu("wmt17/en-de", target_language="fr"), texts.folder)


@pytest.mark.parametrize("problem", [urllib.error.URLError("no network"), SystemExit(1), EOFError("cut")])
def test_a_failed_download_says_what_to_do(texts, monkeypatch, problem) -> None:
    def fail(*_):
        raise problem

    monkeypatch.setattr(sacrebleu, "get_source_file", fail)
    with pytest.raises(
        DataError, match=r"cannot fetch 'wmt17/en-de'.*sacrebleu -t wmt17 -l en-de --download wmt17"
    ):
        load_test_set("x", of_sacrebleu("wmt17/en-de"), texts.folder)


def test_a_set_without_references_is_refused(texts, fetched, monkeypatch) -> None:
    monkeypatch.setattr(sacrebleu, "get_reference_files", lambda *_: [])
    with pytest.raises(DataError, match="has no public references; nothing can be scored on it"):
        load_test_set("x", of_sacrebleu("wmt17/en-de"), texts.folder)
