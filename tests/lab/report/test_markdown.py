"""Tables have as many cells in each row as heads, whatever the cells hold."""

from __future__ import annotations

import pytest

from nmt_lstm.lab.report.markdown import escaped, markdown_table
from nmt_lstm.lab.report.table import Column, TableCell


def test_numbers_stand_at_the_right_and_notes_in_brackets() -> None:
    columns = [Column("System"), Column("BLEU", numeric=True)]
    assert markdown_table(columns, [["a", TableCell("12.3", note="± 1")], [TableCell("b"), ""]]) == (
        "| System | BLEU |\n| --- | ---: |\n| a | 12.3 (± 1) |\n| b |  |"
    )


def test_heads_and_cells_cannot_be_markup() -> None:
    assert markdown_table([Column("a|b")], [["<i>*x*"], [TableCell("`y`", note="_z_")]]) == (
        "| a\\|b |\n| --- |\n| &lt;i&gt;\\*x\\* |\n| \\`y\\` (\\_z\\_) |"
    )


@pytest.mark.parametrize("mark", "\\`*_[]|#~")
def test_every_mark_is_escaped(mark: str) -> None:
    assert escaped(f"a{mark}b") == f"a\\{mark}b"
