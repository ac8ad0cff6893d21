"""JSON and TOML: what is nested beyond the bound is refused in no time, and everything else is read as before."""

from __future__ import annotations

import time

import pytest

from nmt_lstm.files.parsing import DEEPEST, parse_json, parse_toml


def test_json_is_read() -> None:
    assert parse_json(b'{"a": [1, {"b": null}], "c": "[[[[["}') == {"a": [1, {"b": None}], "c": "[[[[["}
    assert parse_json("[" * DEEPEST + "]" * DEEPEST)


@pytest.mark.parametrize("depth", [DEEPEST + 1, 900, 100_000])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}")])
def test_deep_json_is_refused(depth: int, begin: str, end: str) -> None:
    with pytest.raises(ValueError, match="nested"):
        parse_json(begin * depth + "1" + end * depth)


@pytest.mark.parametrize("text", ["", "{", b"\xff", "1" * 5_000])
def test_what_is_not_json_is_a_value_error(text: str | bytes) -> None:
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
    found = parse_toml(TOML)
    assert found["list"] == [[1, 2], [3]]
    assert found["a"]["b.c"]["d"] == {"x": {"y": {"z": 1}}}
    assert parse_toml("\n".join(f"a{number} = 1.5" for number in range(100)))["a99"] == 1.5
    assert parse_toml(".".join(["a"] * DEEPEST) + " = 1")


@pytest.mark.parametrize(
    "text",
    [
        ".".join(["a"] * 100_000) + " = 1",
        "[" + " . ".join(["a"] * 100_000) + "]",
        ".".join(['"a b"'] * 100_000) + " = 1",
        "x = " + "[" * 100_000 + "]" * 100_000,
        "x = " + "{a = " * 1_000 + "1" + "}" * 1_000,
        "x = " + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
    ],
    ids=["dotted key", "table", "quoted key", "arrays", "inline tables", "just too deep"],
)
def test_deep_toml_is_refused_at_once(text: str) -> None:
    begin = time.process_time()
    with pytest.raises(ValueError, match="nested"):
        parse_toml(text)
    assert time.process_time() - begin < 5.0


def test_what_is_not_toml_says_where() -> None:
    with pytest.raises(ValueError, match="line 2, column 5"):
        parse_toml("a = 1\nb = \n")
