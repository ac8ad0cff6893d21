"""Scoring all rows again from their stored outputs, and checking the files of a board."""

from __future__ import annotations

from dataclasses import dataclass

from nmt_lstm.errors import DataError, NmtLstmError
from nmt_lstm.lab.leaderboard.ranking import differences
from nmt_lstm.lab.leaderboard.record import Row, ScoreEntry, parse_record
from nmt_lstm.lab.leaderboard.scoring import SCORE_TOLERANCE, Scoring
from nmt_lstm.lab.leaderboard.store import BoardFiles, current_rows
from nmt_lstm.lab.leaderboard.test_sets import TestSet, TestSets, digest_of, fingerprint_of

__all__ = ["Change", "Verification", "rescore", "verify"]


@dataclass(frozen=True)
class Change:
    """A row whose scores have changed."""

    row: Row
    """The row with its previous scores."""
    what: list[str]
    """Descriptions of the changes."""
    updated: bool
    """Whether the board now has the new row."""


@dataclass(frozen=True)
class Verification:
    """What `verify` checked, and the problems it found."""

    rows: int
    """Number of rows and withdrawals, including replaced ones."""
    texts: int
    problems: list[str]


def rescore(
    files: BoardFiles, scoring: Scoring, test_sets: TestSets, *, update: bool = False
) -> list[Change]:
    """Score all rows again and return those that change.

    Without `update`, each row is scored as it was originally: from the stored texts, with the same tokenizer and the
    installed sacreBLEU. With it, a row is scored on its test set as defined in ``board.toml`` now, and replaced if
    anything changes.

    Raises:
        DataError: the board is damaged, or a text is missing.
        ResourceError: the board cannot be written.
    """
    changes = []
    for row in current_rows(files.records()):
        if update:
            change = _update(row, files, scoring, test_sets)
            changes += [change] if change is not None else []
        elif what := _score_changes(row, scoring.rescored(row)):
            changes.append(Change(row, what, updated=False))
    return changes


def verify(files: BoardFiles, test_sets: TestSets) -> Verification:
    """Check rows, texts and statistics against their checksums, and test sets against the rows scored on them."""
    missing = files.missing_rows()
    problems: list[str] = [missing] if missing else []
    records = []
    lines = files.lines()
    for location, line in lines:
        try:
            records.append(parse_record(line, location))
        except DataError as problem:
            problems.append(str(problem))
    rows = [record for record in records if isinstance(record, Row)]
    named = dict.fromkeys(digest for row in rows for digest in (row.source, *row.references, row.hypotheses))
    digests = [*named, *sorted(files.texts() - set(named))]
    for digest in digests:
        try:
            files.text(digest)
        except DataError as problem:
            problems.append(str(problem))
    problems += [
        f"'{row.system}' on '{row.test_set}': its fingerprint does not match its texts."
        for row in rows
        if row.fingerprint != fingerprint_of(row.source, row.references)
    ]
    problems += _changed_test_sets(test_sets, current_rows(records))
    problems += files.cache.problems()
    return Verification(len(lines), len(digests), problems)


def _update(row: Row, files: BoardFiles, scoring: Scoring, test_sets: TestSets) -> Change | None:
    test_set = _current_test_set(row, files, test_sets)
    if digest_of(test_set.sources) != row.source:
        return Change(
            row, ["the source text has changed: translate it again and add the output"], updated=False
        )
    lines = files.text(row.hypotheses)
    new = scoring.make_row(row.system, test_set, lines, row.facts)
    what = differences(new, row) or _score_changes(row, new.scores)
    if not what:
        return None
    texts = files.texts_to_store(test_set, lines)
    return Change(row, what, files.append(new, texts=texts, check=lambda rows: row in rows))


def _current_test_set(row: Row, files: BoardFiles, test_sets: TestSets) -> TestSet:
    """Return the test set of a row as it is now, or as it was if the board no longer has it."""
    if row.test_set in test_sets.names:
        return test_sets.get(row.test_set)
    return TestSet(
        row.test_set,
        files.text(row.source),
        [files.text(digest) for digest in row.references],
        row.source_language,
        row.target_language,
        row.tokenize,
    )


def _score_changes(row: Row, scores: dict[str, ScoreEntry]) -> list[str]:
    changes = []
    for metric, before in row.scores.items():
        after = scores.get(metric)
        if after is None:
            changes.append(f"{before.name} is no longer scored")
            continue
        if abs(after.value - before.value) > SCORE_TOLERANCE:
            changes.append(f"{before.name} was {before.value:.4f} and is {after.value:.4f}")
        if max(abs(after.low - before.low), abs(after.high - before.high)) > SCORE_TOLERANCE:
            changes.append(
                f"the interval of {before.name} was {before.low:.2f} to {before.high:.2f} and is "
                f"{after.low:.2f} to {after.high:.2f}"
            )
        if after.signature != before.signature:
            changes.append(f"the signature of {before.name} was {before.signature} and is {after.signature}")
    return changes


def _changed_test_sets(test_sets: TestSets, rows: list[Row]) -> list[str]:
    problems = []
    for name in test_sets.names:
        try:
            fingerprint = test_sets.get(name).fingerprint
        except NmtLstmError as problem:
            problems.append(str(problem))
            continue
        systems = [row.system for row in rows if row.test_set == name and row.fingerprint != fingerprint]
        if systems:
            problems.append(
                f"test set '{name}' has changed since {', '.join(systems)} were scored on it; restore its files, or update "
                f"the rows with: nmt-lstm leaderboard rescore --update."
            )
    return problems
