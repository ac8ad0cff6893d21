"""Tables: heads, labels, numbers, what they sort by, and no text that is taken for markup."""

from __future__ import annotations

import pytest

from nmt_lstm.lab.report.table import Column, Table, TableCell, facts, number

COLUMNS = [
    Column("System", label=True),
    Column("BLEU", numeric=True, meaning="percent", note="of 3", falling=True),
]


def test_cells_say_what_they_are() -> None:
    text = Table("Scores", COLUMNS, [["<b>", TableCell("12.3", sort=12.345, note="± 1", quiet=True)]]).html()
    assert '<th scope="row" class="label">&lt;b&gt;</th>' in text
    assert '<td class="number quiet" data-sort="12.345">12.3<small>± 1</small></td>' in text
    assert '<th scope="col" class="number" title="percent">' in text
    assert "</button><small>of 3</small></th>" in text
    assert '<p class="caption">Scores</p><div class="scroll"' in text


def test_tables_can_be_sorted() -> None:
    text = Table("", COLUMNS, []).html()
    assert '<table class="sortable">' in text
    assert '<button type="button">System</button>' in text
    assert '<button type="button" data-falling>BLEU</button>' in text


def test_rows_must_fit_the_columns() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Table("", COLUMNS, [["one"]]).html()


def test_a_table_of_items_has_a_row_for_each() -> None:
    found = Table.of(
        "", [3, 1234], [(COLUMNS[0], str), (COLUMNS[1], lambda each: number(each, ",.1f", "note"))]
    )
    assert found.rows == [["3", TableCell("3.0", 3, "note")], ["1234", TableCell("1,234.0", 1234, "note")]]
    assert found.columns == COLUMNS
    assert number(2, lambda value: f"{value} s").content == "2 s"


def test_a_folded_table_hides_behind_its_heading() -> None:
    assert (
        Table("", COLUMNS, [], folded="All <pairs>")
        .html()
        .startswith("<details><summary>All &lt;pairs&gt;</")
    )


def test_facts_are_a_list_of_names_and_values() -> None:
    assert facts([("a", "<1>")]) == '<dl class="facts"><div><dt>a</dt><dd>&lt;1&gt;</dd></div></dl>'
