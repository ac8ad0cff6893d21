"""Scoring outputs for the board: scores, intervals, and the sentence statistics behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata

import nmt_lstm
from nmt_lstm.errors import DataError
from nmt_lstm.evaluation.formulas import brevity_penalties
from nmt_lstm.evaluation.scores import METRICS
from nmt_lstm.evaluation.sentence_statistics import Scorer, SentenceStatistics
from nmt_lstm.evaluation.significance import bootstrap_scores, interval_of
from nmt_lstm.files.checksums import sha256_of_content
from nmt_lstm.lab.leaderboard.record import Facts, Row, ScoreEntry, now
from nmt_lstm.lab.leaderboard.store import BoardFiles
from nmt_lstm.lab.leaderboard.test_sets import TestSet, digest_of, fingerprint_of

__all__ = ["Scored", "Scoring"]

_SAME = 1e-6  # of a score in percent: what rounding may change, and nothing else

Statistics = Mapping[str, SentenceStatistics]


@dataclass(frozen=True)
class Scored:
    """What scoring an output gives."""

    scores: dict[str, ScoreEntry]
    brevity_penalty: float
    length_ratio: float
    statistics: Statistics


class Scoring:
    """Scores outputs, preparing the references of a test set once.

    Args:
        files: the board's files, for the statistics that are kept there.
    """

    def __init__(self, files: BoardFiles) -> None:
        self._files = files
        self._scorers: dict[tuple[str, str], Scorer] = {}
        self._statistics: dict[str, Statistics] = {}

    def make_row(self, system: str, test_set: TestSet, hypotheses: Sequence[str], facts: Facts) -> Row:
        """Score an output and return its row.

        Raises:
            DataError: the number of lines is not the test set's.
        """
        source = digest_of(test_set.sources)
        references = tuple(digest_of(lines) for lines in test_set.references)
        fingerprint = fingerprint_of(source, references)
        scored = self.score(fingerprint, test_set.references, test_set.tokenize, hypotheses)
        row = Row(
            system=system,
            test_set=test_set.name,
            added=now(),
            source_language=test_set.source_language,
            target_language=test_set.target_language,
            sentences=len(hypotheses),
            source=source,
            references=references,
            hypotheses=digest_of(hypotheses),
            fingerprint=fingerprint,
            tokenize=test_set.tokenize,
            scores=scored.scores,
            brevity_penalty=scored.brevity_penalty,
            length_ratio=scored.length_ratio,
            scored_with={"nmt-lstm": nmt_lstm.__version__, "sacrebleu": metadata.version("sacrebleu")},
            facts=facts,
        )
        self._keep(row, scored.statistics)
        return row

    def score(
        self, fingerprint: str, references: Sequence[Sequence[str]], tokenize: str, hypotheses: Sequence[str]
    ) -> Scored:
        """Score an output by all metrics.

        Args:
            fingerprint: the test set's, under which its prepared references are kept.
            references: its references.
            tokenize: sacreBLEU's tokenizer for BLEU.
            hypotheses: the output.
        """
        key = (fingerprint, tokenize)
        if key not in self._scorers:
            self._scorers[key] = Scorer(references, metrics=METRICS, tokenize=tokenize)
        statistics = self._scorers[key].statistics(hypotheses)
        scores = {}
        for metric, found in statistics.items():
            interval = interval_of(bootstrap_scores(found))
            scores[metric] = ScoreEntry(
                name=found.name,
                value=found.score,
                signature=found.signature,
                low=interval.low,
                high=interval.high,
            )
        totals = statistics["bleu"].values.sum(0, keepdims=True)
        return Scored(
            scores,
            float(brevity_penalties(totals)[0]),
            float(totals[0, 0] / max(1.0, totals[0, 1])),
            statistics,
        )

    def rescored(self, row: Row) -> Scored:
        """Score a row's stored output again, against the stored references.

        Raises:
            DataError: a stored text is missing or was changed.
        """
        references = [self._files.text(digest) for digest in row.references]
        return self.score(row.fingerprint, references, row.tokenize, self._files.text(row.hypotheses))

    def statistics_of(self, row: Row) -> Statistics:
        """Return the sentence statistics of a row, from the board's store if they give the row's scores.

        Raises:
            DataError: they have to be made anew, and a text is missing, or they give other scores than the row has.
        """
        key = _key(row)
        if key not in self._statistics:
            stored = self._files.cache.statistics(key)
            statistics = {
                metric: SentenceStatistics(metric, entry.name, entry.signature, stored[metric])
                for metric, entry in row.scores.items()
                if metric in stored and stored[metric].ndim == 2 and len(stored[metric]) == row.sentences
            }
            if not _agree(row, statistics):
                found = self.rescored(row).statistics
                statistics = {
                    metric: SentenceStatistics(metric, entry.name, entry.signature, found[metric].values)
                    for metric, entry in row.scores.items()
                    if metric in found
                }
                if not _agree(row, statistics):
                    raise DataError(
                        f"system '{row.system}' on '{row.test_set}' has other scores than its stored output gives with "
                        f"sacreBLEU {metadata.version('sacrebleu')}; see: nmt-lstm leaderboard rescore."
                    )
                self._keep(row, statistics)
            self._statistics[key] = statistics
        return self._statistics[key]

    def _keep(self, row: Row, statistics: Statistics) -> None:
        values = {metric: found.values for metric, found in statistics.items()}
        self._files.cache.put_statistics(_key(row), values)


def _key(row: Row) -> str:
    return sha256_of_content(f"{row.hypotheses} {row.fingerprint} {row.tokenize}")[:32]


def _agree(row: Row, statistics: Statistics) -> bool:
    try:
        return all(
            metric in statistics and abs(statistics[metric].score - entry.value) < _SAME
            for metric, entry in row.scores.items()
        )
    except (ValueError, IndexError):  # counts of another shape
        return False
