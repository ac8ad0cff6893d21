"""Tables: heads, labels, numbers, what they sort by, and no text that is taken for markup."""

from __future__ import annotations

import pytest

from nmt_lstm.lab.report.table import Column, TableCell, facts, table

COLUMNS = [
    Column("System", label=True),
    Column("BLEU", numeric=True, meaning="percent", note="of 3", falling=True),
]


def test_cells_say_what_they_are() -> None:
    text = table(COLUMNS, [["<b>", TableCell("12.3", sort=12.345, note="± 1", quiet=True)]], caption="Scores")
    assert '<th scope="row" class="label">&lt;b&gt;</th>' in text
    assert '<td class="number quiet" data-sort="12.345">12.3<small>± 1</small></td>' in text
    assert '<th scope="col" class="number" title="percent">BLEU<small>of 3</small></th>' in text
    assert '<p class="caption">Scores</p><div class="scroll"' in text
    assert "<button" not in text


def test_sortable_tables_have_buttons() -> None:
    text = table(COLUMNS, [], sortable=True)
    assert '<table class="sortable">' in text
    assert '<button type="button">System</button>' in text
    assert '<button type="button" data-falling>BLEU</button>' in text


def test_rows_must_fit_the_columns() -> None:
    with pytest.raises(ValueError, match="shorter"):
        table(COLUMNS, [["one"]])


def test_facts_are_a_list_of_names_and_values() -> None:
    assert facts([("a", "<1>")]) == '<dl class="facts"><div><dt>a</dt><dd>&lt;1&gt;</dd></div></dl>'
