"""Test sets: files that correspond line by line, sacreBLEU's own sets, and fingerprints."""

from __future__ import annotations

import hashlib
import urllib.error

import pytest
import sacrebleu

from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.lab.leaderboard import settings, test_sets
from nmt_lstm.lab.leaderboard.test_sets import digest_of, fingerprint_of, load_test_set

from .conftest import lines_of, write


def local_settings(texts, **more) -> settings.TestSetSettings:
    given = {"source": texts.source, "references": [texts.reference], **more}
    return settings.TestSetSettings.model_validate(given)


def sacrebleu_settings(name: str, **more) -> settings.TestSetSettings:
    return settings.TestSetSettings.model_validate({"sacrebleu": name, **more})


def test_files_are_read_with_the_tokenizer_of_the_language(texts) -> None:
    result = load_test_set(
        "x", local_settings(texts, source_language="de", target_language="zh"), texts.folder
    )
    assert result.sources == lines_of(texts.source)
    assert result.references == [lines_of(texts.reference)]
    assert (result.direction, result.tokenize) == ("de-zh", "zh")
    assert load_test_set("x", local_settings(texts, tokenize="char"), texts.folder).tokenize == "char"
    assert load_test_set("x", local_settings(texts), texts.folder).direction == ""


def test_the_fingerprint_depends_on_source_and_references_in_order() -> None:
    assert digest_of(["a", "ü"]) == hashlib.sha256("a\nü\n".encode()).hexdigest()
    result = {fingerprint_of("1", ["2", "3"]), fingerprint_of("1", ["3", "2"]), fingerprint_of("1", ["2"])}
    assert len(result) == 3


def test_files_that_do_not_correspond_are_rejected(texts) -> None:
    write(texts.reference, lines_of(texts.reference)[:-1])
    with pytest.raises(DataError, match="has 40 lines, but .* has 39"):
        load_test_set("x", local_settings(texts), texts.folder)
    write(texts.reference, [])
    with pytest.raises(DataError, match="test.en' is empty"):
        load_test_set("x", local_settings(texts), texts.folder)
    texts.reference.unlink()
    with pytest.raises(DataError, match="test.en' does not exist"):
        load_test_set("x", local_settings(texts), texts.folder)


def test_an_unknown_tokenizer_is_rejected(texts) -> None:
    with pytest.raises(ConfigurationError, match="unknown tokenizer '13'"):
        load_test_set("x", local_settings(texts, tokenize="13"), texts.folder)


def test_test_sets_are_read_once(texts) -> None:
    result = test_sets.TestSets({"one": local_settings(texts)}, texts.folder)
    assert result.get("one") is result.get("one")
    with pytest.raises(ConfigurationError, match="Did you mean 'one'"):
        result.get("on")


@pytest.fixture
def downloaded(texts, monkeypatch):
    """Make sacreBLEU behave as if every test set were downloaded."""
    monkeypatch.setattr(sacrebleu, "get_source_file", lambda *_: str(texts.source))
    monkeypatch.setattr(sacrebleu, "get_reference_files", lambda *_: [str(texts.reference)])


def test_sacrebleu_sets_have_languages(texts, downloaded) -> None:
    result = load_test_set("wmt", sacrebleu_settings("wmt17/en-zh"), texts.folder)
    assert (result.source_language, result.target_language, result.tokenize) == ("en", "zh", "zh")
    assert result.references == [lines_of(texts.reference)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wmt71/en-de", r"Did you mean 'wmt\d+'"),
        ("wmt17", "name and the direction"),
        ("wmt17/en-dee", "Did you mean 'en-de'"),
    ],
)
def test_unknown_sacrebleu_sets_suggest_the_nearest(texts, name, message) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_test_set("x", sacrebleu_settings(name), texts.folder)


def test_wrong_languages_are_rejected(texts, downloaded) -> None:
    with pytest.raises(ConfigurationError, match="language is 'fr'"):
        load_test_set("x", sacrebleu_settings("wmt17/en-de", target_language="fr"), texts.folder)


@pytest.mark.parametrize("problem", [urllib.error.URLError("no network"), SystemExit(1), EOFError("cut")])
def test_a_failed_download_names_the_command(texts, monkeypatch, problem) -> None:
    def fail(*_):
        raise problem

    monkeypatch.setattr(sacrebleu, "get_source_file", fail)
    with pytest.raises(DataError, match="sacrebleu -t wmt17 -l en-de --download"):
        load_test_set("x", sacrebleu_settings("wmt17/en-de"), texts.folder)


def test_a_set_without_references_is_rejected(texts, downloaded, monkeypatch) -> None:
    monkeypatch.setattr(sacrebleu, "get_reference_files", lambda *_: [])
    with pytest.raises(DataError, match="has no public references"):
        load_test_set("x", sacrebleu_settings("wmt17/en-de"), texts.folder)
