"""Adding rows to a board: outputs are checked, scored and appended, and replace other rows only on request."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nmt_lstm.errors import DataError
from nmt_lstm.lab.analysis.text_checks import text_warnings
from nmt_lstm.lab.leaderboard.ranking import differences
from nmt_lstm.lab.leaderboard.record import Facts, Row, TextDigest
from nmt_lstm.lab.leaderboard.scoring import Scoring
from nmt_lstm.lab.leaderboard.store import BoardFiles, current_rows
from nmt_lstm.lab.leaderboard.test_sets import TestSet, digest_of
from nmt_lstm.text.text_file import read_lines

if TYPE_CHECKING:
    from nmt_lstm.lab.leaderboard.model_output import ModelOutput

__all__ = ["Entries"]

logger = logging.getLogger(__name__)


class Entries:
    """Adds rows to the files of a board.

    Args:
        files: the files.
        scoring: scores the outputs.
    """

    def __init__(self, files: BoardFiles, scoring: Scoring) -> None:
        self._files = files
        self._scoring = scoring

    def add_output(
        self,
        system: str,
        output: str | Path | Sequence[str],
        test_set: TestSet,
        facts: Facts,
        *,
        replace: bool,
    ) -> Row:
        """Add an output, as a file or as lines, with a warning if it does not look like plain text.

        Raises:
            DataError: the number of lines differs from the test set, all lines are empty, the file cannot be read, or
                the system has a different output on the board.
        """
        lines, origin = _read(output)
        _check_lines(lines, origin, test_set)
        first, *more = test_set.references
        for warning in text_warnings(lines, first, test_set.sources, more_references=more):
            logger.warning("%s on %s: %s", origin, test_set.name, warning)
        self._check_name(system, test_set.name, digest_of(lines), replace=replace)
        row = self._scoring.make_row(system, test_set, lines, facts)
        return self._append(row, test_set, lines, replace=replace)

    def add_model(
        self, system: str, model: ModelOutput, test_set: TestSet, facts: Facts, *, replace: bool
    ) -> Row:
        """Translate a test set and add the output, unless the board already has the output of this model.

        Raises:
            DataError: the system has a different output on the board.
        """
        previous = _find_row(current_rows(self._files.records()), system, test_set.name)
        if previous and model.matches(previous.facts) and previous.source == digest_of(test_set.sources):
            lines, model_facts = self._files.text(previous.hypotheses), previous.facts
        else:
            self._check_name(system, test_set.name, "", replace=replace)
            lines, model_facts = model.translate(test_set)
        merged = model_facts.model_copy(update=facts.model_dump(exclude_unset=True))
        row = self._scoring.make_row(system, test_set, lines, merged)
        return self._append(row, test_set, lines, replace=replace)

    def _append(self, row: Row, test_set: TestSet, lines: list[str], *, replace: bool) -> Row:
        """Append a row, and return it or the equal row that the board already has."""
        equal: list[Row] = []

        def check(rows: list[Row]) -> bool:
            previous = _find_row(rows, row.system, row.test_set)
            if previous is None:
                return True
            _check_output(previous, row.hypotheses, replace=replace)
            same_scores = previous.hypotheses == row.hypotheses and not differences(previous, row)
            if same_scores and (previous.facts == row.facts or not replace):
                equal.append(previous)
            return not equal

        if self._files.append(row, texts=self._files.texts_to_store(test_set, lines), check=check):
            return row
        logger.info("%s is already on %s; nothing was added.", row.system, row.test_set)
        return equal[0]

    def _check_name(self, system: str, test_set: str, digest: TextDigest, *, replace: bool) -> None:
        """Reject a name that is in use before anything is translated or scored."""
        previous = _find_row(current_rows(self._files.records()), system, test_set)
        if previous is not None:
            _check_output(previous, digest, replace=replace)


def _check_output(previous: Row, digest: TextDigest, *, replace: bool) -> None:
    if previous.hypotheses != digest and not replace:
        score = previous.scores["bleu"]
        raise DataError(
            f"system '{previous.system}' already has a different output on '{previous.test_set}' ({score.name} "
            f"{score.value:.2f}, added {previous.added}); choose a different name, or replace that output."
        )


def _find_row(rows: Sequence[Row], system: str, test_set: str) -> Row | None:
    return next((row for row in rows if (row.system, row.test_set) == (system, test_set)), None)


def _read(output: str | Path | Sequence[str]) -> tuple[list[str], str]:
    """Return the lines of an output, and its name for messages."""
    if isinstance(output, (str, Path)):
        return list(read_lines(Path(output))), f"'{output}'"
    lines = [str(line).removesuffix("\n") for line in output]
    for number, line in enumerate(lines, 1):
        if "\n" in line:
            raise DataError(
                f"hypothesis {number:,} contains a line feed; give one line for each source line."
            )
    return lines, "the output"


def _check_lines(lines: list[str], origin: str, test_set: TestSet) -> None:
    expected = len(test_set.sources)
    if len(lines) != expected:
        hint = ""
        if len(lines) == expected + 1 and not lines[-1].strip():
            hint = " Remove the empty last line."
        elif len(lines) < expected:
            hint = " Some toolkits drop empty lines; translate again and keep every line."
        raise DataError(
            f"{origin} has {len(lines):,} lines, but test set '{test_set.name}' has {expected:,}; they must correspond line "
            f"by line.{hint}"
        )
    if not any(line.strip() for line in lines):
        raise DataError(f"{origin} contains only empty lines; there is nothing to score.")
