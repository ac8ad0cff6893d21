"""Columns of tab-separated files: their names, lines with an unusual number of columns, and when a file is given up."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmt_lstm.errors import DataError
from nmt_lstm.text.columns import ColumnReader, file_of, split_column
from nmt_lstm.text.corpus import read_parallel
from nmt_lstm.text.text_file import language_of, read_lines


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def test_a_path_may_name_a_column(tmp_path) -> None:
    assert split_column(Path("a/pairs.tsv:2")) == (Path("a/pairs.tsv"), 2)
    assert split_column(Path("a/pairs.tsv.gz:12")) == (Path("a/pairs.tsv.gz"), 12)
    for name in ("pairs.tsv", "pairs.tsv:0", "pairs.tsv:x", ":1", "c:/x"):
        assert split_column(Path(name)) == (Path(name), None)
    odd = write(tmp_path / "odd:1", ["text"])
    assert (file_of(odd), list(read_lines(odd))) == (odd, ["text"])
    assert language_of(Path("pairs.tsv:1")) == language_of(Path("pairs.tsv")) == ""


def test_chosen_columns_are_paired_and_unusual_lines_left_out_on_both_sides(tmp_path, caplog) -> None:
    lines = [f"{number}\tsource {number}\ttarget {number}" for number in range(30)]
    lines[3] = "3\tsource 3"
    lines[20] += "\twith a tab"
    path = write(tmp_path / "pairs.tsv", lines)
    pairs = list(read_parallel(Path(f"{path}:2"), Path(f"{path}:3")))
    assert pairs == [
        (f"source {number}", f"target {number}") for number in range(30) if number not in (3, 20)
    ]
    (record,) = caplog.records
    assert "line 4 has 2, line 21 has 4" in record.getMessage()
    beside = write(tmp_path / "beside", [f"beside {number}" for number in range(30)])
    assert [target for _, target in read_parallel(Path(f"{path}:2"), beside)] == [
        f"beside {number}" for number in range(30) if number not in (3, 20)
    ]


def test_a_missing_column_is_refused(tmp_path) -> None:
    path = write(tmp_path / "pairs.tsv", ["a\tb"] * 3)
    with pytest.raises(DataError, match="2 columns, but column 3") as caught:
        list(read_lines(Path(f"{path}:3")))
    assert caught.value.path == path


@pytest.mark.parametrize(("unusual", "given_up"), [(10, False), (11, True)])
def test_a_file_is_given_up_if_more_than_a_tenth_of_its_lines_are_unusual(unusual, given_up) -> None:
    lines = ["a\tb"] * (100 - unusual) + ["a"] * unusual
    reader = ColumnReader(iter(lines), Path("pairs.tsv"), 1)
    if given_up:
        with pytest.raises(DataError, match="more than 10%") as caught:
            list(reader.texts())
        assert caught.value.line == 100 - unusual + 1
    else:
        assert list(reader.texts()).count(None) == unusual
        assert f"{unusual} of 100 lines" in reader.warning()


def test_an_empty_file_has_no_lines() -> None:
    reader = ColumnReader(iter([]), Path("pairs.tsv"), 2)
    assert (list(reader.texts()), reader.warning()) == ([], "")
