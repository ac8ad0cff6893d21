"""The results of a comparison: scores with intervals, paired differences, learning curves, speed and memory."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from nmt_lstm.evaluation.significance import LEVEL, Interval
from nmt_lstm.lab.analysis.buckets import LengthBucket
from nmt_lstm.lab.comparison.plan import PlannedVariant
from nmt_lstm.lab.comparison.run_result import CurvePoint, RunResult, TrainingResult

__all__ = ["Findings", "Pair", "VariantFinding"]


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

    def training_mean(self, value: Callable[[TrainingResult], float]) -> float:
        """Return the mean over the seeds of a value of their training results, such as the seconds."""
        return statistics.fmean(value(result.training) for result in self.results)

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
        return [
            CurvePoint(
                step=round(statistics.fmean(point.step for point in points)),
                seconds=statistics.fmean(point.seconds for point in points),
                loss=statistics.fmean(point.loss for point in points),
                bleu=statistics.fmean(point.bleu for point in points),
                chrf=statistics.fmean(point.chrf for point in points),
            )
            for points in zip(*self.curves, strict=False)
        ]


@dataclass(frozen=True)
class Pair:
    """Two variants on the same sentences."""

    better: str
    """The one with the higher mean."""
    worse: str
    difference: float
    """In BLEU, at least 0."""
    interval: Interval
    """95 % interval of the difference."""
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
