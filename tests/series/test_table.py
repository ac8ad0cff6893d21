"""Reading numbers from CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nmt_lstm.errors import DataError
from nmt_lstm.series import table
from nmt_lstm.series.table import parse_table, read_table


def test_numbers_are_read_in_the_order_of_the_columns(tmp_path: Path) -> None:
    file = tmp_path / "series.csv"
    file.write_bytes(b'time,"a, b", c\r\n2020-01-01,1,-2.5e1\r\n"x ""y""",+.5, 3.\r\n\r\n')
    read = read_table(file, ["c", "a, b"])
    assert read.names == ("c", "a, b")
    np.testing.assert_array_equal(read.values, [[-25.0, 1.0], [3.0, 0.5]])


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("", 1, "empty"),
        ("\n", 1, "header"),
        ("a\tb\n1\t2\n", 1, "tabs"),
        ("a;b\n1;2\n", 1, "semicolons"),
        ("1,2\n3,4\n", 1, "only numbers"),
        ("a,a\n1,2\n", 1, "two columns"),
        ("a,b\n1,2\n1\n", 3, "1 value"),
        ("a,b\n1,2,3\n", 2, "3 values"),
        ("a,b\n1,nan\n", 2, "'nan'"),
        ("a,b\n1,inf\n", 2, "'inf'"),
        ("a,b\n1,1_0\n", 2, "1_0"),
        ("a,b\n1,٣\n", 2, "not a number"),
        ("a,b\n1,\n", 2, "missing value"),
        ("a,b\n1,1e300\n", 2, "larger"),
        ("a,b\n1,1e999\n", 2, "larger"),
        ("a,b\n1,2\n\n1,2\n", 3, "blank"),
        ('a,b\n1,"2\n', 2, "CSV"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(text: str, line: int, word: str) -> None:
    with pytest.raises(DataError, match=word) as refused:
        parse_table(text.splitlines())
    assert refused.value.line == line


def test_a_missing_column_is_named_with_those_that_exist() -> None:
    with pytest.raises(DataError, match="load") as refused:
        parse_table(["time,load", "1,2"], ["lod"])
    assert refused.value.value == "lod"


def test_the_numbers_of_rows_and_columns_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_ROWS", 2)
    with pytest.raises(DataError, match="rows"):
        parse_table(["a", "1", "2", "3"])
    with pytest.raises(DataError, match="columns"):
        parse_table([",".join(f"c{number}" for number in range(table.MAX_COLUMNS + 1))])
