"""Scores of runs: means over seeds, intervals, and differences that neither sentences nor seeds explain."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from nmt_lstm.errors import DataError
from nmt_lstm.evaluation.scores import corpus_scores
from nmt_lstm.lab.comparison.scoring import RESAMPLES, FinishedRun, compare_runs


def test_the_score_of_a_variant_is_the_mean_corpus_score_of_its_seeds(
    make_plan_of, make_runs, test_text
) -> None:
    runs = make_runs({"gru": (3, 5), "lstm": (4, 4)})
    findings = compare_runs(make_plan_of("gru", "lstm"), runs, test_text)
    for each in findings.variants:
        own = [run for run in runs if run.variant == each.name]
        for metric, mean in (("bleu", each.bleu), ("chrf", each.chrf)):
            scores = [
                corpus_scores(run.translations, test_text.references, metrics=(metric,))[0].value
                for run in own
            ]
            assert mean == pytest.approx(statistics.fmean(scores))
        assert each.bleu_interval.low < each.bleu < each.bleu_interval.high
        assert each.chrf_interval.low < each.chrf < each.chrf_interval.high
    assert findings.variants[0].bleu >= findings.variants[1].bleu
    assert findings.sentences == 80
    assert "tok:13a" in findings.bleu_signature
    assert findings.chrf_signature.startswith("nrefs:1")


def test_a_clear_difference_is_significant(make_plan_of, make_runs, test_text) -> None:
    findings = compare_runs(make_plan_of("gru", "rnn"), make_runs({"rnn": (2, 2), "gru": (6, 6)}), test_text)
    (pair,) = findings.pairs
    assert (pair.better, pair.worse) == ("gru", "rnn")
    assert pair.difference == pytest.approx(findings.variants[0].bleu - findings.variants[1].bleu)
    assert pair.significant
    assert pair.seeds_counted
    assert 0 < pair.interval.low < pair.difference < pair.interval.high
    assert [each.name for each in findings.as_good_as_best()] == ["gru"]
    assert findings.pair("rnn", "gru") is pair


def test_identical_outputs_do_not_differ(make_plan_of, make_runs, test_text) -> None:
    (pair,) = compare_runs(
        make_plan_of("gru", "lstm"), make_runs({"gru": (4, 4), "lstm": (4, 4)}), test_text
    ).pairs
    assert (pair.difference, pair.p) == (0.0, 1.0)
    assert not pair.significant


def test_varying_seeds_hide_a_difference_that_sentences_alone_would_show(
    make_plan_of, make_runs, test_text
) -> None:
    """The seeds of one variant vary widely: the sentences show a difference that may be due to the seeds."""
    runs = make_runs({"gru": (3, 12), "lstm": (4, 4)})
    findings = compare_runs(make_plan_of("gru", "lstm"), runs, test_text)
    (pair,) = findings.pairs
    assert pair.better == "gru"
    assert pair.p_sentences < 0.05
    assert pair.p > 0.1
    assert not pair.significant
    assert pair.interval.low < 0 < pair.interval.high
    assert len(findings.as_good_as_best()) == 2


def test_with_one_seed_only_sentences_are_resampled(make_plan_of, make_runs, test_text) -> None:
    runs = make_runs({"gru": (12,), "lstm": (4,)})
    findings = compare_runs(make_plan_of("gru", "lstm", seeds=(1,)), runs, test_text)
    assert not findings.pairs[0].seeds_counted
    assert findings.pairs[0].p == findings.pairs[0].p_sentences


def test_p_values_are_corrected_for_the_number_of_pairs(make_plan_of, make_runs, test_text) -> None:
    findings = compare_runs(
        make_plan_of("a", "b", "c"), make_runs({"a": (3, 3), "b": (4, 4), "c": (12, 12)}), test_text
    )
    ordered = sorted(findings.pairs, key=lambda pair: pair.p)
    assert ordered[0].p_adjusted == pytest.approx(3 * ordered[0].p)
    assert [pair.p_adjusted for pair in ordered] == sorted(pair.p_adjusted for pair in ordered)
    assert all(pair.p_adjusted >= pair.p for pair in findings.pairs)


def test_many_pairs_are_resampled_more_often(make_plan_of, make_runs, test_text) -> None:
    names = [f"v{number}" for number in range(12)]
    findings = compare_runs(make_plan_of(*names), make_runs(dict.fromkeys(names, (4,))), test_text)
    assert findings.resamples == 66 * 50 > RESAMPLES


def test_findings_are_reproducible(make_plan_of, make_runs, test_text) -> None:
    runs = make_runs({"gru": (3, 12), "lstm": (4, 4)})
    plan = make_plan_of("gru", "lstm")
    assert compare_runs(plan, runs, test_text).pairs == compare_runs(plan, runs, test_text).pairs


def test_noise_alone_is_rarely_significant(make_plan_of, make_result, test_text) -> None:
    """Of variants that differ by chance alone, about one in twenty may be significant."""
    generator = np.random.default_rng(0)
    plan, significant = make_plan_of("a", "b"), 0
    for _ in range(20):
        runs = []
        for name in ("a", "b"):
            for seed in (1, 2):
                share = generator.normal(0.25, 0.04)  # the quality depends on the seed
                texts = [
                    " ".join("wrong" if generator.random() < share else word for word in line.split())
                    for line in test_text.references
                ]
                runs.append(FinishedRun(name, seed, make_result(), texts))
        significant += compare_runs(plan, runs, test_text).pairs[0].significant
    assert significant <= 3


def test_variants_without_a_finished_run_are_left_out(make_plan_of, make_runs, test_text) -> None:
    findings = compare_runs(
        make_plan_of("gru", "lstm", "rnn"), make_runs({"gru": (4, 4), "rnn": (3,)}), test_text
    )
    assert {each.name for each in findings.variants} == {"gru", "rnn"}
    assert len(findings.pairs) == 1
    assert findings.pair("gru", "rnn").seeds_counted is False


def test_buckets_cover_the_test_text(make_plan_of, make_runs, test_text) -> None:
    findings = compare_runs(
        make_plan_of("gru", "lstm"), make_runs({"gru": (4, 4), "lstm": (3, 3)}), test_text
    )
    assert findings.length_unit == "words"
    for each in findings.variants:
        assert sum(bucket.sentences for bucket in each.buckets) == 80
    assert [bucket.label for bucket in findings.variants[0].buckets] == ["1-5", "6-10", "11-15"]


def test_a_wrong_number_of_lines_is_rejected(make_plan_of, make_runs, test_text) -> None:
    runs = make_runs({"gru": (4, 4), "lstm": (3, 3)})
    short = [*runs[:-1], type(runs[0])("lstm", 2, runs[-1].result, runs[-1].translations[:-1])]
    with pytest.raises(DataError, match="79 translations but 80 references"):
        compare_runs(make_plan_of("gru", "lstm"), short, test_text)
