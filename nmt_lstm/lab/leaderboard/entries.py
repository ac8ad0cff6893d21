"""New rows: an output is checked, scored and appended, and takes no other row's place unasked."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from nmt_lstm.errors import DataError
from nmt_lstm.lab.analysis.text_checks import text_warnings
from nmt_lstm.lab.leaderboard.ranking import differences
from nmt_lstm.lab.leaderboard.record import Facts, Row
from nmt_lstm.lab.leaderboard.scoring import Scoring
from nmt_lstm.lab.leaderboard.store import BoardFiles, current_rows
from nmt_lstm.lab.leaderboard.test_sets import TestSet, digest_of
from nmt_lstm.text.corpus import read_lines

__all__ = ["Entries", "Translates"]

logger = logging.getLogger(__name__)


class Translates(Protocol):
    """What translates a test set, such as `ModelOutput`."""

    def made(self, facts: Facts) -> bool:
        """Whether facts are those of an output of this same model and search."""
        ...

    def translate(self, test_set: TestSet) -> tuple[list[str], Facts]:
        """Return the output, and what is known of the system."""
        ...


class Entries:
    """Adds rows to a board's files.

    Args:
        files: the board's files.
        scoring: scores the outputs.
    """

    def __init__(self, files: BoardFiles, scoring: Scoring) -> None:
        self._files = files
        self._scoring = scoring

    def add_output(
        self,
        system: str,
        given: str | Path | Sequence[str],
        test_set: TestSet,
        facts: Facts,
        *,
        replace: bool,
    ) -> Row:
        """Add an output file, or its lines, and warn of what does not look like plain text.

        Raises:
            DataError: the number of lines is not the test set's, all are empty, the file cannot be read, or the
                system is there with another output.
        """
        lines, origin = _read(given)
        _check_lines(lines, origin, test_set)
        first, *more = test_set.references
        for warning in text_warnings(lines, first, test_set.sources, more_references=more):
            logger.warning("%s on %s: %s", origin, test_set.name, warning)
        self._check_name(system, test_set.name, digest_of(lines), replace=replace)
        row = self._scoring.make_row(system, test_set, lines, facts)
        return self._append(row, test_set, lines, replace=replace)

    def add_model(
        self, system: str, model: Translates, test_set: TestSet, given: Facts, *, replace: bool
    ) -> Row:
        """Translate a test set and add the output; where that has been done, return the row that is there.

        Raises:
            DataError: the system is there with another output.
        """
        there = _row_of(current_rows(self._files.records()), system, test_set.name)
        if there is not None and model.made(there.facts) and there.source == digest_of(test_set.sources):
            lines, facts = self._files.text(there.hypotheses), there.facts
        else:
            self._check_name(system, test_set.name, "", replace=replace)
            lines, facts = model.translate(test_set)
        known = facts.model_copy(update=given.model_dump(exclude_unset=True))
        row = self._scoring.make_row(system, test_set, lines, known)
        return self._append(row, test_set, lines, replace=replace)

    def _append(self, row: Row, test_set: TestSet, lines: list[str], *, replace: bool) -> Row:
        before: list[Row] = []

        def may_add(rows: list[Row]) -> bool:
            there = _row_of(rows, row.system, row.test_set)
            if there is None:
                return True
            _refuse_other(there, row.hypotheses, replace=replace)
            scored_alike = there.hypotheses == row.hypotheses and not differences(there, row)
            if scored_alike and (there.facts == row.facts or not replace):
                before.append(there)
            return not before

        if self._files.append(row, texts=self._files.kept(test_set, lines), check=may_add):
            return row
        logger.info("%s is on %s already; nothing was added.", row.system, row.test_set)
        return before[0]

    def _check_name(self, system: str, test_set: str, digest: str, *, replace: bool) -> None:
        """Refuse a name that is taken before anything is translated or scored."""
        there = _row_of(current_rows(self._files.records()), system, test_set)
        if there is not None:
            _refuse_other(there, digest, replace=replace)


def _refuse_other(there: Row, digest: str, *, replace: bool) -> None:
    if there.hypotheses != digest and not replace:
        score = there.scores["bleu"]
        raise DataError(
            f"system '{there.system}' is on '{there.test_set}' already with another output ({score.name} "
            f"{score.value:.2f}, added {there.added}); give this one another name, or replace that one."
        )


def _row_of(rows: Sequence[Row], system: str, test_set: str) -> Row | None:
    return next((row for row in rows if (row.system, row.test_set) == (system, test_set)), None)


def _read(given: str | Path | Sequence[str]) -> tuple[list[str], str]:
    if isinstance(given, (str, Path)):
        return list(read_lines(Path(given))), f"'{given}'"
    lines = [str(line).removesuffix("\n") for line in given]
    for number, line in enumerate(lines, 1):
        if "\n" in line:
            raise DataError(
                f"hypothesis {number:,} has a line feed inside; give one line for each source line."
            )
    return lines, "the output"


def _check_lines(lines: list[str], origin: str, test_set: TestSet) -> None:
    wanted = len(test_set.sources)
    if len(lines) != wanted:
        hint = ""
        if len(lines) == wanted + 1 and not lines[-1].strip():
            hint = " Its last line is empty: remove that."
        elif len(lines) < wanted:
            hint = " Toolkits that drop empty lines give fewer; translate again with every line kept."
        raise DataError(
            f"{origin} has {len(lines):,} lines, test set '{test_set.name}' has {wanted:,}; "
            f"they must agree line by line.{hint}"
        )
    if not any(line.strip() for line in lines):
        raise DataError(f"{origin} has nothing but empty lines; there is nothing to score.")
