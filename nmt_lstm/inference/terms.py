"""A table of terms: phrases of the source text whose translation is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from nmt_lstm.errors import DataError
from nmt_lstm.files.regular import read_regular
from nmt_lstm.text.casing import LineCase
from nmt_lstm.text.phrases import phrase_spans

__all__ = ["Terms"]

LARGEST_TABLE = 2**26  # bytes


class Terms:
    """Pairs of a source phrase and the target phrase that translates it.

    Args:
        pairs: of phrases, none of them blank. A longer source phrase wins over a shorter one within it.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = sorted(pairs, key=lambda pair: -len(pair[0]))

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self._pairs)

    @classmethod
    def load(cls, path: Path) -> Terms:
        """Read a table: a source phrase, a tab and a target phrase per line; blank lines and those after # are skipped.

        Raises:
            DataError: the file cannot be read, or a line is not a pair.
        """
        try:
            data = read_regular(path, LARGEST_TABLE)
        except OSError as error:
            raise DataError(f"cannot read the terms '{path}': {error.strerror}.") from None
        return cls.parse(data, str(path))

    @classmethod
    def parse(cls, data: bytes, name: str) -> Terms:
        """Return the terms of a table that has been read, as for `load`; messages call it `name`.

        Raises:
            DataError: it is larger than a table may be, or not UTF-8, or a line is not a pair.
        """
        if len(data) > LARGEST_TABLE:
            raise DataError(f"the terms '{name}' are larger than {LARGEST_TABLE >> 20} MiB.")
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise DataError(f"the terms '{name}' are not UTF-8 text; convert them first.") from None
        return cls(list(_pairs(name, text)))

    def required(self, line: str) -> list[str]:
        """Return the target phrases of the source phrases in a line, one for each occurrence.

        In a line that is all in upper or title case, phrases are found in any case.
        """
        targets = []
        has_case = LineCase.of(line) is None
        line = line if has_case else line.lower()
        for source, target in self._pairs:
            for start, end in list(phrase_spans(line, source if has_case else source.lower())):
                targets.append(target)
                # What is a part of this phrase is not a phrase of its own.
                line = line[:start] + "\n" * (end - start) + line[end:]
        return targets


def _pairs(name: str, text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            columns = [column.strip() for column in line.split("\t")]
            if len(columns) != 2 or not all(columns):
                raise DataError(
                    f"'{name}', line {number}: '{line[:60]}' is not a source phrase, a tab and a target phrase."
                )
            yield columns[0], columns[1]
