"""The scores of finished runs: means over seeds, intervals, and the significance of differences between variants."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.evaluation.scores import tokenizer_for
from nmt_lstm.evaluation.sentence_statistics import Scorer, SentenceStatistics
from nmt_lstm.evaluation.significance import SEED, Interval, bootstrap_scores, interval_of, p_value_of
from nmt_lstm.evaluation.words import unit_of, word_splitter
from nmt_lstm.lab.analysis.buckets import LengthBucket, by_source_length
from nmt_lstm.lab.comparison.findings import Findings, Pair, VariantFinding
from nmt_lstm.lab.comparison.plan import Plan, PlannedVariant
from nmt_lstm.lab.comparison.run_result import RunResult

__all__ = ["RESAMPLES", "EvaluationText", "FinishedRun", "compare_runs"]

RESAMPLES = 2_000
# The smallest possible p value must stay small after correction for the number of pairs.
_RESAMPLES_PER_PAIR = 50
Array = NDArray[np.float64]
RunStatistics = Mapping[str, SentenceStatistics]
"""The statistics of a run's translations by metric."""


@dataclass(frozen=True)
class EvaluationText:
    """The text that all finished runs translate."""

    sources: Sequence[str]
    references: Sequence[str]
    source_language: str
    tokenize: str
    """sacreBLEU's tokenizer for the references."""


@dataclass(frozen=True)
class FinishedRun:
    """A run with its translations of the test text."""

    variant: str
    seed: int
    result: RunResult
    translations: Sequence[str]


def compare_runs(plan: Plan, runs: Sequence[FinishedRun], text: EvaluationText) -> Findings:
    """Score the runs and compare the variants.

    The score of a variant is the mean corpus score of its seeds. Test sentences are resampled, the same ones for all
    runs; each resample gives the mean score of the seeds. For a pair, a draw of the seed effect is added to each
    resampled difference: it follows a t distribution whose scale is the pooled standard deviation of the seeds over the
    square root of their number.

    Args:
        plan: the plan.
        runs: the finished runs, at least one.
        text: the text that they translated.

    Raises:
        DataError: a run has a different number of lines than the text.
        ConfigurationError: the tokenizer is unknown.
    """
    scorer = Scorer([text.references], metrics=("bleu", "chrf"), tokenize=text.tokenize)
    source_tokenize = tokenizer_for(text.source_language)
    split, unit = word_splitter(source_tokenize), unit_of(source_tokenize)
    lengths = [len(split(line)) for line in text.sources]
    runs_of = {
        planned.variant.name: [run for run in runs if run.variant == planned.variant.name]
        for planned in plan.variants
    }
    scored = {
        name: [scorer.statistics(run.translations) for run in own] for name, own in runs_of.items() if own
    }
    resamples = max(RESAMPLES, _RESAMPLES_PER_PAIR * math.comb(len(scored), 2))
    resampled_bleu = {name: _resampled_means(own, "bleu", resamples) for name, own in scored.items()}
    variants = [
        _variant_finding(
            planned,
            runs_of[name],
            scored[name],
            bleu_interval=interval_of(resampled_bleu[name]),
            chrf_interval=interval_of(_resampled_means(scored[name], "chrf", resamples)),
            buckets=_mean_buckets(
                [by_source_length(lengths, run["bleu"], unit=unit) for run in scored[name]]
            ),
        )
        for planned in plan.variants
        if (name := planned.variant.name) in scored
    ]
    variants.sort(key=lambda each: -each.bleu)
    pairs = [
        _compare(better, worse, resampled_bleu[better.name] - resampled_bleu[worse.name], seed)
        for seed, (better, worse) in enumerate(itertools.combinations(variants, 2))
    ]
    first_run = scored[variants[0].name][0]
    return Findings(
        variants=tuple(variants),
        pairs=tuple(_holm(pairs)),
        length_unit=unit,
        bleu_signature=first_run["bleu"].signature,
        chrf_signature=first_run["chrf"].signature,
        sentences=len(lengths),
        resamples=resamples,
    )


def _resampled_means(scored: Sequence[RunStatistics], metric: str, resamples: int) -> Array:
    """Return the mean score of a variant's runs for each resample, (resamples,)."""
    scores = [bootstrap_scores(run[metric], resamples=resamples) for run in scored]
    return np.asarray(np.mean(scores, axis=0))


def _variant_finding(
    planned: PlannedVariant,
    runs: Sequence[FinishedRun],
    scored: Sequence[RunStatistics],
    *,
    bleu_interval: Interval,
    chrf_interval: Interval,
    buckets: tuple[LengthBucket, ...],
) -> VariantFinding:
    """Return the finding of one variant from its runs and their statistics, at least one."""
    seed_bleu = tuple(run["bleu"].score for run in scored)
    return VariantFinding(
        planned=planned,
        seeds=tuple(run.seed for run in runs),
        results=tuple(run.result for run in runs),
        seed_bleu=seed_bleu,
        bleu=statistics.fmean(seed_bleu),
        bleu_interval=bleu_interval,
        chrf=statistics.fmean(run["chrf"].score for run in scored),
        chrf_interval=chrf_interval,
        buckets=buckets,
    )


def _mean_buckets(seed_buckets: Sequence[Sequence[LengthBucket]]) -> tuple[LengthBucket, ...]:
    return tuple(
        replace(
            buckets[0],
            bleu=statistics.fmean(each.bleu for each in buckets),
            brevity_penalty=statistics.fmean(each.brevity_penalty for each in buckets),
            length_ratio=statistics.fmean(each.length_ratio for each in buckets),
        )
        for buckets in zip(*seed_buckets, strict=True)
    )


def _compare(better: VariantFinding, worse: VariantFinding, resampled: Array, seed: int) -> Pair:
    """Return the pair, given its resampled differences (resamples,) and the seed for the draws of the seed effect."""
    difference = better.bleu - worse.bleu
    noise = resampled - resampled.mean()
    p = p_sentences = p_value_of(np.abs(noise), difference) if noise.any() else 1.0
    seeds_counted = len(better.seeds) > 1 and len(worse.seeds) > 1
    if seeds_counted:
        noise = noise + _seed_noise(better.seed_bleu, worse.seed_bleu, seed, len(noise))
        # Added noise can only make a difference less certain; a smaller p would be an accident of the draw.
        p = max(p_sentences, p_value_of(np.abs(noise), difference))
    return Pair(
        better=better.name,
        worse=worse.name,
        difference=difference,
        interval=interval_of(difference + noise),
        p_sentences=p_sentences,
        p=p,
        p_adjusted=p,
        seeds_counted=seeds_counted,
    )


def _seed_noise(one: Sequence[float], other: Sequence[float], seed: int, size: int) -> Array:
    """Draw the effect of the seeds on the difference of two means (Student's t with pooled variance)."""
    degrees_of_freedom = len(one) + len(other) - 2
    squares = statistics.variance(one) * (len(one) - 1) + statistics.variance(other) * (len(other) - 1)
    scale = math.sqrt(squares / degrees_of_freedom * (1 / len(one) + 1 / len(other)))
    return scale * np.random.default_rng([SEED, seed]).standard_t(degrees_of_freedom, size=size)


def _holm(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs with p values corrected for their number (Holm 1979)."""
    adjusted, largest = list(pairs), 0.0
    for rank, index in enumerate(sorted(range(len(pairs)), key=lambda index: pairs[index].p)):
        largest = max(largest, min(1.0, pairs[index].p * (len(pairs) - rank)))
        adjusted[index] = replace(pairs[index], p_adjusted=largest)
    return adjusted
