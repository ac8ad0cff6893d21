"""Sentence counts: their sums give the scores of the sacrebleu command, with one and with several references."""

from __future__ import annotations

import numpy as np
import pytest

from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.evaluation.scores import METRICS, build_metric, corpus_scores
from nmt_lstm.evaluation.sentence_statistics import Scorer


@pytest.mark.parametrize("tokenize", ["13a", "char"])
def test_scores_and_signatures_are_those_of_corpus_scores(references, output_of, tokenize) -> None:
    output = [f"{line}  " for line in output_of(1, 0.2)]
    found = Scorer([references], tokenize=tokenize).statistics(output)
    expected = corpus_scores(output, references, metrics=METRICS, tokenize=tokenize)
    assert list(found) == list(METRICS)
    for score, statistics in zip(expected, found.values(), strict=True):
        assert (statistics.name, statistics.signature) == (score.name, score.signature)
        assert statistics.score == pytest.approx(score.value, abs=1e-9)
        assert statistics.sentences == len(references)


def test_several_references_count_as_in_sacrebleu(references, output_of) -> None:
    output, truth = output_of(1, 0.3), [references, output_of(2, 0.1)]
    for metric, statistics in Scorer(truth).statistics(output).items():
        expected = build_metric(metric).corpus_score(output, truth)
        assert statistics.score == pytest.approx(expected.score, abs=1e-9)
        assert "nrefs:2|" in statistics.signature


def test_sentence_scores_are_those_of_sentences_alone(references, output_of) -> None:
    output = output_of(3, 0.3)
    found = Scorer([references], metrics=["chrf"]).statistics(output)["chrf"].sentence_scores()
    metric = build_metric("chrf")
    expected = [
        metric.sentence_score(line, [reference]).score
        for line, reference in zip(output, references, strict=True)
    ]
    assert np.allclose(found, expected)


def test_numbers_of_lines_must_agree() -> None:
    scorer = Scorer([["a", "b"]])
    with pytest.raises(
        DataError, match="1 translations but 2 references; give one translation for each line"
    ):
        scorer.statistics(["a"])
    with pytest.raises(DataError, match="the references have 1 and 2 lines; all must have as many"):
        Scorer([["a", "b"], ["a"]])
    for nothing in ([], [[]]):
        with pytest.raises(DataError, match="no references to score against"):
            Scorer(nothing)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown metric 'chrf\+'. Did you mean 'chrf\+\+'?"):
        Scorer([["a"]], metrics=["chrf+"])
    with pytest.raises(ConfigurationError, match="unknown tokenizer '14a'"):
        Scorer([["a"]], tokenize="14a")
