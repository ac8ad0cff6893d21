"""Text from outside cannot control a terminal, break a JSON line, or become a formula."""

from __future__ import annotations

import json
import unicodedata

import pytest

from nmt_lstm.plain_text import cell_text, columns, count_of, joined_names, json_text, printable


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain ü 日本 😀\tand\nlines", "plain ü 日本 😀\tand\nlines"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m\x85", "\\x9b31m\\x85"),
        ("a\rb\x08\x7f\x00", "a\\x0db\\x08\\x7f\\x00"),
        ("\u202egnp.exe\u2069", "\\u202egnp.exe\\u2069"),
        ("caf\udce9", "caf\\udce9"),
    ],
)
def test_control_characters_are_escaped(text: str, escaped: str) -> None:
    assert printable(text) == escaped


def test_every_control_character_of_unicode_is_escaped() -> None:
    every = "".join(map(chr, range(0x1_0000)))
    text = printable(every)
    assert {
        character for character in text if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
    } == {"\t", "\n"}
    bidi = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert not {character for character in text if unicodedata.bidirectional(character) in bidi}


def test_json_is_one_harmless_line_with_the_same_values() -> None:
    values = {"text": "a\x9b\u2028\u2029\x85\x1b\u202eb ü 😀", "list": [1.5, None]}
    text = json_text(values)
    assert json.loads(text) == values
    assert text.splitlines() == [text]
    assert printable(text) == text
    assert "ü 😀" in text
    assert json_text({"a": 1}, indent=2) == '{\n  "a": 1\n}'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_becomes_text(text: str) -> None:
    assert cell_text(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "lstm", "a=b", "'=1"])
def test_other_cells_are_unchanged(text: str) -> None:
    assert cell_text(text) == text


@pytest.mark.parametrize(
    ("right", "table"),
    [
        (None, "            BLEU\n  a system   1.5\n  b"),
        ((), "            BLEU\n  a system  1.5\n  b"),
        ((0,), "            BLEU\n  a system  1.5\n         b"),
    ],
)
def test_columns_are_aligned(right, table) -> None:
    assert columns([("", "BLEU"), ("a system", "1.5"), ("b", "")], right=right, indent="  ") == table


def test_columns_are_aligned_beside_wide_and_combining_characters() -> None:
    lines = columns([("猫", "x"), ("e\u0301", "x"), ("abc", "x")]).split("\n")
    assert lines == ["猫   x", "e\u0301    x", "abc  x"]


def test_names_are_joined_as_a_list() -> None:
    assert joined_names(["a"]) == "a"
    assert joined_names(["a", "b"], "or") == "a or b"
    assert joined_names(["a", "b", "c"]) == "a, b and c"


def test_a_count_suits_its_noun() -> None:
    assert [count_of(number, "line") for number in (0, 1, 2_000)] == ["0 lines", "1 line", "2,000 lines"]
    assert [count_of(number, "batch", plural="batches") for number in (1, 2)] == ["1 batch", "2 batches"]
