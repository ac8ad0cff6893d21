"""Reading columns of numbers from CSV with a header; a row that cannot be read is named by its line."""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nmt_lstm.errors import DataError, nearest
from nmt_lstm.plain_text import count_of, printable
from nmt_lstm.text.line_decoding import decode_lines
from nmt_lstm.text.lines import single_line
from nmt_lstm.text.text_file import open_bytes

__all__ = ["MAX_COLUMNS", "MAX_ROWS", "SeriesTable", "column_indices", "parse_table", "read_table"]

MAX_ROWS = 1_000_000
MAX_COLUMNS = 100
# A sum of squares must stay finite in float32.
LARGEST = 1e15
# Other signs between the columns of what is also called CSV.
_OTHER_SEPARATORS = {"\t": "tabs", ";": "semicolons"}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


class SeriesTable(NamedTuple):
    """Rows of numbers in the order of time."""

    names: tuple[str, ...]
    """Of the columns."""
    values: NDArray[np.float64]
    """(rows, columns)."""


def read_table(path: Path, columns: Sequence[str] = ()) -> SeriesTable:
    """Read a CSV file, plain or compressed like other text; see `parse_table`.

    Raises:
        DataError: the file cannot be read, or a row is not as `parse_table` needs it.
    """
    with open_bytes(path) as stream:
        return parse_table(decode_lines(stream, str(path), path=path), columns, name=str(path), path=path)


def parse_table(
    lines: Iterable[str], columns: Sequence[str] = (), *, name: str = "the series", path: Path | None = None
) -> SeriesTable:
    """Return the numbers of CSV with a header.

    Args:
        lines: the header, and a line for each row; blank lines may follow the last.
        columns: names of the columns to read, in this order; none for all. Others may hold any text.
        name: how messages refer to the text.
        path: its file, for errors.

    Raises:
        DataError: the header is missing, a column is missing or there are too many, or a row has a different number of
            values or one that is not a decimal number (with its line).
    """
    reader = csv.reader(lines, strict=True)
    # Not lists of numbers, which would take four times the memory.
    rows, values = 0, array("d")
    try:
        first = next(reader, None)
        if first is None:
            raise DataError(f"'{name}' is empty; its first line must name the columns.", path=path, line=1)
        header = tuple(cell.strip() for cell in first)
        indices = _indices(header, columns, name, path)
        names = [header[index] for index in indices]
        for cells in _until_blank(reader, name, path):
            if rows == MAX_ROWS:
                raise DataError(f"'{name}' has more than {MAX_ROWS:,} rows; give fewer.", path=path)
            if len(cells) != len(header):
                raise DataError(
                    f"line {reader.line_num} of '{name}' has {count_of(len(cells), 'value')}, but the header has {count_of(len(header), 'name')}.",
                    path=path,
                    line=reader.line_num,
                )
            rows += 1
            values.extend(
                _number(cells[index], column, name, reader.line_num, path)
                for index, column in zip(indices, names, strict=True)
            )
    except csv.Error as problem:
        raise DataError(
            f"line {reader.line_num} of '{name}' is not CSV: {problem}.", path=path, line=reader.line_num
        ) from None
    return SeriesTable(tuple(names), np.array(values, np.float64).reshape(rows, len(names)))


def column_indices(header: Sequence[str], columns: Sequence[str], name: str) -> list[int]:
    """Return where columns are in a header.

    Raises:
        DataError: one is missing.
    """
    for column in columns:
        if column not in header:
            raise DataError(
                f"'{name}' has no column '{_shown(column)}'; it has {_listed(header)}.{nearest(column, header)}",
                value=column,
                known=header,
            )
    return [list(header).index(column) for column in columns]


def _indices(header: Sequence[str], columns: Sequence[str], name: str, path: Path | None) -> list[int]:
    if not any(header):
        raise DataError(f"'{name}' has no header; its first line names the columns.", path=path, line=1)
    for sign, separator in _OTHER_SEPARATORS.items():
        if len(header) == 1 and sign in header[0]:
            raise DataError(
                f"the columns of '{name}' are separated by {separator}, not by commas; convert it.",
                path=path,
                line=1,
            )
    if len(header) > MAX_COLUMNS:
        raise DataError(f"'{name}' has more than {MAX_COLUMNS:,} columns.", path=path, line=1)
    if all(_NUMBER.fullmatch(cell) for cell in header):
        raise DataError(
            f"the first line of '{name}' has only numbers, but must name the columns.", path=path, line=1
        )
    if len(set(header)) < len(header):
        repeated = next(cell for cell in header if header.count(cell) > 1)
        raise DataError(f"'{name}' has two columns '{_shown(repeated)}'; rename one.", path=path, line=1)
    return column_indices(header, columns or header, name)


def _until_blank(reader: Iterable[list[str]], name: str, path: Path | None) -> Iterator[list[str]]:
    """Yield the rows; blank lines may only follow the last, because a missing row would shift the time of the others."""
    blank = 0
    for number, cells in enumerate(reader, 2):
        if not cells:
            blank = blank or number
        elif blank:
            raise DataError(
                f"line {blank} of '{name}' is blank, but a row of numbers follows it; remove the blank line.",
                path=path,
                line=blank,
            )
        else:
            yield cells


def _number(cell: str, column: str, name: str, line: int, path: Path | None) -> float:
    text = cell.strip()
    # float() would accept "nan", "inf" and "1_000", too.
    value = float(text) if _NUMBER.fullmatch(text) else None
    if value is None:
        advice = "a missing value must be filled in" if not text else "write numbers as 1234.5"
        raise DataError(
            f"line {line} of '{name}', column '{_shown(column)}': '{_shown(text[:40])}' is not a number; {advice}, or "
            f"name the columns to read with --set 'series.columns=[...]'.",
            path=path,
            line=line,
            value=cell,
        )
    if abs(value) > LARGEST:
        raise DataError(
            f"line {line} of '{name}', column '{_shown(column)}': {text[:40]} is larger than {LARGEST:g}; use a larger unit.",
            path=path,
            line=line,
            value=cell,
        )
    return value


def _listed(header: Sequence[str]) -> str:
    shown = ", ".join(_shown(cell) for cell in header[:10])
    return f"{shown}{', ...' if len(header) > 10 else ''}"


def _shown(cell: str) -> str:
    """Return a cell for a message; a quoted one may have several lines."""
    return printable(single_line(cell))
