"""Rescoring of n-best lists: features of the hypotheses, their weights, and the best hypothesis by both.

Shapes: L lines, N hypotheses of each, F features.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.errors import ConfigurationError, DataError
from nmt_lstm.evaluation.sentence_statistics import Scorer
from nmt_lstm.evaluation.weight_tuning import RankedLists, TunedWeights, tune_weights
from nmt_lstm.files.atomic import write_atomically
from nmt_lstm.files.checksums import checked_json, without_checksum
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.files.regular import read_regular
from nmt_lstm.inference.nbest_lists import NBestList

__all__ = ["FEATURES", "PairScores", "Rescorer", "RescoringWeights"]

PairScores = Callable[[Sequence[str], Sequence[str]], Sequence[float]]
"""Returns the score of each hypothesis, given the source lines and the texts of the hypotheses."""

SCORE, LENGTH = "score", "length"
FEATURES: Mapping[str, str] = {
    SCORE: "the score in the list",
    "lm": "mean log-probability of a piece in the language model",
    "model": "mean log-probability of a piece in further translation models",
    "reverse": "mean log-probability of a source piece in the model of the opposite direction",
    LENGTH: "target pieces per source piece",
}
"""The features, in their order, with their meanings."""
MAX_FILE_BYTES = 1 << 20


@dataclass(frozen=True)
class RescoringWeights:
    """Weights by the names of features, and how they were found."""

    weights: Mapping[str, float]
    signature: str = ""
    """Of the metric that they were tuned for."""
    before: float | None = None
    """Corpus score of the first hypotheses of the lists on the text that they were tuned on."""
    after: float | None = None
    """With the weights, on the same text."""
    held_out: float | None = None
    """On the same text, each fifth with weights that were tuned on the others."""

    @staticmethod
    def read(path: Path) -> RescoringWeights:
        """Read a file that `write` wrote, or one with only the weights.

        Raises:
            DataError: the file is missing or cannot be used.
        """
        try:
            values = parse_json(read_regular(path, MAX_FILE_BYTES))
            return RescoringWeights(_checked_weights(values))
        except FileNotFoundError:
            raise DataError(f"'{path}' does not exist; tune weights first (--tune).", path=path) from None
        except OSError as problem:
            raise DataError(f"'{path}' cannot be read: {problem.strerror}.", path=path) from problem
        except ValueError as error:
            what = "it is not JSON" if isinstance(error, json.JSONDecodeError) else error
            raise DataError(
                f"'{path}' cannot be used: {what}; tune weights with --tune.", path=path
            ) from error

    def check(self, models: Collection[str]) -> None:
        """Raise ConfigurationError unless the weights are for the features "lm", "model" and "reverse" of these models."""
        for name, weight in self.weights.items():
            if weight and name not in (SCORE, LENGTH, *models):
                raise ConfigurationError(
                    f"there is a weight for '{name}', but no model for it; add --{name}, or tune again without it.",
                    key=f"--{name}",
                )
        for name in models:
            if name not in self.weights:
                raise ConfigurationError(
                    f"there is no weight for '{name}'; leave --{name} out, or tune again with it.",
                    key=f"--{name}",
                )

    def write(self, path: Path) -> None:
        """Write the weights as JSON, with a checksum."""
        values = {
            "weights": dict(self.weights),
            "metric": self.signature,
            "before": self.before,
            "after": self.after,
            "held_out": self.held_out,
        }
        write_atomically(path, checked_json(values))


class Rescorer:
    """Features of hypotheses from models, and the choice by their weighted sum.

    Args:
        scores: what gives the features "lm", "model" and "reverse", by name; those that are missing are not used.

    Raises:
        ConfigurationError: a name is unknown.
    """

    def __init__(self, scores: Mapping[str, PairScores]) -> None:
        for name in scores:
            if name not in FEATURES or name in (SCORE, LENGTH):
                raise ConfigurationError(f"'{name}' is not a feature of a model.", key=name)
        self._scores = dict(scores)
        self.names = tuple(name for name in FEATURES if name in (SCORE, LENGTH) or name in scores)
        """Names of the features, in order."""

    def tune(
        self,
        lists: Sequence[NBestList],
        references: Sequence[Sequence[str]],
        *,
        metric: str = "bleu",
        tokenize: str = "13a",
    ) -> RescoringWeights:
        """Return the weights with which the best hypotheses have the best corpus score.

        Args:
            lists: of a validation text.
            references: one or more translations of it, each a list of lines.
            metric: "bleu" or "chrf".
            tokenize: sacreBLEU's tokenizer for BLEU.

        Raises:
            DataError: the numbers of lines differ, or there are none.
        """
        scorer = Scorer(references, metrics=[metric], tokenize=tokenize)
        features, exists = self._features(lists)
        ranks = [
            scorer.statistics([_text(each, rank) for each in lists])[metric]
            for rank in range(exists.shape[1])
        ]
        counts = np.stack([rank.values for rank in ranks], 1)
        tuned: TunedWeights = tune_weights(
            RankedLists(features, counts, exists), self.names, metric, signed=[LENGTH]
        )
        return RescoringWeights(
            tuned.weights,
            f"{ranks[0].name} {ranks[0].signature}",
            before=tuned.before,
            after=tuned.after,
            held_out=tuned.held_out,
        )

    def rescore(self, lists: Sequence[NBestList], weights: RescoringWeights) -> list[NBestList]:
        """Return the lists sorted by the weighted sums of the features, which become their scores.

        Raises:
            ConfigurationError: the weights are for other features.
        """
        weights.check(self._scores)
        if not lists:
            return []
        features, _ = self._features(lists)
        totals = features @ np.array([weights.weights.get(name, 0.0) for name in self.names])
        results = []
        for each, row in zip(lists, totals, strict=True):
            scores = row[: len(each.candidates)]
            order = (-scores).argsort(kind="stable").tolist()
            results.append(each.reordered(order, scores.tolist()))
        return results

    def _features(self, lists: Sequence[NBestList]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the features (L, N, F), and which hypotheses exist (L, N); a blank line has one that is empty."""
        width = max([1, *(len(each.candidates) for each in lists)])
        exists = np.zeros((len(lists), width), dtype=bool)
        features = np.zeros((len(lists), width, len(self.names)))
        for row, each in enumerate(lists):
            exists[row, : max(1, len(each.candidates))] = True
            for rank, candidate in enumerate(each.candidates):
                features[row, rank, self.names.index(SCORE)] = candidate.score
                features[row, rank, self.names.index(LENGTH)] = candidate.pieces / max(1, each.source_pieces)
        rows, ranks = (
            np.array([(row, rank) for row, each in enumerate(lists) for rank in range(len(each.candidates))])
            .reshape(-1, 2)
            .T
        )
        sources = [each.source for each in lists for _ in each.candidates]
        texts = [candidate.text for each in lists for candidate in each.candidates]
        for name, scores in self._scores.items():
            if texts:
                features[rows, ranks, self.names.index(name)] = scores(sources, texts)
        return features, exists


def _text(each: NBestList, rank: int) -> str:
    return each.candidates[rank].text if rank < len(each.candidates) else ""


def _checked_weights(values: Any) -> dict[str, float]:
    """Return the weights of a file; raise ValueError, which says what is wrong."""
    if isinstance(values, dict):
        try:
            values = without_checksum(values)
        except ValueError:
            raise ValueError(
                "it was changed, since its checksum does not match; to use weights that were changed on purpose, remove its 'sha256'"
            ) from None
    found = values.get("weights") if isinstance(values, dict) else None
    problems = [] if isinstance(found, dict) else ["it is not a JSON object with 'weights'"]
    weights = found if isinstance(found, dict) else {}
    for name, weight in weights.items():
        if name not in FEATURES:
            problems.append(f"'{name[:60]}' is not a feature; there are {', '.join(FEATURES)}")
        elif isinstance(weight, bool) or not isinstance(weight, (int, float)) or not math.isfinite(weight):
            problems.append(f"the weight of '{name}' is not a number")
    if problems:
        raise ValueError(problems[0])
    return {SCORE: 1.0, **weights}
