"""Rankings as text and Markdown: columns, marks, notes and escaped names."""

from __future__ import annotations

import re

import pytest

from nmt_lstm.lab.leaderboard import tables
from nmt_lstm.lab.leaderboard.ranking import rank
from nmt_lstm.lab.leaderboard.tables import compact, hours, speed

ATTACK = "<script>alert(1)</script> | *x* `y`"


@pytest.fixture
def odd_board(board, texts):
    """A board with names that could be markup, or have wide characters."""
    board.add(ATTACK, hypotheses=texts.bad, facts={"parameters": 12_345_678, "training_hours": 0.5})
    board.add("模型", hypotheses=texts.reference)
    return board


def test_text_has_a_line_for_each_row(odd_board) -> None:
    text = tables.text(odd_board.rankings(baseline="good"), baseline="good")
    lines = text.splitlines()
    assert lines[0].startswith("numbers, de-en, 40 lines, 1 reference, fingerprint ")
    head, *rows = lines[2:8]
    assert re.split(r"\s{2,}", head.strip()) == [
        "#", "system", "BLEU", "95 %", "vs best", "vs good", "chrF2", "chrF2++", "TER", "BP", "parameters",
        "training", "sent/s",
    ]  # fmt: skip
    assert [row.split()[1] for row in rows[:1]] == ["模型"]
    assert "100.00" in rows[0]
    assert "12.3 M" in text
    assert "30 min" in text
    assert any(line.startswith("BLEU nrefs:1|") for line in lines)


def test_marks_are_explained(board) -> None:
    text = tables.text(board.rankings())
    assert "≈2" in text
    assert "≈ not significantly different from the best in BLEU" in text


def test_separate_rankings_say_why(board) -> None:
    good, similar, bad = board.current()
    entry = bad.scores["chrf"].model_copy(update={"signature": "nrefs:1|case:lc"})
    bad = bad.model_copy(update={"scores": bad.scores | {"chrf": entry}})
    result = rank([good, similar, bad], "bleu", board.scoring.statistics_of)
    for text in (tables.text(result), tables.markdown(result)):
        assert "these rows have chrf signature case:lc" in text


def test_markdown_escapes_names(odd_board) -> None:
    text = tables.markdown(odd_board.rankings(baseline="good"), baseline="good")
    assert text.startswith("### numbers, de-en, 40 lines")
    table = [line for line in text.splitlines() if line.startswith("|")]
    cells = {line.replace("\\|", "").count("|") for line in table}
    assert len(cells) == 1
    assert len(table) == 7
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; \\| \\*x\\* \\`y\\`" in text


def test_an_empty_board_names_the_command(empty_board) -> None:
    assert "nmt-lstm leaderboard add" in tables.text(empty_board.rankings())
    assert "no rows" in tables.markdown([])


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"), (999, "999"), (1_000, "1 k"), (12_345, "12.3 k"), (60_000_000, "60 M"),
        (999_950_000, "1e+03 M"), (1_500_000_000, "1.5 G"), (2_345_000_000_000, "2,345 G"),
    ],
)  # fmt: skip
def test_large_numbers_are_shortened(number, text) -> None:
    assert compact(number) == text


def test_times_and_speeds_have_units() -> None:
    assert [hours(value) for value in (0.1, 0.99, 1.0, 26.5)] == [
        "6 min",
        "59 min",
        "1.00 h",
        "26.50 h",
    ]
    assert [speed(value) for value in (0.25, 9.94, 12.3, 1234.5)] == ["0.2", "9.9", "12", "1,234"]
