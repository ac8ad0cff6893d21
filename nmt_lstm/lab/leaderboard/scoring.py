"""Scoring of outputs: scores, intervals, and the sentence statistics behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata

import numpy as np
from numpy.typing import NDArray

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

__all__ = ["SCORE_TOLERANCE", "Scoring"]

SCORE_TOLERANCE = 1e-6
"""In percent: the difference between scores that rounding alone may cause."""

Statistics = Mapping[str, SentenceStatistics]


class Scoring:
    """Scores outputs, and prepares the references of each test set only once.

    Args:
        files: the files of the board, which cache the statistics.
    """

    def __init__(self, files: BoardFiles) -> None:
        self._files = files
        self._scorers: dict[tuple[str, str], Scorer] = {}
        self._statistics: dict[str, Statistics] = {}

    def make_row(self, system: str, test_set: TestSet, hypotheses: Sequence[str], facts: Facts) -> Row:
        """Score an output and return its row.

        Raises:
            DataError: the number of lines differs from the test set.
        """
        source = digest_of(test_set.sources)
        references = tuple(digest_of(lines) for lines in test_set.references)
        fingerprint = fingerprint_of(source, references)
        statistics = self._score(fingerprint, test_set.references, test_set.tokenize, hypotheses)
        totals = statistics["bleu"].values.sum(0, keepdims=True)
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
            scores=_entries(statistics),
            brevity_penalty=float(brevity_penalties(totals)[0]),
            length_ratio=float(totals[0, 0] / max(1.0, totals[0, 1])),
            scored_with={"nmt-lstm": nmt_lstm.__version__, "sacrebleu": metadata.version("sacrebleu")},
            facts=facts,
        )
        self._cache(row, statistics)
        return row

    def rescored(self, row: Row) -> dict[str, ScoreEntry]:
        """Score the stored output of a row again, against the stored references.

        Raises:
            DataError: a stored text is missing or was changed.
        """
        return _entries(self._stored_statistics(row))

    def statistics_of(self, row: Row) -> Statistics:
        """Return the sentence statistics of a row, from the cache if they give its scores.

        Raises:
            DataError: they must be recomputed and a text is missing, or they do not give the scores of the row.
        """
        key = _key(row)
        if key not in self._statistics:
            cached = self._files.cache.statistics(key).items()
            fitting = {name: each for name, each in cached if each.ndim == 2 and len(each) == row.sentences}
            statistics = _as_scored(row, fitting)
            if not _gives_scores(row, statistics):
                computed = self._stored_statistics(row)
                statistics = _as_scored(row, {name: each.values for name, each in computed.items()})
                if not _gives_scores(row, statistics):
                    raise DataError(
                        f"the scores of system '{row.system}' on '{row.test_set}' differ from those of its stored output with "
                        f"sacreBLEU {metadata.version('sacrebleu')}; see: nmt-lstm leaderboard rescore."
                    )
                self._cache(row, statistics)
            self._statistics[key] = statistics
        return self._statistics[key]

    def _stored_statistics(self, row: Row) -> Statistics:
        references = [self._files.text(digest) for digest in row.references]
        return self._score(row.fingerprint, references, row.tokenize, self._files.text(row.hypotheses))

    def _score(
        self, fingerprint: str, references: Sequence[Sequence[str]], tokenize: str, hypotheses: Sequence[str]
    ) -> Statistics:
        """Return the statistics of an output; the fingerprint identifies the prepared references."""
        key = (fingerprint, tokenize)
        if key not in self._scorers:
            self._scorers[key] = Scorer(references, metrics=METRICS, tokenize=tokenize)
        return self._scorers[key].statistics(hypotheses)

    def _cache(self, row: Row, statistics: Statistics) -> None:
        values = {metric: each.values for metric, each in statistics.items()}
        self._files.cache.put_statistics(_key(row), values)


def _entries(statistics: Statistics) -> dict[str, ScoreEntry]:
    entries = {}
    for metric, each in statistics.items():
        interval = interval_of(bootstrap_scores(each))
        entries[metric] = ScoreEntry(
            name=each.name,
            value=each.score,
            signature=each.signature,
            low=interval.low,
            high=interval.high,
        )
    return entries


def _as_scored(row: Row, values: Mapping[str, NDArray[np.float64]]) -> Statistics:
    """Return statistics with the names and signatures in the row, since those of another sacreBLEU may differ."""
    return {
        metric: SentenceStatistics(metric, entry.name, entry.signature, values[metric])
        for metric, entry in row.scores.items()
        if metric in values
    }


def _key(row: Row) -> str:
    return sha256_of_content(f"{row.hypotheses} {row.fingerprint} {row.tokenize}")[:32]


def _gives_scores(row: Row, statistics: Statistics) -> bool:
    """Whether statistics give the scores of a row."""
    try:
        return all(
            metric in statistics and abs(statistics[metric].score - entry.value) < SCORE_TOLERANCE
            for metric, entry in row.scores.items()
        )
    except (ValueError, IndexError):  # cached counts have the wrong shape
        return False
