"""Intervals and tests: the numbers of sacreBLEU's own, from the same seeds."""

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
    return Scorer([references])


@pytest.fixture(scope="module")
def systems(scorer, output_of):
    """The statistics of three outputs: two of like quality and a worse one."""
    return [scorer.statistics(output_of(seed, share)) for seed, share in ((1, 0.10), (10, 0.10), (3, 0.4))]


def by_sacrebleu(metric, references, one, other, kind, samples) -> float:
    test = PairedTest(
        [("other", other), ("one", one)], {metric: build_metric(metric, references=[references])}, None,
        test_type=kind, n_samples=samples,
    )  # fmt: skip
    (results,) = (rows for name, rows in test()[1].items() if name != "System")
    return results[1].p_value


@pytest.mark.parametrize("metric", METRICS)
def test_p_values_are_those_of_sacrebleu(metric, references, output_of, systems) -> None:
    one, other = output_of(1, 0.10), output_of(10, 0.10)
    found = compare(systems[0][metric], systems[1][metric], resamples=500, trials=500)
    # A sample or two more or less come from rounding: sacreBLEU sums in float32.
    assert found.p_bootstrap == pytest.approx(
        by_sacrebleu(metric, references, one, other, "bs", 500), abs=0.005
    )
    assert found.p_randomisation == pytest.approx(
        by_sacrebleu(metric, references, one, other, "ar", 500), abs=0.005
    )
    assert 0.005 < found.p_bootstrap < 0.9


@pytest.mark.parametrize("metric", METRICS)
def test_intervals_are_those_of_sacrebleu(metric, references, output_of, systems) -> None:
    found = interval_of(bootstrap_scores(systems[0][metric]))
    expected = build_metric(metric).corpus_score(output_of(1, 0.10), [references], n_bootstrap=1000)
    assert found.mean == pytest.approx(expected._mean, abs=1e-3)
    assert found.half_width == pytest.approx(expected._ci, abs=1e-3)
    assert found.low < systems[0][metric].score < found.high


def test_a_worse_system_is_significantly_worse_and_equal_systems_are_not(systems) -> None:
    good, _, bad = (each["bleu"] for each in systems)
    found = compare(bad, good)
    assert found.significant
    assert found.difference == pytest.approx(bad.score - good.score)
    assert found.difference < 0
    same = compare(good, good)
    assert (same.difference, same.p_bootstrap, same.p_randomisation) == (0, 1, 1)
    assert not same.significant


def test_a_few_differing_sentences_are_no_evidence(scorer, output_of) -> None:
    # Swapping these sentences or not gives the difference that was seen in 2 of 2 ** count ways.
    output = output_of(1, 0.1)
    for count, smallest in ((1, 1.0), (3, 0.25)):
        other = [*output[:-count], *["Nothing of the kind."] * count]
        one, two = (scorer.statistics(lines)["bleu"] for lines in (output, other))
        assert one.score > two.score
        assert compare(one, two).p_randomisation == smallest


def test_both_tests_must_agree(systems) -> None:
    found = compare(systems[0]["bleu"], systems[2]["bleu"])
    assert not replace(found, p_bootstrap=0.06).significant
    assert not replace(found, p_randomisation=0.06).significant


def test_samples_do_not_depend_on_how_many_are_drawn_at_once(systems, monkeypatch) -> None:
    one, other = systems[0]["chrf"], systems[1]["chrf"]
    whole = compare(one, other, resamples=300, trials=300), bootstrap_scores(one, resamples=300)
    monkeypatch.setattr(significance, "_CELLS_AT_ONCE", 64 * one.sentences)
    parts = compare(one, other, resamples=300, trials=300), bootstrap_scores(one, resamples=300)
    assert parts[0] == whole[0]
    assert np.array_equal(parts[1], whole[1])
    assert not np.array_equal(bootstrap_scores(one, resamples=300, seed=1), whole[1])


def test_what_cannot_be_compared_is_refused(references, systems) -> None:
    bleu = systems[0]["bleu"]
    by_characters = Scorer([references], metrics=["bleu"], tokenize="char").statistics(references)["bleu"]
    with pytest.raises(
        DataError, match=r"different signatures cannot be compared: .*tok:13a.* and .*tok:char"
    ):
        compare(bleu, by_characters)
    with pytest.raises(DataError, match="outputs of 120 and 100 sentences cannot be compared"):
        compare(bleu, replace(bleu, values=bleu.values[:100]))
