"""Scores and signatures equal those of the sacrebleu command, and invalid input is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.evaluation import scores
from nmt_lstm.evaluation.scores import TOKENIZERS, Score, chosen_tokenizer, corpus_scores, tokenizer_for
from nmt_lstm.extras import install_command

HYPOTHESES = ["A dog runs , fast .", "Two men are talking.  ", "", "the child sleeps on the red sofa"] * 30
REFERENCES = [
    "A dog is running fast.",
    "Two men talk to each other.",
    "Nothing.",
    "The child sleeps on a red sofa.",
] * 30


def by_command(tmp_path, tokenize: str) -> list[dict]:
    """The scores of the sacrebleu command."""
    (tmp_path / "out").write_text("".join(f"{line}\n" for line in HYPOTHESES), encoding="utf-8")
    (tmp_path / "ref").write_text("".join(f"{line}\n" for line in REFERENCES), encoding="utf-8")
    command = [sys.executable, "-m", "sacrebleu", str(tmp_path / "ref"), "-i", str(tmp_path / "out")]
    command += ["-m", "bleu", "chrf", "ter", "-tok", tokenize, "-w", "10", "-f", "json"]
    if tokenize == "char":
        command += ["--ter-asian-support", "--ter-normalized"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("tokenize", ["13a", "char"])
def test_scores_and_signatures_equal_those_of_the_sacrebleu_command(tmp_path, tokenize) -> None:
    expected = by_command(tmp_path, tokenize)
    results = corpus_scores(HYPOTHESES, REFERENCES, tokenize=tokenize)
    assert [score.name for score in results] == [row["name"] for row in expected] == ["BLEU", "chrF2", "TER"]
    assert [round(score.value, 10) for score in results] == [row["score"] for row in expected]
    for score, row in zip(results, expected, strict=True):
        assert score.signature == row["signature"].removeprefix(f"{row['name']}|")


def test_ter_of_text_without_spaces_counts_characters() -> None:
    (score,) = corpus_scores(["犬が走る。"], ["犬も走る。"], metrics=["ter"], tokenize="char")
    assert score.value == pytest.approx(20)
    assert "norm:yes|punct:yes|asian:yes" in score.signature


def test_a_score_is_printed_with_its_signature() -> None:
    score = corpus_scores(["a b c d e"], ["a b c d e"], metrics=["bleu"])[0]
    assert str(score).startswith("BLEU 100.00  nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert str(Score("TER", 1.234, "x")) == "TER 1.23  x"


def test_scores_have_the_order_of_the_requested_metrics() -> None:
    assert [score.name for score in corpus_scores(["a"], ["a"], metrics=["ter", "bleu"])] == ["TER", "BLEU"]


def test_chrf_with_words_equals_that_of_the_sacrebleu_command(tmp_path) -> None:
    (tmp_path / "ref").write_text("".join(f"{line}\n" for line in REFERENCES), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "sacrebleu",
        str(tmp_path / "ref"),
        "-m",
        "chrf",
        "--chrf-word-order",
        "2",
    ]
    finished = subprocess.run(
        [*command, "-w", "10"], input="\n".join(HYPOTHESES), capture_output=True, text=True, check=True
    )
    expected = json.loads(finished.stdout)
    (score,) = corpus_scores(HYPOTHESES, REFERENCES, metrics=["chrf++"])
    assert (score.name, round(score.value, 10)) == (expected["name"], expected["score"])
    assert f"{score.name}|{score.signature}" == f"{expected['name']}|{expected['signature']}"


def test_the_advice_of_sacrebleu_is_suppressed(caplog, capfd) -> None:
    corpus_scores(["tokenised text ."] * 200, ["tokenised text ."] * 200)
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_different_numbers_of_lines_are_refused() -> None:
    with pytest.raises(DataError, match="3 translations but 2 references"):
        corpus_scores(["a", "b", "c"], ["a", "b"])


def test_empty_input_is_refused() -> None:
    with pytest.raises(DataError, match="no lines to score"):
        corpus_scores([], [])


def test_the_nearest_of_known_names_is_suggested() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'bleu'"):
        corpus_scores(["a"], ["a"], metrics=["blue"])
    with pytest.raises(ConfigurationError, match="Did you mean 'ja-mecab'"):
        corpus_scores(["a"], ["a"], tokenize="ja-mecb")


def test_the_error_of_a_missing_dictionary_says_what_to_install(monkeypatch) -> None:
    def without_dictionary(**_):
        raise RuntimeError("Japanese tokenization requires extra dependencies")

    monkeypatch.setattr(scores, "BLEU", without_dictionary)
    for name, command in (("ja-mecab", install_command("ja")), ("ko-mecab", "pip install 'sacrebleu[ko]'")):
        with pytest.raises(ConfigurationError, match=re.escape(command)):
            corpus_scores(["a"], ["a"], tokenize=name)
    assert tokenizer_for("ja") == "char"


def test_languages_have_their_customary_tokenizers(monkeypatch) -> None:
    monkeypatch.setattr(scores, "check_tokenizer", lambda name: None)
    expected = {
        "": "13a",
        "en": "13a",
        "de_AT": "13a",
        "zh-CN": "zh",
        "ja": "ja-mecab",
        "ko": "ko-mecab",
        "th": "char",
    }
    assert {language: tokenizer_for(language) for language in expected} == expected
    assert set(expected.values()) <= set(TOKENIZERS)


def test_a_setting_takes_precedence_over_the_language_and_is_checked() -> None:
    assert chosen_tokenizer("auto", "zh") == "zh"
    assert chosen_tokenizer("intl", "zh") == "intl"
    with pytest.raises(ConfigurationError, match="'14a'"):
        chosen_tokenizer("14a", "zh")
