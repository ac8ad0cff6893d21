"""Subsets of a test set: their scores are those of sacreBLEU on these sentences."""

from __future__ import annotations

import pytest

from nmt_lstm.evaluation.scores import build_metric
from nmt_lstm.evaluation.sentence_statistics import Scorer
from nmt_lstm.lab.analysis.buckets import by_source_length, by_word_frequency


def test_bleu_by_length_is_that_of_sacrebleu(references, output_of) -> None:
    output = output_of(1, 0.2)
    lengths = [len(line.split()) for line in references]
    result = by_source_length(lengths, Scorer([references], metrics=["bleu"]).statistics(output)["bleu"])
    assert [bucket.label for bucket in result] == ["1-5", "6-10", "11-15", "16-20"]
    assert sum(bucket.sentences for bucket in result) == len(references)
    chosen = [index for index, length in enumerate(lengths) if 6 <= length <= 10]
    expected = build_metric("bleu").corpus_score(
        [output[index] for index in chosen], [[references[index] for index in chosen]]
    )
    bucket = result[1]
    assert bucket.sentences == len(chosen)
    assert bucket.bleu == pytest.approx(expected.score)
    assert bucket.brevity_penalty == pytest.approx(expected.bp)
    assert bucket.length_ratio == pytest.approx(expected.ratio)


def test_characters_have_wider_buckets() -> None:
    statistics = Scorer([["a b c d e"] * 4], metrics=["bleu"]).statistics(["a b c d e"] * 4)["bleu"]
    result = by_source_length([3, 10, 11, 500], statistics, unit="characters")
    assert [(bucket.label, bucket.sentences) for bucket in result] == [("1-10", 2), ("11-20", 1), ("121+", 1)]


def test_precision_and_recall_are_counted_by_sentence() -> None:
    hypotheses = [["the", "dog", "the"], ["zebra", "the"]]
    references = [["the", "dog", "dog"], ["a", "zebra"]]
    frequency = {"the": 5000, "dog": 3, "a": 5000}
    result = {bucket.label: bucket for bucket in by_word_frequency(hypotheses, references, frequency)}
    assert list(result) == ["0", "2-4", "1,000+"]
    assert (result["0"].words, result["0"].precision, result["0"].recall, result["0"].f1) == (
        1,
        100,
        100,
        100,
    )
    assert (result["2-4"].words, result["2-4"].precision, result["2-4"].recall) == (2, 100, 50)
    assert result["2-4"].f1 == pytest.approx(200 / 3)
    # The output has "the" three times and the reference once; "a" is only in the reference.
    assert result["1,000+"].words == 2
    assert result["1,000+"].precision == pytest.approx(100 / 3)
    assert result["1,000+"].recall == 50


def test_words_that_never_match_score_0() -> None:
    (bucket,) = by_word_frequency([["x"]], [["y"]], {"x": 1, "y": 1})
    assert (bucket.label, bucket.precision, bucket.recall, bucket.f1) == ("1", 0, 0, 0)
