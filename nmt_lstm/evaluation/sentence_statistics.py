"""What each sentence adds to a corpus score: the counts from which scores, intervals and tests are computed."""

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
    """The counts of one system's output on one test set, by one metric."""

    metric: str
    """One of `METRICS`."""
    name: str
    """As sacreBLEU names it: "BLEU", "chrF2", "chrF2++", "TER"."""
    signature: str
    """How they were counted; only statistics of one signature and one test set can be compared."""
    values: NDArray[np.float64]
    """Of shape (sentences, counts); sums over any sentences give the score of these sentences."""

    @property
    def sentences(self) -> int:
        """Number of sentences."""
        return len(self.values)

    @property
    def score(self) -> float:
        """The corpus score."""
        return float(scores_of_totals(self.metric, self.values.sum(0, keepdims=True))[0])

    def sentence_scores(self) -> NDArray[np.float64]:
        """Return the score of each sentence by itself. Good for chrF; the BLEU of a sentence is often 0."""
        return scores_of_totals(self.metric, self.values)


class Scorer:
    """Scores any number of outputs on one test set; the references are prepared once.

    Args:
        references: one or more reference translations of the whole test set, each a list of lines.
        metrics: which of `METRICS`.
        tokenize: sacreBLEU's tokenizer for BLEU.

    Raises:
        DataError: no references, or references of different length.
        ConfigurationError: unknown metric or tokenizer.
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
                f"the references have {' and '.join(f'{count:,}' for count in counts)} lines; all must have as many."
            )
        self.lines = counts[0]
        # The sacrebleu command strips line ends and trailing blanks from both sides.
        truth = [[line.rstrip() for line in lines] for lines in references]
        with without_advice():
            self._metrics = {
                name: build_metric(name, tokenize=tokenize, references=truth) for name in metrics
            }

    def statistics(self, hypotheses: Sequence[str]) -> dict[str, SentenceStatistics]:
        """Return the statistics of an output, by metric.

        Raises:
            DataError: the number of lines is not that of the references.
        """
        if len(hypotheses) != self.lines:
            raise DataError(
                f"{len(hypotheses):,} translations but {self.lines:,} references; "
                f"give one translation for each line of the test set."
            )
        system = [line.rstrip() for line in hypotheses]
        found = {}
        with without_advice():
            for name, metric in self._metrics.items():
                # The counts themselves are not public in sacreBLEU; its own significance tests use the same method.
                values = metric._extract_corpus_statistics(system, None)  # noqa: SLF001
                total = metric._aggregate_and_compute(values)  # noqa: SLF001
                found[name] = SentenceStatistics(
                    name, total.name, str(metric.get_signature()), np.array(values, dtype=np.float64)
                )
        return found
