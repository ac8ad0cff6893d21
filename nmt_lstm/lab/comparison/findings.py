"""What the finished runs show: scores with intervals, paired differences, learning curves, speed and memory."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
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

__all__ = ["RESAMPLES", "Findings", "FinishedRun", "Pair", "TestText", "VariantFinding", "find"]

RESAMPLES = 2_000
# So that p can become small enough to hold against the number of pairs.
_RESAMPLES_PER_PAIR = 50
_AVERAGED = ("seconds", "loss", "bleu", "chrf")  # of the points of learning curves
Array = NDArray[np.float64]


@dataclass(frozen=True)
class TestText:
    """What all runs translate in the end."""

    __test__ = False  # no test, though pytest would take it for one by its name

    sources: Sequence[str]
    references: Sequence[str]
    source_language: str
    tokenize: str
    """sacreBLEU's tokenizer of the references."""


@dataclass(frozen=True)
class FinishedRun:
    """A run that came to its end."""

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
    """Mean over seeds of the corpus scores of their outputs."""
    bleu_interval: Interval
    """95 % interval of that mean over resampled test sentences."""
    chrf: float
    chrf_interval: Interval
    buckets: tuple[LengthBucket, ...]
    """By length of the source; scores are means over seeds."""

    @property
    def name(self) -> str:
        """The variant's name."""
        return self.planned.variant.name

    def mean(self, value: str) -> float:
        """Return the mean over seeds of a number of `TrainingResult`, such as "seconds"."""
        return statistics.fmean(float(getattr(result.training, value)) for result in self.results)

    @property
    def sentences_per_second(self) -> float:
        """Speed of the translation, mean over seeds."""
        return statistics.fmean(result.sentences_per_second for result in self.results)

    @property
    def seed_spread(self) -> float | None:
        """Standard deviation of BLEU over seeds; None of one."""
        return statistics.stdev(self.seed_bleu) if len(self.seed_bleu) > 1 else None

    @property
    def curves(self) -> list[list[CurvePoint]]:
        """The validations of each seed's training."""
        return [result.training.curve for result in self.results]

    def mean_curve(self) -> list[CurvePoint]:
        """Return the mean over seeds of the first, the second ... validation, as far as all seeds have them."""

        def mean(points: Sequence[CurvePoint], value: str) -> float:
            return statistics.fmean(getattr(point, value) for point in points)

        return [
            CurvePoint(step=round(mean(points, "step")), **{name: mean(points, name) for name in _AVERAGED})
            for points in zip(*self.curves, strict=False)
        ]


@dataclass(frozen=True)
class Pair:
    """Two variants on the same sentences."""

    better: str
    """The one of the higher mean."""
    worse: str
    difference: float
    """In BLEU, 0 or more."""
    low: float
    """Lower end of its 95 % interval."""
    high: float
    p_sentences: float
    """How often test sentences alone make such a difference (paired bootstrap)."""
    p: float
    """How often sentences and seeds together do; the same as `p_sentences` where a variant has one seed."""
    p_adjusted: float
    """`p` corrected for the number of pairs (Holm 1979)."""
    seeds_counted: bool
    """Whether the spread between seeds is in `p` and in the interval."""

    @property
    def shown(self) -> bool:
        """Whether the difference is shown to be more than noise, at the level of 5 %."""
        return self.p_adjusted < LEVEL


@dataclass(frozen=True)
class Findings:
    """All variants that have a finished run, best first, and all their pairs."""

    variants: tuple[VariantFinding, ...]
    pairs: tuple[Pair, ...]
    length_unit: str
    bleu_signature: str
    chrf_signature: str
    sentences: int
    """Of the test text."""
    resamples: int

    def pair(self, one: str, other: str) -> Pair:
        """Return the pair of two variants, in whichever order they are named."""
        return next(pair for pair in self.pairs if {pair.better, pair.worse} == {one, other})

    def as_good_as_best(self) -> list[VariantFinding]:
        """Return the best variant and those that are not shown to be worse."""
        best = self.variants[0]
        return [best] + [each for each in self.variants[1:] if not self.pair(best.name, each.name).shown]


def find(plan: Plan, runs: Sequence[FinishedRun], text: TestText) -> Findings:
    """Score the runs and compare the variants.

    A variant's score is the mean of the corpus scores of its seeds. Test sentences are resampled, the same ones for all
    runs, and in each resample each seed is scored and the mean taken. In a pair, to each resampled difference a draw
    of what other seeds might change is added: a t distribution whose scale is the seeds' pooled standard deviation
    over the root of their number.

    Args:
        plan: what was planned.
        runs: those that came to their end, at least one.
        text: what they translated.

    Raises:
        DataError: a run has another number of lines than the text.
        ConfigurationError: unknown tokenizer.
    """
    scorer = Scorer([text.references], metrics=("bleu", "chrf"), tokenize=text.tokenize)
    source_tokenize = tokenizer_for(text.source_language)
    split, unit = word_splitter(source_tokenize), unit_of(source_tokenize)
    lengths = [len(split(line)) for line in text.sources]
    names = {run.variant for run in runs}
    resamples = max(RESAMPLES, _RESAMPLES_PER_PAIR * math.comb(len(names), 2))
    found: list[VariantFinding] = []
    resampled: dict[str, Array] = {}
    signatures: dict[str, str] = {}
    for planned in plan.variants:
        own = [run for run in runs if run.variant == planned.variant.name]
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
        found.append(
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
    found.sort(key=lambda each: -each.bleu)
    pairs = [
        _compare(better, worse, resampled, number)
        for number, (better, worse) in enumerate(itertools.combinations(found, 2))
    ]
    return Findings(
        tuple(found),
        tuple(_holm(pairs)),
        unit,
        signatures["bleu"],
        signatures["chrf"],
        len(lengths),
        resamples,
    )


def _mean_buckets(of_seeds: Sequence[Sequence[LengthBucket]]) -> tuple[LengthBucket, ...]:
    names = ("bleu", "brevity_penalty", "length_ratio")
    return tuple(
        replace(
            buckets[0], **{name: statistics.fmean(getattr(each, name) for each in buckets) for name in names}
        )
        for buckets in zip(*of_seeds, strict=True)
    )


def _compare(
    better: VariantFinding, worse: VariantFinding, resampled: Mapping[str, Array], number: int
) -> Pair:
    seen = better.bleu - worse.bleu
    differences = resampled[better.name] - resampled[worse.name]
    noise = differences - differences.mean()
    p_sentences = p_value_of(np.abs(noise), seen) if noise.any() else 1.0
    both = len(better.seeds) > 1 and len(worse.seeds) > 1
    if both:
        noise = noise + _seed_noise(better.seed_bleu, worse.seed_bleu, number, len(noise))
    p = max(p_sentences, p_value_of(np.abs(noise), seen)) if both else p_sentences
    interval = interval_of(seen + noise)
    return Pair(
        better=better.name,
        worse=worse.name,
        difference=seen,
        low=interval.low,
        high=interval.high,
        p_sentences=p_sentences,
        p=p,
        p_adjusted=p,
        seeds_counted=both,
    )


def _seed_noise(one: Sequence[float], other: Sequence[float], number: int, size: int) -> Array:
    """Draw what other seeds might have changed in the difference of two means (Student's t of pooled variances)."""
    freedom = len(one) + len(other) - 2
    squares = statistics.variance(one) * (len(one) - 1) + statistics.variance(other) * (len(other) - 1)
    scale = math.sqrt(squares / freedom * (1 / len(one) + 1 / len(other)))
    return scale * np.random.default_rng([SEED, number]).standard_t(freedom, size=size)


def _holm(pairs: Sequence[Pair]) -> list[Pair]:
    """Correct the p values for the number of pairs (Holm 1979)."""
    order = sorted(range(len(pairs)), key=lambda place: pairs[place].p)
    adjusted, largest = list(pairs), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, pairs[place].p * (len(pairs) - rank)))
        adjusted[place] = replace(pairs[place], p_adjusted=largest)
    return adjusted
