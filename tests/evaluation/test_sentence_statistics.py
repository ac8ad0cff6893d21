"""Sums of sentence counts give the scores of the sacrebleu command, with one or several references."""

from __future__ import annotations

import numpy as np
import pytest

from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.evaluation.scores import METRICS, build_metric, corpus_scores
from nmt_lstm.evaluation.sentence_statistics import Scorer


@pytest.mark.parametrize("tokenize", ["13a", "char"])
def test_scores_and_signatures_equal_those_of_corpus_scores(references, output_of, tokenize) -> None:
    output = [f"{line}  " for line in output_of(1, 0.2)]
    by_metric = Scorer([references], tokenize=tokenize).statistics(output)
    expected = corpus_scores(output, references, metrics=METRICS, tokenize=tokenize)
    assert list(by_metric) == list(METRICS)
    for score, statistics in zip(expected, by_metric.values(), strict=True):
        assert (statistics.name, statistics.signature) == (score.name, score.signature)
        assert statistics.score == pytest.approx(score.value, abs=1e-9)
        assert statistics.sentences == len(references)


def test_several_references_count_as_in_sacrebleu(references, output_of) -> None:
    output, several = output_of(1, 0.3), [references, output_of(2, 0.1)]
    for metric, statistics in Scorer(several).statistics(output).items():
        expected = build_metric(metric).corpus_score(output, several)
        assert statistics.score == pytest.approx(expected.score, abs=1e-9)
        assert "nrefs:2|" in statistics.signature


def test_sentence_scores_equal_those_of_single_sentences(references, output_of) -> None:
    output = output_of(3, 0.3)
    scores = Scorer([references], metrics=["chrf"]).statistics(output)["chrf"].sentence_scores()
    metric = build_metric("chrf")
    expected = [
        metric.sentence_score(line, [reference]).score
        for line, reference in zip(output, references, strict=True)
    ]
    assert np.allclose(scores, expected)


def test_different_numbers_of_lines_are_refused() -> None:
    scorer = Scorer([["a", "b"]])
    with pytest.raises(DataError, match="1 translations but 2 references"):
        scorer.statistics(["a"])
    with pytest.raises(DataError, match="the references have 1 and 2 lines"):
        Scorer([["a", "b"], ["a"]])
    for empty in ([], [[]]):
        with pytest.raises(DataError, match="no references to score against"):
            Scorer(empty)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"Did you mean 'chrf\+\+'"):
        Scorer([["a"]], metrics=["chrf+"])
    with pytest.raises(ConfigurationError, match="unknown tokenizer '14a'"):
        Scorer([["a"]], tokenize="14a")
