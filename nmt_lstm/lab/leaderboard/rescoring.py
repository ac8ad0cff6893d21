"""Scoring every row again from its stored output, and checking what the board's files should be."""

from __future__ import annotations

from dataclasses import dataclass

from nmt_lstm.errors import DataError, NmtLstmError
from nmt_lstm.lab.leaderboard.ranking import differences
from nmt_lstm.lab.leaderboard.record import Row, record_of
from nmt_lstm.lab.leaderboard.scoring import Scored, Scoring
from nmt_lstm.lab.leaderboard.store import BoardFiles, current_rows
from nmt_lstm.lab.leaderboard.test_sets import TestSet, TestSets, digest_of, fingerprint_of

__all__ = ["Change", "Checked", "rescore", "verify"]

_SAME = 1e-6


@dataclass(frozen=True)
class Change:
    """A row that is not scored now as it was."""

    row: Row
    """As it stood."""
    what: list[str]
    """What changed."""
    updated: bool
    """Whether the board has the new row now."""


@dataclass(frozen=True)
class Checked:
    """What `verify` looked at, and what is wrong with it."""

    rows: int
    """Lines of rows and withdrawals, also those that others replaced."""
    texts: int
    problems: list[str]


def rescore(
    files: BoardFiles, scoring: Scoring, test_sets: TestSets, *, update: bool = False
) -> list[Change]:
    """Score every row again and return those that change.

    Without `update` each row is repeated as it was made: from the stored texts, by the same tokenizer, with the
    sacreBLEU that is installed. With it, a row is scored on its test set as ``board.toml`` has it now, and where
    anything changes, a new row takes its place.

    Raises:
        DataError: the board is damaged, or a text is missing.
        ResourceError: the board cannot be written.
    """
    changes = []
    for row in current_rows(files.records()):
        if update:
            change = _update(row, files, scoring, test_sets)
        else:
            what = _changes(row, scoring.rescored(row))
            change = Change(row, what, updated=False) if what else None
        if change is not None:
            changes.append(change)
    return changes


def verify(files: BoardFiles, test_sets: TestSets) -> Checked:
    """Check rows, texts and statistics against their checksums, and the test sets against the rows scored on them."""
    missing = files.missing_rows()
    problems: list[str] = [missing] if missing else []
    records = []
    lines = files.lines()
    for place, line in lines:
        try:
            records.append(record_of(line, place))
        except DataError as problem:
            problems.append(str(problem))
    rows = [record for record in records if isinstance(record, Row)]
    named = dict.fromkeys(digest for row in rows for digest in (row.source, *row.references, row.hypotheses))
    for digest in [*named, *sorted(files.texts() - set(named))]:
        try:
            files.text(digest)
        except DataError as problem:
            problems.append(str(problem))
    problems += [
        f"'{row.system}' on '{row.test_set}': its fingerprint is not that of its texts."
        for row in rows
        if row.fingerprint != fingerprint_of(row.source, row.references)
    ]
    problems += _changed_test_sets(test_sets, current_rows(records))
    problems += files.cache.problems()
    return Checked(len(lines), len(set(named) | files.texts()), problems)


def _update(row: Row, files: BoardFiles, scoring: Scoring, test_sets: TestSets) -> Change | None:
    test_set = _present(row, files, test_sets)
    if digest_of(test_set.sources) != row.source:
        return Change(row, ["the source text is another now: translate it again and add that"], updated=False)
    lines = files.text(row.hypotheses)
    new = scoring.make_row(row.system, test_set, lines, row.facts)
    what = differences(new, row) or _values_changed(row, new)
    if not what:
        return None
    texts = files.kept(test_set, lines)
    return Change(row, what, files.append(new, texts=texts, check=lambda rows: row in rows))


def _present(row: Row, files: BoardFiles, test_sets: TestSets) -> TestSet:
    """Return the row's test set as it is now, or as it was if the board has it no more."""
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


def _changes(row: Row, scored: Scored) -> list[str]:
    return _values_changed(row, row.model_copy(update={"scores": scored.scores}))


def _values_changed(row: Row, new: Row) -> list[str]:
    found = []
    for metric, before in row.scores.items():
        after = new.scores.get(metric)
        if after is None:
            found.append(f"{before.name} is scored no more")
            continue
        if abs(after.value - before.value) > _SAME:
            found.append(f"{before.name} was {before.value:.4f} and is {after.value:.4f}")
        if max(abs(after.low - before.low), abs(after.high - before.high)) > _SAME:
            found.append(
                f"the interval of {before.name} was {before.low:.2f} to {before.high:.2f} and is "
                f"{after.low:.2f} to {after.high:.2f}"
            )
        if after.signature != before.signature:
            found.append(f"the signature of {before.name} was {before.signature} and is {after.signature}")
    return found


def _changed_test_sets(test_sets: TestSets, rows: list[Row]) -> list[str]:
    problems = []
    for name in test_sets.names:
        try:
            test_set = test_sets.get(name)
        except NmtLstmError as problem:
            problems.append(str(problem))
            continue
        source = digest_of(test_set.sources)
        fingerprint = fingerprint_of(source, [digest_of(lines) for lines in test_set.references])
        systems = [row.system for row in rows if row.test_set == name and row.fingerprint != fingerprint]
        if systems:
            problems.append(
                f"test set '{name}' is not the one that {', '.join(systems)} were scored on; restore its files, or bring "
                f"the rows up to it with: nmt-lstm leaderboard rescore --update."
            )
    return problems
