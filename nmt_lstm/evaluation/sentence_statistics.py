"""The counts that each sentence adds to a corpus score, from which scores, intervals and tests are computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.errors import DataError
from nmt_lstm.evaluation.formulas import scores_of_totals
from nmt_lstm.evaluation.scores import METRICS, build_metric, check_metrics, check_tokenizer, without_advice

__all__ = ["Scorer", "SentenceStatistics"]


@dataclass(frozen=True)
class SentenceStatistics:
    """The counts of a system's output on a test set, for one metric."""

    metric: str
    """One of `METRICS`."""
    name: str
    """As sacreBLEU names it: "BLEU", "chrF2", "chrF2++", "TER"."""
    signature: str
    """How they were counted; only statistics with the same signature and test set can be compared."""
    values: NDArray[np.float64]
    """Of shape (sentences, counts); the sum over any sentences determines their score."""

    @property
    def sentences(self) -> int:
        """Number of sentences."""
        return len(self.values)

    @property
    def score(self) -> float:
        """The corpus score."""
        return float(scores_of_totals(self.metric, self.values.sum(0, keepdims=True))[0])

    def sentence_scores(self) -> NDArray[np.float64]:
        """Return the score of each sentence, of shape (sentences,). Useful for chrF; sentence BLEU is often 0."""
        return scores_of_totals(self.metric, self.values)


class Scorer:
    """Scores any number of outputs on a test set, whose references are prepared once.

    Args:
        references: one or more translations of the test set, each a list of lines.
        metrics: names from `METRICS`.
        tokenize: sacreBLEU's tokenizer for BLEU.

    Raises:
        DataError: there are no references, or they differ in length.
        ConfigurationError: a metric or the tokenizer is unknown.
    """

    def __init__(
        self,
        references: Sequence[Sequence[str]],
        *,
        metrics: Sequence[str] = METRICS,
        tokenize: str = "13a",
    ) -> None:
        check_metrics(metrics)
        check_tokenizer(tokenize)
        counts = sorted({len(lines) for lines in references})
        if not counts or counts[0] == 0:
            raise DataError("there are no references to score against; give at least one line.")
        if len(counts) > 1:
            raise DataError(
                f"the references have {' and '.join(f'{count:,}' for count in counts)} lines; they must have the same number."
            )
        self.lines = counts[0]
        # The sacrebleu command strips line ends and trailing spaces from both sides.
        stripped = [[line.rstrip() for line in lines] for lines in references]
        with without_advice():
            self._metrics = {
                name: build_metric(name, tokenize=tokenize, references=stripped) for name in metrics
            }

    def statistics(self, hypotheses: Sequence[str]) -> dict[str, SentenceStatistics]:
        """Return the statistics of an output by metric.

        Raises:
            DataError: the number of lines differs from that of the references.
        """
        if len(hypotheses) != self.lines:
            raise DataError(
                f"{len(hypotheses):,} translations but {self.lines:,} references; "
                f"give one translation for each line of the test set."
            )
        system = [line.rstrip() for line in hypotheses]
        statistics = {}
        with without_advice():
            for name, metric in self._metrics.items():
                # sacreBLEU has no public method for the counts; its own significance tests use this one.
                values = metric._extract_corpus_statistics(system, None)  # noqa: SLF001
                total = metric._aggregate_and_compute(values)  # noqa: SLF001
                statistics[name] = SentenceStatistics(
                    name, total.name, str(metric.get_signature()), np.array(values, dtype=np.float64)
                )
        return statistics
