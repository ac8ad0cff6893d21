"""The results of a comparison: scores with intervals, paired differences, learning curves, speed and memory."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.evaluation.scores import tokenizer_for
from nmt_lstm.evaluation.sentence_statistics import Scorer
from nmt_lstm.evaluation.significance import LEVEL, SEED, Interval, bootstrap_scores, interval_of, p_value_of
from nmt_lstm.evaluation.words import unit_of, word_splitter
from nmt_lstm.lab.analysis.buckets import LengthBucket, by_source_length
from nmt_lstm.lab.comparison.plan import Plan, PlannedVariant
from nmt_lstm.lab.comparison.run_result import CurvePoint, RunResult

__all__ = ["RESAMPLES", "Findings", "FinishedRun", "Pair", "TestText", "VariantFinding", "compare_runs"]

RESAMPLES = 2_000
# The smallest possible p value must stay small after correction for the number of pairs.
_RESAMPLES_PER_PAIR = 50
Array = NDArray[np.float64]


@dataclass(frozen=True)
class TestText:
    """The text that all finished runs translate."""

    __test__ = False  # pytest would take it for a test because of its name

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


@dataclass(frozen=True)
class VariantFinding:
    """A variant over all its seeds."""

    planned: PlannedVariant
    seeds: tuple[int, ...]
    results: tuple[RunResult, ...]
    """One for each seed."""
    seed_bleu: tuple[float, ...]
    bleu: float
    """Mean corpus score over the seeds."""
    bleu_interval: Interval
    """95 % interval of that mean over resampled test sentences."""
    chrf: float
    chrf_interval: Interval
    buckets: tuple[LengthBucket, ...]
    """Scores by length of the source, means over the seeds."""

    @property
    def name(self) -> str:
        """The variant's name."""
        return self.planned.variant.name

    def mean(self, field: str) -> float:
        """Return the mean over the seeds of a field of `TrainingResult`, such as "seconds"."""
        return statistics.fmean(float(getattr(result.training, field)) for result in self.results)

    @property
    def sentences_per_second(self) -> float:
        """Translation speed, mean over the seeds."""
        return statistics.fmean(result.sentences_per_second for result in self.results)

    @property
    def curves(self) -> list[list[CurvePoint]]:
        """The learning curve of each seed."""
        return [result.training.curve for result in self.results]

    def mean_curve(self) -> list[CurvePoint]:
        """Return the mean learning curve, up to the last validation that all seeds have."""
        fields = ("step", "seconds", "loss", "bleu", "chrf")
        means = [
            {name: statistics.fmean(getattr(point, name) for point in points) for name in fields}
            for points in zip(*self.curves, strict=False)
        ]
        return [CurvePoint.model_validate({**values, "step": round(values["step"])}) for values in means]


@dataclass(frozen=True)
class Pair:
    """Two variants on the same sentences."""

    better: str
    """The one with the higher mean."""
    worse: str
    difference: float
    """In BLEU, at least 0."""
    low: float
    """Lower end of its 95 % interval."""
    high: float
    p_sentences: float
    """How often the choice of test sentences alone makes such a difference (paired bootstrap)."""
    p: float
    """How often sentences and seeds together do; equals `p_sentences` if a variant has one seed."""
    p_adjusted: float
    """`p` corrected for the number of pairs (Holm 1979)."""
    seeds_counted: bool
    """Whether `p` and the interval include the variation between seeds."""

    @property
    def significant(self) -> bool:
        """Whether the difference is more than noise, at the 5 % level."""
        return self.p_adjusted < LEVEL


@dataclass(frozen=True)
class Findings:
    """All variants with a finished run, best first, and all their pairs."""

    variants: tuple[VariantFinding, ...]
    pairs: tuple[Pair, ...]
    length_unit: str
    """ "words" or "characters"."""
    bleu_signature: str
    chrf_signature: str
    sentences: int
    """Number of test sentences."""
    resamples: int

    def pair(self, one: str, other: str) -> Pair:
        """Return the pair of two variants, named in either order."""
        return next(pair for pair in self.pairs if {pair.better, pair.worse} == {one, other})

    def as_good_as_best(self) -> list[VariantFinding]:
        """Return the best variant and those that are not significantly worse."""
        best, *others = self.variants
        return [best, *(each for each in others if not self.pair(best.name, each.name).significant)]


def compare_runs(plan: Plan, runs: Sequence[FinishedRun], text: TestText) -> Findings:
    """Score the runs and compare the variants.

    The score of a variant is the mean corpus score of its seeds. Test sentences are resampled, the same ones for all
    runs; each resample gives the mean score of the seeds. For a pair, a draw of what different seeds might change is
    added to each resampled difference: it follows a t distribution whose scale is the pooled standard deviation of the
    seeds over the square root of their number.

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
    count = sum(map(bool, runs_of.values()))
    resamples = max(RESAMPLES, _RESAMPLES_PER_PAIR * math.comb(count, 2))
    variants: list[VariantFinding] = []
    resampled: dict[str, Array] = {}
    signatures: dict[str, str] = {}
    for planned in plan.variants:
        own = runs_of[planned.variant.name]
        if not own:
            continue
        scored = [scorer.statistics(run.translations) for run in own]
        signatures = {metric: each.signature for metric, each in scored[0].items()}
        bleu, chrf = (
            np.mean([bootstrap_scores(each[metric], resamples=resamples) for each in scored], axis=0)
            for metric in ("bleu", "chrf")
        )
        resampled[planned.variant.name] = bleu
        seed_bleu = tuple(each["bleu"].score for each in scored)
        variants.append(
            VariantFinding(
                planned=planned,
                seeds=tuple(run.seed for run in own),
                results=tuple(run.result for run in own),
                seed_bleu=seed_bleu,
                bleu=statistics.fmean(seed_bleu),
                bleu_interval=interval_of(bleu),
                chrf=statistics.fmean(each["chrf"].score for each in scored),
                chrf_interval=interval_of(chrf),
                buckets=_mean_buckets(
                    [by_source_length(lengths, each["bleu"], unit=unit) for each in scored]
                ),
            )
        )
    variants.sort(key=lambda each: -each.bleu)
    pairs = [
        _compare(better, worse, resampled[better.name] - resampled[worse.name], number)
        for number, (better, worse) in enumerate(itertools.combinations(variants, 2))
    ]
    return Findings(
        tuple(variants),
        tuple(_adjust(pairs)),
        unit,
        signatures["bleu"],
        signatures["chrf"],
        len(lengths),
        resamples,
    )


def _mean_buckets(seed_buckets: Sequence[Sequence[LengthBucket]]) -> tuple[LengthBucket, ...]:
    fields = ("bleu", "brevity_penalty", "length_ratio")
    return tuple(
        replace(
            buckets[0], **{name: statistics.fmean(getattr(each, name) for each in buckets) for name in fields}
        )
        for buckets in zip(*seed_buckets, strict=True)
    )


def _compare(better: VariantFinding, worse: VariantFinding, resampled: Array, number: int) -> Pair:
    """Return the pair with this number, given its resampled differences."""
    difference = better.bleu - worse.bleu
    noise = resampled - resampled.mean()
    p = p_sentences = p_value_of(np.abs(noise), difference) if noise.any() else 1.0
    seeds_counted = len(better.seeds) > 1 and len(worse.seeds) > 1
    if seeds_counted:
        noise = noise + _seed_noise(better.seed_bleu, worse.seed_bleu, number, len(noise))
        # Added noise can only make a difference less certain; a smaller p would be an accident of the draw.
        p = max(p_sentences, p_value_of(np.abs(noise), difference))
    interval = interval_of(difference + noise)
    return Pair(
        better=better.name,
        worse=worse.name,
        difference=difference,
        low=interval.low,
        high=interval.high,
        p_sentences=p_sentences,
        p=p,
        p_adjusted=p,
        seeds_counted=seeds_counted,
    )


def _seed_noise(one: Sequence[float], other: Sequence[float], number: int, size: int) -> Array:
    """Draw what different seeds might change in the difference of two means (Student's t with pooled variance)."""
    freedom = len(one) + len(other) - 2
    squares = statistics.variance(one) * (len(one) - 1) + statistics.variance(other) * (len(other) - 1)
    scale = math.sqrt(squares / freedom * (1 / len(one) + 1 / len(other)))
    return scale * np.random.default_rng([SEED, number]).standard_t(freedom, size=size)


def _adjust(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs with p values corrected for their number (Holm 1979)."""
    adjusted, largest = list(pairs), 0.0
    for rank, index in enumerate(sorted(range(len(pairs)), key=lambda index: pairs[index].p)):
        largest = max(largest, min(1.0, pairs[index].p * (len(pairs) - rank)))
        adjusted[index] = replace(pairs[index], p_adjusted=largest)
    return adjusted
