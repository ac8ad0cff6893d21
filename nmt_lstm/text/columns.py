"""Columns of tab-separated files: "pairs.tsv:2" is the second column of pairs.tsv."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nmt_lstm.errors import DataError
from nmt_lstm.plain_text import count_of

__all__ = ["ColumnReader", "file_of", "split_column"]

_COLUMN = re.compile(r"(.+):([1-9]\d{0,5})", re.DOTALL)
# Lines by which the usual number of columns is decided.
SAMPLE = 1_000
# Share of lines with a different number of columns that is tolerated, and the lines from which on that is checked.
TOLERATED = 0.1
MIN_CHECKED = 100
MAX_EXAMPLES = 3


def split_column(path: Path) -> tuple[Path, int | None]:
    """Return the file and the column, from 1, of a path such as "pairs.tsv:2"; None if it names a whole file."""
    match = _COLUMN.fullmatch(path.name)
    if match is None or path.exists():
        return path, None
    return path.with_name(match[1]), int(match[2])


def file_of(path: Path) -> Path:
    """Return the file of a path that may name a column."""
    return split_column(path)[0]


class ColumnReader:
    """One column of tab-separated lines. A line with an unusual number of columns has no text: a tab may be inside it.

    Args:
        lines: of the file.
        path: how messages refer to it.
        column: from 1.
    """

    def __init__(self, lines: Iterator[str], path: Path, column: int) -> None:
        self.path = path
        self._lines = lines
        self._column = column
        self._unusual: list[tuple[int, int]] = []
        self._unusual_count = 0
        self._count = 0
        self._usual = 0

    def texts(self) -> Iterator[str | None]:
        """Yield the text of each line; None for a line with an unusual number of columns.

        Raises:
            DataError: the file does not have this column, or more than a tenth of its lines are unusual.
        """
        beginning = list(itertools.islice(self._lines, SAMPLE))
        counts = Counter(line.count("\t") + 1 for line in beginning)
        self._usual = counts.most_common(1)[0][0] if counts else self._column
        if self._column > self._usual:
            raise DataError(
                f"'{self.path}' has {count_of(self._usual, 'column')}, but column {self._column} was asked for.",
                path=self.path,
            )
        for line in itertools.chain(beginning, self._lines):
            self._count += 1
            fields = line.split("\t")
            if len(fields) == self._usual:
                yield fields[self._column - 1]
                continue
            self._unusual_count += 1
            if len(self._unusual) < MAX_EXAMPLES:
                self._unusual.append((self._count, len(fields)))
            if self._count >= MIN_CHECKED:
                self._check()
            yield None
        self._check()

    def warning(self, consequence: str = "Such lines are left out.") -> str:
        """Return a sentence about the unusual lines read so far, and their consequence; empty if there are none."""
        return f"{self._description()} {consequence}" if self._unusual_count else ""

    def _check(self) -> None:
        if self._unusual_count > TOLERATED * self._count:
            raise DataError(
                f"{self._description()} That is more than {TOLERATED:.0%}: keep only the columns of the two sides, for "
                f"example with: cut -f 1,2.",
                path=self.path,
                line=self._unusual[0][0],
            )

    def _description(self) -> str:
        examples = ", ".join(f"line {number:,} has {count}" for number, count in self._unusual)
        more = ", ..." if self._unusual_count > len(self._unusual) else ""
        verb = "does not" if self._unusual_count == 1 else "do not"
        return (
            f"'{self.path}': {self._unusual_count:,} of {self._count:,} lines {verb} have the usual "
            f"{count_of(self._usual, 'column')} ({examples}{more})."
        )
