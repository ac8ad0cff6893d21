"""N-best lists in the format of ``translate --format jsonl``: reading, reordering and writing them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any, NamedTuple

from nmt_lstm.errors import DataError
from nmt_lstm.files.checksums import with_checksum, without_checksum
from nmt_lstm.files.parsing import parse_json
from nmt_lstm.inference.translation import Translation
from nmt_lstm.plain_text import json_text

__all__ = ["Candidate", "NBestList", "read_nbest_lists"]

HOW = "write it with 'nmt-lstm translate --n-best N --format jsonl'"


class Candidate(NamedTuple):
    """A hypothesis of an n-best list."""

    text: str
    score: float
    pieces: int
    """Number of its target pieces."""
    values: Mapping[str, Any]
    """All that the list says about it."""


@dataclass(frozen=True)
class NBestList:
    """The hypotheses of one line, best first; none for a blank line."""

    source: str
    source_pieces: int
    """Number of its source pieces."""
    candidates: tuple[Candidate, ...]
    values: Mapping[str, Any]
    """All that the list says about the line."""

    @staticmethod
    def parse(line: str, number: int, name: str) -> NBestList:
        """Return the list in one line of JSON.

        Args:
            line: the text.
            number: of the line, from 1.
            name: of the file in messages.

        Raises:
            DataError: it is not such a list.
        """
        try:
            return _checked(parse_json(line))
        except ValueError as error:
            problem = "it is not JSON" if isinstance(error, JSONDecodeError) else error
            raise DataError(
                f"'{name}', line {number}, is not an n-best list: {problem}; {HOW}.", line=number
            ) from error

    @staticmethod
    def of(translation: Translation) -> NBestList:
        """Return the list of a translation."""
        candidates = tuple(
            Candidate(each.text, each.score, len(each.pieces), {"text": each.text, "score": each.score})
            for each in translation.hypotheses
        )
        return NBestList(
            translation.source, len(translation.source_pieces), candidates, {"source": translation.source}
        )

    def reordered(self, order: Sequence[int], scores: Sequence[float]) -> NBestList:
        """Return the list in a different order, with new scores in the old order."""
        candidates = tuple(
            candidate._replace(
                score=score,
                values={**candidate.values, "score": score, "score_before": candidate.score},
            )
            for candidate, score in zip(self.candidates, scores, strict=True)
        )
        return NBestList(
            self.source, self.source_pieces, tuple(candidates[index] for index in order), self.values
        )

    @property
    def text(self) -> str:
        """The text of the first hypothesis; empty if there is none."""
        return self.candidates[0].text if self.candidates else ""

    def json_line(self) -> str:
        """Return the list as a line of JSON."""
        values = {
            **self.values,
            "translation": self.text,
            "score": self.candidates[0].score if self.candidates else 0.0,
            "hypotheses": [dict(each.values) for each in self.candidates],
        }
        return json_text(with_checksum(values))


def read_nbest_lists(lines: Iterable[str], name: str) -> Iterator[NBestList]:
    """Yield the lists of a file; see `NBestList.parse`."""
    for number, line in enumerate(lines, start=1):
        yield NBestList.parse(line, number, name)


def _checked(values: Any) -> NBestList:
    """Return the list of JSON values; raise ValueError, which says what is missing."""
    _require(isinstance(values, dict), "it is not a JSON object")
    try:
        values = without_checksum(values)
    except ValueError:
        raise ValueError(
            "it was changed, since its checksum does not match (a line that was changed on purpose is read without its 'sha256')"
        ) from None
    source, pieces, hypotheses = (values.get(key) for key in ("source", "source_pieces", "hypotheses"))
    _require(isinstance(source, str), "it has no text 'source'")
    _require(isinstance(pieces, list), "it has no list 'source_pieces'")
    _require(isinstance(hypotheses, list), "it has no list 'hypotheses'")
    return NBestList(source, len(pieces), tuple(map(_candidate, hypotheses)), values)


def _candidate(values: Any) -> Candidate:
    _require(isinstance(values, dict) and isinstance(values.get("text"), str), "a hypothesis has no 'text'")
    _require(isinstance(values.get("pieces"), list), "a hypothesis has no list 'pieces'")
    score = values.get("score")
    is_number = isinstance(score, (int, float)) and not isinstance(score, bool)
    _require(is_number and math.isfinite(score), "a hypothesis has no 'score' that is a number")
    return Candidate(values["text"], float(score), len(values["pieces"]), values)


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise ValueError(problem)
