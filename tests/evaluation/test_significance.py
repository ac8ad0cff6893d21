"""Intervals and p values equal those of sacreBLEU with the same seeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sacrebleu.significance import PairedTest

from nmt_lstm.errors import DataError
from nmt_lstm.evaluation import significance
from nmt_lstm.evaluation.scores import METRICS, build_metric
from nmt_lstm.evaluation.sentence_statistics import Scorer
from nmt_lstm.evaluation.significance import bootstrap_scores, compare, interval_of


@pytest.fixture(scope="module")
def scorer(references) -> Scorer:
    """A scorer for all metrics."""
    return Scorer([references])


@pytest.fixture(scope="module")
def systems(scorer, output_of):
    """The statistics of three outputs: two of similar quality and a worse one."""
    return [scorer.statistics(output_of(seed, share)) for seed, share in ((1, 0.10), (10, 0.10), (3, 0.4))]


def by_sacrebleu(metric, references, one, other, kind, samples) -> float:
    """The p value that sacreBLEU computes."""
    test = PairedTest(
        [("other", other), ("one", one)], {metric: build_metric(metric, references=[references])}, None,
        test_type=kind, n_samples=samples,
    )  # fmt: skip
    (results,) = (rows for name, rows in test()[1].items() if name != "System")
    return results[1].p_value


@pytest.mark.parametrize("metric", METRICS)
def test_p_values_equal_those_of_sacrebleu(metric, references, output_of, systems) -> None:
    one, other = output_of(1, 0.10), output_of(10, 0.10)
    result = compare(systems[0][metric], systems[1][metric], resamples=500, trials=500)
    # A few samples differ by rounding, since sacreBLEU sums in float32.
    assert result.p_bootstrap == pytest.approx(
        by_sacrebleu(metric, references, one, other, "bs", 500), abs=0.005
    )
    assert result.p_randomisation == pytest.approx(
        by_sacrebleu(metric, references, one, other, "ar", 500), abs=0.005
    )
    assert 0.005 < result.p_bootstrap < 0.9


@pytest.mark.parametrize("metric", METRICS)
def test_intervals_equal_those_of_sacrebleu(metric, references, output_of, systems) -> None:
    interval = interval_of(bootstrap_scores(systems[0][metric]))
    expected = build_metric(metric).corpus_score(output_of(1, 0.10), [references], n_bootstrap=1000)
    assert interval.mean == pytest.approx(expected._mean, abs=1e-3)
    assert (interval.high - interval.low) / 2 == pytest.approx(expected._ci, abs=1e-3)
    assert interval.low < systems[0][metric].score < interval.high


def test_a_worse_system_is_significantly_worse_and_equal_systems_are_not(systems) -> None:
    good, _, bad = (statistics["bleu"] for statistics in systems)
    result = compare(bad, good)
    assert result.significant
    assert result.difference == pytest.approx(bad.score - good.score)
    assert result.difference < 0
    same = compare(good, good)
    assert (same.difference, same.p_bootstrap, same.p_randomisation) == (0, 1, 1)
    assert not same.significant


def test_a_few_differing_sentences_are_not_significant(scorer, output_of) -> None:
    # Swapping these sentences gives the observed difference in 2 of 2 ** count ways.
    output = output_of(1, 0.1)
    for count, smallest in ((1, 1.0), (3, 0.25)):
        other = [*output[:-count], *["Nothing of the kind."] * count]
        one, two = (scorer.statistics(lines)["bleu"] for lines in (output, other))
        assert one.score > two.score
        assert compare(one, two).p_randomisation == smallest


def test_both_tests_must_agree(systems) -> None:
    result = compare(systems[0]["bleu"], systems[2]["bleu"])
    assert not replace(result, p_bootstrap=0.06).significant
    assert not replace(result, p_randomisation=0.06).significant


def test_samples_do_not_depend_on_the_size_of_blocks(systems, monkeypatch) -> None:
    one, other = systems[0]["chrf"], systems[1]["chrf"]
    at_once = compare(one, other, resamples=300, trials=300), bootstrap_scores(one, resamples=300)
    monkeypatch.setattr(significance, "_MAX_BLOCK", 64 * one.sentences)
    in_blocks = compare(one, other, resamples=300, trials=300), bootstrap_scores(one, resamples=300)
    assert in_blocks[0] == at_once[0]
    assert np.array_equal(in_blocks[1], at_once[1])
    assert not np.array_equal(bootstrap_scores(one, resamples=300, seed=1), at_once[1])


def test_statistics_that_cannot_be_compared_are_refused(references, systems) -> None:
    bleu = systems[0]["bleu"]
    by_characters = Scorer([references], metrics=["bleu"], tokenize="char").statistics(references)["bleu"]
    with pytest.raises(DataError, match=r"tok:13a.* and .*tok:char"):
        compare(bleu, by_characters)
    with pytest.raises(DataError, match="120 and 100 sentences"):
        compare(bleu, replace(bleu, values=bleu.values[:100]))
