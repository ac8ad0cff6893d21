"""Tables: heads, labels, numbers, sort keys, the formats, and escaped text."""

from __future__ import annotations

import pytest

from nmt_lstm.lab.report.table import Column, Table, TableCell, escape_markdown, facts, number

COLUMNS = [
    Column("System", label=True),
    Column("BLEU", numeric=True, meaning="percent", note="of 3", falling=True),
]


def test_cells_have_classes_notes_and_sort_keys() -> None:
    text = Table("Scores", COLUMNS, [["<b>", TableCell("12.3", sort=12.345, note="± 1", quiet=True)]]).html()
    assert '<th scope="row" class="label">&lt;b&gt;</th>' in text
    assert '<td class="number quiet" data-sort="12.345">12.3<small>± 1</small></td>' in text
    assert '<th scope="col" class="number" title="percent">' in text
    assert "</button><small>of 3</small></th>" in text
    assert '<p class="caption">Scores</p><div class="scroll"' in text


def test_heads_are_buttons_that_sort() -> None:
    text = Table("", COLUMNS, []).html()
    assert '<table class="sortable">' in text
    assert '<button type="button">System</button>' in text
    assert '<button type="button" data-falling>BLEU</button>' in text


def test_a_row_needs_a_cell_for_each_column() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Table("", COLUMNS, [["one"]]).html()


def test_a_table_of_items_has_a_row_for_each_item() -> None:
    result = Table.of(
        "", [3, 1234], [(COLUMNS[0], str), (COLUMNS[1], lambda each: number(each, ",.1f", "note"))]
    )
    assert result.rows == [["3", TableCell("3.0", 3, "note")], ["1234", TableCell("1,234.0", 1234, "note")]]
    assert result.columns == COLUMNS
    assert number(2, lambda value: f"{value} s").content == "2 s"


def test_a_folded_table_is_behind_its_heading() -> None:
    assert (
        Table("", COLUMNS, [], folded="All <pairs>")
        .html()
        .startswith("<details><summary>All &lt;pairs&gt;</")
    )


def test_facts_are_a_list_of_names_and_values() -> None:
    assert facts([("a", "<1>")]) == '<dl class="facts"><div><dt>a</dt><dd>&lt;1&gt;</dd></div></dl>'


def test_markdown_aligns_numbers_and_puts_notes_in_brackets() -> None:
    table = Table(
        "", [Column("System"), Column("BLEU", numeric=True)], [["a", TableCell("12.3", note="± 1")]]
    )
    assert table.markdown() == "| System | BLEU |\n| --- | ---: |\n| a | 12.3 (± 1) |"


def test_markdown_escapes_heads_cells_and_notes() -> None:
    table = Table("", [Column("a|b")], [["<i>*x*"], [TableCell("`y`", note="_z_")]])
    assert table.markdown() == ("| a\\|b |\n| --- |\n| &lt;i&gt;\\*x\\* |\n| \\`y\\` (\\_z\\_) |")


@pytest.mark.parametrize("mark", "\\`*_[]|#~")
def test_every_markdown_mark_is_escaped(mark: str) -> None:
    assert escape_markdown(f"a{mark}b") == f"a\\{mark}b"


def test_text_aligns_numbers_at_the_right() -> None:
    rows = [["a", "1.5"], ["bcd", TableCell("12.25", note="n")]]
    table = Table("", [Column("name"), Column("BLEU", numeric=True)], rows)
    assert table.text("  ").splitlines() == ["  name       BLEU", "  a           1.5", "  bcd   12.25 (n)"]
