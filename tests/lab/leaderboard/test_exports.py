"""JSON and CSV: the values of a row."""

from __future__ import annotations

import csv
import io
import json

import pytest

from nmt_lstm.lab.leaderboard.exports import csv_text, json_text


@pytest.fixture
def full_board(board, texts):
    """A board with a system whose name looks like a formula."""
    board.add(
        '=x,"y"',
        hypotheses=texts.bad,
        facts={"toolkit": "marian", "parameters": 5, "seed": 0, "hardware": "ü"},
    )
    return board


def test_json_contains_all_values(full_board) -> None:
    values = json.loads(json_text(full_board.rankings(baseline="good")))
    (ranking,) = values["rankings"]
    assert (ranking["test_set"], ranking["metric"], ranking["apart"]) == ("numbers", "bleu", [])
    rows = {row["system"]: row for row in ranking["rows"]}
    row = rows['=x,"y"']
    stored = next(each for each in full_board.current() if each.system == '=x,"y"')
    assert row["scores"]["bleu"]["value"] == stored.scores["bleu"].value
    assert row["facts"]["parameters"] == 5
    assert row["facts"]["training_hours"] is None
    assert row["hypotheses"] == stored.hypotheses
    assert row["versus_baseline"]["significant"] is True
    assert rows["good"]["versus_baseline"] is None
    assert [row["rank"] for row in ranking["rows"]] == [1, 2, 3, 4]


def test_csv_has_a_line_for_each_row(full_board) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text(full_board.rankings(baseline="good")))))
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4"]
    row = next(row for row in rows if row["system"] == '\'=x,"y"')
    stored = next(each for each in full_board.current() if each.system == '=x,"y"')
    assert float(row["bleu"]) == stored.scores["bleu"].value
    assert float(row["chrf++_low"]) == stored.scores["chrf++"].low
    assert (row["toolkit"], row["seed"], row["training_hours"], row["hardware"]) == ("marian", "0", "", "ü")
    assert row["versus_baseline_significant"] == "True"
    assert row["scored_with"].startswith("nmt-lstm==")
    assert {row["ranking"] for row in rows} == {"1"}


def test_an_empty_board_has_only_heads() -> None:
    assert csv_text([]).startswith("test_set,ranking,rank,system,")
    assert json.loads(json_text([])) == {"format": 1, "rankings": []}


def test_text_cells_are_not_formulas(full_board) -> None:
    text = csv_text(full_board.rankings(baseline="good"))
    for row in csv.reader(io.StringIO(text)):
        for cell in row:
            if cell.startswith(("=", "+", "@", "-")):
                float(cell)
    assert any(cell.startswith("-") for row in csv.reader(io.StringIO(text)) for cell in row)
