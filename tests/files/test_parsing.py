"""JSON and TOML: values nested above the limit are refused, and all others are read."""

from __future__ import annotations

import pytest

from nmt_lstm.files.parsing import MAX_DEPTH, parse_json, parse_toml


def test_json_is_read() -> None:
    assert parse_json(b'{"a": [1, {"b": null}], "c": "[[[[["}') == {"a": [1, {"b": None}], "c": "[[[[["}
    assert parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 100_000])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}")])
def test_deep_json_is_refused(depth: int, begin: str, end: str) -> None:
    with pytest.raises(ValueError, match="nested"):
        parse_json(begin * depth + "1" + end * depth)


@pytest.mark.parametrize("text", ["", "{", b"\xff", "1" * 5_000])
def test_other_text_than_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_json(text)


TOML = '''
# a comment with [[[[[ and a.b.c
title = "dots . in . strings [[[["
path = 'C:\\\\x.y.z'
text = """
[[[[[[ "quoted" \\\\" a.b.c
"""
number = 1.5
list = [[1, 2], [3]]
[a."b.c".d]
x = {y.z = 1}
'''


def test_toml_is_read() -> None:
    values = parse_toml(TOML)
    assert values["list"] == [[1, 2], [3]]
    assert values["a"]["b.c"]["d"] == {"x": {"y": {"z": 1}}}
    assert parse_toml("\n".join(f"a{number} = 1.5" for number in range(100)))["a99"] == 1.5
    assert parse_toml(".".join(["a"] * MAX_DEPTH) + " = 1")


@pytest.mark.parametrize(
    "text",
    [
        ".".join(["a"] * 100_000) + " = 1",
        "[" + " . ".join(["a"] * 100_000) + "]",
        ".".join(['"a b"'] * 100_000) + " = 1",
        "x = " + "[" * 100_000 + "]" * 100_000,
        "x = " + "{a = " * 1_000 + "1" + "}" * 1_000,
        "x = " + "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
    ],
    ids=["dotted key", "table", "quoted key", "arrays", "inline tables", "just too deep"],
)
def test_deep_toml_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="nested"):
        parse_toml(text)


def test_an_error_in_toml_gives_its_position() -> None:
    with pytest.raises(ValueError, match="line 2, column 5"):
        parse_toml("a = 1\nb = \n")
